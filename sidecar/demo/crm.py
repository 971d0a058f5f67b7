"""What FluentCRM already holds: contacts, hand-made tags, lists and fields, queued mail, notes."""

from __future__ import annotations

import hashlib

from sidecar.demo.dates import local
from sidecar.demo.orders import DAY
from sidecar.demo.phptext import Value, dump
from sidecar.demo.plan import Person, Plan
from sidecar.demo.rows import Rows
from sidecar.demo.truth import ContactTruth

STATUSES = (
    "subscribed",
    "unsubscribed",
    "bounced",
    "complained",
    "pending",
    "transactional",
    "subscribed",
    "spammed",
)
# `woo-` is the sidecar's own prefix: a hand-made tag that looks like one of its own must survive.
TAGS = {
    "hand-picked": "Hand picked",
    "vip-klub": "VIP klub",
    "2024": "2024",
    "woo-legacy-import": "Woo legacy import",
}
LISTS = {"newsletter": "Newsletter", "hurt": "Hurt (B2B)"}
TAG, LIST = "FluentCrm\\App\\Models\\Tag", "FluentCrm\\App\\Models\\Lists"
FIELDS: list[Value] = [
    {"slug": "favourite_roast", "label": "Favourite roast", "type": "select-one",
    "field_key": "single-select",
     "options": ["Light", "Dark"], "group": "default"},
    {"slug": "interests", "label": "Interests", "type": "checkbox", "field_key": "checkbox",
     "options": ["Kawa", "Herbata", "قهوه"], "group": "default"},
    {"slug": "loyalty_points", "label": "Loyalty points", "type": "number", "field_key": "number",
    "group": "default"},
]  # fmt: skip
STRANGERS = (
    "press@magazine.example.org",
    "Friend@Example.Net",
    "پرنده@post.example.ir",
    "old.lead@example.net",
)


class Crm:
    """Writes FluentCRM's tables and keeps the truth about the contacts."""

    def __init__(self, plan: Plan, rows: Rows, *, duplicates: bool) -> None:
        self.plan = plan
        self.when = local(plan.now - 30 * DAY, plan.zone)
        self.duplicates = duplicates
        self.contacts: list[ContactTruth] = []
        self.contact = rows.into(
            "fc_subscribers",
            "id,user_id,hash,first_name,last_name,email,country,status,contact_type,source,created_at,updated_at",
        )
        self.pivot = rows.into("fc_subscriber_pivot", "subscriber_id,object_id,object_type,created_at,updated_at")
        self.meta = rows.into(
            "fc_subscriber_meta", "subscriber_id,created_by,object_type,key,value,created_at,updated_at"
        )
        self.rows = rows

    def write(self, people: list[Person]) -> list[ContactTruth]:
        """Contacts for one in nine of `people` and some strangers. Returns the truth about them."""
        self._definitions()
        for number, person in enumerate(people[::9]):
            email = person.email.upper() if number % 4 == 1 else person.email
            self._add(email, STATUSES[number % len(STATUSES)], number, person)
        known = {person.email: person for person in self.plan.people}
        self._add("jose@cafe.example.org", "subscribed", 3, None)
        self._add("old.address@example.org", "unsubscribed", 5, known["new.address@example.org"])
        for number, email in enumerate(STRANGERS):
            self._add(email, STATUSES[number], number, None)
            self.plan.mark("contact.not_in_shop", email)
        self._queue()
        return self.contacts

    def _definitions(self) -> None:
        when = self.when
        tag = self.rows.into("fc_tags", "title,slug,created_at,updated_at")
        for slug, title in TAGS.items():
            tag((title, slug, when, when))
        listing = self.rows.into("fc_lists", "title,slug,is_public,created_at,updated_at")
        for slug, title in LISTS.items():
            listing((title, slug, 0, when, when))
        meta = self.rows.into("fc_meta", "object_type,object_id,key,value,created_at,updated_at")
        meta(("option", None, "contact_custom_fields", dump(FIELDS), when, when))
        meta(("option", None, "fluentcrm_is_sending_emails_last_called", str(self.plan.now), when, when))

    def _add(self, email: str, status: str, number: int, person: Person | None) -> None:
        contact, when = len(self.contacts) + 1, self.when
        first = person.address.first if person else "Friend"
        if number % 7 == 2:
            first = "Edited in CRM"
            self.plan.mark("contact.name_edited", email)
        user = person.user_id if person and person.user_id else None
        digest = hashlib.md5(email.encode(), usedforsecurity=False).hexdigest()
        last, country = (person.address.last, person.address.country) if person else ("", "")
        self.contact((contact, user, digest, first or None, last or None, email, country or None, status,
        "lead",
                      "import", when, when))  # fmt: skip
        tags = [slug for position, slug in enumerate(TAGS) if (number + position) % 3 == 0]
        lists = [slug for position, slug in enumerate(LISTS) if (number + position) % 2 == 0]
        for kind, slugs, every in ((TAG, tags, list(TAGS)), (LIST, lists, list(LISTS))):
            for slug in slugs:
                self.pivot((contact, every.index(slug) + 1, kind, when, when))
        if self.duplicates and tags and number % 5 == 0:
            self.pivot((contact, list(TAGS).index(tags[0]) + 1, TAG, when, when))
            self.plan.mark("contact.duplicate_tag", email)
        custom: dict[str, str] = {}
        if number % 2 == 0:
            custom = {
                "favourite_roast": "Dark",
                "loyalty_points": str(number),
                "interests": dump(["Kawa", "قهوه"]),
            }
        for key, value in custom.items():
            self.meta((contact, 0, "custom_field", key, value, when, when))
        if status == "unsubscribed":
            self.meta((contact, 0, "option", "unsubscribe_reason", "Za dużo maili", when, when))
        self.plan.mark(f"contact.{status}", email)
        if email != email.lower():
            self.plan.mark("contact.upper_case", email)
        self.contacts.append(
            ContactTruth(
                email=email,
                status=status,
                first_name=first,
                user_id=user,
                tags=tuple(tags),
                lists=tuple(lists),
                custom=custom,
            )
        )

    def _queue(self) -> None:
        when = self.when
        campaign = self.rows.into(
            "fc_campaigns", "id,type,title,slug,status,email_subject,email_body,created_at,updated_at"
        )
        campaign((1, "custom_email_campaign", "Hello", "hello", "published", "Hello", "<p>Hello</p>", when, when))
        mail = self.rows.into(
            "fc_campaign_emails",
            "campaign_id,email_type,subscriber_id,email_address,email_subject,email_body,status,scheduled_at,"
            "email_hash,created_at,updated_at",
        )
        note = self.rows.into(
            "fc_subscriber_notes",
            "subscriber_id,created_by,status,type,is_private,title,description,created_at,updated_at",
        )
        later = local(self.plan.now + DAY, self.plan.zone)
        for number, contact in enumerate(self.contacts, 1):
            if number % 6 == 0:
                status = ("scheduled", "pending", "sent")[number // 6 % 3]
                digest = hashlib.md5(f"mail {number}".encode(), usedforsecurity=False).hexdigest()
                mail(
                    (
                        1,
                        "custom",
                        number,
                        contact.email,
                        "Hello",
                        "<p>Hello</p>",
                        status,
                        later,
                        digest,
                        when,
                        when,
                    )
                )
                self.plan.mark("contact.queued_mail", contact.email)
            if number % 8 == 0:
                kind = ("open", "note") if number % 16 else ("_system_log_", "system_log")
                note((number, 1, *kind, 1, "Rozmowa", "<p>Oddzwonić</p>", when, when))
                self.plan.mark("contact.noted", contact.email)
