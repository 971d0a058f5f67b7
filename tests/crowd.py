"""Random people for segments: written into a state as the sync writes them, and as subjects for the naive evaluator."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import strategies as st

from sidecar.insights import rfm
from sidecar.insights.rfm import NEVER, Scores
from sidecar.people import facts as people_facts
from sidecar.people.model import Facts, LedgerOrder, OrderDoc, Touch
from sidecar.segments import model, traits
from sidecar.segments.catalogue import FIELDS
from sidecar.segments.evaluate import Act, Held, Order, Subject
from sidecar.segments.subjects import terms
from sidecar.state.database import State
from sidecar.store.model import Account, Product

CATEGORIES = {1: ("Tea",), 2: ("Tea", "Gifts"), 3: ("Łyżki",), 4: (), 5: ("GIFTS",)}
PRODUCTS = {
    id_: Product(id=id_, title=f"P{id_}", kind="simple", categories=names, physical=True)
    for id_, names in CATEGORIES.items()
}
TERMS = ("tag:vip", "tag:łyżki", "tag:x' or 1=1 --", "list:news")
COUPONS = ("save10", "Spring", "x")
DAY = 86_400
# Ages around which rules change their mind.
AGES = [0, 1, 3599, 3600, 12 * 3600, DAY, 3 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 31 * DAY, 60 * DAY, 90 * DAY, 365 * DAY]


class Contact(msgspec.Struct, kw_only=True):
    """What FluentCRM knows of them: traits as fields of the catalogue, and values by name."""

    traits: dict[str, Any]
    values: dict[str, Held] = {}


class Made(msgspec.Struct, kw_only=True):
    """One invented person."""

    orders: list[LedgerOrder]
    acts: list[tuple[int, str, int]]
    account: Account | None
    country: str
    birthday: str
    contact: Contact | None = None


def buyer(*times: int, acts: tuple[tuple[int, str, int], ...] = (), total: int = 10) -> Made:
    """Somebody who bought product 1 at these times, and did what `acts` say: (Unix seconds, kind, product)."""
    document = OrderDoc(lines=((1, 0, 1, "n"),))
    orders = [LedgerOrder(0, "candidate", "completed", total * 1_000_000, 0, at, document) for at in times]
    return Made(orders=orders, acts=list(acts), account=None, country="", birthday="")


def ages() -> st.SearchStrategy[int]:
    """Seconds ago, often exactly at a border or a second or an hour beside it."""
    near = st.sampled_from([-3600, -1, 0, 0, 0, 1, 3600])
    return st.builds(lambda age, by: max(0, age + by), st.sampled_from(AGES), near) | st.integers(0, 800 * DAY)


@st.composite
def people(draw: st.DrawFn, now: int) -> Made:
    """One person."""
    orders = []
    for _ in range(draw(st.integers(0, 5))):
        lines = draw(st.lists(st.integers(1, 6), max_size=3))
        total = draw(st.sampled_from([0, 9_990_000, 100_000_000, 500_000_000]))
        orders.append(
            LedgerOrder(
                0, draw(st.sampled_from(["candidate", "candidate", "candidate", "unpaid"])), "completed", total,
                draw(st.sampled_from([0, 0, total])), now - draw(ages()),
                OrderDoc(
                    lines=tuple((id_, 0, draw(st.integers(1, 3)), "name") for id_ in lines),
                    coupons=tuple(draw(st.lists(st.sampled_from(COUPONS), max_size=2, unique=True))),
                    payment=draw(st.sampled_from(["cod", "bacs", ""])),
                    touch=Touch(source=draw(st.sampled_from(["google", "", "(direct)"]))),
                ),
            )
        )  # fmt: skip
    account = None
    if draw(st.booleans()):
        meta = {"locale": draw(st.sampled_from(["fa_IR", "pl_PL", ""]))}
        account = Account(id=1, email="", registered=now - draw(ages()), display_name="", crc=0, meta=meta)
    acts = draw(
        st.lists(
            st.tuples(
                ages(), st.sampled_from(["view", "view", "view", "cart", "checkout", "order"]), st.integers(1, 6)
            ),
            max_size=6,
        )
    )
    return Made(
        orders=orders,
        acts=[(now - age, kind, product) for age, kind, product in acts],
        account=account,
        country=draw(st.sampled_from(["PL", "IR", ""])),
        birthday=draw(st.sampled_from(["", "1990-02-29", "1980-03-01", "1975-11-05", "1999-12-31"])),
        contact=draw(st.none() | contacts(now)),
    )


# Custom fields of every kind; the last slug is an attack.
CUSTOM = ("contact.points", "contact.service", "contact.colour", "contact.x' OR 1=1 --")
_HELD = ["blue", "lead", "100", "2.5", traits.joined(["Blue", "red"]), "google"]


@st.composite
def contacts(draw: st.DrawFn, now: int) -> Contact:
    """A contact in FluentCRM."""
    moments = st.none() | ages().map(lambda age: now - age)
    status = draw(st.sampled_from(["subscribed", "unsubscribed", "pending"]))
    found: dict[str, Any] = {"status": status, "consent": int(status == "subscribed")}
    for name in ("emails_sent", "emails_opened", "emails_clicked"):
        found[name] = draw(st.integers(0, 3))
    for name in ("first_email", "last_email", "last_open", "last_click"):
        found[name] = draw(moments)
    found["engagement"] = draw(st.sampled_from([None, 0.0, 1.0, 60.0, 100.0]))
    values = {name: Held() for name in draw(st.sets(st.sampled_from(TERMS)))}
    for name in draw(st.sets(st.sampled_from(CUSTOM))):
        values[name] = Held(
            draw(st.sampled_from(_HELD)), draw(st.none() | st.sampled_from([0.0, 1.0, 2.5, 100.0])), draw(moments)
        )
    return Contact(traits=found, values=values)


def facts_of(made: Made) -> Facts:
    """Their facts, as the sync computes them."""
    settings = people_facts.Settings()
    found = people_facts.compute(made.orders, made.account, PRODUCTS, settings, made.birthday)
    found.country = made.country
    return found


def fill(state: State, everybody: list[Made], zone: tzinfo) -> dict[int, Subject]:
    """Write people into a state. Returns the same people as subjects, by id."""
    subjects = {}
    number = 0
    encode = msgspec.json.encode
    borders = scores([facts_of(made) for made in everybody])
    with state.transaction() as sql:
        for id_, names in CATEGORIES.items():
            rows = [(id_, traits.fold(name)) for name in names]
            sql.executemany("INSERT OR IGNORE INTO product_category VALUES (?, ?)", rows)
        for person, made in enumerate(everybody, 1):
            facts = facts_of(made)
            sql.execute("INSERT INTO person (id, key, verdict) VALUES (?, ?, 'in')", (person, person.to_bytes(16)))
            sql.execute("INSERT INTO person_doc VALUES (?, ?, NULL)", (person, encode(facts)))
            for order in made.orders:
                number += 1
                sql.execute(_ORDER, (number, 0, person, order.verdict, order.total, order.created, encode(order.doc)))
                if order.refunded:
                    number += 1
                    sql.execute(_ORDER, (number, number - 1, None, "refund", -order.refunded, order.created, None))
            for at, kind, product in made.acts:
                number += 1
                sql.execute(_ACT, (number, at * 1000 + 7, kind, person, product))
            if made.contact is not None:
                names = list(made.contact.traits)
                columns = ", ".join(FIELDS[name].column for name in names)
                sql.execute(
                    f"INSERT INTO contact_trait (person_id, contact_id, {columns}) VALUES (?, ?{', ?' * len(names)})",
                    (person, person, *made.contact.traits.values()),
                )
                for name, held in made.contact.values.items():
                    row = (name, person, held.value, held.number, held.moment)
                    sql.execute("INSERT INTO contact_value VALUES (?, ?, ?, ?, ?)", row)
            subjects[person] = subject(made, facts, zone, borders)
    return subjects


_ORDER = (
    "INSERT INTO shop_order (id, parent_id, person_id, verdict, status, total, created, crc, doc)"
    " VALUES (?, ?, ?, ?, 'completed', ?, ?, 0, ?)"
)
_ACT = (
    "INSERT INTO activity (outbox_id, at, kind, visitor, person_id, object_id, sub_id, detail)"
    " VALUES (?, ?, ?, '', ?, ?, 0, '')"
)


def scores(everybody: list[Facts]) -> Scores:
    """The borders of the RFM scores of these people."""
    buyers = [facts for facts in everybody if facts.orders_count]
    values = (
        [NEVER if facts.last_order is None else facts.last_order for facts in buyers],
        [facts.orders_count for facts in buyers],
        [facts.ltv for facts in buyers],
    )
    return Scores(*(rfm.borders(sorted(of)) for of in values))


def subject(made: Made, facts: Facts, zone: tzinfo, borders: Scores) -> Subject:
    """The person for the naive evaluator."""

    def categories(products: Any) -> frozenset[str]:
        return frozenset(traits.fold(name) for id_ in products for name in CATEGORIES.get(id_, ()))

    orders = []
    for order in made.orders:
        if order.verdict == "candidate" and order.net > 0:
            products = frozenset(line[0] for line in order.doc.lines)
            coupons = frozenset(map(traits.fold, order.doc.coupons))
            orders.append(Order(order.created, products, categories(products), coupons))
    acts = tuple(Act(at, kind, product, categories([product])) for at, kind, product in made.acts)
    known = {
        name: "" if field.kind == "text" else None for name, field in FIELDS.items() if field.table == "contact_trait"
    }
    values: dict[str, Held] = {}
    if made.contact is not None:
        known, values = made.contact.traits, made.contact.values
    all_ = traits.of(facts, zone, borders) | known | terms(values)
    return Subject(traits=all_, values=values, orders=tuple(orders), acts=acts)


# --- random rules ---

# The last Sunday of October and of March, the Iranian noon and a plain day; an hour that comes twice and one that is skipped.
NOWS = [
    int(datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp()), int(datetime(2026, 10, 25, 1, 30, tzinfo=UTC).timestamp()),
    int(datetime(2026, 3, 29, 1, 0, tzinfo=UTC).timestamp()), int(datetime(2026, 11, 24, 8, 30, tzinfo=UTC).timestamp()),
    int(datetime(2026, 2, 28, 22, 0, tzinfo=UTC).timestamp()),
]  # fmt: skip
ZONES: list[tzinfo] = [UTC, ZoneInfo("Asia/Tehran"), ZoneInfo("Europe/Sofia"), ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe")]  # fmt: skip


# Moments from which on things can be counted.
_BEGINNINGS = [name for name in traits.COLUMNS if FIELDS[name].kind == "moment"]


def fields_of(*kinds: str) -> st.SearchStrategy[str]:
    return st.sampled_from([name for name, field in FIELDS.items() if field.kind in kinds])


_PERIODS = st.builds(model.Period, days=st.sampled_from([1, 3, 7, 14, 30, 31, 60, 90, 365])) | st.builds(
    model.Period, seconds=st.sampled_from([60, 3600, 12 * 3600])
)
_ENDS = st.none() | st.sampled_from([0.0, 1.0, 2.0, 3.0, 9_990_000.0, 100_000_000.0, 1e9]) | st.floats(0, 1e9)
_TEXTS = st.lists(
    st.sampled_from(
        ["lead", "new", "PL", "ir", "google", "Subscribed", "blue", "fa_IR", "fa", "cod", "retail", "none of them"]
    ),
    min_size=1,
    max_size=3,
).map(tuple)
_SETS = st.lists(
    st.sampled_from(["tea", "Gifts", "łyżki", "1", "2", "SAVE10", "physical", "cod"]), min_size=1, max_size=2
).map(tuple)
_TERMS = st.lists(
    st.sampled_from(["VIP", "Łyżki", "x' OR 1=1 --", "news", "nobody has it"]), min_size=1, max_size=2
).map(tuple)
_CHOICES = st.lists(st.sampled_from(["Blue", "red", "100", "x"]), min_size=1, max_size=2).map(tuple)
_CUSTOM = st.sampled_from([*CUSTOM, "contact.nobody"])
_INTERVALS = (st.sampled_from([0.1, 0.5, 1.0, 1.5, 3.0]), st.sampled_from([0.1, 0.5, 1.0, 20.0]))


def _reorder(product: int, category: str | None, due: float, longer: float) -> model.Reorder:
    if category is None:
        return model.Reorder("product", due, due + longer, product)
    return model.Reorder("category", due, due + longer, category=category)


_ATOMS = st.one_of(
    st.builds(model.Number, fields_of("number", "money"), _ENDS, _ENDS, st.booleans(), st.booleans()),
    st.builds(model.Top, fields_of("number", "money"), st.sampled_from([0.5, 5.0, 34.0, 100.0])),
    st.builds(model.Age, fields_of("moment"), st.booleans(), _PERIODS, st.sampled_from([0.0, 0.0, 0.5, 1.0, 1.5])),
    st.builds(model.Text, fields_of("text"), _TEXTS, st.booleans()),
    st.builds(model.Has, fields_of("set"), _SETS, st.sampled_from(["any", "all", "none"])),
    st.builds(model.Flag, fields_of("flag"), st.booleans()),
    st.builds(model.Known, fields_of(*({field.kind for field in FIELDS.values()} - {"terms"})), st.booleans()),
    st.builds(model.Coming, fields_of("day"), st.sampled_from([1, 2, 7, 30, 365])),
    st.builds(
        model.Count, st.just("orders"), st.integers(1, 3), st.none() | st.integers(1, 3), st.none() | _PERIODS, days=st.booleans()
    ),
    st.builds(model.Count, st.just("orders"), st.just(0), st.integers(0, 2), st.none() | _PERIODS, product=st.integers(0, 6)),
    st.builds(
        model.Count, st.just("orders"), st.integers(1, 2), st.none(), st.none() | _PERIODS, category=st.sampled_from(["Tea", "gifts", "x"])
    ),
    st.builds(model.Count, st.just("orders"), st.integers(1, 2), st.none(), st.none() | _PERIODS, coupon=st.sampled_from(COUPONS)),
    st.builds(
        model.Count, st.sampled_from(["views", "carts"]), st.integers(1, 3), st.none(), st.none() | _PERIODS,
        product=st.integers(0, 6), days=st.booleans(), same_product=st.booleans(), not_bought=st.booleans(),
    ),
    st.builds(
        model.Count, st.sampled_from(["views", "carts", "checkouts"]), st.just(0), st.integers(0, 2), st.none() | _PERIODS,
        category=st.sampled_from(["", "Tea", "GIFTS"]), days=st.booleans(), not_bought=st.booleans(),
    ),
    st.builds(
        model.Count, st.sampled_from(["views", "carts", "orders"]), st.integers(0, 2), st.none(), st.none() | _PERIODS,
        after=st.sampled_from(_BEGINNINGS), later=st.just(model.Period()) | _PERIODS, days=st.booleans(),
    ),
    st.builds(
        model.Count, st.sampled_from(["views", "carts"]), st.integers(2, 3), st.none(), st.none() | _PERIODS,
        product=st.integers(0, 6), same_product=st.booleans(), not_bought=st.booleans(), in_a_row=st.just(True),
    ),
    st.builds(_reorder, st.sampled_from([0, 0, 0, 1, 2, 9]), st.none(), *_INTERVALS),
    st.builds(_reorder, st.just(0), st.sampled_from(["", "", "TEA", "łyżki", "x' OR 1=1 --"]), *_INTERVALS),
    st.builds(model.Has, st.sampled_from(["tags", "lists"]), _TERMS, st.sampled_from(["any", "all", "none"])),
    st.builds(model.Has, _CUSTOM, _CHOICES, st.sampled_from(["any", "all", "none"])),
    st.builds(model.Text, _CUSTOM, _TEXTS, st.booleans()),
    st.builds(model.Known, _CUSTOM, st.booleans()),
    st.builds(model.Number, _CUSTOM, _ENDS, _ENDS, st.booleans(), st.booleans()),
    st.builds(model.Top, _CUSTOM, st.sampled_from([5.0, 34.0])),
    st.builds(model.Age, _CUSTOM, st.booleans(), _PERIODS, st.sampled_from([0.0, 1.0])),
    st.just(model.Member("other")),
)  # fmt: skip


def _groups(of: st.SearchStrategy[model.Condition]) -> st.SearchStrategy[model.Condition]:
    parts = st.lists(of, min_size=1, max_size=3).map(tuple)
    return st.builds(model.All, parts) | st.builds(model.Any, parts) | st.builds(model.Nothing, parts)


RULES = st.recursive(_ATOMS, _groups, max_leaves=5)
