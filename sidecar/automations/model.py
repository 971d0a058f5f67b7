"""What an automation is: a trigger, who may enter, steps, a goal, exits. Pure data; a file's text becomes it in `file.py`.

Steps stand in one list and only lead forward (`then`, `otherwise`, `next`), so every enrolment ends.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from sidecar.segments.model import Condition, Period

# marketing needs the consent of the channel and counts for the cap; service is what buyers must be told of their own order.
Purpose = Literal["marketing", "service"]
ChannelName = Literal["email", "sms", "telegram", "whatsapp", "push"]
LANGUAGES = ("en", "fa", "pl", "bg")
END = "end"


# --- triggers ------------------------------------------------------------------------------------------------


class OnEvent(msgspec.Struct, frozen=True, kw_only=True, tag="event"):
    """Something happened (`events.topics`, and order.placed): about an order, an account, a review. `to`: statuses that
    order.status or contact.status must lead to; empty: any. `first`: only with a person's first counted order (order.paid); `every`: only with
    each such-and-such counted order (order.paid). `goods`: only with an order in which something is sent ("shipped") or can be downloaded."""

    topic: str
    to: tuple[str, ...] = ()
    first: bool = False
    every: int = 0
    goods: Literal["", "shipped", "downloadable"] = ""


class OnSegment(msgspec.Struct, frozen=True, kw_only=True, tag="segment"):
    """Somebody came into a segment, or left it."""

    segment: str
    entered: bool = True


class OnCart(msgspec.Struct, frozen=True, kw_only=True, tag="cart"):
    """A cart with something in it (or a checkout that was begun) has not been touched for `idle`, and nothing was ordered."""

    idle: Period


class OnViews(msgspec.Struct, frozen=True, kw_only=True, tag="views"):
    """The same product was viewed `times` within `within` (or, with `days`, on so many days in a row) and not bought since."""

    times: int
    within: Period
    days: bool = False


class OnDay(msgspec.Struct, frozen=True, kw_only=True, tag="day"):
    """A day of the year of the person: field is birthday, membership_day or first_order_day (`trait`); at `at` ("HH:MM") in
    the shop's time, `before` days before it. Missed days are made up for once, up to `late`."""

    field: str
    at: str = "09:00"
    before: int = 0
    late: Period = Period(days=1)


class OnSchedule(msgspec.Struct, frozen=True, kw_only=True, tag="schedule"):
    """Every day, week (`on` mon … sun) or month (`on` 1 … 28) at `at` in the shop's time: all who pass the filter."""

    every: Literal["day", "week", "month"]
    on: str = ""
    at: str = "09:00"


class OnStock(msgspec.Struct, frozen=True, kw_only=True, tag="stock"):
    """A product or a variation is in stock again, for those who wait for exactly it."""


class OnReorder(msgspec.Struct, frozen=True, kw_only=True, tag="reorder"):
    """A product that the person buys again and again is due by their own interval (table `reorder`)."""

    due: float = 1.0
    overdue: float = 2.0


class ByHand(msgspec.Struct, frozen=True, kw_only=True, tag="hand"):
    """Nothing starts it but another automation."""


Trigger = OnEvent | OnSegment | OnCart | OnViews | OnDay | OnSchedule | OnStock | OnReorder | ByHand


# --- steps ---------------------------------------------------------------------------------------------------


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """`id` is the step's name, unique in its automation; `next`: the step after it (END: none), '' the one below. `late`: due
    longer ago than this, it is left out (None: it is made up for, however late)."""

    id: str
    next: str = ""
    late: Period | None = None


class Wait(Step, frozen=True, kw_only=True, tag="wait"):
    """For `period`; then until the next `at` ("HH:MM", '' any) of one of `days` (mon … sun, empty any), in the person's time
    zone where it is known (`zone` person) or the shop's."""

    period: Period = Period()
    at: str = ""
    days: tuple[str, ...] = ()
    zone: Literal["shop", "person"] = "shop"


class WaitMoment(Step, frozen=True, kw_only=True, tag="wait_moment"):
    """Until `before` before (or `after` after) a moment that a meta key of the order holds (a booking); when it has none, the
    step `otherwise` ('' the next one) follows at once."""

    order_meta: str
    before: Period = Period()
    after: Period = Period()
    otherwise: str = ""


class WaitEvent(Step, frozen=True, kw_only=True, tag="wait_event"):
    """Until `topic` happens to the person, at most so long; `then` when it did, `otherwise` when not ('' the next one)."""

    topic: str
    at_most: Period
    to: tuple[str, ...] = ()
    then: str = ""
    otherwise: str = ""


class Branch(Step, frozen=True, kw_only=True, tag="branch"):
    """`then` when the rule holds for the person now, `otherwise` when not ('' the next one)."""

    rule: Condition
    then: str = ""
    otherwise: str = ""


class Split(Step, frozen=True, kw_only=True, tag="split"):
    """Chance: {step: weight}. The same person always goes the same way."""

    ways: dict[str, int]


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says in one language (Jinja2). `body` is HTML of the e-mail, with paragraphs by blank lines; `short` what
    SMS, Telegram, WhatsApp and push say. Empty: not written for that channel."""

    subject: str = ""
    preheader: str = ""
    body: str = ""
    short: str = ""


class Send(Step, frozen=True, kw_only=True, tag="send"):
    """A message by the first of `channels` by which the person may be reached. `offer`: the kind of offer that is in it ('' none):
    who is in a segment with that among its no_offers does not get it. `still`: what must be so when it goes out (coupon: they have got one here)."""

    channels: tuple[ChannelName, ...]
    texts: dict[str, Text]
    purpose: Purpose = "marketing"
    offer: str = ""
    still: tuple[Literal["in_stock", "price", "not_bought", "cart_open", "unpaid", "coupon"], ...] = ()
    title: str = ""
    # WhatsApp takes business messages as approved templates only: {language: name of the template}.
    whatsapp: dict[str, str] = {}


class Tagged(Step, frozen=True, kw_only=True, tag="tag"):
    """Tags of FluentCRM by title, given and taken."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


class SetField(Step, frozen=True, kw_only=True, tag="set_field"):
    """A custom field (or a column) of the contact; `value` is a Jinja2 text."""

    field: str
    value: str


class Coupon(Step, frozen=True, kw_only=True, tag="coupon"):
    """A coupon of the person's own: single use, gone at an explicit moment. `amount` as text of a decimal. `bound`: only their
    address may use it. `offer`: as in Send; then there is no coupon, and the messages do without (`{% if coupon %}`)."""

    kind: Literal["percent", "fixed_cart"]
    amount: str
    expires: Period
    minimum: str = ""
    free_shipping: bool = False
    only_products: bool = False
    bound: bool = True
    offer: str = "discount"
    prefix: str = ""


class Webhook(Step, frozen=True, kw_only=True, tag="webhook"):
    """POST of JSON to `url`, signed with the secret of [channels.webhook], retried."""

    url: str
    fields: tuple[str, ...] = ()


class Ticket(Step, frozen=True, kw_only=True, tag="ticket"):
    """A ticket in Fluent Support, where it is there; else an e-mail to the shop's staff. Texts are Jinja2."""

    subject: str
    body: str
    priority: Literal["normal", "medium", "critical"] = "normal"


class Note(Step, frozen=True, kw_only=True, tag="note"):
    """A note on the contact in FluentCRM. Texts are Jinja2."""

    title: str
    body: str = ""


class Start(Step, frozen=True, kw_only=True, tag="start"):
    """Enrol the person in another automation, with the same subject."""

    automation: str


class Stop(Step, frozen=True, kw_only=True, tag="stop"):
    """The end of this way."""


AnyStep = (
    Wait
    | WaitMoment
    | WaitEvent
    | Branch
    | Split
    | Send
    | Tagged
    | SetField
    | Coupon
    | Webhook
    | Ticket
    | Note
    | Start
    | Stop
)


# --- the whole -----------------------------------------------------------------------------------------------


class Goal(msgspec.Struct, frozen=True, kw_only=True):
    """What it is for: the first of `topics` after entering, by the same person, ends it as a success. `same_order`: only of
    the order it is about; `same_product`: only when a product of the subject is in it."""

    topics: tuple[str, ...] = ()
    same_order: bool = False
    same_product: bool = False


class Exit(msgspec.Struct, frozen=True, kw_only=True):
    """Ends it without success: one of `topics` (with `to`), or `rule` holds before a step."""

    topics: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    rule: Condition | None = None
    same_order: bool = False


class Automation(msgspec.Struct, frozen=True, kw_only=True):
    """One automation as its file has it. `again`: how long after entering the same person may enter anew for another subject
    (None: never again; Period(): at any time). A subject (a cart, an order, a day) is entered once, ever. `overlaps`: senders
    of others that do the same (`doctor` ids)."""

    name: str
    title: str
    about: str = ""
    group: str = ""
    trigger: Trigger
    filter: Condition | None = None
    again: Period | None = Period()
    steps: tuple[AnyStep, ...]
    goal: Goal = Goal()
    exits: tuple[Exit, ...] = ()
    overlaps: tuple[str, ...] = ()
    expects: str = ""

    def step(self, id_: str) -> AnyStep | None:
        """The step of that id."""
        return next((step for step in self.steps if step.id == id_), None)

    def after(self, step: AnyStep) -> str:
        """The id of the step that follows one which leads nowhere else; END after the last."""
        if step.next:
            return step.next
        place = self.steps.index(step)
        return self.steps[place + 1].id if place + 1 < len(self.steps) else END
