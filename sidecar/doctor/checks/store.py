"""WooCommerce and the tables that are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sidecar.doctor import needs
from sidecar.doctor.model import Facts, Table, Verdict, numbers
from sidecar.doctor.registry import check

LEAST = (8,)
BIG_ROWS = 2_000_000


def missing(facts: Facts, wanted: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Tables and columns that are not there, or that our account cannot see."""
    lost = []
    for table, columns in wanted.items():
        found = facts.shop.columns.get(table)
        if found is None:
            lost.append(f"table {table}")
        else:
            lost += [f"column {table}.{column}" for column in columns if column not in found]
    return lost


def unindexed(facts: Facts, wanted: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Columns (with `|`: one of them) that no index of their table begins with."""
    lost = []
    for name, columns in wanted.items():
        table = facts.prefix + name
        if table not in facts.shop.tables:
            continue
        first = {index.columns[0] for index in facts.shop.indexes.get(table, ())}
        lost += [f"{table} ({column})" for column in columns if not first.intersection(column.split("|"))]
    return lost


def used(facts: Facts) -> dict[str, Table]:
    """The tables that the sidecar uses and that are there."""
    names = [*needs.shop_tables(facts.config, hpos=facts.shop.hpos), *needs.crm_tables(facts.config)]
    return {name: facts.shop.tables[name] for name in names if name in facts.shop.tables}


@check("store.E001", "Version of WooCommerce", "update WooCommerce to 8.0 or newer")
def version(facts: Facts) -> Verdict:
    found = facts.shop.options.get("woocommerce_version", "")
    if not found:
        hint = "check [shop] table_prefix, or install WooCommerce"
        return Verdict("error", f"no WooCommerce was found under the table prefix {facts.prefix!r}", hint)
    if numbers(found) < LEAST:
        return Verdict("error", f"WooCommerce is {found}; 8.0 is needed")
    return Verdict("ok", f"WooCommerce {found}")


@check("store.E002", "WooCommerce is active", "activate WooCommerce in wp-admin → Plugins")
def active(facts: Facts) -> Verdict:
    if facts.shop.active("woocommerce"):
        return Verdict("ok", "WooCommerce is active")
    return Verdict("error", "WooCommerce is not active: its orders can be read, but nothing keeps them right")


@check(
    "store.E003",
    "Tables and columns of the shop",
    "check [shop] table_prefix and the account's GRANTs; WooCommerce → Status → Tools can verify the tables",
)
def tables(facts: Facts) -> Verdict:
    lost = missing(facts, needs.shop_tables(facts.config, hpos=False))
    if lost:
        return Verdict("error", "the shop's tables are not all there, or the account may not read them", "", lost)
    return Verdict("ok", "the shop's tables and columns are there")


@check(
    "store.E004",
    "Order tables (HPOS)",
    "see WooCommerce → Settings → Advanced → Features or `wp wc hpos status`; check the account's GRANTs",
)
def order_tables(facts: Facts) -> Verdict:
    if not facts.shop.hpos:
        return Verdict("ok", "orders are posts, so the order tables are not needed")
    lost = missing(facts, {facts.prefix + name: columns for name, columns in needs.HPOS.items()})
    if lost:
        return Verdict("error", "orders are in WooCommerce's own tables, and those are not all there", "", lost)
    return Verdict("ok", "the order tables and their columns are there")


@check(
    "store.I005",
    "Where orders are kept",
    "nothing to do: the sidecar reads the store that WooCommerce says is right",
)
def storage(facts: Facts) -> Verdict:
    shop = facts.shop
    option = shop.options.get("woocommerce_custom_orders_table_enabled")
    sync = shop.options.get("woocommerce_custom_orders_table_data_sync_enabled") == "yes"
    both = ", and kept in step with the other store" if sync else ""
    if shop.hpos:
        if shop.post_orders and not sync:
            old = f"; {shop.post_orders} old order posts are left and ignored"
            return Verdict("info", f"orders are in WooCommerce's own tables (HPOS){old}")
        return Verdict("ok", f"orders are in WooCommerce's own tables (HPOS){both}")
    if option is None and shop.hpos_rows:
        return Verdict(
            "info",
            f"no option says where orders are, so posts are read; {shop.hpos_rows} rows of wc_orders are not",
        )
    if shop.hpos_rows and not sync:
        return Verdict(
            "info",
            f"orders are posts; wc_orders has {shop.hpos_rows} rows, which may be stale and are ignored",
        )
    return Verdict("ok", f"orders are posts{both}")


@check(
    "store.W006",
    "Character sets",
    "convert the tables to utf8mb4 when you have a backup; until then names may arrive damaged",
)
def charsets(facts: Facts) -> Verdict:
    narrow = {}
    for name in used(facts):
        for column, collation in facts.shop.columns.get(name, {}).items():
            charset = collation.partition("_")[0]
            if charset and charset not in ("utf8mb4", "binary", "ascii"):
                narrow[f"{name} is {charset}"] = column
    if narrow:
        return Verdict("warning", "tables with a narrow character set", "", sorted(narrow))
    found = Counter(table.collation for table in used(facts).values())
    if len(found) > 1:
        details = [f"{collation}: {count} tables" for collation, count in found.most_common()]
        return Verdict(
            "info",
            "the tables have different collations",
            "nothing to do: the sidecar compares in Python",
            details,
        )
    return Verdict("ok", "the tables share one collation of utf8mb4")


@check(
    "store.W007",
    "Storage engine",
    "convert them: ALTER TABLE name ENGINE=InnoDB; a write to MyISAM locks the table and cannot be undone",
)
def engines(facts: Facts) -> Verdict:
    old = sorted(f"{name} is {table.engine}" for name, table in used(facts).items() if table.engine != "InnoDB")
    if old:
        return Verdict("warning", "tables that are not InnoDB", "", old)
    return Verdict("ok", "the tables are InnoDB")


@check(
    "store.W008",
    "Indexes of the shop's tables",
    "WooCommerce → Status → Tools → Verify base database tables makes WooCommerce's own anew",
)
def indexes(facts: Facts) -> Verdict:
    wanted = {name: columns for name, columns in needs.INDEXED.items() if facts.shop.hpos or not name.startswith("wc_")}
    lost = unindexed(facts, wanted)
    users, meta = needs.users_table(facts.config), needs.usermeta_table(facts.config)
    for table, column in ((users, "user_email"), (meta, "user_id")):
        first = {index.columns[0] for index in facts.shop.indexes.get(table, ())}
        lost += [f"{table} ({column})"] if table in facts.shop.tables and column not in first else []
    if lost:
        return Verdict("warning", "indexes are missing, so reading will be slow and hard on the host", "", lost)
    return Verdict("ok", "the indexes that reading needs are there")


@check("store.I009", "Sizes", "set [sync] limit_rate if the first run must not be felt in the shop")
def sizes(facts: Facts) -> Verdict:
    big = sorted(used(facts).items(), key=lambda row: row[1].rows, reverse=True)
    lines = [f"{name}: about {table.rows} rows, {table.bytes / (1 << 20):.0f} MiB" for name, table in big[:5]]
    if big and big[0][1].rows > BIG_ROWS:
        return Verdict("info", "this is a big shop", "", lines)
    return Verdict("ok", "the tables are of a usual size", "", lines)
