"""Each thing that spam filters or readers trip over refuses a message; a good message passes."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from messaging import LANGUAGES, LINKS, WHOLE, said, step

from sidecar.automations.messages import check, plain, short
from sidecar.automations.messages.model import Rendered
from sidecar.automations.model import Text

EMAIL = step(Text(), channels=("email",))
GOOD = said("Hello Anna,\n\nwhat a day.", standalone=False)


def problems(**parts: str) -> list[str]:
    if "html" in parts and "text" not in parts:
        parts["text"] = plain.text(parts["html"])
    return check.problems(msgspec.structs.replace(GOOD, **parts), EMAIL)


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_good_message_passes(code: str) -> None:
    found = said(
        WHOLE,
        code,
        subject="{{ person.first_name }}, {{ cart.items[0].name }}?",
        preheader="x",
        short="{{ cart.link }}",
    )
    assert check.problems(found, step(Text()), needs_unsubscribe=True) == []


@pytest.mark.parametrize(
    ("part", "text", "says"),
    [
        ("subject", "", "the subject is empty"),
        ("subject", " \t", "the subject is empty"),
        ("subject", "x" * 193, "193 characters, at most 192"),
        ("subject", "BUY NOW BEFORE IT IS GONE", "all in capitals"),
        ("subject", "КУПИ СЕГА ВСИЧКО", "all in capitals"),
        ("subject", "Sale!!", "exclamation marks"),
        ("subject", "Wow! Sale! Now!", "exclamation marks"),
        ("subject", "a\nBcc: x@example.com", "line break"),
        ("subject", "Hello {{contact.first_name}}", "merge tag is left in the subject"),
        ("subject", "Hello None,", 'says "None"'),
        ("subject", "Hello , news", "greets nobody"),
        ("preheader", "##crm.x##", "merge tag is left in the preheader"),
        ("html", "", "no body"),
        ("html", "<p></p>", "no body"),
        ("html", "<p>Hi {{ name }}</p>", "merge tag is left in the e-mail"),
        ("html", "<p>{% if x %}</p>", "merge tag"),
        ("html", "<p>##crm.unsubscribe_url##</p>", "merge tag"),
        ("html", '<p>Hi <a href="https://shop.example.com/{{x}}">x</a></p>', "merge tag"),
        ("html", '<p title="{{x}}">Hi</p>', "merge tag is left in the e-mail's HTML"),
        ("html", "<p>Hello None, what a day</p>", 'says "None"'),
        ("html", "<p>Hello ,</p>", "greets nobody"),
        ("html", "<p>Dzień dobry, !</p>", "greets nobody"),
        ("html", "<p>سلام ،</p>", "greets nobody"),
        ("html", "<p>عزیز، سلام</p>", "greets nobody"),
        ("html", "<p>x</p><script>alert(1)</script>", "scripts"),
        ("html", '<p onclick="x()">x</p>', "scripts"),
        ("html", "<p>x</p><form></form>", "scripts"),
        ("html", '<p>x <img src="https://shop.example.com/a.png"></p>', "no alt text"),
        ("html", '<a href="/shop">x</a>', "no address that begins with https://"),
        ("html", '<a href="shop.example.com">x</a>', "no address that begins with https://"),
        ("html", '<a href="javascript:alert(1)">x</a>', "no address that begins with https://"),
        ("html", '<a href="https:///x">x</a>', "no host"),
        ("html", '<a href="http://localhost/x">x</a>', "leads to localhost"),
        ("html", '<a href="http://127.0.0.1:8080/x">x</a>', "leads to 127.0.0.1"),
        ("html", '<a href="http://192.168.1.5/x">x</a>', "leads to 192.168.1.5"),
        ("html", '<a href="http://shop.local/x">x</a>', "leads to shop.local"),
        ("html", '<a href="http://[::1]/x">x</a>', "leads to ::1"),
        ("html", '<a href="http://intranet/x">x</a>', "which is no host"),
        ("html", '<a href="http://[/x">x</a>', "a link is no address"),
        ("html", '<a href="mailto:">x</a>', "leads to nobody"),
        ("html", f"<p>{'x' * 103_000}</p>", "larger than 102 kB"),
    ],
)  # fmt: skip
def test_a_problem_refuses_it(part: str, text: str, says: str) -> None:
    found = problems(**{part: text})
    assert any(says in one for one in found), found
    # What was written is not repeated: it may name somebody.
    assert not any("alert" in one or "contact.first" in one or "example.com/{{" in one for one in found)


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("subject", "Wow! Sale!"),
        ("subject", "VIP SALE"),  # 7 letters: too few to be shouting
        ("subject", "تخفیف ویژه برای شما"),
        ("html", "<p>None of these</p>"),
        ("html", "<p>Hello,</p><p>nice</p>"),
        ("html", "<p>Здравейте,</p>"),
        ("html", "<p>#1 of 10, C#, 100%</p>"),
        ("html", '<p><a href="#top">x</a> <a href="mailto:a@example.com">y</a> <a href="tel:+48123">z</a></p>'),
        ("html", '<p>x <img src="https://shop.example.com/a.png" alt=""></p>'),
        ("html", "<p>bonjour Anna !</p>"),
    ],
)
def test_what_is_no_problem(part: str, text: str) -> None:
    assert problems(**{part: text}) == []


def test_a_shop_on_its_owners_own_machine_may_link_to_itself() -> None:
    html = '<a href="http://127.0.0.1:8080/x">x</a>'
    assert problems(html=html, home="http://127.0.0.1:8080") == []
    assert problems(html=html, home="http://127.0.0.2:8080") != []


@pytest.mark.parametrize("purpose", ["marketing", "service"])
def test_marketing_needs_a_way_to_unsubscribe_when_nobody_else_adds_one(purpose: str) -> None:
    send = step(Text(), channels=("email",), purpose=purpose)
    bare = check.problems(GOOD, send, needs_unsubscribe=True)
    assert bare == (["a marketing e-mail without a way to unsubscribe"] if purpose == "marketing" else [])
    assert check.problems(GOOD, send) == []
    assert check.problems(said("Hello"), send, needs_unsubscribe=True) == []
    # Without the plugin there is no link that could be signed, so no marketing goes out by SMTP.
    unsigned = said("Hello", links=msgspec.structs.replace(LINKS, key=""))
    assert (check.problems(unsigned, send, needs_unsubscribe=True) != []) is (purpose == "marketing")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no short text"),
        ("Hi {{ name }}", "merge tag"),
        ("Hello , come back", "greets nobody"),
        ("<b>Hi</b>", "HTML"),
        ("Look: http://localhost/x", "localhost"),
        ("x" * 701, "701 characters"),
    ],
)
def test_short_texts(text: str, says: str) -> None:
    found = check.problems(Rendered(short=text), step(Text(), channels=("sms",)))
    assert len(found) == 1
    assert says in found[0]


def test_only_the_channel_it_goes_by_is_looked_at() -> None:
    send = step(Text())
    assert check.problems(Rendered(short="Hi Anna"), send, channel="sms") == []
    assert check.problems(Rendered(short="Hi Anna"), send) != []
    assert check.problems(GOOD, send, channel="email") == []


# --- the twin, and the size of SMS ---------------------------------------------------------------------------

HOSTS = st.from_regex(r"[a-z]{1,8}\.example\.com", fullmatch=True)
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)


@given(
    st.lists(
        st.tuples(HOSTS, WORDS, st.sampled_from(["p", "td", "li", "b", "div", "h2", "span"]), st.booleans(), st.booleans()), max_size=8
    )
)  # fmt: skip
def test_the_twin_has_every_link(links: list[tuple[str, str, str, bool, bool]]) -> None:
    from markupsafe import escape

    pieces, wanted = [], []
    for host, word, tag, picture, closed in links:
        address = f"https://{host}/?a=1&b={len(wanted)}"
        wanted.append(address)
        inside = f'<img src="https://x.example.com/i.png" alt="{escape(word)}">' if picture else escape(word)
        pieces.append(f'<{tag}>{escape(word)} <a href="{escape(address)}">{inside}</a>{f"</{tag}>" if closed else ""}')
    text = plain.text("<div style='display:none'>hidden</div>" + "".join(pieces))
    for address in wanted:
        assert address in text
    assert plain.read("".join(pieces)).links == wanted


@given(st.text())
def test_any_html_can_be_read(html: str) -> None:
    assert isinstance(plain.text(html), str)
    assert isinstance(plain.text(f"<p>{html}</p><table><tr><td>{html}"), str)


def test_the_twin_is_readable() -> None:
    html = (
        "<head><style>a{}</style><title>t</title></head><body><div style='Display : NONE'>pre</div><h1>Hello  Anna</h1><p>One<br>two &amp;"
        " <b>three</b></p><ul><li>a</li><li>b</li></ul><table><tr><td>x</td><td>1</td></tr><tr><td>y</td><td>2</td></tr></table>"
        "<a href='https://a.example.com'><img src='x' alt='Grinder'></a><br><a href='https://a.example.com'>Grinder</a></body>"
    )
    assert (
        plain.text(html)
        == "Hello Anna\n\nOne\ntwo & three\n\n- a\n- b\n\nx  1\ny  2\n\nGrinder ( https://a.example.com )"
    )


@pytest.mark.parametrize(
    ("text", "alphabet", "units", "parts"),
    [
        ("", "gsm7", 0, 0),
        ("a" * 160, "gsm7", 160, 1),
        ("a" * 161, "gsm7", 161, 2),
        ("a" * 306, "gsm7", 306, 2),
        ("a" * 307, "gsm7", 307, 3),
        ("€" * 80, "gsm7", 160, 1),
        ("a" * 152 + "€" + "a" * 152, "gsm7", 306, 3),  # the euro sign is not cut in two
        ("ą" + "a" * 69, "ucs2", 70, 1),
        ("س" * 70, "ucs2", 70, 1),
        ("س" * 71, "ucs2", 71, 2),
        ("س" * 134, "ucs2", 134, 2),
        ("س" * 135, "ucs2", 135, 3),
        ("👍" * 35, "ucs2", 70, 1),
        ("👍" * 67, "ucs2", 134, 3),  # 33 whole ones in each part
        ("`", "ucs2", 1, 1),
    ],
)
def test_the_size_of_an_sms(text: str, alphabet: str, units: int, parts: int) -> None:
    assert short.size(text) == short.Size(alphabet=alphabet, units=units, parts=parts)  # type: ignore[arg-type]


def test_short_texts_are_tidied() -> None:
    assert short.tidy(" Hi\u00a0 Anna \r\n\n\n 10\u202fg ") == "Hi Anna\n\n10 g"
