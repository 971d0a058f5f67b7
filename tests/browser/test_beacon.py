"""The shop's script in a browser, without WordPress: what it posts from both kinds of checkout."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from support import ROOT

HOME = "http://127.0.0.1:9"
# The markup of WooCommerce's two checkouts, as far as the script looks at it.
CLASSIC = '<form class="checkout woocommerce-checkout"><input type="email" id="billing_email"><input id="other"></form>'
BLOCK = """<div class="wp-block-woocommerce-checkout"><div class="wc-block-checkout"><input type="email" id="email">
<input id="other"></div></div><form><input type="email" class="newsletter" id="nl"></form>"""
PAGE = """<!doctype html><title>Shop</title><link rel="icon" href="data:,"><body>%s
<script>window.fcscPage=%s</script><script src="/beacon.js"></script>"""


def visit(chrome: Any, body: str, page: dict[str, object], consent: str = "") -> tuple[Any, list[dict[str, Any]]]:
    """The checkout in a fresh browser with something in the cart, and what is posted from it."""
    said: list[dict[str, Any]] = []
    context = chrome.new_context()
    # The script ignores browsers that are driven by a program.
    context.add_init_script("Object.defineProperty(navigator, 'webdriver', { get: () => false });" + consent)
    context.add_cookies([{"name": "woocommerce_cart_hash", "value": "abc", "url": HOME}])

    def answer(route: Any) -> None:
        path = urlsplit(route.request.url).path
        if path == "/beacon":
            assert route.request.method == "POST"
            assert "@" not in route.request.url
            said.append(json.loads(route.request.post_data))
            route.fulfill(status=204)
        elif path == "/beacon.js":
            script = (ROOT / "wp-bridge/assets/beacon.js").read_text("utf-8")
            route.fulfill(body=script, content_type="text/javascript")
        else:
            route.fulfill(body=PAGE % (body, json.dumps(page)), content_type="text/html")

    context.route("**/*", answer)
    tab = context.new_page()
    tab.goto(f"{HOME}/checkout/")
    return tab, said


def typed(tab: Any, field: str, said: list[dict[str, Any]]) -> dict[str, Any]:
    """An address half typed, then whole, and something else; all that was said, as one."""
    tab.wait_for_timeout(500)
    for text in ("ann@", "Ann@Example.com"):
        tab.fill(field, text)
        tab.press(field, "Tab")
    tab.fill("#other", "not@our.business")
    tab.press("#other", "Tab")
    tab.wait_for_timeout(500)
    tab.context.close()
    assert len([1 for one in said if "email" in one]) <= 1
    return {name: value for one in said for name, value in one.items()}


@pytest.mark.parametrize(("body", "field"), [(CLASSIC, "#billing_email"), (BLOCK, "#email")], ids=["classic", "block"])
def test_cart_and_address_from_either_checkout(chrome: Any, body: str, field: str) -> None:
    """Pain 29: both checkouts yield the cart and the address."""
    tab, said = visit(chrome, body, {"url": f"{HOME}/beacon", "basis": "email", "checkout": 1})
    assert typed(tab, field, said) == {"checkout": 1, "cart": 1, "email": "Ann@Example.com"}


@pytest.mark.parametrize(("body", "field"), [(CLASSIC, "#billing_email"), (BLOCK, "#email")], ids=["classic", "block"])
def test_no_address_without_its_basis(chrome: Any, body: str, field: str) -> None:
    """Pain 24: the owner allowed carts only; the consent plugin says no; the visitor takes it back."""
    tab, said = visit(chrome, body, {"url": f"{HOME}/beacon", "basis": "carts", "checkout": 1})
    assert typed(tab, field, said) == {"checkout": 1, "cart": 1}
    asks: dict[str, object] = {"url": f"{HOME}/beacon", "basis": "ask", "checkout": 1}
    tab, said = visit(chrome, body, asks)
    assert typed(tab, field, said) == {}, "there is no consent plugin to ask"
    tab, said = visit(chrome, body, asks, "window.wp_has_consent = () => false;")
    assert typed(tab, field, said) == {}
    tab, said = visit(chrome, body, asks, "window.yes = true; window.wp_has_consent = () => window.yes;")
    tab.wait_for_timeout(500)
    assert said == [{"checkout": 1, "cart": 1}]
    tab.evaluate(
        "window.yes = false; document.dispatchEvent(new CustomEvent('wp_listen_for_consent_change', { detail: { marketing: 'deny' } }))"
    )
    assert typed(tab, field, said)["refused"] == 1
    assert said[1:] == [{"refused": 1}]
