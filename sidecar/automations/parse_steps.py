"""`[[step]]` of an automation's file, one after another; how they hang together is looked at in `parse_flow`."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit

from sidecar.automations import model
from sidecar.automations.parse_base import DAYS, STATUSES, TOPICS, Reader
from sidecar.automations.parse_texts import Texts
from sidecar.automations.parse_trigger import about_order, about_products, name
from sidecar.segments.catalogue import VALUE, find
from sidecar.segments.model import All, Period
from sidecar.toml_file import did_you_mean
from sidecar.toml_lines import Path as Place

_COMMON = ("id", "do", "next", "late")
CHANNELS = ("email", "sms", "telegram", "whatsapp", "push")
_SHORT = ("sms", "telegram", "push")
_STILL = ("in_stock", "price", "not_bought", "cart_open", "unpaid", "coupon")
_PREFIX = re.compile(r"[A-Za-z0-9-]{0,12}")
_TEMPLATE = re.compile(r"[a-z0-9_]{1,512}")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
# Who somebody is and whether they may be written to is never an automation's to change.
_KEPT_FIELDS = ("id", "user_id", "hash", "email", "phone", "status", "ip", "contact_type")
_OFFER = re.compile(r"[a-z][a-z0-9_-]{0,40}|")


class Steps:
    """Reads the steps of one automation with that name and trigger."""

    def __init__(self, reader: Reader, texts: Texts, name: str, trigger: model.Trigger) -> None:
        self._read = reader
        self._texts = texts
        self._name = name
        self._trigger = trigger
        self._by_do: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
            "wait": (self._wait, ("period", "at", "days", "zone")),
            "wait_until_moment": (self._moment, ("order_meta", "before", "after", "otherwise")),
            "wait_for": (self._wait_for, ("topic", "at_most", "to", "then", "otherwise")),
            "branch": (self._branch, ("rule", "then", "otherwise")),
            "split": (self._split, ("ways",)),
            "send": (self._send, ("title", "channels", "purpose", "offer", "still", "whatsapp", "text")),
            "tag": (self._tag, ("add", "remove")),
            "set_field": (self._set_field, ("field", "value")),
            "coupon": (self._coupon, ("kind", "amount", "expires", "minimum", "free_shipping", "only_products", "bound", "offer", "prefix")),
            "webhook": (self._webhook, ("url", "fields")),
            "ticket": (self._ticket, ("subject", "body", "priority")),
            "note": (self._note, ("title", "body")),
            "start": (self._start, ("automation",)),
            "stop": (lambda data, place, common: model.Stop(**common), ()),
        }  # fmt: skip

    def step(self, data: dict[str, Any], place: Place) -> model.AnyStep | None:
        """One step; None when nobody can say which kind it is."""
        do = data.get("do")
        if not isinstance(do, str) or do not in self._by_do:
            kinds = tuple(self._by_do)
            message = f"there is no step {do!r}" if "do" in data else "is missing"
            self._read.say((*place, "do"), message, did_you_mean(str(do), kinds) or ", ".join(kinds))
            return None
        make, keys = self._by_do[do]
        nowhere = ("next",) if do in ("stop", "split") else ()
        self._read.only(data, place, tuple(key for key in (*_COMMON, *keys) if key not in nowhere))
        id_ = self._read.text(data, "id", place)
        if id_ and (not name(id_) or id_ == model.END):
            self._read.say((*place, "id"), f"{id_!r} is no name of a step", "small letters, digits and single hyphens, not end")  # fmt: skip
        late = self._read.period(data, "late", place) if "late" in data else None
        found: model.AnyStep = make(data, place, {"id": id_, "next": self._jump(data, "next", place), "late": late})
        return found

    def _jump(self, data: dict[str, Any], key: str, place: Place) -> str:
        return self._read.text(data, key, place, "")

    # --- when and whether -------------------------------------------------------------------------------

    def _wait(self, data: dict[str, Any], place: Place, common: dict[str, Any]) -> model.Wait:
        found = model.Wait(
            **common,
            period=self._read.period(data, "period", place, Period()),
            at=self._read.clock(data, "at", place, ""),
            days=self._read.choices(data, "days", place, DAYS),
            zone=self._read.choice(data, "zone", place, ("shop", "person"), "shop"),  # type: ignore[arg-type]
        )
        if not {"period", "at", "days"} & data.keys():
            self._read.say(place, "how long, or until when?", 'period = "2d", at = "09:30", or both')
        if found.days and not found.at:
            self._read.say((*place, "days"), "days go with a time of day", 'at = "09:30"')
        return found

    def _moment(self, data: dict[str, Any], place: Place, common: dict[str, Any]) -> model.WaitMoment:
        if not about_order(self._trigger):
            self._read.say(place, "the trigger is about no order")
        if "before" in data and "after" in data:
            self._read.say((*place, "after"), "before and after together", "one of them")
        return model.WaitMoment(
            **common,
            order_meta=self._read.text(data, "order_meta", place),
            before=self._read.period(data, "before", place, Period()),
            after=self._read.period(data, "after", place, Period()),
            otherwise=self._jump(data, "otherwise", place),
        )

    def _wait_for(self, data: dict[str, Any], place: Place, common: dict[str, Any]) -> model.WaitEvent:
        topic = self._read.choice(data, "topic", place, TOPICS)
        to = self._read.to(data, place)
        if to and topic not in STATUSES:
            self._read.say((*place, "to"), f"goes with {' and '.join(STATUSES)} alone")
        return model.WaitEvent(
            **common,
            topic=topic,
            at_most=self._read.period(data, "at_most", place),
            to=to,
            then=self._jump(data, "then", place),
            otherwise=self._jump(data, "otherwise", place),
        )

    def _branch(self, data: dict[str, Any], place: Place, common: dict[str, Any]) -> model.Branch:
        rule = self._read.rule(data, "rule", place)
        if rule is None:
            self._read.say((*place, "rule"), "is missing", 'as rule = { segment = "vip" }')
        then, otherwise = self._jump(data, "then", place), self._jump(data, "otherwise", place)
        if not then and not otherwise:
            self._read.say(place, "both ways lead to the same step", 'then = "…" or otherwise = "…"')
        return model.Branch(**common, rule=rule or All(()), then=then, otherwise=otherwise)

    def _split(self, data: dict[str, Any], place: Place, common: dict[str, Any]) -> model.Split:
        ways = self._read.table(data.get("ways", {}), (*place, "ways"))
        found = {}
        for way in ways:
            found[way] = self._read.whole(ways, way, (*place, "ways"), 1, 0, 1000)
        if len(found) < 2 or not any(found.values()):
            self._read.say((*place, "ways"), "two ways or more are wanted, with a weight each", "ways = { a = 50, b = 50 }")  # fmt: skip
        return model.Split(**common, ways=found)

    # --- what is sent -----------------------------------------------------------------------------------

    def _send(self, data: dict[str, Any], place: Place, common: dict[str, Any]) -> model.Send:
        channels = self._read.choices(data, "channels", place, CHANNELS)
        if not channels and not data.get("channels"):
            self._read.say((*place, "channels"), "by which channels?", 'channels = ["email", "sms"]')
        purpose = self._read.choice(data, "purpose", place, ("marketing", "service"), "marketing")
        offer = self._offer(data, place, "")
        if offer and purpose == "service":
            self._read.say((*place, "offer"), "an offer is marketing", 'purpose = "marketing", or no offer')
        return model.Send(
            **common,
            channels=channels,  # type: ignore[arg-type]
            texts=self._texts.read(
                data, place, email="email" in channels, short=any(one in channels for one in _SHORT), purpose=purpose
            ),
            purpose=purpose,  # type: ignore[arg-type]
            offer=offer,
            still=self._still(data, place),  # type: ignore[arg-type]
            title=self._read.text(data, "title", place, ""),
            whatsapp=self._templates(data, place, "whatsapp" in channels),
        )

    def _offer(self, data: dict[str, Any], place: Place, default: str) -> str:
        offer = self._read.text(data, "offer", place, default)
        if not _OFFER.fullmatch(offer):
            self._read.say((*place, "offer"), f"{offer!r} is no kind of offer", 'as "discount": what no_offers of segments says')  # fmt: skip
        return offer

    def _still(self, data: dict[str, Any], place: Place) -> tuple[str, ...]:
        found = self._read.choices(data, "still", place, _STILL)
        by_hand = isinstance(self._trigger, model.ByHand)
        for one in found:
            fits = {
                "cart_open": isinstance(self._trigger, model.OnCart) or by_hand,
                "unpaid": about_order(self._trigger),
                "coupon": True,
            }.get(one, about_products(self._trigger))
            if not fits:
                self._read.say((*place, "still"), f"the trigger has nothing that could be {one}")
        return found

    def _templates(self, data: dict[str, Any], place: Place, wanted: bool) -> dict[str, str]:
        place = (*place, "whatsapp")
        table = self._read.table(data.get("whatsapp", {}), place)
        if wanted and not table:
            self._read.say(
                place, "WhatsApp takes approved templates only", 'whatsapp = { en = "name_of_the_template" }'
            )
        for language, template in table.items():
            if not isinstance(template, str) or not _TEMPLATE.fullmatch(template):
                self._read.say((*place, language), f"{template!r} is no name of a template", "small letters, digits and _")  # fmt: skip
        return {language: str(template) for language, template in table.items()}

    # --- what is done -----------------------------------------------------------------------------------

    def _tag(self, data: dict[str, Any], place: Place, common: dict[str, Any]) -> model.Tagged:
        found = model.Tagged(
            **common, add=self._read.texts(data, "add", place), remove=self._read.texts(data, "remove", place)
        )
        if not found.add and not found.remove:
            self._read.say(place, "which tags?", 'add = ["Title of the tag"]')
        return found

    def _set_field(self, data: dict[str, Any], place: Place, common: dict[str, Any]) -> model.SetField:
        field = self._read.text(data, "field", place)
        if field and (field in _KEPT_FIELDS or find(VALUE + field) is None):
            self._read.say((*place, "field"), f"{field!r} is not an automation's to set", "a custom field by its slug, or a column as city")  # fmt: skip
        value = self._read.text(data, "value", place, None if "value" not in data else "")
        self._texts.template(value, (*place, "value"))
        return model.SetField(**common, field=field, value=value)

    def _coupon(self, data: dict[str, Any], place: Place, common: dict[str, Any]) -> model.Coupon:
        kind = self._read.choice(data, "kind", place, ("percent", "fixed_cart"))
        amount = self._money(data, "amount", place)
        if amount <= 0 and not (amount == 0 and data.get("free_shipping") is True and "amount" in data):
            self._read.say((*place, "amount"), "an amount above 0 is wanted", "0 goes with free_shipping = true alone")
        if kind == "percent" and amount > 100:
            self._read.say((*place, "amount"), "more than 100 percent")
        minimum = self._money(data, "minimum", place) if "minimum" in data else None
        prefix = self._read.text(data, "prefix", place, "")
        if not _PREFIX.fullmatch(prefix):
            self._read.say((*place, "prefix"), f"{prefix!r} cannot begin a code", "at most 12 letters, digits, hyphens")
        only = self._read.flag(data, "only_products", place, False)
        if only and not about_products(self._trigger):
            self._read.say((*place, "only_products"), "the trigger is about no product")
        expires = self._read.period(data, "expires", place)
        if expires.days > 366:
            self._read.say((*place, "expires"), "more than a year", "a coupon is gone some day")
        return model.Coupon(
            **common,
            kind=kind,  # type: ignore[arg-type]
            amount=f"{amount:f}",
            expires=expires,
            minimum="" if minimum is None else f"{minimum:f}",
            free_shipping=self._read.flag(data, "free_shipping", place, False),
            only_products=only,
            bound=self._read.flag(data, "bound", place, True),
            offer=self._offer(data, place, "discount"),
            prefix=prefix,
        )

    def _money(self, data: dict[str, Any], key: str, place: Place) -> Decimal:
        """A decimal as a number or a text."""
        value = data.get(key)
        if isinstance(value, int | float | str) and not isinstance(value, bool):
            try:
                amount = Decimal(str(value))
            except InvalidOperation:
                amount = Decimal("NaN")
            if amount.is_finite() and 0 <= amount < 10**12 and amount == round(amount, 6):
                return amount
        self._read.say((*place, key), f"an amount is wanted, not {value!r}" if key in data else "is missing", "as 10 or 9.5")  # fmt: skip
        return Decimal(1)

    def _webhook(self, data: dict[str, Any], place: Place, common: dict[str, Any]) -> model.Webhook:
        url = self._read.text(data, "url", place)
        if url and not _may_be_posted_to(url):
            self._read.say((*place, "url"), "an https:// address without a password in it is wanted", "http:// goes to this host alone: localhost, 127.0.0.1")  # fmt: skip
        fields = self._read.texts(data, "fields", place)
        for number, field in enumerate(fields):
            self._texts.name(field, (*place, "fields", number))
        return model.Webhook(**common, url=url, fields=fields)

    def _ticket(self, data: dict[str, Any], place: Place, common: dict[str, Any]) -> model.Ticket:
        subject, body = (self._read.text(data, key, place) for key in ("subject", "body"))
        self._texts.template(subject, (*place, "subject"))
        self._texts.template(body, (*place, "body"))
        priority = self._read.choice(data, "priority", place, ("normal", "medium", "critical"), "normal")
        return model.Ticket(**common, subject=subject, body=body, priority=priority)  # type: ignore[arg-type]

    def _note(self, data: dict[str, Any], place: Place, common: dict[str, Any]) -> model.Note:
        title, body = self._read.text(data, "title", place), self._read.text(data, "body", place, "")
        self._texts.template(title, (*place, "title"))
        self._texts.template(body, (*place, "body"))
        return model.Note(**common, title=title, body=body)

    def _start(self, data: dict[str, Any], place: Place, common: dict[str, Any]) -> model.Start:
        other = self._read.text(data, "automation", place)
        if other and (not name(other) or other == self._name):
            self._read.say((*place, "automation"), f"{other!r} is no other automation", "its file's name without .toml")
        return model.Start(**common, automation=other)


def _may_be_posted_to(url: str) -> bool:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.username is not None or port == 0 or not url.isascii() or not url.isprintable() or " " in url:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
