"""No way out of the sandbox, no way to hang it, and every fault of a text is found before it runs."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import TemplateError
from messaging import HOSTILE, made, said

from sidecar.automations.messages import filters, macros, sandbox
from sidecar.automations.messages.names import NAMES
from sidecar.automations.messages.render import fill

ESCAPES = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ person.__class__ }}",
    "{{ person['__class__'] }}",
    "{{ person._data }}",
    "{{ person['_data'] }}",
    "{{ person.field }}",
    "{{ person.first_name.__class__ }}",
    "{{ person.first_name['format'] }}",
    "{{ person.first_name.format(1) }}",
    "{{ '{0.__class__}'.format(person) }}",
    "{{ '{0.__class__}'.format_map(person) }}",
    "{{ ('{0.__class__}'|format(person)) }}",
    "{{ button.__globals__ }}",
    "{{ button.__globals__['sys'] }}",
    "{{ range.__wrapped__ }}",
    "{{ button.__code__ }}",
    "{{ person.first_name|attr('__class__') }}",
    "{{ [person]|map(attribute='__class__')|list }}",
    "{{ self.__init__ }}",
    "{{ self }}",
    "{{ caller() }}",
    "{{ look_ }}",
    "{{ look_.language }}",
    "{{ shop_ }}",
    "{{ config }}",
    "{{ request.environ }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum.__globals__ }}",
    "{{ namespace() }}",
    "{{ dict(a=1) }}",
    "{{ joiner() }}",
    "{% import 'os' as os %}",
    "{% include '/etc/passwd' %}",
    "{% extends 'x' %}",
    "{% from 'x' import y %}",
    "{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}",
    "{% set a = 1 %}",
    "{% set ns.a = 1 %}",
    "{% block b %}{% endblock %}",
    "{% call button('a', 'b') %}x{% endcall %}",
    "{% filter upper %}x{% endfilter %}",
    "{% with a = 1 %}{% endwith %}",
    "{% autoescape false %}{{ person.first_name }}{% endautoescape %}",
    "{{ person.first_name|safe }}",
    "{{ person.first_name|pprint }}",
    "{{ person.first_name|tojson }}",
    "{{ products|groupby('name') }}",
    "{{ person }}",
    "{{ products }}",
    "{{ true }}",
    "{{ none }}",
    "{{ button }}",
    "{{ button() }}",
    "{{ person() }}",
    "{{ coupon.code() }}",
    "{{ loop }}",
    "{{ range }}",
    "{{ 'x'.join }}",
    "{{ (1).real }}",
    "{{ (1).__class__ }}",
    "{{ products[0]['__class__'] }}",
    "{{ products.index }}",
    "{{ order.items.append(1) }}",
    "{% for a in products recursive %}{{ loop(products) }}{% endfor %}",
]  # fmt: skip
BOMBS = [
    "{{ 'x' * 1000000000 }}",
    "{{ [1] * 1000000000 }}",
    "{{ 9 ** 9 ** 9 }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ 'x'.ljust(1000000000) }}",
    "{{ 'x'|center(1000000000) }}",
    "{{ 'x'|indent(1000000000) }}",
    "{{ 'aaaa'|replace('a', 'aaaaaaaa') }}",
    "{{ range(1000000000)|length }}",
    "{{ range(1000000000)|join }}",
    "{% for i in range(1000000000) %}{% endfor %}",
    "{% for i in range(100) %}{% for j in range(100) %}{% for k in range(100) %}{% endfor %}{% endfor %}{% endfor %}",
    "{% for i in range(100) %}{% for j in range(100) %}" + "0123456789" * 10 + "{% endfor %}{% endfor %}",
    "{{ 'aaaaaaaa'|join('bbbbbbbb') }}",
    "{{ range(100)|join('" + "b" * 1000 + "') }}",
    "{{ " + "~".join(["'x'"] * 5000) + " }}",
    "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}",
    "{% if 1 %}" * 2000 + "{% endif %}" * 2000,
    "x" * 100_000,
    "{{ 1 // 0 }}",
    "{{ 1 + 'a' }}",
    "{{ 'a' < 1 }}",
    "{{ person.first_name|int }}",
    "{{ person.first_name|round }}",
    "{{ 5|first }}",
    "{{ 5|length }}",
    "{{ 'abc'|date }}",
    "{{ 'abc'|money }}",
    "{{ 5|money(5) }}",
    "{{ 'x'|truncate('y') }}",
    "{{ 'x'|truncate(1, 2, 3, 4) }}",
    "{{ button('a', 'javascript:alert(1)') }}",
    "{{ button('a', order.items) }}",
]


@pytest.mark.parametrize("source", ESCAPES)
@pytest.mark.parametrize("part", ["html", "text"])
def test_no_way_out(source: str, part: sandbox.Part) -> None:
    text, problems = (said(source).html, said(source).problems) if part == "html" else fill(source, made(), "en")
    assert problems
    assert text == ""
    assert not any(word in str(problems) for word in ("<class", "<function", "object at", "/etc", "root:"))


@pytest.mark.parametrize("source", ESCAPES)
def test_without_looking_at_it_first_there_is_no_way_out_either(source: str) -> None:
    """The two walls are independent: what `faults` would not see does not get through when it runs."""
    environment = sandbox.Sandbox("html")
    try:
        template = environment.from_string(source)
    except TemplateError:
        return
    from sidecar.automations.messages.links import Links
    from sidecar.automations.messages.render import _Values

    values = _Values(made(), "en", Links()).of("{{ broken")  # all of them
    assert len(values) > 10
    try:
        text = template.render(values)
    except (TemplateError, TypeError):
        return
    assert not any(word in text for word in ("<class", "&lt;class", "function", "object at", "Look(", "Shop(", "root:"))


@pytest.mark.parametrize("source", BOMBS)
@pytest.mark.parametrize("part", ["html", "text"])
def test_nothing_hangs_or_swells(source: str, part: sandbox.Part) -> None:
    started = time.process_time()
    found = said(source) if part == "html" else None
    text, problems = (found.html, found.problems) if found else fill(source, made(), "en")
    assert time.process_time() - started < 2
    assert problems or len(text) < sandbox.MOST_OUTPUT + 5000


def test_many_loops_are_short_of_the_limits() -> None:
    text, problems = fill(
        "{% for i in range(3) %}{% for p in products %}{{ i }}{{ loop.index }} {% endfor %}{% endfor %}", made(), "en"
    )
    assert (text, problems) == ("01 02 11 12 21 22 ", ())


@pytest.mark.parametrize("hostile", HOSTILE)
def test_values_are_never_read_as_templates(hostile: str) -> None:
    from sidecar.automations.messages.model import Person

    # Even a name that nobody cleaned comes out as it is.
    text, problems = fill("[{{ person.first_name }}]", made(person=Person(first_name=hostile)), "en")
    assert (text, problems) == (f"[{hostile}]", ())


@pytest.mark.parametrize(
    ("source", "line", "message", "hint"),
    [
        ("a\n{{ persn.first_name }}", 2, "there is no 'persn'", "did you mean person?"),
        ("{{ person.frist_name }}", 1, "there is no 'frist_name' in person", "did you mean first_name?"),
        ("\n\n{{ order.tracking.cod }}", 3, "there is no 'cod' in order.tracking", "did you mean code?"),
        ("{% for i in cart.items %}\n{{ i.pricee }}{% endfor %}", 2, "there is no 'pricee' in i", "did you mean price?"),
        ("{{ cart.items[0].nam }}", 1, "there is no 'nam' in it", "did you mean name?"),
        ("{{ (products|first).pric }}", 1, "there is no 'pric' in it", "did you mean price?"),
        ("{{ person.first_name|defaul('x') }}", 1, "there is no filter 'defaul'", "did you mean default?"),
        ("{% if coupon is defind %}{% endif %}", 1, "there is no test 'defind'", "did you mean defined?"),
        ("{% for i in products %}{{ j }}{% endfor %}", 1, "there is no 'j'", ""),
        ("{% if coupon %}", 1, "Unexpected end of template. Jinja was looking for the following tags: 'elif' or 'else' or 'endif'. The innermost block that needs to be closed is 'if'", ""),
        ("{{ person.first_name", 1, "unexpected end of template, expected 'end of print statement'", ""),
        ("{% set a = 1 %}", 1, "assign is not part of messages", "see docs/automations.md, Messages"),
        ("x" * 60_000, 1, "the text has 60000 characters, 50000 are allowed", ""),
    ],
)  # fmt: skip
def test_faults_have_their_line(source: str, line: int, message: str, hint: str) -> None:
    found = sandbox.faults(source, "html")
    assert (line, message) in [(fault.line, fault.message) for fault in found], found
    assert hint in [fault.hint for fault in found if fault.message == message]


def test_all_faults_are_told_at_once() -> None:
    found = sandbox.faults("{{ a }}\n{{ b.c }}\n{{ person.x }}\n{{ 1|y }}", "html")
    assert [fault.line for fault in found] == [1, 2, 3, 4]


def test_macros_are_for_the_body_only() -> None:
    source = '{{ button("a", shop.url) }}'
    assert sandbox.faults(source, "html") == []
    assert [fault.message for fault in sandbox.faults(source, "text")] == ["button makes HTML: it is for the body only"]


def test_what_is_known_only_when_it_runs_passes() -> None:
    for source in (
        "{{ person.fields.anything|default('x') }}",
        "{{ person.fields['a b']|d('x') }}",
        "{{ (order or cart).total }}",
    ):
        assert sandbox.faults(source, "html") == []


def test_used_names() -> None:
    assert sandbox.used("{{ person.name }}{% for p in cross_sells %}{{ p.name }}{% endfor %}{{ unknown }}") == {
        "person",
        "cross_sells",
    }
    assert sandbox.used("{{ broken") == set(NAMES)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["{{", "}}", "{%", "%}", "{#", "#}", " ", "\n", ".", "|", "(", ")", "[", "]", "'", "if", "for", "in", "endif", "endfor",
             "else", "not", "person", "cart", "items", "first_name", "coupon", "1", "x", "~", "+", "==", ",", "default", "join", "range", *NAMES,
             *filters.FILTERS, *macros.MACROS]
        ),
        max_size=14,
    )
)  # fmt: skip
def test_no_text_breaks_it(parts: list[str]) -> None:
    source = " ".join(parts)
    faults = sandbox.faults(source, "html")
    found = said(source)
    assert isinstance(faults, list)
    if faults:
        assert found.problems


def test_a_text_is_compiled_once() -> None:
    first = sandbox.compiled("text", "{{ person.name }} once")
    assert sandbox.compiled("text", "{{ person.name }} once") is first
    with pytest.raises(TemplateError):
        sandbox.compiled("text", "{{ nobody }}")
