"""One person: facts, rules, and the difference to what FluentCRM has. Reads nothing, writes nothing."""

from __future__ import annotations

import msgspec

from sidecar.crm import diff as crm_diff
from sidecar.crm.batch import Batch, Change, NewContact
from sidecar.crm.model import NEW_STATUS, Contact, Wanted
from sidecar.crm.terms import DryTerms, Terms
from sidecar.crm.written import fresh, pack, unpack
from sidecar.mapping import apply
from sidecar.mapping.compiled import is_multi
from sidecar.mapping.rules import CHOICE
from sidecar.mapping.sources import Person
from sidecar.people import facts as people_facts
from sidecar.people.model import Facts
from sidecar.sync.loading import Loaded, Page, Row, left_out
from sidecar.sync.session import Session
from sidecar.values import email as emails
from sidecar.values import places

_SOURCE = "woocommerce"
# The shop erased the person, but somebody else made the contact: the owner must decide, however often we look.
NOT_OURS = "erased_in_shop_but_not_our_contact"


class Look(msgspec.Struct, kw_only=True):
    """One person after the rules: what the state will remember once the write went through.

    `made`, `had_reason` and `had_written` are what stood there before. Looks wait for their page's write: they hold
    nothing of what was read of the person.
    """

    person: int
    made: bool
    had_reason: str
    had_written: bytes | None
    facts: Facts
    verdict: str
    reason: str = ""
    written: bytes | None = None
    sizes: tuple[int, int, int, int] = (0, 0, 0, 0)
    contact_id: int | None = None
    created: bool = False
    recovered: bool = False
    consent: str = ""
    problems: list[tuple[str, str]] = []
    ref: str = ""


class Difference(msgspec.Struct, kw_only=True):
    """What a dry run shows of one person: the contact's id (0: new) and each change as (target, old, new)."""

    contact_id: int
    identity: str
    changes: list[tuple[str, str, str]]


class Looker:
    """Looks at one person after the other. `differences` fills in a dry run, `offered` with the values of choice
    fields ({slug: values}), so that their definitions can offer them."""

    def __init__(self, session: Session, vip_from: int | None, tags: Terms | DryTerms, lists: Terms | DryTerms) -> None:
        self._session = session
        self._vip_from = vip_from
        self._tags = tags
        self._lists = lists
        self._dry = session.choices.dry_run
        self._policies = session.mapping.policies
        self._choices = {
            field.slug: is_multi(field.rule.type)
            for field in session.mapping.fields
            if field.slug and field.rule.type in CHOICE
        }
        self.offered: dict[str, set[str]] = {slug: set() for slug in self._choices}
        self.differences: list[Difference] = []
        # Whether these people's insert has met another contact already. Only then is an address that looks alike
        # taken for a collision: what is alike, FluentCRM's index knows better than we do.
        self.again = False
        # Contacts that interrupted runs made before the state got to know of them.
        self.orphans: frozenset[int] = frozenset()
        # People whose contact a pass was about to make when it died.
        self.intents: frozenset[int] = frozenset()

    def look(self, person: Loaded, page: Page, batch: Batch) -> Look:
        """What becomes of a person; what is to be written goes into `batch`."""
        session = self._session
        row = person.row
        facts = people_facts.compute(row.orders, person.account, session.products, session.settings, person.birthday)
        facts.customer_status = people_facts.status_of(
            facts.orders_count, facts.ltv, self._vip_from, session.config.people.vip.min_orders
        )
        country = person.billing.country or person.shipping.country
        facts.country = (places.country(country) or country.strip().upper()) if country else ""
        look = Look(
            person=row.id,
            made=row.made,
            had_reason=row.reason,
            had_written=row.written,
            facts=facts,
            verdict="in",
            ref=_ref(row),
        )
        contact = self._contact(person, page, look)
        reason = left_out(session, person, bool(row.orders), facts.orders_count, facts.roles)
        erased = row.reason in ("anonymised", NOT_OURS)
        if reason == "gone" or erased:
            if row.orders or person.account is not None:
                reason = "" if reason == "gone" and contact else reason
            elif contact is not None and (erased or session.config.people.vanished == "erase"):
                return self._erasure(look, contact, batch)
            elif contact is not None:
                reason = ""
        if reason:
            look.verdict, look.reason, look.contact_id = "left", reason, row.contact_id
            return look
        identity = person.identity or (emails.identity(contact.email) if contact else None) or ""
        if contact is None and self.again and identity in page.contacts.clashes:
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
        if not look.made:
            look.verdict, look.reason, look.contact_id = (
                "failed",
                NOT_OURS,
                contact.id,
            )
            return look
        batch.erase.append((look.person, contact.id))
        return look

    def _note_options(self, wanted: Wanted) -> None:
        for slug, multi in self._choices.items():
            if multi:
                if slug in wanted.choices:
                    self.offered[slug].update(wanted.choices[slug])
            elif value := wanted.fields.get(slug):
                self.offered[slug].add(value)

    def _create(self, look: Look, person: Loaded, identity: str, wanted: Wanted, batch: Batch) -> None:
        session = self._session
        facts = look.facts
        columns = {name: value for name, value in wanted.columns.items() if value}
        columns.setdefault("source", _SOURCE)
        fields = {slug: value for slug, value in wanted.fields.items() if value}
        tags, lists = self._tags.resolve(wanted.tags), self._lists.resolve(wanted.lists)
        look.written, look.sizes = fresh(columns, fields, sorted(tags), sorted(lists))
        look.created = True
        if person.consent and person.row.withdrawn:
            # They said yes in the shop once, and no in FluentCRM later: a contact made anew starts without marketing.
            person.consent = ""
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
                person=look.person,
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
        row = person.row
        before = unpack(row.written)
        tags = crm_diff.Terms(self._tags.resolve(wanted.tags), self._tags.owned)
        lists = crm_diff.Terms(self._lists.resolve(wanted.lists), self._lists.owned)
        patch = crm_diff.diff(contact, wanted, before, self._policies, tags, lists, shop_changed(session, person))
        look.contact_id = contact.id
        if row.contact_id is None and (contact.id in self.orphans or row.id in self.intents):
            look.recovered = True
            look.consent = person.consent if contact.status == "subscribed" else ""
        look.written = pack(crm_diff.written_after(contact, patch, wanted, before, tags, lists))
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
                self.differences.append(
                    Difference(contact_id=contact.id, identity=emails.identity(contact.email) or "", changes=changes)
                )
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
        return person.identity if self._session.state.key(has) in person.row.aliases else ""


def _ref(row: Row) -> str:
    """What the owner finds a person by."""
    if row.user_id:
        return f"user:{row.user_id}"
    return f"order:{row.newest}" if row.newest else f"contact:{row.contact_id or 0}"


def shop_changed(session: Session, person: Loaded) -> str:
    """When the shop's data of this person last changed, as wall-clock text, for the policy `newest`; '' if unknown."""
    stamps = [order.created for order in person.row.orders[:1]]
    if person.account is not None:
        update = person.account.meta.get("last_update", "")
        stamps += [int(update)] if update.isascii() and update.isdigit() and len(update) < 11 else []
        stamps += [person.account.registered or 0]
    newest = max(stamps, default=0)
    return session.wall(newest) if newest else ""
