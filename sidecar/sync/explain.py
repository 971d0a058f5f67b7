"""One person explained: what the shop says, what the rules make of it, what FluentCRM has, and what a sync would do.

Nothing is written, neither in FluentCRM nor in the state. The shop is read now, so that an order which came after
the last sync is seen.
"""

from __future__ import annotations

import msgspec

from sidecar import clock
from sidecar.config import Config
from sidecar.crm.batch import Batch
from sidecar.crm.model import Contact
from sidecar.crm.terms import DryTerms
from sidecar.crm.written import unpack
from sidecar.errors import UsageError
from sidecar.mapping import apply
from sidecar.mapping.compiled import Mapping
from sidecar.mapping.sources import Person
from sidecar.people import ledger
from sidecar.people.model import Facts, LedgerOrder, OrderDoc
from sidecar.state.database import State
from sidecar.state.runs import Run
from sidecar.sync import reasons
from sidecar.sync.loading import Loaded, Page, load
from sidecar.sync.look import Look, Looker, shop_changed
from sidecar.sync.reasons import Target, TermWord
from sidecar.sync.session import Choices, Session
from sidecar.sync.subject import Subject
from sidecar.values import dates, email, money

_NO_DOC = OrderDoc()
_MOST_ORDERS = 2000


class OrderWord(msgspec.Struct, kw_only=True):
    """One order and what it counts for. Money as text in the shop's currency; `created` is the shop's time."""

    id: int
    status: str
    verdict: str
    counts: bool
    why: str
    total: str
    refunded: str
    created: str


class Figures(msgspec.Struct, kw_only=True):
    """The facts as people read them: money as text in `currency`, times as text in the shop's time zone ('': never)."""

    orders_count: int
    orders_seen: int
    gross: str
    refunded: str
    ltv: str
    aov: str
    currency: str
    first_order: str
    last_order: str
    registered: str
    customer_status: str
    customer_type: str
    account: bool
    roles: list[str]


class Explanation(msgspec.Struct, kw_only=True):
    """All about one person. `decision` is create, update, unchanged, left_out or failed; `notes` are sentences."""

    email: str
    known: bool
    user_ids: list[int]
    aliases: int
    decision: str
    why: str
    contact_id: int | None
    contact_status: str
    facts: Figures
    orders: list[OrderWord]
    targets: list[Target]
    tags: list[TermWord]
    lists: list[TermWord]
    notes: list[str]


def explain(config: Config, state: State, mapping: Mapping, address: str) -> Explanation:
    """Explain the person of an e-mail address. Raises NotFound when neither the shop nor the state knows them."""
    identity = email.identity(address)
    if identity is None or email.problem(identity) in ("no_at", "bad_local"):
        raise UsageError("that is no e-mail address", hint="such as `sidecar mapping explain anna@example.com`")
    now = int(clock.now().timestamp())
    run = Run(id=0, kind="explain", state="running", started=now)
    session = Session(config, state, mapping, Choices(dry_run=True), run, lambda step, done, total: None)
    try:
        return _Explainer(session, identity).explain()
    finally:
        session.close()


class _Explainer:
    def __init__(self, session: Session, identity: str) -> None:
        self._session = session
        self._identity = identity
        self._subject = Subject(session, identity)
        self._notes = self._subject.notes

    def explain(self) -> Explanation:
        session = self._session
        row = self._subject.row()
        orders = row.orders
        page = load(session, session.reader, [row], crm_empty=False)
        person = page.people[0]
        vip = session.state.get("vip.from")
        # The sync's own look at a person, dry: what it decides here is what it would do.
        terms = [DryTerms(session.reader, kind) for kind in ("tag", "list")]
        look = Looker(session, int(vip) if vip else None, *terms).look(person, page, Batch())
        facts = look.facts
        contact = self._contact(person, page)
        whose = person.identity or self._identity
        decision, why = self._decision(person, page, contact, look)
        subject = Person(
            email=whose, facts=facts, shop=session.shop, account=person.account, billing=person.billing,
            shipping=person.shipping, order_meta=person.order_meta, item_meta=person.item_meta,
            product_meta=person.product_meta,
        )  # fmt: skip
        written = unpack(row.written)
        targets = reasons.targets(subject, session.mapping, contact, written, shop_changed(session, person))
        wanted = apply.wanted(subject, session.mapping)
        tags = reasons.terms(session.reader, "tag", wanted.tags, contact.tags if contact else set(), written.t)
        lists = reasons.terms(session.reader, "list", wanted.lists, contact.lists if contact else set(), written.l)
        if decision in ("update", "unchanged"):
            actions = [one.action for one in targets] + [one.action for one in tags] + [one.action for one in lists]
            changes = any(action in reasons.CHANGES for action in actions)
            decision = "update" if changes else "unchanged"
            why = "something differs, see below" if changes else "FluentCRM has everything as the rules want it"
        elif decision in ("left_out", "failed"):
            words: list[Target | TermWord] = [*targets, *tags, *lists]
            for one in words:
                one.action, one.why = "nothing", f"the person is left out: {why}"
        return Explanation(
            email=whose,
            known=self._subject.id is not None,
            user_ids=row.accounts,
            aliases=self._subject.aliases(),
            decision=decision,
            why=why,
            contact_id=contact.id if contact else None,
            contact_status=contact.status if contact else "",
            facts=_figures(facts, session),
            orders=[_word(order, session) for order in orders],
            targets=targets,
            tags=tags,
            lists=lists,
            notes=self._notes,
        )

    # --- what a sync would do --------------------------------------------------------------------------

    def _contact(self, person: Loaded, page: Page) -> Contact | None:
        found = page.contacts.by_identity.get(person.identity or self._identity)
        known = page.contacts.by_id.get(person.row.contact_id) if person.row.contact_id else None
        if found is not None and known is not None and known.id != found.id:
            self._notes.append(
                f"FluentCRM has two contacts of this person: {found.id} has the address, {known.id} was filled before"
            )
        return found or known

    def _decision(self, person: Loaded, page: Page, contact: Contact | None, look: Look) -> tuple[str, str]:
        if self._subject.suppressed:
            return "left_out", "their erasure was asked for"
        if look.verdict != "in":
            decision = "failed" if look.verdict == "failed" else "left_out"
            return decision, reasons.LEFT_OUT.get(look.reason, look.reason)
        if contact is not None:
            return "update", ""
        other = page.contacts.clashes.get(person.identity or "")
        if other is not None:
            return "failed", f"FluentCRM's accent-blind index takes the address for that of contact {other}"
        status = "subscribed" if person.consent else "transactional"
        proof = f"consent from {person.consent}" if person.consent else "no proof of consent"
        return "create", f"FluentCRM has no contact with this address; the new one will be {status} ({proof})"


def _figures(facts: Facts, session: Session) -> Figures:
    def moment(at: int | None) -> str:
        return "" if at is None else dates.local_text(at, session.info.zone)

    return Figures(
        orders_count=facts.orders_count,
        orders_seen=facts.orders_seen,
        gross=money.fixed(facts.gross),
        refunded=money.fixed(facts.refunded),
        ltv=money.fixed(facts.ltv),
        aov=money.fixed(facts.aov),
        currency=session.info.currency,
        first_order=moment(facts.first_order),
        last_order=moment(facts.last_order),
        registered=moment(facts.registered),
        customer_status=facts.customer_status,
        customer_type=facts.customer_type,
        account=facts.is_account,
        roles=facts.roles,
    )


def _word(order: LedgerOrder, session: Session) -> OrderWord:
    counts = order.verdict == "candidate" and order.net > 0
    why = (
        ""
        if counts
        else "its net is not above 0"
        if order.verdict == "candidate"
        else ledger.REASONS.get(order.verdict, "")
    )
    return OrderWord(
        id=order.id,
        status=order.status,
        verdict=order.verdict,
        counts=counts,
        why=why,
        total=money.fixed(order.total),
        refunded=money.fixed(order.refunded),
        created=dates.local_text(order.created, session.info.zone) if order.created else "",
    )
