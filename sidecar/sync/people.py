"""Step 5: people. Facts, rules, difference, write: the same for the first import and for one changed person."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import msgspec

from sidecar.crm import diff as crm_diff
from sidecar.crm.fields import Definition, Fields
from sidecar.crm.model import NEW_STATUS, Contact, Wanted, Written, digests
from sidecar.crm.terms import Terms
from sidecar.crm.writer_sql import Batch, Change, NewContact, Outcome, Writer
from sidecar.mapping import apply
from sidecar.mapping.compile import field_key, is_multi
from sidecar.mapping.rules import CHOICE
from sidecar.mapping.sources import Person
from sidecar.people import facts as people_facts
from sidecar.people.model import Facts, LedgerOrder, OrderDoc
from sidecar.state import dead_letters
from sidecar.sync.loading import Loaded, Page, Row, left_out, load
from sidecar.sync.pages import ahead
from sidecar.sync.session import Session
from sidecar.values import email as emails

_doc = msgspec.json.Decoder(OrderDoc).decode
_written = msgspec.json.Decoder(Written).decode
_encode = msgspec.json.Encoder().encode
_NO_DOC = OrderDoc()
_SOURCE = "woocommerce"


class Look(msgspec.Struct, kw_only=True):
    """One person after the rules: what the state will remember once the write went through."""

    row: Row
    facts: Facts
    verdict: str
    reason: str = ""
    written: Written | None = None
    contact_id: int | None = None
    created: bool = False
    consent: str = ""
    problems: list[tuple[str, str]] = []
    ref: str = ""


class Difference(msgspec.Struct, kw_only=True):
    """What a dry run shows of one person: the contact's id (0: new) and each change as (target, old, new)."""

    contact_id: int
    identity: str
    changes: list[tuple[str, str, str]]


class PeopleStep:
    """The step over all people that need a look, page by page, with writers at work behind."""

    def __init__(self, session: Session, vip_from: int | None) -> None:
        self._session = session
        self._vip_from = vip_from
        self._policies = session.mapping.policies
        self._crm_empty = not session.reader.value("contacts_any")
        self._choices = {
            field.slug: is_multi(field.rule.type) for field in session.mapping.fields if field.slug and field.rule.type in CHOICE
        }
        self._offered: dict[str, set[str]] = {slug: set() for slug in self._choices}
        self.differences: list[Difference] = []
        config = session.config
        self._dry = session.choices.dry_run
        self._pool: list[Writer] = []
        self._own: Writer | None = None
        if self._dry:
            self._tags: Terms | DryTerms = DryTerms(session, "tag")
            self._lists: Terms | DryTerms = DryTerms(session, "list")
            self._fields: Fields | None = None
            return
        self._pool = [self._writer() for _ in range(config.sync.writers)]
        self._own = self._writer()
        wall, run = session.wall(), session.run.id
        self._tags = Terms(session.reader, self._own.connection, "tag", run, wall)
        self._lists = Terms(session.reader, self._own.connection, "list", run, wall)
        self._fields = Fields(session.reader, self._own.connection, run, wall)
        self._fields.ensure([
            Definition(
                slug=slug, label=rule.label or slug, type=rule.type, key=field_key(rule.type), options=rule.options, group=rule.group
            )
            for slug, rule in session.mapping.custom.items()
        ])  # fmt: skip

    def _writer(self) -> Writer:
        session = self._session
        return Writer(
            session.config.shop.database, session.reader.tables.prefix, session.run.id, session.wall(),
            pivot_unique=session.info.pivot_unique,
        )  # fmt: skip

    def run(self) -> None:
        """All people that need a look; those whose write met another's are looked at again, three times at most."""
        try:
            for _round in range(1 if self._dry else 3):
                if not self._round():
                    break
                self._crm_empty = False
        finally:
            for writer in [*self._pool, *([self._own] if self._own else [])]:
                writer.close()
            if self._fields is not None:
                self._session.counts.fields_made += self._fields.made
                self._session.counts.tags_made += self._tags.made + self._lists.made

    def _round(self) -> int:
        """One pass. Returns how many people must be looked at once more."""
        session = self._session
        raced = 0
        total = self._total()
        seen = 0
        pool = ThreadPoolExecutor(max(1, len(self._pool)), thread_name_prefix="writer")
        free = deque(self._pool)
        waiting: deque[tuple[Writer, list[Look], Future[list[Outcome]]]] = deque()
        pages = ahead(
            session.reader,
            self._rows(),
            lambda reader, rows: load(session, reader, rows, crm_empty=self._crm_empty),
            threads=1,
            depth=2,
        )
        try:
            for rows, page in pages:
                looks, batch = self._page(page)
                if not free:
                    raced += self._settle(waiting, free)
                if self._dry:
                    seen += len(rows)
                    continue
                writer = free.popleft()
                waiting.append((writer, looks, pool.submit(writer.write, batch)))
                seen += len(rows)
                session.progress("people", seen, total)
            while waiting:
                raced += self._settle(waiting, free)
        finally:
            pool.shutdown(wait=True)
        return raced

    def _settle(self, waiting: deque[tuple[Writer, list[Look], Future[list[Outcome]]]], free: deque[Writer]) -> int:
        writer, looks, future = waiting.popleft()
        outcomes = {outcome.person: outcome for outcome in future.result()}
        free.append(writer)
        return self._remember(looks, outcomes)

    # --- selecting -------------------------------------------------------------------------------------

    def _where(self) -> tuple[str, list[Any]]:
        only = self._session.choices.only
        if only == ("customers",):
            return "dirty = 1 AND user_id IS NOT NULL", []
        if only == ("guests",):
            return "dirty = 1 AND user_id IS NULL", []
        if only:
            ids = sorted(set(self._session.registry.find([self._session.state.key(one) for one in only]).values()))
            return f"dirty = 1 AND id IN ({','.join('?' * len(ids)) or 'NULL'})", list(ids)
        return "dirty = 1", []

    def _total(self) -> int:
        where, parameters = self._where()
        return int(self._session.state.rows(f"SELECT COUNT(*) FROM person WHERE {where}", parameters)[0][0])  # noqa: S608

    def _rows(self) -> Iterator[list[Row]]:
        """Pages of people by id, with their orders from the ledger."""
        state = self._session.state
        where, parameters = self._where()
        after = 0
        while True:
            people = state.rows(
                "SELECT id, key, user_id, contact_id, made, reason, written FROM person"  # noqa: S608
                f" WHERE {where} AND id > ? ORDER BY id LIMIT ?",
                [*parameters, after, self._session.config.sync.page_people],
            )
            if not people:
                return
            after = people[-1][0]
            yield self._with_orders(people)

    def _with_orders(self, people: Sequence[tuple[Any, ...]]) -> list[Row]:
        state = self._session.state
        ids = _encode([person[0] for person in people]).decode()
        refunds: dict[int, int] = {}
        for parent, total in state.rows(
            "SELECT o.id, SUM(r.total) FROM shop_order o JOIN shop_order r ON r.parent_id = o.id AND r.verdict = 'refund'"
            " WHERE o.person_id IN (SELECT value FROM json_each(?)) GROUP BY o.id",
            (ids,),
        ):
            refunds[parent] = -(total or 0)
        orders: dict[int, list[LedgerOrder]] = {}
        for person, id_, verdict, status, total, created, doc in state.rows(
            "SELECT person_id, id, verdict, status, total, created, doc FROM shop_order"
            " WHERE person_id IN (SELECT value FROM json_each(?))",
            (ids,),
        ):
            order = LedgerOrder(
                id_, verdict, status, total or 0, refunds.get(id_, 0), created or 0, _doc(doc) if doc else _NO_DOC
            )
            orders.setdefault(person, []).append(order)
        accounts: dict[int, list[int]] = {}
        for person, user_id in state.rows(
            "SELECT person_id, user_id FROM account WHERE person_id IN (SELECT value FROM json_each(?))", (ids,)
        ):
            accounts.setdefault(person, []).append(user_id)
        rows = []
        for id_, key, user_id, contact_id, made, reason, written in people:
            mine = sorted(orders.get(id_, ()), key=_newest_first)
            counted = [order.id for order in reversed(mine) if order.verdict == "candidate" and order.total > order.refunded]
            rows.append(
                Row(
                    id=id_, key=key, user_id=user_id, contact_id=contact_id, made=bool(made), reason=reason, written=written,
                    accounts=accounts.get(id_, []), orders=mine, counted=counted, newest=mine[0].id if mine else 0,
                )
            )  # fmt: skip
        return rows

    # --- working out -----------------------------------------------------------------------------------

    def _page(self, page: Page) -> tuple[list[Look], Batch]:
        session = self._session
        batch = Batch()
        looks = []
        for person in page.people:
            look = self._look(person, page, batch)
            looks.append(look)
        if not self._dry:
            with session.state.transaction() as sql:
                sql.executemany("UPDATE account SET crc = ? WHERE user_id = ?", [(crc, id_) for id_, crc in page.crcs.items()])
            if self._fields is not None:
                self._fields.offer(self._offered)
        return looks, batch

    def _look(self, person: Loaded, page: Page, batch: Batch) -> Look:
        session = self._session
        row = person.row
        facts = people_facts.compute(row.orders, person.account, session.products, session.settings, person.birthday)
        facts.customer_status = people_facts.status_of(
            facts.orders_count, facts.ltv, self._vip_from, session.config.people.vip.min_orders
        )
        look = Look(row=row, facts=facts, verdict="in", ref=f"user:{row.user_id}" if row.user_id else f"order:{row.newest}")
        contact = self._contact(person, page, look)
        reason = left_out(session, person, bool(row.orders), facts.orders_count, facts.roles)
        if reason == "gone" or row.reason == "anonymised":
            if row.orders or person.account is not None:
                reason = "" if reason == "gone" and contact else reason
            elif contact is not None and (row.reason == "anonymised" or session.config.people.vanished == "erase"):
                return self._erasure(look, contact, batch)
            elif contact is not None:
                reason = ""
        if reason:
            look.verdict, look.reason, look.contact_id = "left", reason, row.contact_id
            return look
        identity = person.identity or (emails.identity(contact.email) if contact else None) or ""
        if contact is None and identity in page.contacts.clashes:
            look.verdict, look.reason = "failed", "address_collides"
            return look
        wanted = apply.wanted(
            Person(
                email=identity,
                facts=facts,
                shop=session.shop,
                account=person.account,
                billing=person.billing,
                shipping=person.shipping,
                order_meta=person.order_meta,
                item_meta=person.item_meta,
                product_meta=person.product_meta,
            ),
            session.mapping,
        )
        look.problems = wanted.problems
        self._note_options(wanted)
        if contact is None:
            self._create(look, person, identity, wanted, batch)
        else:
            self._compare(look, person, contact, wanted, batch)
        return look

    def _contact(self, person: Loaded, page: Page, look: Look) -> Contact | None:
        """The person's contact: by address, else the one that was theirs and whose address was changed."""
        found = page.contacts.by_identity.get(person.identity) if person.identity else None
        known = page.contacts.by_id.get(person.row.contact_id) if person.row.contact_id else None
        if found is None:
            return known
        if known is not None and known.id != found.id:
            look.problems = [*look.problems, ("contact", f"two_contacts ({known.id}, {found.id})")]
        return found

    def _erasure(self, look: Look, contact: Contact, batch: Batch) -> Look:
        """WooCommerce erased the person, or the owner wants contacts to go with their accounts. A contact that
        somebody else made is theirs: it is reported, not deleted."""
        look.verdict, look.reason = "left", "erased"
        if not look.row.made:
            look.verdict, look.reason, look.contact_id = "failed", "erased_in_shop_but_not_our_contact", contact.id
            return look
        batch.erase.append((look.row.id, contact.id))
        return look

    def _note_options(self, wanted: Wanted) -> None:
        for slug, multi in self._choices.items():
            if multi:
                if slug in wanted.choices:
                    self._offered[slug].update(wanted.choices[slug])
            elif value := wanted.fields.get(slug):
                self._offered[slug].add(value)

    def _create(self, look: Look, person: Loaded, identity: str, wanted: Wanted, batch: Batch) -> None:
        session = self._session
        facts = look.facts
        columns = {name: value for name, value in wanted.columns.items() if value}
        columns.setdefault("source", _SOURCE)
        fields = {slug: value for slug, value in wanted.fields.items() if value}
        tags, lists = self._tags.resolve(wanted.tags), self._lists.resolve(wanted.lists)
        look.written = Written(
            c=digests(columns),
            f=digests(fields),
            t=sorted(tags),
            l=sorted(lists),
        )
        look.created = True
        look.consent = person.consent
        since = min((at for at in (facts.registered, facts.first_order, session.now) if at), default=session.now)
        if self._dry:
            changes = [(name, "", value) for name, value in [*columns.items(), *fields.items()]]
            changes += [("tag", "", slug) for slug in wanted.tags]
            self.differences.append(Difference(contact_id=0, identity=identity, changes=changes))
            session.counts.created += 1
            return
        batch.new.append(
            NewContact(
                person=look.row.id,
                email=identity,
                status="subscribed" if person.consent else NEW_STATUS,
                created=session.wall(since),
                columns=columns,
                fields=fields,
                tags=tags,
                lists=lists,
                written=look.written,
            )
        )

    def _compare(self, look: Look, person: Loaded, contact: Contact, wanted: Wanted, batch: Batch) -> None:
        session = self._session
        row = look.row
        before = _written(row.written) if row.written else Written()
        tags = crm_diff.Terms(self._tags.resolve(wanted.tags), self._tags.owned)
        lists = crm_diff.Terms(self._lists.resolve(wanted.lists), self._lists.owned)
        patch = crm_diff.diff(contact, wanted, before, self._policies, tags, lists, self._shop_changed(person))
        look.contact_id = contact.id
        look.written = crm_diff.written_after(contact, patch, wanted, before, tags, lists)
        move = self._move(person, contact)
        if self._dry:
            if patch or move:
                changes = [(name, old, new) for name, (old, new) in patch.columns.items()]
                changes += [(slug, old.value if old else "", new) for slug, (old, new) in patch.fields.items()]
                names = {id_: slug for slug, id_ in self._tags.ids.items()}
                changes += [("tag", "", names.get(id_, str(id_))) for id_ in patch.tags_add]
                changes += [("tag", names.get(id_, str(id_)), "") for id_ in patch.tags_remove]
                if move:
                    changes.append(("email", contact.email, move))
                self.differences.append(Difference(contact_id=contact.id, identity=emails.identity(contact.email) or "", changes=changes))
                session.counts.updated += 1
            return
        if patch or move:
            batch.changes.append(Change(person=row.id, patch=patch, move_to=move, email=contact.email))
            counts = session.counts
            counts.updated += 1
            counts.columns += len(patch.columns)
            counts.fields += len(patch.fields)
            counts.tags += len(patch.tags_add) + len(patch.tags_remove)
            counts.lists += len(patch.lists_add) + len(patch.lists_remove)
            counts.moved += bool(move)
        else:
            session.counts.unchanged += 1

    def _move(self, person: Loaded, contact: Contact) -> str:
        """The new address, when the account's address changed in the shop (the contact still has an old one of
        theirs). An address that a person changed in FluentCRM stays."""
        if person.account is None or person.identity is None:
            return ""
        has = emails.identity(contact.email)
        if has is None or has == person.identity:
            return ""
        row = self._session.state.rows("SELECT person_id FROM alias WHERE key = ?", (self._session.state.key(has),))
        return person.identity if row and row[0][0] == person.row.id else ""

    def _shop_changed(self, person: Loaded) -> str:
        """When the shop's data of this person last changed, as wall-clock text, for the policy `newest`."""
        stamps = [order.created for order in person.row.orders[:1]]
        if person.account is not None:
            update = person.account.meta.get("last_update", "")
            stamps += [int(update)] if update.isascii() and update.isdigit() and len(update) < 12 else []
            stamps += [person.account.registered or 0]
        newest = max(stamps, default=0)
        return self._session.wall(newest) if newest else ""

    # --- remembering -----------------------------------------------------------------------------------

    def _remember(self, looks: Sequence[Look], outcomes: dict[int, Outcome]) -> int:
        """Write down what became of a page, in one transaction. Returns how many must be looked at again."""
        session, counts = self._session, self._session.counts
        rows: list[tuple[Any, ...]] = []
        raced = 0
        fine: list[str] = []
        with session.state.transaction() as sql:
            for look in looks:
                outcome = outcomes.get(look.row.id)
                if outcome is not None and outcome.state == "raced":
                    raced += 1
                    continue
                contact_id = look.contact_id
                made = look.row.made
                if outcome is not None and outcome.state == "refused":
                    look.verdict, look.reason, look.written = "failed", outcome.reason, None
                elif outcome is not None and look.created:
                    contact_id, made = outcome.contact_id, True
                    self._count_created(look)
                    if look.consent:
                        self._prove(sql, look)
                elif look.reason == "erased":
                    contact_id, made = None, False
                    counts.erased += 1
                self._letters(look, fine)
                counts.people += 1
                if look.verdict == "left":
                    counts.left_out[look.reason] = counts.left_out.get(look.reason, 0) + 1
                elif look.verdict == "failed":
                    counts.failed[look.reason] = counts.failed.get(look.reason, 0) + 1
                facts = look.facts
                written = _encode(look.written) if look.written is not None else look.row.written
                rows.append((
                    contact_id, made, look.verdict, look.reason, facts.orders_count, facts.ltv, facts.last_order,
                    facts.customer_status, _encode(facts), written, look.row.id,
                ))  # fmt: skip
            sql.executemany(
                "UPDATE person SET dirty = 0, contact_id = ?, made = ?, verdict = ?, reason = ?, orders_count = ?,"
                " ltv = ?, last_order = ?, status = ?, facts = ?, written = ? WHERE id = ?",
                rows,
            )
            dead_letters.resolve(session.state, "person", fine)
        return raced

    def _count_created(self, look: Look) -> None:
        counts, written = self._session.counts, look.written
        counts.created += 1
        if written is not None:
            counts.columns += len(written.c)
            counts.fields += len(written.f)
            counts.tags += len(written.t)
            counts.lists += len(written.l)

    def _letters(self, look: Look, fine: list[str]) -> None:
        state, run = self._session.state, self._session.run.id
        if look.verdict == "failed":
            dead_letters.add(state, "person", look.ref, look.reason, _WHY.get(look.reason, ""), run)
        elif look.row.reason:
            fine.append(look.ref)
        if look.problems or look.row.reason == "values":
            dead_letters.resolve(state, "value", [look.ref])
        for target, reason in look.problems:
            dead_letters.add(state, "value", look.ref, f"{target}: {reason}", "", run)
        if look.problems and look.verdict == "in":
            look.reason = "values"

    def _prove(self, sql: Any, look: Look) -> None:
        rule = next(rule for rule in self._session.config.consent.email if rule.source == look.consent)
        sql.execute(
            "INSERT INTO consent (person_id, channel, state, source, wording, at) VALUES (?, 'email', 'given', ?, ?, ?)",
            (look.row.id, look.consent, rule.wording, self._session.now),
        )


class DryTerms:
    """Tags or lists for a dry run: missing ones get ids that no row has."""

    def __init__(self, session: Session, kind: str) -> None:
        self.ids = {}
        for id_, _title, slug in sorted(session.reader.page(f"terms_{kind}s")):
            self.ids.setdefault(slug, id_)
        self.owned: set[int] = set()
        self.made = 0

    def resolve(self, wanted: dict[str, str]) -> list[int]:
        return [self.ids.setdefault(slug, -1 - len(self.ids)) for slug in wanted]


_WHY = {
    "address_collides": "FluentCRM's accent-blind index takes this address for another contact's",
    "erased_in_shop_but_not_our_contact": "the shop erased this person; the contact was made by somebody else: delete it by hand",
    "mysql_1406": "a value is longer than its column",
}


def _newest_first(order: LedgerOrder) -> tuple[int, int]:
    return (-order.created, -order.id)

