"""The ready-made automations: all that the issue names, off by default, in four languages that say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC
from functools import cache

import pytest
from jinja2 import Environment, nodes
from msgspec.structs import replace
from support import ROOT

from sidecar.automations import file, guards, library, model
from sidecar.automations.enrolments import Data, Enrolment
from sidecar.automations.known import Known
from sidecar.automations.messages import check, example
from sidecar.automations.messages.links import Links
from sidecar.automations.messages.model import Context, Person, Shop
from sidecar.automations.messages.render import render
from sidecar.config import Config
from sidecar.segments import file as segments_file
from sidecar.segments.model import Period

SEGMENTS = segments_file.load(None, UTC)
NAMES = [
    "back-in-stock", "birthday", "booking", "browse-follow-up", "cart-recovery", "cross-sell", "digital-goods",
    "first-purchase-anniversary", "high-intent", "long-cycle", "membership-anniversary", "milestone", "order-delayed",
    "order-delivered", "order-placed", "order-shipped", "payment-reminder", "replenishment", "review-request", "sudden-drop",
    "thank-you", "viewed-three-days", "vip-care", "welcome", "win-back-30", "win-back-60", "win-back-90",
]  # fmt: skip
SCRIPTS = {"fa": re.compile("[ء-ی‌]"), "bg": re.compile("[а-яА-Я]"), "pl": re.compile("[ąćęłńóśźżA-Za-z]")}
# Letters that give away a text of another language, or of Persian typed with an Arabic keyboard.
ALIEN = {"en": re.compile("[^\x00-\x7f’“”–…·]"), "fa": re.compile("[كيىةа-яА-Я]"), "bg": re.compile("[ыэёء-ی]"), "pl": re.compile("[а-яА-Яء-ی]")}  # fmt: skip
PARTS = ("subject", "preheader", "body", "short")


@cache
def ready(name: str) -> model.Automation:
    return file.parse(library.ready_text(name), f"{name}.toml", UTC, SEGMENTS)


def sends() -> Iterator[tuple[str, model.Send]]:
    for name in NAMES:
        yield from ((name, step) for step in ready(name).steps if isinstance(step, model.Send))


SENDS = [pytest.param(name, step, id=f"{name}/{step.id}") for name, step in sends()]


def test_all_are_there() -> None:
    assert list(library.ready()) == NAMES
    assert sorted(path.name for path in (ROOT / "config" / "automations").iterdir()) == [
        f"{name}.toml" for name in NAMES
    ]


@pytest.mark.parametrize("name", NAMES)
def test_each_is_explained(name: str) -> None:
    found, text = ready(name), library.ready_text(name)
    assert found.title
    assert found.about.endswith(".")
    assert found.group
    head = text.split("\n\ntitle = ")[0]
    assert all(line.startswith("#") for line in head.split("\n"))
    assert f"`sidecar automations on {name}`" in head
    assert max(len(line) for line in text.split("\n") if line.startswith("#")) <= 145


@pytest.mark.parametrize(("name", "step"), SENDS)
def test_messages_are_complete(name: str, step: model.Send) -> None:
    assert tuple(sorted(step.texts)) == tuple(sorted(model.LANGUAGES))
    assert step.title
    # Late is worse than never for every one of them.
    assert step.late is not None
    assert "whatsapp" not in step.channels  # its templates are approved for one shop
    for text in step.texts.values():
        assert all(getattr(text, part).strip() for part in PARTS)
        assert "!!" not in text.subject
        assert not re.search(r"\bNone\b|TODO|lorem", text.body)
        # Marketing by SMS needs its way out, too; e-mails get theirs from the layout.
        assert ("unsubscribe_link" in text.short) == (step.purpose == "marketing")


@pytest.mark.parametrize(("name", "step"), SENDS)
def test_each_language_is_itself(name: str, step: model.Send) -> None:
    for language, text in step.texts.items():
        for part in PARTS:
            words = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|<[^>]+>", " ", getattr(text, part))
            assert not ALIEN[language].search(words), (language, part)
            if part != "short" or re.search(r"\w", words):
                assert SCRIPTS.get(language, SCRIPTS["pl"]).search(words), (language, part)
    for one, other in (("en", "pl"), ("fa", "bg")):
        assert step.texts[one].body != step.texts[other].body


def structure(text: str) -> list[str]:
    """What a template asks and prints, without its words: `order.number`, `if coupon`, `button(…, cart.link)`."""
    tree = Environment(autoescape=True).parse(text)
    found = [_dotted(node) for node in tree.find_all(nodes.Getattr)]
    found += [f"if {_dotted(node.test)}" for node in tree.find_all(nodes.If)]
    found += [f"call {_dotted(node.node)}" for node in tree.find_all(nodes.Call)]
    return sorted(found + [node.name for node in tree.find_all(nodes.Name)])


def _dotted(node: nodes.Node) -> str:
    if isinstance(node, nodes.Getattr):
        return f"{_dotted(node.node)}.{node.attr}"
    if isinstance(node, nodes.Getitem):
        return f"{_dotted(node.node)}[]"
    return node.name if isinstance(node, nodes.Name) else type(node).__name__


@pytest.mark.parametrize(("name", "step"), SENDS)
def test_languages_say_the_same(name: str, step: model.Send) -> None:
    for part in PARTS:
        said = {language: structure(getattr(text, part)) for language, text in step.texts.items()}
        assert all(one == said["en"] for one in said.values()), part


@pytest.mark.parametrize(("name", "step"), SENDS)
def test_what_may_be_missing_is_asked_first(name: str, step: model.Send) -> None:
    """A value that is missing refuses the whole message, so all that may be missing stands behind a question or a default."""
    sure = {"shop.name", "shop.url", "person.greeting", "order.number", "order.status", "cart.link", "reorder.product.name", "reorder.product.url"}  # fmt: skip
    for text in step.texts.values():
        for part in PARTS:
            _guarded(Environment(autoescape=True).parse(getattr(text, part)), set(sure), part)


def _guarded(node: nodes.Node, known: set[str], part: str) -> None:
    if isinstance(node, nodes.Filter) and node.name == "default":
        return
    if isinstance(node, nodes.If):
        asked = {_dotted(one) for one in (node.test, *node.test.find_all((nodes.Name, nodes.Getattr, nodes.Getitem)))}
        for child in node.body:
            _guarded(child, known | asked, part)
        for child in [*node.else_, *node.elif_]:
            _guarded(child, known, part)
        return
    if isinstance(node, nodes.Call):
        # Tables and grids of nothing are empty; a button needs its address.
        arguments = node.args[1:] if _dotted(node.node) == "button" else []
        for argument in arguments:
            _guarded(argument, known, part)
        return
    if isinstance(node, nodes.Getattr | nodes.Name):
        name = _dotted(node)
        root = name.split(".")[0].removesuffix("[]")
        assert name in known or root in known or name == "unsubscribe_link", f"{name} in {part}"
        return
    for child in node.iter_child_nodes():
        _guarded(child, known, part)


def days(period: Period) -> float:
    return period.days + period.seconds / 86_400


def test_cart_recovery_keeps_to_its_times() -> None:
    found = ready("cart-recovery")
    assert isinstance(found.trigger, model.OnCart)
    at, times = days(found.trigger.idle), {}
    for step in found.steps:
        if isinstance(step, model.Wait):
            at += days(step.period)
        elif isinstance(step, model.Send):
            assert "cart_open" in step.still
            assert all("cart.link" in text.body and "cart.link" in text.short for text in step.texts.values())
            times[step.id] = at
    assert times == {"first": 0.5 / 24, "second": 8 / 24, "third": 1, "last": 3}
    assert found.goal.topics == ("order.placed",)


def test_times_that_the_issue_names() -> None:
    waits = {name: [days(step.period) for step in ready(name).steps if isinstance(step, model.Wait)] for name in NAMES}
    assert sum(waits["high-intent"]) == 1
    assert 3 <= sum(waits["cross-sell"]) <= 7
    assert [2 <= at < 3 for at in waits["digital-goods"]] == [False, True, False]
    assert sum(waits["digital-goods"]) // 1 == 7
    assert waits["long-cycle"][:3] == [2, 8, 20]
    assert ready("browse-follow-up").trigger == model.OnViews(times=3, within=Period(days=7))
    assert ready("viewed-three-days").trigger == model.OnViews(times=3, within=Period(days=7), days=True)
    moments = [step for step in ready("booking").steps if isinstance(step, model.WaitMoment)]
    assert moments[0].before == Period(seconds=86_400)
    for number in (30, 60, 90):
        assert ready(f"win-back-{number}").trigger == model.OnSegment(segment=f"inactive-{number}-days")


@pytest.mark.parametrize("name", NAMES)
def test_coupons_have_guard_rails(name: str) -> None:
    found = ready(name)
    coupons = [step for step in found.steps if isinstance(step, model.Coupon)]
    for coupon in coupons:
        # Who is in a segment with it among its no_offers gets none; a gift is for everybody.
        assert coupon.offer in ("discount", "gift")
        assert coupon.bound
        assert 0 < float(coupon.amount) <= 15
        assert coupon.expires.days <= 60
    assert len(coupons) <= 1
    # VIPs are no_offers = ["discount"].
    assert any("discount" in segment.no_offers for segment in SEGMENTS if segment.slug == "vip")
    if name == "vip-care":
        assert not coupons


@pytest.mark.parametrize(("name", "step"), SENDS)
def test_service_messages_sell_nothing(name: str, step: model.Send) -> None:
    if step.purpose != "service":
        return
    assert not step.offer
    for text in step.texts.values():
        used = {found for part in PARTS for found in structure(getattr(text, part))}
        assert not used & {"coupon", "cross_sells"}
    assert name in ("payment-reminder", "digital-goods", "booking") or name.startswith("order-")


@pytest.mark.parametrize("name", NAMES)
def test_every_reminder_has_an_end(name: str) -> None:
    """Who has reached the goal, or whose order was given back, hears no more of it."""
    found = ready(name)
    about_order = isinstance(found.trigger, model.OnEvent) and found.trigger.topic.startswith("order.")
    assert found.goal.topics or found.exits
    if about_order:
        given_back = {status for one in found.exits if one.same_order for status in one.to}
        assert {"refunded", "cancelled"} <= given_back


KEY = "5a" * 32
SHOP = Shop(name="Kaffee & Co", url="https://shop.example.org", address="Main Street 1", currency="EUR")
LINKS = Links(home=SHOP.url, key=KEY, now=1_790_000_000, message=9, contact=4, survey="https://survey.example.org/1")


def poor(full: Context) -> Context:
    """The same with nothing that may be missing."""
    assert full.order
    order = replace(full.order, tracking=None, parcels=(), pay_link="", link="")
    shop = replace(SHOP, address="", logo="")
    return replace(full, person=Person(), shop=shop, order=order, coupon=None, products=(), cross_sells=())


@pytest.mark.parametrize(("name", "step"), SENDS)
def test_messages_can_be_sent(name: str, step: model.Send) -> None:
    for language in step.texts:
        full = example.context(SHOP, language, 1_790_000_000)
        for context, links in ((full, LINKS), (poor(full), replace(LINKS, survey=""))):
            found = render(step, context, language, links)
            assert check.problems(found, step, needs_unsubscribe=True) == []
            assert len(found.short) <= 300
            assert len(found.subject) <= 110
            assert not re.search(r"\.\.|,,|\( *\)|  |\s[,.!?؟،](?:\s|$)", found.short), found.short
            assert ".." not in re.sub(r"https?://\S+", "", found.text)


# What only a coupon makes true, what nobody in the shop has said, and how long a coupon is good: messages may be late.
_PROMISED = re.compile(r"\b(gift|code|discount|coupon|less for you)\b|\d ?%|[Oo]nly for you|next (two|three) days")
_UNSAID = re.compile(
    r"[Nn]othing has been charged|sold out fast|what other(s| customers) (say|think)|will be cancelled|there before the last"
    r"|on its way\.|(cannot|still) hold|working days|in all colours|[Oo]ther colours"
)


@pytest.mark.parametrize(("name", "step"), SENDS)
def test_nothing_is_promised_that_the_shop_cannot_hold(name: str, step: model.Send) -> None:
    """Without a coupon there is no gift; without reviews nobody says anything. A payment may be on its way, and whether an order is
    cancelled is WooCommerce's setting."""
    full = example.context(SHOP, "en", 1_790_000_000)
    found = render(step, poor(full), "en", replace(LINKS, survey=""))
    said = f"{found.subject} {found.preheader} {found.text} {found.short}"
    if "coupon" not in step.still and "order" not in name:
        assert not _PROMISED.search(said), said
    if name != "order-shipped":
        assert not _UNSAID.search(said), said
    late = " ".join(getattr(step.texts["en"], part) for part in PARTS)
    assert not re.search(r"off for (two|three) days|the next (two|three) days", late)


def test_what_tells_of_a_coupon_waits_for_one() -> None:
    step = ready("birthday").step("remind")
    assert isinstance(step, model.Send)
    row = Enrolment(
        id=1, automation_id=1, version_id=1, person_id=1, subject="day:2026-11-26", held=False, entered=0, state="waiting",
        step="remind", due=0, awaits="", claim=0, attempts=0, ended=None, reason="", data=Data(),
    )  # fmt: skip
    refused = guards.still(step, row, Known(), (), 0)
    assert refused is not None
    assert refused.reason == "no_coupon"
    assert refused.reason in guards.REASONS
    row.data = Data(coupons={"gift": "bday-x"})
    assert guards.still(step, row, Known(), (), 0) is None


def test_they_come_with_the_package() -> None:
    shelf = library.Library(Config(), UTC, SEGMENTS)
    assert set(NAMES) <= set(shelf.all())


# --- the table in the documentation ----------------------------------------------------------------------------


def row(name: str) -> str:
    """What docs/automations.md says of one."""
    found = ready(name)
    return f"| `{name}` | {found.about} | {_begins(found.trigger)} | {_steps(found)} | {', '.join(f'`{one}`' for one in found.goal.topics)} | {', '.join(found.overlaps)} |"


def _begins(trigger: model.Trigger) -> str:
    match trigger:
        case model.OnEvent():
            return f"`{trigger.topic}`" + (f" → {', '.join(trigger.to)}" if trigger.to else "") + (f", each {trigger.every}th" if trigger.every else "")  # fmt: skip
        case model.OnSegment():
            return f"comes into `{trigger.segment}`"
        case model.OnCart():
            return f"cart left for {trigger.idle}"
        case model.OnViews():
            return f"{trigger.times} {'days in a row' if trigger.days else f'views within {trigger.within}'}"
        case model.OnDay():
            return f"`{trigger.field}`, {trigger.at}"
        case model.OnReorder():
            return f"{trigger.due:g} own intervals"
    return "back in stock"


def _steps(found: model.Automation) -> str:
    said = []
    for step in found.steps:
        match step:
            case model.Wait():
                said.append(str(step.period) if step.period != Period() else f"until {step.at}")
            case model.WaitMoment():
                said.append(f"{step.before} before" if step.before != Period() else f"{step.after} after")
            case model.WaitEvent():
                said.append(f"`{step.topic}`, {step.at_most} at most")
            case model.Send():
                said.append(f"**{step.id}**")
            case model.Coupon():
                said.append(f"{step.offer} {step.amount} %")
            case model.Ticket() | model.Note() | model.Branch():
                said.append(type(step).__name__.lower())
            case model.Tagged():
                said.append("tag")
    return ", ".join(said)


def test_the_documentation_says_so() -> None:
    text = (ROOT / "docs" / "automations.md").read_text(encoding="utf-8")
    part = text.split("## Ready-made automations")[1].split("\n## ")[0]
    assert [line for line in part.split("\n") if line.startswith("| `")] == [row(name) for name in NAMES]


def test_the_file_is_explained() -> None:
    """Every key that can be written stands in the documentation."""
    text = (ROOT / "docs" / "automations.md").read_text(encoding="utf-8").split("## The file")[1].split("\n## ")[0]
    keys = {field for step in model.AnyStep.__args__ for field in step.__struct_fields__} - {"texts"}
    keys |= {field for kind in model.Trigger.__args__ for field in kind.__struct_fields__} - {"topic", "entered"}
    keys |= {field for kind in (model.Goal, model.Exit) for field in kind.__struct_fields__}
    keys |= set(model.Automation.__struct_fields__) - {"name", "trigger", "steps", "goal", "exits"}
    missing = {key for key in keys if not re.search(rf"`{key}\b", text)}
    assert not missing
