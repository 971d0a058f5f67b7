"""What is installed: which order storage rules, which currency, which time zone, which FluentCRM."""

from __future__ import annotations

from datetime import tzinfo
from typing import Literal

import msgspec

from sidecar.errors import SchemaUnsupported
from sidecar.mysql.connection import Reader
from sidecar.values import dates, php

Storage = Literal["hpos", "posts"]

_OPTIONS = (
    "siteurl", "home", "blogname", "timezone_string", "gmt_offset", "active_plugins", "db_version",
    "woocommerce_version", "woocommerce_currency", "woocommerce_price_num_decimals",
    "woocommerce_default_country", "woocommerce_custom_orders_table_enabled",
    "woocommerce_custom_orders_table_data_sync_enabled", "woocommerce_custom_orders_table_created",
    "_fluentcrm_db_version", "WPLANG", "fcsc_paid_statuses",
)  # fmt: skip
_PAID = ("processing", "completed")


class ShopInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The shop as its options describe it. `currency` is the base currency (ISO 4217), `country` ISO-2."""

    storage: Storage
    hpos_sync: bool
    currency: str
    decimals: int
    country: str
    timezone: str
    gmt_offset: str
    locale: str
    home: str
    woocommerce: str
    fluentcrm_db: str
    pivot_unique: bool
    paid_statuses: frozenset[str]
    plugins: tuple[str, ...]

    @property
    def zone(self) -> tzinfo:
        """The shop's time zone: what FluentCRM's dates and the owner's days are in."""
        return dates.site_zone(self.timezone, self.gmt_offset)


def storage(shop: Reader) -> Storage:
    """Which order storage is authoritative now. The only place that reads that option.

    Tables may exist and be stale while posts rule, so the option decides, never the tables.
    """
    found: dict[str, str] = dict(shop.rows("schema_options", names=["woocommerce_custom_orders_table_enabled"]))
    return "hpos" if found.get("woocommerce_custom_orders_table_enabled") == "yes" else "posts"


def probe(shop: Reader, paid_statuses: tuple[str, ...] = ()) -> ShopInfo:
    """Read what the shop is. `paid_statuses` (without `wc-`) overrides what the shop says.

    Raises SchemaUnsupported when WooCommerce's or FluentCRM's tables are not there.
    """
    p = shop.tables.prefix
    needed = {
        "woocommerce": f"{p}woocommerce_order_items",
        "fluentcrm": f"{p}fc_subscribers",
        "wordpress": f"{p}options",
        "accounts": shop.tables.users_table,
    }
    present = {row[0] for row in shop.rows("schema_columns", tables=[*needed.values(), f"{p}wc_orders"])}
    for what, table in needed.items():
        if table not in present:
            raise SchemaUnsupported(
                f"there is no table {table}: {what} is not in this database under this prefix",
                hint="check [shop] table_prefix and the database name; `sidecar doctor` lists what is missing",
            )
    options: dict[str, str] = dict(shop.rows("schema_options", names=list(_OPTIONS)))
    hpos = options.get("woocommerce_custom_orders_table_enabled") == "yes"
    if hpos and f"{p}wc_orders" not in present:
        raise SchemaUnsupported(
            f"the shop says that orders are in {p}wc_orders, but that table is not there",
            hint="see WooCommerce → Settings → Advanced → Features, then run `sidecar doctor`",
        )
    return ShopInfo(
        storage="hpos" if hpos else "posts",
        hpos_sync=options.get("woocommerce_custom_orders_table_data_sync_enabled") == "yes",
        currency=(options.get("woocommerce_currency") or "USD").upper(),
        decimals=_int(options.get("woocommerce_price_num_decimals"), 2),
        country=(options.get("woocommerce_default_country") or "").partition(":")[0].upper(),
        timezone=options.get("timezone_string") or "",
        gmt_offset=options.get("gmt_offset") or "0",
        locale=options.get("WPLANG") or "en_US",
        home=options.get("home") or options.get("siteurl") or "",
        woocommerce=options.get("woocommerce_version") or "",
        fluentcrm_db=options.get("_fluentcrm_db_version") or "",
        pivot_unique=bool(shop.value("schema_unique_pivot", pivot=f"{p}fc_subscriber_pivot")),
        paid_statuses=_paid(paid_statuses, options.get("fcsc_paid_statuses")),
        plugins=_strings(options.get("active_plugins")),
    )


def _paid(configured: tuple[str, ...], published: str | None) -> frozenset[str]:
    """The owner's word, else what the bridge publishes of `wc_get_is_paid_statuses()`, else WooCommerce's own."""
    chosen = configured or _strings(published) or _PAID
    return frozenset(status.removeprefix("wc-") for status in chosen)


def _strings(serialized: str | None) -> tuple[str, ...]:
    if not serialized:
        return ()
    try:
        value = php.loads(serialized)
    except php.PhpError:
        return ()
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return tuple(item for item in items if isinstance(item, str))


def _int(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() else default
