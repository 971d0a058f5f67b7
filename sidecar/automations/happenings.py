"""What happened, for automations: rows of the event monitor beside what the ledger says of their order now.

An event says only that something changed. Whether it was a new order or an old one that somebody imported, and whether it is paid,
is read from the ledger.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from sidecar.automations.channels.model import ROBOT_SECONDS
from sidecar.events import topics
from sidecar.events.topics import CUSTOMER_FOUND, ORDER_FOUND
from sidecar.state.database import State

# A real order was placed, however we know of it. Not a topic of the bridge: orders are found without it, too.
ORDER_PLACED = "order.placed"
# What is older than this when it is "created" was imported into the shop.
_IMPORTED = 86_400
_NO_ORDER = frozenset({"refund", "trash", "draft", "other_type", "anonymised", "erased"})
_CREATED = ("order.created", ORDER_FOUND)
# The topics by which those are told of which automations speak: of an order that is made paid, or in a status, nothing else is.
HINTED = {
    ORDER_PLACED: _CREATED,
    "order.paid": ("order.paid", ORDER_FOUND),
    "order.status": ("order.status", *_CREATED),
    "customer.created": ("customer.created", CUSTOMER_FOUND),
}
# Who clicks on a link of ours as soon as it was sent is a program. When what is in FluentCRM's queue goes is known later: until
# then it is as if it had gone when it was handed over.
BY_PEOPLE = (
    "NOT (e.topic = 'message.clicked' AND EXISTS (SELECT 1 FROM message m WHERE m.id = e.object_id"
    f" AND e.at < COALESCE(m.sent * 1000, m.decided) + {ROBOT_SECONDS * 1000}))"
)
_ROWS = f"""
SELECT e.id, e.at, e.topic, e.object_id, e.sub_id, e.detail, COALESCE(o.person_id, a.person_id, e.person_id), e.outbox_id,
 o.verdict, o.status, COALESCE(o.created, t.registered)
FROM event e
LEFT JOIN shop_order o ON o.id = e.object_id AND e.topic IN (SELECT value FROM json_each(?3))
LEFT JOIN account a ON a.user_id = e.object_id AND e.topic IN (SELECT value FROM json_each(?4))
LEFT JOIN trait t ON t.person_id = a.person_id
WHERE e.id > ?1 AND e.id <= ?2{{}} AND {BY_PEOPLE} ORDER BY e.id LIMIT ?5
"""


class Happened(msgspec.Struct, frozen=True, kw_only=True):
    """An event. `at` is Unix ms UTC. `found`: by asking the shop, so `at` is when it was found. `verdict` and `status` are the
    order's now, '' for no order; `made`: when the order or the account was made (Unix seconds UTC). `imported`: it tells of
    something that was old when it came into the shop."""

    id: int
    at: int
    topic: str
    object_id: int
    sub_id: int
    detail: str
    person_id: int | None
    outbox_id: int | None
    verdict: str = ""
    status: str = ""
    made: int | None = None
    imported: bool = False

    @property
    def found(self) -> bool:
        return self.outbox_id is None

    @property
    def family(self) -> str:
        """The topic's; 'other' of one that a newer plugin tells."""
        topic = topics.TOPICS.get(self.topic)
        return topic.family if topic else "other"

    @property
    def moment(self) -> int:
        """When it happened, in Unix seconds: of what was found by asking, when it was made."""
        return self.made if self.found and self.made is not None else self.at // 1000

    @property
    def order(self) -> int:
        """The order that it is about, or 0."""
        return self.object_id if self.family == "order" else 0

    @property
    def real(self) -> bool:
        """Whether it tells of an order that is one, and new when it came."""
        return bool(self.verdict) and self.verdict not in _NO_ORDER and not self.imported

    def means(self, topic: str, to: Collection[str] = ()) -> bool:
        """Whether this is what automations call so. `to`: the statuses that it must lead to (none: any)."""
        if topic == ORDER_PLACED:
            return self.topic in _CREATED and self.real
        if topic == "order.paid":
            return self.topic in HINTED[topic] and self.real and self.verdict == "candidate"
        if topic == "order.status" and self.topic in _CREATED:
            return self.real and _plain(self.status) in {_plain(one) for one in to}
        if topic == "customer.created":
            return self.topic in HINTED[topic] and not self.imported
        led = _plain(self.detail.rpartition(">")[2])
        return self.topic == topic and not self.imported and (not to or led in {_plain(one) for one in to})


def _plain(status: str) -> str:
    return status.removeprefix("wc-")


def last(state: State) -> int:
    """The id of the newest event; ids only grow, and none comes twice."""
    return int(state.rows("SELECT COALESCE(MAX(id), 0) FROM event")[0][0])


def read(state: State, after: int, upto: int, most: int, wanted: Iterable[str] | None = None) -> list[Happened]:
    """Events by id behind `after`, up to `upto`, `most` of them; with `wanted` only those that may mean one of these topics."""
    narrow = ""
    parameters: list[object] = [after, upto, _list(topics.names_of("order")), _list(topics.names_of("customer")), most]
    if wanted is not None:
        narrow = " AND e.topic IN (SELECT value FROM json_each(?6))"
        parameters.append(_list({name for topic in wanted for name in HINTED.get(topic, (topic,))}))
    found = []
    for row in state.rows(_ROWS.format(narrow), parameters):
        one = Happened(
            id=row[0], at=row[1], topic=row[2], object_id=row[3], sub_id=row[4], detail=row[5], person_id=row[6],
            outbox_id=row[7], verdict=row[8] or "", status=row[9] or "", made=row[10],
        )  # fmt: skip
        found.append(msgspec.structs.replace(one, imported=_imported(state, one)))
    return found


def _imported(state: State, one: Happened) -> bool:
    if one.family not in ("order", "customer") or one.made is None or one.made >= one.at // 1000 - _IMPORTED:
        return False
    if one.found or one.topic in ("order.created", "customer.created"):
        return True
    if one.family == "customer" or one.person_id is None:
        return False
    # An old order that is paid today is one thing, what an importer does to the order that it has just made another.
    rows = state.rows(
        "SELECT 1 FROM event WHERE person_id = ? AND topic = 'order.created' AND object_id = ? AND at > ? LIMIT 1",
        (one.person_id, one.object_id, (one.made + _IMPORTED) * 1000),
    )
    return bool(rows)


def _list(values: Iterable[str]) -> str:
    return msgspec.json.encode(sorted(values)).decode()
