"""Consent from the box at the checkout to the contact and the record, and back by the page of preferences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from running import Live, contact, eventually, preferences
from shopper import Shopper, field
from wordpress_site import Site

pytestmark = pytest.mark.wordpress

SECONDS = 35.0  # a busy machine: what a silent bridge was not told comes with the next poll


@pytest.fixture
def asking(live: Live) -> Iterator[Live]:
    """The owner asks for e-mail and SMS."""
    live.site.settings(ask=["email", "sms"])
    yield live
    live.site.settings()


def status(site: Site, email: str) -> str:
    found = contact(site, email)
    return found.status if found else ""


def record(live: Live, email: str) -> list[tuple[str, str, str]]:
    """(channel, state, source) of the sidecar's record, the oldest first."""
    found: dict[str, Any] = live.sidecar.run("privacy", "export", email)["kept"]
    return [(one["channel"], one["state"], one["source"]) for one in reversed(found["consents"])]


def test_a_box_at_the_checkout_and_back(asking: Live, shopper: Shopper) -> None:
    """Pains 22, 23, 26."""
    site, email = asking.site, "yes@shop.example"
    shopper.add(site.ids["tea"])
    ticked = field(shopper.page("/classic-checkout/"), "fcsc_consent[email]")
    shopper.classic_checkout(email, **{"fcsc_consent[email]": ticked})
    eventually(lambda: status(site, email) == "subscribed", SECONDS)
    asking.sidecar.quiet()
    assert record(asking, email) == [("email", "given", "checkout")]
    proof = preferences(site, email)
    with Shopper(site) as other:
        assert 'method="post"' in other.page(f"/?fcsc={proof}")
        assert status(site, email) == "subscribed"
        form = {"fcsc": proof, "save": "1", "shown[]": ["email"], "channels[]": ["sms"]}
        assert other.post("/", form).status_code == 200
    assert status(site, email) == "unsubscribed"
    asking.sidecar.quiet()
    assert record(asking, email)[1:] == [("email", "withdrawn", "preferences"), ("sms", "given", "preferences")]
    # An order without a tick, whatever its contact's status is, is no word.
    shopper.add(site.ids["tea"])
    shopper.classic_checkout(email)
    asking.sidecar.quiet()
    assert status(site, email) == "unsubscribed"
    assert len(record(asking, email)) == 3


def test_the_block_checkout(asking: Live, shopper: Shopper) -> None:
    if not asking.site.real:
        pytest.skip("the Store API is WooCommerce's own")
    site, email = asking.site, "block-yes@shop.example"
    shopper.store("cart/add-item", {"id": site.ids["cup"], "quantity": 1})
    shopper.block_checkout(email, additional_fields={"fluentcrm-sidecar/consent-sms": True})
    eventually(lambda: contact(site, email), SECONDS)
    asking.sidecar.quiet()
    assert record(asking, email) == [("sms", "given", "block-checkout")]
    assert status(site, email) == "transactional"
