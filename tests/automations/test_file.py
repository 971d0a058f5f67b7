"""An automation's TOML: what can be written, and that every mistake is told at once, where it stands."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sidecar.automations import file, model
from sidecar.errors import AutomationError, Problem
from sidecar.segments import file as segments_file
from sidecar.segments import model as rules
from sidecar.segments.model import Period
from sidecar.toml_text import dumps

SEGMENTS = segments_file.load(None, UTC)

WHOLE = """
title = "Everything"
about = "All that can be written."
group = "test"
again = "30d"
filter = { field = "orders_count", at_least = 1 }
overlaps = ["woocommerce.order-mails"]
expects = "Nothing."

[trigger]
on = "order.status"
to = ["processing"]

[[step]]
id = "pause"
do = "wait"
period = "2w"
at = "09:30"
days = ["mon", "fri"]
zone = "person"

[[step]]
id = "visit"
do = "wait_until_moment"
order_meta = "_booking_start"
before = "24h"
otherwise = "heard"

[[step]]
id = "heard"
do = "wait_for"
topic = "order.status"
to = ["completed"]
at_most = "3d"
then = "kind"
otherwise = "end"

[[step]]
id = "kind"
do = "branch"
rule = { segment = "vip" }
then = "half"
otherwise = "offer"

[[step]]
id = "half"
do = "split"
ways = { offer = 1, tell = 3 }

[[step]]
id = "offer"
do = "coupon"
kind = "percent"
amount = 10
expires = "72h"
minimum = "20.50"
free_shipping = true
only_products = true
bound = false
prefix = "HELLO"

[[step]]
id = "tell"
do = "send"
title = "The message"
channels = ["email", "sms"]
offer = "discount"
still = ["in_stock", "unpaid"]
late = "6h"
[step.text.en]
subject = "Hello {{ person.first_name|default('you') }}"
preheader = "Look"
body = \"\"\"
Hello.

{% if coupon %}{{ coupon_box(coupon) }}{% endif %}
{{ button("Pay", order.pay_link) }}
\"\"\"
short = "Hello: {{ order.pay_link }}"

[[step]]
id = "mark"
do = "tag"
add = ["One"]
remove = ["Two"]

[[step]]
id = "field"
do = "set_field"
field = "last_told"
value = "{{ order.number }}"

[[step]]
id = "hook"
do = "webhook"
url = "https://example.org/hook"
fields = ["order.number", "person.fields.size_2"]

[[step]]
id = "help"
do = "ticket"
subject = "Order {{ order.number }}"
body = "Look at it."
priority = "critical"

[[step]]
id = "note"
do = "note"
title = "Told"

[[step]]
id = "more"
do = "start"
automation = "another"

[[step]]
id = "over"
do = "stop"

[goal]
topics = ["order.paid"]
same_order = true

[[exit]]
topics = ["order.status"]
to = ["cancelled"]
same_order = true

[[exit]]
rule = { segment = "silent" }
"""

SHORT = """
title = "One"
[trigger]
on = "hand"
[[step]]
id = "a"
do = "stop"
"""


def parse(text: str, name: str = "one.toml") -> model.Automation:
    return file.parse(text, name, UTC, SEGMENTS)


def faults(text: str, name: str = "one.toml") -> list[Problem]:
    with pytest.raises(AutomationError) as caught:
        parse(text, name)
    assert caught.value.problems
    return caught.value.problems


def about(trigger: str, step: str) -> str:
    """A file with that trigger and that step, at line 5."""
    return f'title = "One"\n[trigger]\n{trigger}\n[[step]]\nid = "a"\n{step}\n'


def test_everything_that_can_be_written_is_read() -> None:
    found = parse(WHOLE, "/etc/x/everything.toml")
    assert (found.name, found.title, found.group, found.again) == ("everything", "Everything", "test", Period(days=30))
    assert found.filter == rules.Number("orders_count", 1, None)
    assert found.trigger == model.OnEvent(topic="order.status", to=("processing",))
    assert found.overlaps == ("woocommerce.order-mails",)
    steps = found.steps
    assert [step.id for step in steps] == [
        "pause", "visit", "heard", "kind", "half", "offer", "tell", "mark", "field", "hook", "help", "note", "more", "over",
    ]  # fmt: skip
    assert steps[0] == model.Wait(id="pause", period=Period(days=14), at="09:30", days=("mon", "fri"), zone="person")
    assert steps[1] == model.WaitMoment(
        id="visit", order_meta="_booking_start", before=Period(seconds=86400), otherwise="heard"
    )
    assert steps[2] == model.WaitEvent(
        id="heard",
        topic="order.status",
        to=("completed",),
        at_most=Period(days=3),
        then="kind",
        otherwise="end",
    )
    assert steps[3] == model.Branch(id="kind", rule=rules.Member("vip"), then="half", otherwise="offer")
    assert steps[4] == model.Split(id="half", ways={"offer": 1, "tell": 3})
    assert steps[5] == model.Coupon(
        id="offer", kind="percent", amount="10", expires=Period(seconds=72 * 3600), minimum="20.50", free_shipping=True,
        only_products=True, bound=False, prefix="HELLO",
    )  # fmt: skip
    tell = steps[6]
    assert isinstance(tell, model.Send)
    assert (tell.channels, tell.offer, tell.purpose) == (("email", "sms"), "discount", "marketing")
    assert (tell.still, tell.late) == (("in_stock", "unpaid"), Period(seconds=6 * 3600))
    assert tell.texts["en"].short == "Hello: {{ order.pay_link }}"
    assert steps[9] == model.Webhook(
        id="hook", url="https://example.org/hook", fields=("order.number", "person.fields.size_2")
    )
    assert steps[10] == model.Ticket(
        id="help", subject="Order {{ order.number }}", body="Look at it.", priority="critical"
    )
    assert found.goal == model.Goal(topics=("order.paid",), same_order=True)
    assert found.exits == (
        model.Exit(topics=("order.status",), to=("cancelled",), same_order=True),
        model.Exit(rule=rules.Member("silent")),
    )
    assert parse(WHOLE.replace("\n", "\r\n"), "everything.toml") == found


@pytest.mark.parametrize(
    ("lines", "wanted"),
    [
        ('on = "order.paid"\nevery = 5', model.OnEvent(topic="order.paid", every=5)),
        ('on = "order.paid"\nfirst = true', model.OnEvent(topic="order.paid", first=True)),
        ('on = "order.placed"', model.OnEvent(topic="order.placed")),
        ('on = "review.posted"', model.OnEvent(topic="review.posted")),
        ('on = "segment.left"\nsegment = "vip"', model.OnSegment(segment="vip", entered=False)),
        ('on = "cart.abandoned"\nidle = "45m"', model.OnCart(idle=Period(seconds=2700))),
        (
            'on = "product.viewed"\ntimes = 3\nwithin = "7d"\ndays = true',
            model.OnViews(times=3, within=Period(days=7), days=True),
        ),
        (
            'on = "day"\nfield = "birthday"\nat = "08:00"\nbefore = 3\nlate = "2d"',
            model.OnDay(field="birthday", at="08:00", before=3, late=Period(days=2)),
        ),
        ('on = "schedule"\nevery = "week"\nday = "tue"', model.OnSchedule(every="week", on="tue")),
        ('on = "schedule"\nevery = "month"\nday = 28\nat = "10:00"', model.OnSchedule(every="month", on="28", at="10:00")),
        ('on = "stock.back"', model.OnStock()),
        ('on = "reorder"\ndue = 0.9', model.OnReorder(due=0.9)),
        ('on = "hand"', model.ByHand()),
    ],
)  # fmt: skip
def test_triggers(lines: str, wanted: model.Trigger) -> None:
    assert parse(about(lines, 'do = "stop"')).trigger == wanted


SEND = 'do = "send"\nchannels = ["email"]\n[step.text.en]\nsubject = "x"\nbody = "y"'


@pytest.mark.parametrize(
    ("trigger", "step", "key", "says"),
    [
        ('on = "order.payed"', 'do = "stop"', "trigger.on", "did you mean order.p"),
        ('on = "product.updated"', 'do = "stop"', "trigger.on", "there is no trigger"),
        ('on = "segment.entered"\nsegment = "vipp"', 'do = "stop"', "trigger.segment", "did you mean vip?"),
        ('on = "order.paid"\nto = ["x"]', 'do = "stop"', "trigger.to", "unknown key"),
        ('on = "order.status"\nto = ["wc-completed"]', 'do = "stop"', "trigger.to[1]", "without wc-"),
        ('on = "schedule"\nevery = "week"', 'do = "stop"', "trigger.day", "is missing"),
        ('on = "schedule"\nevery = "month"\nday = 29', 'do = "stop"', "trigger.day", "no day of a month"),
        ('on = "day"\nfield = "birthday"\nat = "9:00"', 'do = "stop"', "trigger.at", "no time of day"),
        ('on = "reorder"\ndue = 3', 'do = "stop"', "trigger.due", "overdue"),
        ('on = "product.viewed"\ntimes = 0\nwithin = "1d"', 'do = "stop"', "trigger.times", "from 1 to 100"),
        ('on = "hand"', 'do = "sent"', "step[1].do", "did you mean send?"),
        ('on = "hand"', 'do = "wait"\nperiod = "2 days"', "step[1].period", "no period"),
        ('on = "hand"', 'do = "wait"', "step[1]", "how long"),
        ('on = "hand"', 'do = "wait"\nperiod = "2d"\nlat = "1h"', "step[1].lat", "did you mean late?"),
        ('on = "hand"', 'do = "stop"\nnext = "end"', "step[1].next", "unknown key"),
        ('on = "hand"', 'do = "wait_for"\ntopic = "order.payd"\nat_most = "1d"', "step[1].topic", "did you mean order.paid?"),
        ('on = "hand"', 'do = "branch"\nthen = "end"\nrule = { field = "ltvv", at_least = 1 }', "step[1].rule.field", "did you mean ltv?"),
        ('on = "hand"', 'do = "branch"\nrule = { segment = "vip" }', "step[1]", "same step"),
        ('on = "day"\nfield = "birthday"', 'do = "wait_until_moment"\norder_meta = "x"', "step[1]", "no order"),
        ('on = "hand"', 'do = "coupon"\nkind = "percent"\namount = 101\nexpires = "1d"', "step[1].amount", "more than 100"),
        ('on = "hand"', 'do = "coupon"\nkind = "percent"\namount = 0\nexpires = "1d"', "step[1].amount", "above 0"),
        ('on = "hand"', 'do = "coupon"\nkind = "percent"\namount = "ten"\nexpires = "1d"', "step[1].amount", "an amount"),
        ('on = "hand"', 'do = "coupon"\nkind = "percent"\namount = nan\nexpires = "1d"', "step[1].amount", "an amount"),
        ('on = "hand"', 'do = "coupon"\nkind = "percent"\namount = 5', "step[1].expires", "is missing"),
        ('on = "hand"', 'do = "coupon"\nkind = "percent"\namount = 5\nexpires = "1d"\nprefix = "A B"', "step[1].prefix", "cannot begin"),
        ('on = "hand"', 'do = "webhook"\nurl = "http://example.org"', "step[1].url", "https://"),
        ('on = "hand"', 'do = "webhook"\nurl = "http://127.0.0.1@evil.example"', "step[1].url", "https://"),
        ('on = "hand"', 'do = "webhook"\nurl = "https://user:secret@example.org"', "step[1].url", "password"),
        ('on = "hand"', 'do = "webhook"\nurl = "http://[::1"', "step[1].url", "https://"),
        ('on = "hand"', 'do = "webhook"\nurl = "https://a.example"\nfields = ["ordr.number"]', "step[1].fields[1]", "did you mean order?"),
        ('on = "hand"', 'do = "webhook"\nurl = "https://a.example"\nfields = ["order | x"]', "step[1].fields[1]", ""),
        ('on = "hand"', 'do = "webhook"\nurl = "https://a.example"\nfields = ["order.items"]', "step[1].fields[1]", "name a part of it"),
        ('on = "hand"', 'do = "webhook"\nurl = "https://a.example"\nfields = ["person.fields"]', "step[1].fields[1]", "name a part of it"),
        ('on = "hand"', 'do = "webhook"\nurl = "https://a.example"\nfields = ["reorder.product.in_stock"]', "step[1].fields[1]", "name a part of it"),
        ('on = "hand"', 'do = "set_field"\nfield = "status"\nvalue = "subscribed"', "step[1].field", "not an automation's"),
        ('on = "hand"', 'do = "set_field"\nfield = "email"\nvalue = "x"', "step[1].field", "not an automation's"),
        ('on = "hand"', 'do = "start"\nautomation = "one"', "step[1].automation", "no other automation"),
        ('on = "hand"', 'do = "tag"', "step[1]", "which tags?"),
        ('on = "hand"', 'do = "split"\nways = { end = 1 }', "step[1].ways", "two ways"),
        ('on = "hand"', SEND.replace('"email"', '"mail"'), "step[1].channels[1]", "did you mean email?"),
        ('on = "hand"', SEND.replace('"email"', '"email", "sms"'), "step[1].text.en.short", "SMS"),
        ('on = "hand"', SEND.replace("subject", "Subject"), "step[1].text.en.subject", "is missing"),
        ('on = "hand"', SEND.replace(".en", ".fa"), "step[1].text", "no English text"),
        ('on = "hand"', SEND + '\n[step.text.fa]\nsubject = "x"', "step[1].text.fa.body", "is missing"),
        ('on = "hand"', SEND.replace('"email"', '"whatsapp"'), "step[1].whatsapp", "approved templates"),
        ('on = "hand"', SEND.replace("\n[", '\npurpose = "service"\noffer = "discount"\n[', 1), "step[1].offer", "marketing"),
        ('on = "order.paid"', SEND.replace("\n[", '\nstill = ["cart_open"]\n[', 1), "step[1].still", "cart_open"),
        ('on = "hand"', SEND + '\nshort = "<b>x</b>"', "step[1].text.en.short", "no HTML"),
        ('on = "hand"', SEND.replace('"y"', '"<!-- y"'), "step[1].text.en.body", "way to unsubscribe"),
        ('on = "hand"', SEND.replace('"y"', '"</BODY>"'), "step[1].text.en.body", "way to unsubscribe"),
        ('on = "hand"', SEND.replace('"y"', '"<style>p{display:none}</style>"'), "step[1].text.en.body", "way to unsubscribe"),
        ('on = "hand"', SEND.replace('"y"', '"{% set unsubscribe_link = 1 %}"'), "step[1].text.en.body", "not part of messages"),
        ('on = "hand"', SEND.replace('"x"', '"{{ button(1, 2) }}"'), "step[1].text.en.subject", "for the body only"),
        ('on = "hand"', SEND.replace("\n[", '\nstill = ["coupon"]\n[', 1), "step[1].still", "no coupon step before"),
        ('on = "hand"', SEND.replace('"y"', '"{% include \'x\' %}"'), "step[1].text.en.body", "not part of messages"),
        ('on = "hand"', SEND.replace('"y"', '"{{ persn.first_name }}"'), "step[1].text.en.body", "did you mean person?"),
        ('on = "hand"', SEND.replace('"y"', '"{{ shop.name|uper }}"'), "step[1].text.en.body", "did you mean upper?"),
        ('on = "hand"', SEND.replace('"y"', '"{{ shop.name }"'), "step[1].text.en.body", ""),
        ('on = "order.paid"', SEND.replace('"y"', '"{{ cart.total }}"'), "step[1].text.en.body", "nothing to do with 'cart'"),
        ('on = "hand"', SEND.replace('"y"', '"{{ coupon.code }}"'), "step[1].text.en.body", "no coupon step before"),
    ],
)  # fmt: skip
def test_mistakes_are_told_where_they_stand(trigger: str, step: str, key: str, says: str) -> None:
    found = {problem.key: str(problem) for problem in faults(about(trigger, step))}
    assert key in found, found
    assert says in found[key]


@pytest.mark.parametrize("url", ["https://a.example/x?y=1", "http://127.0.0.1:5678/webhook", "http://[::1]/", "http://localhost"])  # fmt: skip
def test_where_webhooks_may_go(url: str) -> None:
    found = parse(about('on = "hand"', f'do = "webhook"\nurl = "{url}"'))
    assert found.steps == (model.Webhook(id="a", url=url),)


def test_all_mistakes_at_once_with_their_lines() -> None:
    text = """title = "One"
agian = "never"
[trigger]
on = "order.paid"
[[step]]
id = "a"
do = "wait"
period = "2y"
next = "c"
[[step]]
id = "a"
do = "send"
channels = ["email"]
[step.text.en]
subject = "{{ nobody }}"
body = \"\"\"
Hello.

{{ person.first_name
\"\"\"
[goal]
topics = ["order.payd"]
"""
    found = [(problem.line, problem.key) for problem in faults(text)]
    assert found == [
        (2, "agian"), (8, "step[1].period"), (9, "step[1].next"), (11, "step[2].id"), (15, "step[2].text.en.subject"),
        (19, "step[2].text.en.body"), (22, "goal.topics[1]"),
    ]  # fmt: skip


def test_the_line_of_a_fault_in_a_long_text() -> None:
    body = '"""\nOne\n\n{{ nobody }}\n{{ cart|nofilter }}\n<script>\n"""'
    problems = faults(about('on = "hand"', SEND.replace('"y"', body)))
    # The body stands at line 10, its own first line below it.
    assert [(problem.line, problem.message.split(" ")[-1]) for problem in problems] == [
        (13, "'nobody'"),
        (14, "'nofilter'"),
        (15, "unsubscribe"),
    ]


def jumping(*steps: str) -> str:
    return 'title = "x"\n[trigger]\non = "hand"\n' + "".join(f"[[step]]\n{step}\n" for step in steps)


WAIT = 'do = "wait"\nperiod = "1d"\n'


@pytest.mark.parametrize(
    ("steps", "key", "says"),
    [
        (('id = "a"\n' + WAIT, 'id = "b"\nnext = "a"\n' + WAIT), "step[2].next", "does not stand below"),
        (('id = "a"\nnext = "a"\n' + WAIT,), "step[1].next", "does not stand below"),
        (('id = "aa"\nnext = "bc"\n' + WAIT, 'id = "bb"\n' + WAIT), "step[1].next", "there is no step"),
        (('id = "a"\nnext = "c"\n' + WAIT, 'id = "b"\n' + WAIT, 'id = "c"\n' + WAIT), "step[2]", "nobody comes to"),
        (('id = "a"\ndo = "stop"', 'id = "b"\n' + WAIT), "step[2]", "nobody comes to"),
        (('id = "a"\ndo = "split"\nways = { c = 1, d = 1 }', 'id = "b"\n' + WAIT, 'id = "c"\n' + WAIT, 'id = "d"\n' + WAIT), "step[2]", "nobody comes to"),
        (('id = "end"\n' + WAIT,), "step[1].id", "no name of a step"),
    ],
)  # fmt: skip
def test_steps_lead_forward_and_all_are_reached(steps: tuple[str, ...], key: str, says: str) -> None:
    found = {problem.key: problem.message for problem in faults(jumping(*steps))}
    assert says in found[key]


@pytest.mark.parametrize("name", ["Upper.toml", "a b.toml", "-.toml", ".toml", "x" * 61 + ".toml", "..toml"])
def test_names(name: str) -> None:
    assert "no name of an automation" in faults(SHORT, name)[0].message


def test_too_long_a_file_is_refused() -> None:
    assert "longer than" in faults(SHORT + "#" * file.MAX_BYTES)[0].message
    assert "halves of characters" in faults(SHORT + "# \ud800")[0].message


# --- junk ----------------------------------------------------------------------------------------------------

JUNK = st.recursive(
    st.one_of(
        st.booleans(), st.integers(-5, 10**20), st.floats(), st.text(max_size=8),
        st.sampled_from(["end", "a", "2d", "order.paid", "vip", "{{ x", "{% if %}", "https://", "09:00", "email", "percent", "wc-x"]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4) | st.sampled_from(["en", "field", "segment", "count", "all"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
KEYS = ["id", "do", "next", "late", "period", "at", "days", "rule", "then", "ways", "text", "channels", "still", "whatsapp",
        "amount", "expires", "kind", "url", "fields", "topic", "at_most", "to", "value", "field", "subject", "body"]  # fmt: skip
KINDS = ["wait", "wait_until_moment", "wait_for", "branch", "split", "send", "tag", "set_field", "coupon", "webhook",
         "ticket", "note", "start", "stop"]  # fmt: skip
STEP = st.builds(
    lambda do, rest: {**rest, "do": do},
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(KEYS), JUNK, max_size=6),
)
TRIGGERS = [
    "order.paid",
    "order.status",
    "segment.entered",
    "cart.abandoned",
    "product.viewed",
    "day",
    "schedule",
    "reorder",
]
TRIGGER = st.builds(
    lambda on, rest: {**rest, "on": on},
    st.sampled_from(TRIGGERS),
    st.dictionaries(st.sampled_from(["to", "first", "every", "segment", "idle", "times", "within", "field", "at", "day", "due"]), JUNK),
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow])  # the first one waits for a busy machine
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "title": JUNK, "again": JUNK, "filter": JUNK, "overlaps": JUNK, "trigger": TRIGGER | JUNK,
            "step": st.lists(STEP, max_size=4) | JUNK, "goal": JUNK, "exit": JUNK,
        },
    )
)  # fmt: skip
def test_junk_raises_nothing_else(data: dict[str, object]) -> None:
    try:
        parse(dumps(data))
    except AutomationError as error:
        assert error.problems


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
@example("[" * 5000)
@example("x = " + "[" * 3000)
@example(SHORT.replace('"stop"', '"note"\ntitle = "' + "{{ (" + "(" * 3000 + '"'))
@example(SHORT.replace('"stop"', '"note"\ntitle = "{{ ' + "-" * 9000 + '1 }}"'))
@example(SHORT.replace('"stop"', '"note"\ntitle = "{{ 1' + "|upper" * 3000 + ' }}"'))
@example(SHORT.replace('"stop"', '"note"\ntitle = "{{ 1' + "9" * 5000 + ' }}"'))
def test_any_text_raises_nothing_else(text: str) -> None:
    try:
        parse(text)
    except AutomationError as error:
        assert error.problems


@given(st.text(st.sampled_from("{}%#<>!-/ ab\n\"'|.()[]"), max_size=30))
def test_any_template_raises_nothing_else(body: str) -> None:
    step = {"id": "a", "do": "note", "title": body or "x"}
    try:
        parse(f'title = "x"\ntrigger = {{ on = "hand" }}\n{dumps({"step": [step]})}')
    except AutomationError as error:
        assert error.problems


def test_the_names_of_topics_are_not_twice() -> None:
    from sidecar.automations.parse_base import TOPICS

    assert len(set(TOPICS)) == len(TOPICS)


def test_no_file_is_read_by_parsing(tmp_path: Path) -> None:
    assert parse(SHORT, str(tmp_path / "one.toml")).name == "one"
