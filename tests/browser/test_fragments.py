"""The sidecar's fragments with the plugin's style and script in a browser, without WordPress: runs wherever chromium is."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from browsing import NARROW, WIDE, Tab
from peopled import fill
from shopkeeper import Shopkeeper
from signer import ADMIN, Signer
from support import ROOT, ShopDatabase

from sidecar import clock
from sidecar.config import Config
from sidecar.events.monitor import Done, record
from sidecar.events.outbox import Hint
from sidecar.runtime import Runtime
from sidecar.state import dead_letters, pairing
from sidecar.sync.session import Choices
from sidecar.web.app import create_app

HOME = "http://127.0.0.1:9"
PERSIAN = "9;administrator;fa_IR;rtl"
SCRIPT, IMAGE = "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'
# What wp-admin gives to every page, as far as it matters here.
PAGE = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Sidecar</title>
<link rel="icon" href="data:,"><style>body{margin:0;padding:0 12px;font:13px/1.4 sans-serif;background:#f0f0f1}a{color:#2271b1}
.button{min-height:30px}textarea{box-sizing:border-box}</style><link rel="stylesheet" href="/admin.css">
<div class="wrap fcsc">%s</div><script>window.fcscAdmin={root:"/proxy/",nonce:"x"}</script><script src="/admin.js"></script>"""


# Texts of the drawing that are wider than its boxes.
OUTSIDE = """() => [...document.querySelectorAll('.fcsc-flow__box')].flatMap(box => {
  const edge = box.querySelector('rect').getBoundingClientRect();
  return [...box.querySelectorAll('text')].filter(text => { const at = text.getBoundingClientRect();
    return at.left < edge.left || at.right > edge.right || at.bottom > edge.bottom || at.top < edge.top; })
    .map(text => text.textContent); })"""


class Desk:
    """A tab that shows the fragments of one sidecar; requests are answered in this process."""

    def __init__(self, tab: Tab, bridge: Signer, runtime: Runtime, who: str) -> None:
        self.tab, self.bridge, self.runtime, self.who = tab, bridge, runtime, who
        tab.page.route(f"{HOME}/**", self._answer)

    def _answer(self, route: Any) -> None:
        asked = urlsplit(route.request.url)
        if asked.path in ("/admin.css", "/admin.js"):
            kind = "text/css" if asked.path.endswith("css") else "text/javascript"
            route.fulfill(body=(ROOT / "wp-bridge" / "assets" / asked.path[1:]).read_text("utf-8"), content_type=kind)
            return
        query = dict(parse_qsl(asked.query))
        query.pop("page", None)
        view = asked.path.removeprefix("/proxy/") if asked.path.startswith("/proxy/") else query.pop("view", "status")
        target = f"/ui/{view}" + (f"?{urlencode(query)}" if query else "")
        method = route.request.method
        form = "application/x-www-form-urlencoded" if method == "POST" else ""
        body = (route.request.post_data or "").encode() if method == "POST" else b""
        answer = self.bridge.ask(method, target, body, who=self.who, content_type=form)
        if answer.status_code == 303:
            to = urlsplit(answer.headers["Location"])
            route.fulfill(status=303, headers={"Location": f"{HOME}/?view={to.path.removeprefix('/ui/')}&{to.query}"})
            return
        html = answer.text if asked.path.startswith("/proxy/") else PAGE % answer.text
        # As in wp-admin, what was wrong in a form is shown with 200.
        route.fulfill(body=html, content_type="text/html; charset=utf-8")

    def visit(self, view: str, **query: Any) -> None:
        self.tab.page.goto(f"{HOME}/?{urlencode({'view': view, **query})}")
        self.tab.page.wait_for_selector("#fcsc-page")

    def note(self, topic: str, id_: int) -> None:
        """Something happened in the shop."""
        hint = Hint(id=id_, topic=topic, object_id=id_, created_ms=1793534100000)
        record(self.runtime.state, [Done(hint=hint, outcome="changed", person_id=1)], 1793534200000)


Sit = Callable[[str], Desk]


@pytest.fixture
def sit(chrome: Any, shots: Path, demo_hpos: ShopDatabase, config_for: Callable[..., Config]) -> Iterator[Sit]:
    """`sit(actor)`: a desk before a shop that was synced. What went wrong in its tab fails the test."""
    keeper = Shopkeeper(demo_hpos)
    keeper.order("evil@shop.example", billing={"first_name": SCRIPT, "last_name": IMAGE, "city": IMAGE})
    tabs: list[Tab] = []
    with Runtime(config_for(demo_hpos)) as runtime:
        runtime.sync(Choices())
        keeper.do(
            "UPDATE wp_fc_subscribers SET first_name = %s, last_name = %s WHERE email = 'evil@shop.example'",
            SCRIPT,
            IMAGE,
        )
        dead_letters.add(runtime.state, "order", f"order:{SCRIPT}", IMAGE, SCRIPT)
        runtime.explore("users")
        runtime.refresh_segments()
        _past_sizes(runtime)
        known = pairing.first("http://127.0.0.1:8765")
        pairing.write(runtime.config.state.dir, known)
        bridge = Signer(create_app(runtime).test_client(), known.current)

        def make(who: str) -> Desk:
            tabs.append(Tab(chrome, shots))
            return Desk(tabs[-1], bridge, runtime, who)

        yield make
        found = [line for tab in tabs for line in tab.trouble]
        for tab in tabs:
            tab.close()
    assert not found, found


@pytest.mark.parametrize("who", [ADMIN, PERSIAN], ids=["english", "persian"])
def test_every_page_in_a_browser(sit: Sit, demo_hpos: ShopDatabase, who: str) -> None:
    """Nothing sticks out, all is readable, the keyboard reaches all, hostile names stay text."""
    desk = sit(who)
    contact = demo_hpos.rows("SELECT id FROM wp_fc_subscribers WHERE email = 'evil@shop.example'")[0][0]
    order = demo_hpos.rows("SELECT order_id FROM wp_wc_order_addresses WHERE email = 'evil@shop.example'")[0][0]
    desk.note("order.created", order)
    shown = ""
    for view, query in (
        ("status", {}),
        ("events", {}),
        ("sync", {}),
        ("mapping", {"kind": "users"}),
        ("segments", {}),
        ("segments", {"segment": "repeat-buyers"}),
        ("segments", {"edit": "due-for-replenishment"}),
        (f"contact/{contact}", {"bare": 1}),
    ):
        desk.visit(view, **query)
        name = (
            f"fragment-{view.partition('/')[0]}{''.join(f'-{one}' for one in query if view == 'segments')}-{who[-3:]}"
        )
        for suffix, size in (("", WIDE), ("-390", NARROW)):
            desk.tab.resize(size)
            desk.tab.shot(name + suffix)
            assert not desk.tab.overflow(".wrap"), (view, size)
        desk.tab.resize(WIDE)
        assert not desk.tab.pale(".wrap"), view
        left, dark = desk.tab.walk(".wrap")
        assert (left, dark) == ([], []), view
        shown += desk.tab.text(".wrap")
        assert desk.tab.page.evaluate("getComputedStyle(document.getElementById('fcsc-page')).direction") == who[-3:]
    assert SCRIPT in shown
    assert IMAGE in shown


@pytest.mark.parametrize("who", [ADMIN, PERSIAN], ids=["english", "persian"])
def test_automations_in_a_browser(sit: Sit, who: str) -> None:
    """Nothing sticks out, all is readable, the keyboard reaches all; the drawing's boxes hold their texts."""
    desk = sit(who)
    fill(desk.runtime, desk.runtime.automations)
    cart = {"automation": "cart-recovery"}
    for name, query in (
        ("list", {}),
        ("one", cart),
        ("switch", cart | {"switch": 1}),
        ("way", cart | {"way": 1}),
        ("head", cart | {"edit": "+"}),
        ("step", cart | {"edit": "first", "written": "fa" if who == PERSIAN else "en"}),
        ("branches", {"automation": "thank-you"}),
    ):
        desk.visit("automations", **query)
        for suffix, size in (("", WIDE), ("-390", NARROW)):
            desk.tab.resize(size)
            desk.tab.shot(f"automations-{name}-{who[-3:]}{suffix}")
            assert not desk.tab.overflow(".wrap"), (name, size)
        desk.tab.resize(WIDE)
        assert not desk.tab.pale(".wrap"), name
        assert desk.tab.walk(".wrap") == ([], []), name
        assert desk.tab.page.evaluate(OUTSIDE) == [], name


@pytest.mark.parametrize("who", [ADMIN, PERSIAN], ids=["english", "persian"])
def test_a_message_is_edited_and_seen(sit: Sit, demo_hpos: ShopDatabase, who: str) -> None:
    """While one types the message is shown as it would be, in a frame of its own that runs nothing; saved by a button."""
    Shopkeeper(demo_hpos).do(
        "REPLACE INTO wp_options (option_name, option_value) VALUES ('fcsc_link_key', %s)", "00" * 32
    )
    desk = sit(who)
    page, language = desk.tab.page, "fa" if who == PERSIAN else "en"
    desk.visit("automations", automation="cart-recovery")
    page.click("td a[href$='edit=first']")
    page.wait_for_selector("form[data-fcsc-live]")
    if language == "fa":
        page.click("a[href$='written=fa']")
        page.wait_for_selector("a[href$='written=fa'][aria-current]")
    page.evaluate("window.sameDocument = true")
    page.fill(f"[name='f.text.{language}.subject']", "{{ shop.name }}: a cart & <b>more</b>")
    page.wait_for_selector("#fcsc-try iframe")
    assert "a cart & <b>more</b>" in page.inner_text("#fcsc-try .fcsc-subject")
    frame = page.frame_locator("#fcsc-try iframe")
    frame.locator("table").first.wait_for()
    assert frame.locator("a").count() > 0
    page.locator("#fcsc-try iframe").scroll_into_view_if_needed()
    desk.tab.shot(f"automations-preview-{who[-3:]}")
    desk.tab.resize(NARROW)
    desk.tab.shot(f"automations-preview-{who[-3:]}-390")
    assert not desk.tab.overflow(".wrap")
    desk.tab.resize(WIDE)
    page.fill(f"[name='f.text.{language}.body']", "{{ person.nmae }}")
    page.wait_for_selector("#fcsc-try li")
    assert "did you mean name?" in page.inner_text("#fcsc-try li") and page.locator("#fcsc-try iframe").count() == 0
    assert page.evaluate("window.sameDocument === true")
    assert not (Path(desk.runtime.config.state.dir) / "automations").exists(), "typing saved it"
    page.fill(f"[name='f.text.{language}.body']", "One.\n\nTwo.")
    page.click("button[value=save]")
    page.wait_for_selector(".fcsc-notice--ok")
    assert page.input_value(f"[name='f.text.{language}.body']") == "One.\n\nTwo."
    # There is no shop at that address that has pictures.
    desk.tab.trouble[:] = [line for line in desk.tab.trouble if "placeholder.png" not in line]


@pytest.mark.parametrize("who", [ADMIN, PERSIAN], ids=["english", "persian"])
def test_a_new_automation_is_made_and_removed(sit: Sit, who: str) -> None:
    """From the list: begun as another, its editor is next; it is in the list; what is asked before it goes."""
    desk = sit(who)
    page = desk.tab.page
    desk.visit("automations")
    page.select_option("[name=source]", "win-back-30")
    page.fill("[name=title]", "Spring <b>sale</b>")
    page.fill("[name=name]", "Spring Sale")
    page.click("form:has([name=source]) button[type=submit]")
    # The browser itself holds back what can be no name.
    assert page.evaluate("document.querySelector('[name=name]').validity.patternMismatch")
    page.locator("[name=source]").scroll_into_view_if_needed()
    desk.tab.shot(f"automations-new-{who[-3:]}", full=False)
    page.fill("[name=name]", "spring-sale")
    page.click("form:has([name=source]) button[type=submit]")
    page.wait_for_selector(".fcsc-notice--ok")
    assert page.input_value("[name='f.title']") == "Spring <b>sale</b>"
    for size in (WIDE, NARROW):
        desk.tab.resize(size)
        assert not desk.tab.overflow(".wrap"), size
    desk.tab.resize(WIDE)
    page.click("form:has(input[value=remove]) button")
    page.wait_for_selector("#fcsc-gone")
    desk.tab.shot(f"automations-remove-{who[-3:]}")
    assert not desk.tab.pale(".wrap") and desk.tab.walk(".wrap") == ([], [])
    page.click("[aria-labelledby=fcsc-gone] form button")
    page.wait_for_selector("#fcsc-new")
    assert page.locator("a[href*='automation=spring-sale']").count() == 0
    assert not (Path(desk.runtime.config.state.dir) / "automations" / "spring-sale.toml").exists()


def _past_sizes(runtime: Runtime) -> None:
    """As if the segments had been looked at for weeks."""
    today = clock.now().date()
    with runtime.state.transaction() as sql:
        for slug, size in runtime.segments.sizes().items():
            for days in range(3, 50, 3):
                day = str(today - timedelta(days=days))
                sql.execute(
                    "INSERT INTO segment_size VALUES (?, ?, ?)", (slug, day, size + (days * 7 + len(slug)) % 9 - 4)
                )


@pytest.mark.parametrize("who", [ADMIN, PERSIAN], ids=["english", "persian"])
def test_a_rule_is_edited_and_its_new_count_seen(sit: Sit, who: str) -> None:
    """From the list to the editor; while one types the count follows; a mistake is told with its line; saved by a button."""
    desk = sit(who)
    page, shot = desk.tab.page, f"fragment-editor-{who[-3:]}"
    counts = dict(desk.runtime.state.rows("SELECT orders_count, COUNT(*) FROM trait GROUP BY orders_count"))
    repeat, thrice = (sum(count for orders, count in counts.items() if orders >= least) for least in (2, 3))
    assert repeat > thrice > 0
    desk.visit("segments")
    page.click("a[href*='segment=repeat-buyers']")
    page.click("a[href*='edit=repeat-buyers']")
    text = page.input_value("#fcsc-text")
    assert "at_least = 2" in text and page.locator("#fcsc-try .fcsc-sum strong").count() == 0
    page.evaluate("window.sameDocument = true")
    page.fill("#fcsc-text", text.replace("at_least = 2", "at_least = 3"))
    page.wait_for_selector("#fcsc-try .fcsc-sum strong")
    assert _number(page.inner_text("#fcsc-try .fcsc-sum strong")) == thrice
    desk.tab.shot(shot)
    page.fill("#fcsc-text", text.replace("orders_count", "orders_cuont"))
    page.wait_for_selector("#fcsc-try li")
    assert "did you mean orders_count?" in page.inner_text("#fcsc-try li")
    desk.tab.shot(f"{shot}-problem")
    assert not desk.tab.overflow(".wrap") and not desk.tab.pale(".wrap")
    page.fill("#fcsc-text", text.replace("at_least = 2", "at_least = 1"))
    page.wait_for_selector("#fcsc-try .fcsc-sum strong")
    assert _number(page.inner_text("#fcsc-try .fcsc-sum strong")) == sum(
        count for orders, count in counts.items() if orders
    )
    assert page.evaluate("window.sameDocument === true")
    assert not (Path(desk.runtime.config.state.dir) / "segments.toml").exists(), "typing saved it"
    page.fill("#fcsc-text", text.replace("at_least = 2", "at_least = 3"))
    page.click("button[value=save]")
    page.wait_for_selector(".fcsc-notice--ok")
    desk.runtime.refresh_segments()
    desk.visit("segments", q="repeat-buyers")
    row = page.locator("tr", has=page.locator("a[href$='segment=repeat-buyers']"))
    assert _number(row.locator("td").first.inner_text()) == thrice
    desk.visit("segments", segment="repeat-buyers")
    assert "orders_count at least 3" in page.inner_text(".fcsc-rule")


def _number(text: str) -> int:
    """A number in the digits of any language."""
    return int("".join(str(unicodedata.digit(letter)) for letter in text if letter.isdigit()))


def test_an_event_appears_without_reloading(sit: Sit) -> None:
    desk = sit(ADMIN)
    desk.visit("events")
    desk.tab.page.evaluate("window.sameDocument = true")
    desk.note("order.paid", 4711)
    desk.tab.page.locator("#fcsc-events tr", has_text="#4711").wait_for(timeout=30_000)
    assert desk.tab.page.evaluate("window.sameDocument === true")


def test_a_broken_rule_is_shown_with_its_line(sit: Sit) -> None:
    desk = sit(PERSIAN)
    desk.visit("mapping")
    good = desk.tab.page.input_value("#fcsc-text")
    desk.tab.page.fill("#fcsc-text", good + '\n[[field]]\nto = "nowhere"\nfrom = "nobody.knows"\n')
    desk.tab.page.click("button[value=save]")
    desk.tab.page.wait_for_selector("#fcsc-problems li")
    problems = desk.tab.page.locator("#fcsc-problems li").all_inner_texts()
    assert len(problems) >= 2
    assert all("سطر" in text for text in problems), problems
    assert desk.tab.page.input_value("#fcsc-text").endswith('from = "nobody.knows"\n'), "what was typed is lost"
    assert not (Path(desk.runtime.config.state.dir) / "mapping.toml").exists()
    assert not desk.tab.overflow(".wrap")
