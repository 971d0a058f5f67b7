"""What one run needs to have at hand, gathered once."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from sidecar import clock
from sidecar.config import Config
from sidecar.crm import suppression
from sidecar.mapping.compiled import Mapping
from sidecar.mapping.sources import Shop
from sidecar.mysql.connection import Reader
from sidecar.people import facts, ledger
from sidecar.people.identity import Registry
from sidecar.state.database import State
from sidecar.state.runs import Run
from sidecar.store import products
from sidecar.store.customers import Customers
from sidecar.store.model import Product
from sidecar.store.orders import OrderReader, choose
from sidecar.store.schema import ShopInfo, probe
from sidecar.values import dates, places

SINCE = "since"
Progress = Callable[[str, int, int], None]


class Choices(msgspec.Struct, kw_only=True, frozen=True):
    """What was asked of a run. `since_months` 0 is all, None what the last run had; `only` is customers, guests or e-mail addresses."""

    since_months: int | None = None
    only: tuple[str, ...] = ()
    dry_run: bool = False
    full: bool = False


class Counts(msgspec.Struct, kw_only=True):
    """What a run did. People and contacts are counted once each; `seconds` is its length."""

    people: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    moved: int = 0
    erased: int = 0
    left_out: dict[str, int] = {}
    failed: dict[str, int] = {}
    fields: int = 0
    columns: int = 0
    tags: int = 0
    lists: int = 0
    tags_made: int = 0
    fields_made: int = 0
    orders_read: int = 0
    orders_changed: int = 0
    rows_read: int = 0
    longest_query: float = 0.0
    seconds: float = 0.0

    @property
    def writes(self) -> int:
        """How many single values were written to FluentCRM."""
        return self.created + self.moved + self.erased + self.fields + self.columns + self.tags + self.lists


class Session:
    """One run's shop, state, rules and counts."""

    def __init__(
        self, config: Config, state: State, mapping: Mapping, choices: Choices, run: Run, progress: Progress
    ) -> None:
        self.config = config
        self.state = state
        self.mapping = mapping
        self.choices = choices
        self.run = run
        self.progress = progress
        self.counts = Counts()
        self.reader = Reader(config)
        self.info: ShopInfo = probe(self.reader, config.people.paid_statuses)
        self.products: dict[int, Product] = products.load(self.reader)
        self.orders: OrderReader = choose(self.reader, self.info.storage, self.products)
        self.customers = Customers(self.reader)
        self.suppression = suppression.load(self.reader)
        self.registry = Registry(state, lambda identity: self.suppression.blocks(identity))
        people = config.people
        self.settings = facts.Settings(
            b2b_roles=frozenset(people.b2b_roles),
            b2b_meta=frozenset(people.b2b_meta),
            birthday_meta=people.birthday_meta,
            optin_meta=people.optin_meta,
            capabilities_key=self.customers.capabilities_key,
            default_locale=self.info.locale,
            dayfirst=mapping.options.day_first,
        )
        self.rules = ledger.Rules(
            paid=self.info.paid_statuses,
            statuses={key.removeprefix("wc-"): value.removeprefix("wc-") for key, value in people.status_map.items()},
            currency=self.info.currency,
            rates={key.upper(): value for key, value in people.currency_rates.items()},
            b2b_meta=people.b2b_meta,
            optin_meta=people.optin_meta,
            extra=frozenset(people.b2b_meta + people.optin_meta),
        )
        self.staff_roles, self.exclude_roles = frozenset(people.staff_roles), frozenset(people.exclude_roles)
        self.order_keys = self.rules.keys()
        consented = [rule.source.partition(".") for rule in config.consent.email]
        mapped = mapping.user_meta | {key for group, _, key in consented if group == "user_meta"}
        mapped |= {
            f"{kind}_{part}" for kind in ("billing", "shipping")
            for part in ("first_name", "last_name", "company", "address_1", "address_2", "city", "state", "postcode", "country", "email", "phone")
        } | {"first_name", "last_name"}  # fmt: skip
        self.user_keys = facts.wanted_user_meta(self.settings, mapped)
        country = mapping.options.country or self.info.country
        self.shop = Shop(
            zone=self.info.zone, country=places.country(country) or "", products=self.products,
            day_first=mapping.options.day_first,
        )  # fmt: skip
        self.now = int(clock.now().timestamp())
        chosen = state.get(SINCE)
        self.since_months: int = int(chosen or 0) if choices.since_months is None else choices.since_months
        # Everybody gets a look, dirty or not: what a dry run of a full sync needs, as it must not mark anybody.
        self.everybody = False

    @property
    def loaded_statuses(self) -> frozenset[str]:
        """Statuses, as stored, whose orders are paid for: their lines are read."""
        mapped = {name for name, meaning in self.rules.statuses.items() if meaning in self.rules.paid}
        return frozenset(mapped | self.rules.paid)

    @property
    def since(self) -> int:
        """People are active who registered or ordered at or after this moment (a month is 30.44 days)."""
        return self.now - round(self.since_months * 30.44 * 86400)

    def wall(self, at: int | None = None) -> str:
        """A time as FluentCRM writes it: wall-clock text in the shop's time zone."""
        return dates.local_text(self.now if at is None else at, self.info.zone)

    def apart(self) -> Session:
        """The same run in a forked process: a connection and counts of its own. The state there is not to be asked;
        only its secret key is used."""
        self.reader = self.reader.another()
        self.reader.throttle.rows = 0
        self.counts = Counts()
        return self

    def close(self) -> None:
        """Close the shop's connection; the state is the caller's."""
        self.counts.rows_read = self.reader.throttle.rows
        self.counts.longest_query = max(self.counts.longest_query, self.reader.longest)
        self.reader.close()
