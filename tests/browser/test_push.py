"""The button and the worker of Web Push in a browser: the worker is registered and shows what comes; only the push service, which
is its maker's, is a stand-in in the page."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from support import ROOT
from werkzeug import Request, Response

KEY = "B" + "A" * 86
PAGE = """<!doctype html><title>Shop</title><link rel="icon" href="data:,"><body>
<p class="fcsc-push" hidden data-page='%s' data-on="Notify me" data-off="No more" data-blocked="Blocked" data-failed="Failed"><button
 type="button" aria-pressed="false"></button> <span role="status"></span></p><script src="/push.js"></script>"""
# As browsers do it, but for the server behind it. What is subscribed outlives the page.
STAND_IN = """
window.asked = 0;
const real = Notification.requestPermission.bind(Notification);
Notification.requestPermission = () => { window.asked++; return window.answer ? Promise.resolve(window.answer) : real(); };
const made = (endpoint, key) => ({ endpoint, options: { applicationServerKey: key.buffer },
  toJSON: () => ({ endpoint, expirationTime: null, keys: { p256dh: 'B' + 'p'.repeat(86), auth: 'a'.repeat(22) } }),
  unsubscribe: () => { localStorage.removeItem('sub'); return Promise.resolve(true); } });
PushManager.prototype.subscribe = function (options) {
  const key = options.applicationServerKey, n = +(localStorage.getItem('n') || 0) + 1;
  if (!options.userVisibleOnly || key.length !== 65 || key[0] !== 4 || window.broken) return Promise.reject(new Error('no'));
  localStorage.setItem('n', n); localStorage.setItem('sub', JSON.stringify(['https://push.example/' + n, [...key]]));
  return this.getSubscription();
};
PushManager.prototype.getSubscription = function () {
  const kept = JSON.parse(localStorage.getItem('sub') || 'null');
  return Promise.resolve(kept && made(kept[0], Uint8Array.from(kept[1])));
};
"""


class Shop:
    """Pages, the scripts, and what is posted."""

    def __init__(self, chrome: Any, server: HTTPServer) -> None:
        self.server = server
        self.said: list[dict[str, Any]] = []
        self.page: dict[str, Any] = {
            "key": KEY, "url": "/?wc-ajax=fcsc_push", "worker": server.url_for("/?fcsc_sw=1"), "scope": server.url_for("/fcsc-push/"),
            "mark": "abc", "order": 0, "user": 0,
        }  # fmt: skip
        server.expect_request("/push.js").respond_with_data(
            (ROOT / "wp-bridge/assets/push.js").read_text("utf-8"), content_type="text/javascript"
        )
        server.expect_request("/").respond_with_handler(self._answer)
        self.context = chrome.new_context()
        self.context.grant_permissions(["notifications"], origin=server.url_for("").rstrip("/"))
        self.context.add_init_script(STAND_IN)

    def _answer(self, request: Request) -> Response:
        if request.method == "POST":
            assert request.args["wc-ajax"] == "fcsc_push"
            self.said.append(json.loads(request.get_data()))
            return Response(status=204)
        if "fcsc_sw" in request.args:
            script = 'self.fcsc={"name":"Shop","icon":""};\n' + (ROOT / "wp-bridge/assets/sw.js").read_text("utf-8")
            return Response(script, content_type="text/javascript")
        return Response(PAGE % json.dumps(self.page), content_type="text/html")

    def open(self, query: str = "", script: str = "") -> Any:
        tab = self.context.new_page()
        if script:
            tab.add_init_script(script)
        tab.goto(self.server.url_for("/") + query)
        return tab

    def heard(self, tab: Any, count: int) -> list[dict[str, Any]]:
        for _ in range(50):
            if len(self.said) >= count:
                break
            tab.wait_for_timeout(100)
        tab.wait_for_timeout(200)
        assert len(self.said) == count, self.said
        return self.said


@pytest.fixture
def shop(chrome: Any, httpserver: HTTPServer) -> Iterator[Shop]:
    made = Shop(chrome, httpserver)
    yield made
    made.context.close()


def keys(number: int) -> dict[str, Any]:
    return {"endpoint": f"https://push.example/{number}", "p256dh": "B" + "p" * 86, "auth": "a" * 22}


def test_a_click_and_another(shop: Shop) -> None:
    tab = shop.open()
    tab.wait_for_selector("button:has-text('Notify me')")
    workers = "navigator.serviceWorker.getRegistrations().then(all => all.map(one => one.scope))"
    assert tab.evaluate(workers) == []
    assert (tab.evaluate("window.asked"), shop.said) == (0, []), "nobody is asked without a click"
    tab.click("button")
    tab.wait_for_selector("button[aria-pressed=true]:has-text('No more')")
    assert shop.heard(tab, 1) == [keys(1) | {"click": 1, "mark": "abc"}]
    assert tab.evaluate(workers) == [shop.page["scope"]]
    assert tab.evaluate("window.asked") == 1
    # On the next page it is as it was, and nothing is said again.
    tab = shop.open()
    tab.wait_for_selector("button:has-text('No more')")
    shop.heard(tab, 1)
    tab.click("button")
    tab.wait_for_selector("button[aria-pressed=false]:has-text('Notify me')")
    assert shop.heard(tab, 2)[1] == {"endpoint": "https://push.example/1", "stop": 1}


def test_who_buys_is_known_by_then(shop: Shop) -> None:
    tab = shop.open()
    tab.click("button:has-text('Notify me')")
    shop.heard(tab, 1)
    shop.page["order"] = 7
    tab.goto(shop.server.url_for("/") + "?key=wc_order_x")
    assert shop.heard(tab, 2)[1] == keys(1) | {"order": 7, "key": "wc_order_x"}
    tab.reload()
    tab.wait_for_selector("button:has-text('No more')")
    shop.heard(tab, 2)


def test_a_new_key_of_the_shop(shop: Shop) -> None:
    tab = shop.open()
    tab.click("button:has-text('Notify me')")
    shop.heard(tab, 1)
    shop.page["key"] = "B" + "A" * 85 + "E"
    tab.reload()
    assert shop.heard(tab, 2)[1] == keys(2) | {"old": "https://push.example/1"}
    tab.wait_for_selector("button:has-text('No more')")


@pytest.mark.parametrize(
    ("script", "words"),
    [("window.answer = 'denied';", "Blocked"), ("window.broken = true;", "Failed"), ("window.answer = 'default';", "")],
)
def test_no(shop: Shop, script: str, words: str) -> None:
    tab = shop.open(script=script)
    tab.click("button:has-text('Notify me')")
    tab.wait_for_function("!document.querySelector('button').disabled")
    assert tab.inner_text("[role=status]") == words
    assert tab.get_attribute("button", "aria-pressed") == "false"
    assert shop.said == []


def test_a_browser_that_cannot_sees_nothing(shop: Shop) -> None:
    tab = shop.open(script="delete window.PushManager;")
    tab.wait_for_timeout(300)
    assert not tab.is_visible(".fcsc-push")


def test_the_worker_shows_what_comes(shop: Shop) -> None:
    tab = shop.open()
    devtools = shop.context.new_cdp_session(tab)
    found: list[str] = []
    devtools.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda event: found.extend(one["registrationId"] for one in event["registrations"]),
    )
    devtools.send("ServiceWorker.enable")
    tab.click("button:has-text('Notify me')")
    shop.heard(tab, 1)
    shown = """scope => navigator.serviceWorker.getRegistration(scope).then(one => one.getNotifications())
      .then(all => all.map(one => [one.title, one.body, one.tag, one.data]))"""
    sent = json.dumps({"title": "سلام", "body": "Your cart", "url": "https://shop.example/?fcsc=g.1", "tag": "key-1"})
    for data, wanted in (
        (sent, ["سلام", "Your cart", "key-1", "https://shop.example/?fcsc=g.1"]),
        ("not JSON", ["Shop", "", "", ""]),
        ("null", ["Shop", "", "", ""]),
    ):
        devtools.send(
            "ServiceWorker.deliverPushMessage",
            {"origin": shop.server.url_for("").rstrip("/"), "registrationId": found[0], "data": data},
        )
        for _ in range(30):
            all_ = tab.evaluate(shown, shop.page["scope"])
            if wanted in all_:
                break
            tab.wait_for_timeout(100)
        assert wanted in all_


def test_the_worker_opens_the_shop_and_follows_its_browser(shop: Shop) -> None:
    """Events as a browser makes them, but by hand: only a person can click on a notification."""
    tab = shop.open()
    tab.click("button:has-text('Notify me')")
    shop.heard(tab, 1)
    worker = shop.context.service_workers[0]
    clicked = """data => { const opened = []; self.clients.openWindow = url => { opened.push(url); return Promise.resolve(); };
      const event = new Event('notificationclick'); event.waitUntil = () => {};
      event.notification = { data, close: () => opened.push('closed') }; self.dispatchEvent(event); return opened; }"""
    link = "https://shop.example/?fcsc=g.1"
    assert worker.evaluate(clicked, link) == ["closed", link]
    assert worker.evaluate(clicked, "") == ["closed", shop.server.url_for("/")]
    assert worker.evaluate(clicked, "javascript:alert(1)") == ["closed"]
    worker.evaluate(
        """json => { const event = new Event('pushsubscriptionchange'); event.waitUntil = () => {};
      event.oldSubscription = { endpoint: 'https://push.example/1' }; event.newSubscription = { toJSON: () => json };
      self.dispatchEvent(event); }""",
        {"endpoint": "https://push.example/2", "keys": {"p256dh": "B" + "p" * 86, "auth": "a" * 22}},
    )
    assert shop.heard(tab, 2)[1] == keys(2) | {"old": "https://push.example/1"}
