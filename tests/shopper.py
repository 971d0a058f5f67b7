"""What a shopper, or a member of staff, does with a browser, as HTTP requests."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import requests
from wordpress_site import AGENT, Site

ADDRESS = {
    "first_name": "Ann", "last_name": "Ash", "address_1": "1 Elm St", "city": "Albany", "state": "NY",
    "postcode": "12207", "country": "US", "phone": "5551234567",
}  # fmt: skip


class Shopper:
    """A browser with its cookies. Close it, or use it as a context manager."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.http = requests.Session()
        self.http.headers["User-Agent"] = AGENT

    def __enter__(self) -> Shopper:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.http.get(self.site.url + path, timeout=60, **options)

    def post(self, path: str, data: Any = None, **options: Any) -> requests.Response:
        return self.http.post(self.site.url + path, data=data, timeout=120, **options)

    def page(self, path: str) -> str:
        """The text of a page that is there."""
        answer = self.get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:500]}"
        return answer.text

    def login(self, name: str, password: str = "") -> None:
        """By wp-login.php."""
        self.get("/wp-login.php")
        self.post("/wp-login.php", {"log": name, "pwd": password or name, "wp-submit": "Log In", "testcookie": "1"})
        assert any(cookie.startswith("wordpress_logged_in") for cookie in self.http.cookies.get_dict()), name

    def add(self, product: int, quantity: int = 1) -> None:
        """Into the cart, as the button on the shop page does."""
        answer = self.post("/?wc-ajax=add_to_cart", {"product_id": product, "quantity": quantity})
        assert "cart_hash" in answer.json(), answer.text[:500]

    def beacon(self, said: Any, **headers: str) -> requests.Response:
        """What beacon.js sends."""
        return self.post("/?wc-ajax=fcsc_beacon", said if isinstance(said, str) else json.dumps(said), headers=headers)

    def classic_checkout(self, email: str, *, method: str = "cod", **more: str) -> dict[str, Any]:
        """POST ?wc-ajax=checkout. Returns its JSON: result, order_id, redirect."""
        page = self.page("/classic-checkout/")
        nonce = _value(page, "woocommerce-process-checkout-nonce")
        form = {f"billing_{name}": value for name, value in ADDRESS.items()} | {
            "billing_email": email,
            "payment_method": method,
            "shipping_method[0]": re.findall(r'name="shipping_method\[0\]"[^>]*value="([^"]+)"', page)[0],
            "woocommerce-process-checkout-nonce": nonce,
            "_wp_http_referer": "/classic-checkout/",
        }
        answer = self.post("/?wc-ajax=checkout", form | more).json()
        assert answer["result"] == "success", answer
        result: dict[str, Any] = answer
        return result

    def block_checkout(self, email: str, *, method: str = "bacs", **more: Any) -> dict[str, Any]:
        """POST /wc/store/v1/checkout. Returns its JSON: order_id, status, …"""
        cart = self.get("/wp-json/wc/store/v1/cart")
        address = dict(ADDRESS)
        body = {
            "billing_address": {**address, "email": email},
            "shipping_address": address,
            "payment_method": method,
            **more,
        }
        answer = self.http.post(
            f"{self.site.url}/wp-json/wc/store/v1/checkout",
            json=body,
            headers={"Nonce": cart.headers["Nonce"]},
            timeout=120,
        )
        assert answer.status_code == 200, answer.text[:1000]
        result: dict[str, Any] = answer.json()
        return result

    def store(self, path: str, body: dict[str, Any]) -> requests.Response:
        """POST to the Store API with its nonce."""
        nonce = self.get("/wp-json/wc/store/v1/cart").headers["Nonce"]
        return self.http.post(
            f"{self.site.url}/wp-json/wc/store/v1/{path}", json=body, headers={"Nonce": nonce}, timeout=60
        )


def _value(page: str, name: str) -> str:
    found = re.search(rf'name="{re.escape(name)}"[^>]*value="([^"]*)"', page)
    assert found, f"no field {name}"
    return html.unescape(found[1])


def field(page: str, name: str) -> str:
    """The value of a form's field."""
    return _value(page, name)
