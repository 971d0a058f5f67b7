"""What the tests of messages share: a context with everything in it, and a step with a text."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from sidecar.automations.messages.example import context
from sidecar.automations.messages.links import Links
from sidecar.automations.messages.model import Context, Rendered, Shop
from sidecar.automations.messages.render import render
from sidecar.automations.model import Send, Text

NOW = 1_793_534_400  # SIDECAR_NOW of the tests
KEY = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
SHOP = Shop(
    name="Kawa & Herbata", url="https://shop.example.com", address="ul. Długa 1, 50-001 Wrocław", currency="PLN"
)
LINKS = Links(home=SHOP.url, key=KEY, now=NOW, message=5, contact=3)
LANGUAGES = ("en", "fa", "pl", "bg")
# WooCommerce's own table of parcels, which it makes when that feature is switched on.
FULFILLMENTS = (
    """CREATE TABLE wp_wc_order_fulfillments (
 fulfillment_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, entity_type VARCHAR(255) NOT NULL,
 entity_id BIGINT UNSIGNED NOT NULL, status VARCHAR(255) NOT NULL, is_fulfilled TINYINT NOT NULL DEFAULT 0,
 date_updated DATETIME NOT NULL, date_deleted DATETIME NULL, KEY entity_type_id (entity_type(191), entity_id)) DEFAULT CHARSET=utf8mb4""",
    """CREATE TABLE wp_wc_order_fulfillment_meta (
 meta_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, fulfillment_id BIGINT UNSIGNED NOT NULL, meta_key VARCHAR(255) NULL,
 meta_value LONGTEXT NULL, date_updated DATETIME NOT NULL, date_deleted DATETIME NULL, KEY meta_key (meta_key(191)),
 KEY fulfillment_id (fulfillment_id)) DEFAULT CHARSET=utf8mb4""",
)
# A body with everything in it.
WHOLE = """{{ person.greeting }},

you left {{ cart.items|each("name")|join }} for {{ cart.total }}.

{{ cart_table(cart) }}

{% if coupon %}
Take {{ coupon.amount }} off until {{ coupon.expires }}.

{{ coupon_box(coupon) }}
{% endif %}

{{ button("Back to your cart", cart.link) }}

{{ product_grid(cross_sells) }}
"""
# What people type into fields for names, and what happens to stand in them.
HOSTILE = [
    "{{ 7*7 }}",
    "{% for i in range(9) %}x{% endfor %}",
    "{# a #}",
    "##crm.unsubscribe_url##",
    "{{contact.email}}",
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</td></tr></table>",
    "a\u202egnp.exe",
    "\u2066\u2067x\u2069",
    "Robert'); DROP TABLE wp_posts;--",
    "x" * 10_240,
    "{" * 50,
    "\x00\x1b[31m",
    "Zoë 👩‍👩‍👧 علی",
    "&lt;b&gt;",
    "%s %(name)s {0} {name}",
    "https://evil.example.com/\nBcc: x@example.com",
]


def made(language: str = "en", **changes: Any) -> Context:
    """The example, with some of it changed."""
    import msgspec

    return msgspec.structs.replace(context(SHOP, language, NOW, ZoneInfo("Europe/Warsaw")), **changes)


def step(text: Text | dict[str, Text], **changes: Any) -> Send:
    """A send step in English, or in these languages."""
    texts = text if isinstance(text, dict) else {"en": text}
    return Send(**{"id": "first", "channels": ("email", "sms"), "texts": texts, **changes})


def said(
    body: str = "", language: str = "en", about: Context | None = None, links: Links = LINKS, **how: Any
) -> Rendered:
    """What a body becomes, in any language."""
    text = Text(
        subject=how.pop("subject", "Hello"), preheader=how.pop("preheader", ""), body=body, short=how.pop("short", "")
    )
    return render(step({language: text}), about or made(language), language, links, **how)
