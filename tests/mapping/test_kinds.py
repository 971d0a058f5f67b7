"""What a meta key holds, told from samples, and never shown in the clear."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.mapping import kinds, plugins

SAMPLES = {
    ("yes", "marketing_optin"): "flag",
    ("12", "loyalty_points"): "number",
    ("129.90", "x"): "money",
    ("129", "_order_total"): "money",
    ("1985-03-12", "birthday"): "date",
    ("12.03.1985", "birthday"): "date",
    ("1364/12/21", "birthday"): "jalali_date",
    ("۱۳۶۴/۱۲/۲۱", "birthday"): "jalali_date",
    ("2025-01-02 10:11:12", "x"): "date_time",
    ("1735812672", "wc_last_active"): "unix_time",
    ("1735812672", "x"): "number",
    ("+48 600 700 800", "x"): "phone",
    ("600700800", "billing_phone"): "phone",
    ("anna@example.com", "x"): "email",
    ("https://example.com/a?b=c", "x"): "url",
    ("PL", "x"): "country",
    ("Poland", "billing_country"): "country",
    ("red", "colour"): "slug",
    ("Anna Nowak", "x"): "text",
    ("word " * 60, "x"): "long_text",
    ("<p>Hello</p>", "x"): "html",
    ('{"a": 1}', "x"): "json",
    ('a:2:{i:0;s:1:"x";i:1;s:1:"y";}', "x"): "php_list",
    ('a:1:{s:1:"k";a:1:{i:0;i:1;}}', "x"): "php_array",
    ('a:2:{i:0;s:99:"cut', "x"): "php_array",
    ('O:8:"stdClass":0:{}', "x"): "php_object",
    ("12,14,15", "_x_ids"): "ids",
    ("d41d8cd98f00b204e9800998ecf8427e", "x"): "secret",
    ("wc_order_AbCdEf123456", "x"): "secret",
    ("   ", "x"): "empty",
}


@pytest.mark.parametrize(("sample", "kind"), SAMPLES.items())
def test_kind_of_one_value(sample: tuple[str, str], kind: str) -> None:
    assert kinds.of_value(*sample) == kind


def test_kind_of_many() -> None:
    assert kinds.of_samples(["1985-03-12"] * 8 + ["1364/12/21", "rubbish"], "birthday") == "date"
    assert kinds.of_samples(["12", "129.90", "3.5"], "_order_total") == "money"
    assert kinds.of_samples(["Anna", "https://x.example", "12", "<b>x</b>", "a@b.pl"]) == "mixed"
    assert kinds.of_samples(["", " "]) == "empty"
    assert kinds.of_samples(["0", "0"]) == "number"


@pytest.mark.parametrize("key", ["session_tokens", "_order_key", "user_password", "_stripe_card_last4", "wp_api_key"])
def test_keys_that_are_secret_whatever_they_hold(key: str) -> None:
    assert kinds.of_samples(["hello", "world"], key) == "secret"
    assert kinds.shown(["hello"], "secret") == ["(hidden)"]


PERSONAL = st.sampled_from(
    ["anna.nowak@example.com", "Anna Nowak", "+48600700800", "ul. Długa 1", "محمدی", "09123456789"]
)


@given(PERSONAL, st.sampled_from(kinds.KINDS))
def test_masked_never_shows_a_person(text: str, kind: kinds.Kind) -> None:
    shown = kinds.masked(text, kind).lower()
    for word in ("anna", "nowak", "600700", "długa", "محمدی", "9123456"):
        assert word not in shown
    assert text not in kinds.shown([text] * 9, kinds.of_samples([text] * 9, "billing_first_name"), "billing_first_name")


def test_words_of_the_shop_are_shown_when_many_share_them() -> None:
    assert kinds.shown(["cod"] * 30 + ["przelewy24"] * 20, "slug", "_payment_method") == ["cod", "przelewy24"]
    assert kinds.shown(["anna"] * 30, "slug", "nickname") == ["xxxx"]
    assert kinds.shown(["cod"] * 3, "slug", "_payment_method") == ["xxx"]


def test_plugins() -> None:
    names = {
        "_wc_order_attribution_utm_source": "WooCommerce order attribution",
        "_wc_other/acme/birthday": "WooCommerce checkout fields",
        "_billing_nip": "Polish NIP fields",
        "_wcpay_intent_id": "WooPayments",
        "_woocs_order_base_currency": "FOX / WOOCS",
        "_order_total_base_currency": "Aelia Currency Switcher",
        "mailchimp_woocommerce_is_subscribed": "Mailchimp for WooCommerce",
        "_wc_shipment_tracking_items": "Advanced Shipment Tracking",
        "_yoast_wpseo_title": "Yoast SEO",
        "_elementor_data": "Elementor",
        "wp_capabilities": "WordPress",
        "shop7_capabilities": "WordPress",
        "_billing_phone": "WooCommerce",
        "_qty": "WooCommerce order lines",
        "_regular_price": "WooCommerce products",
    }
    found = {key: plugins.owner(key, "shop7_") for key in names}
    assert {key: plugin.name if plugin else "" for key, plugin in found.items()} == names
    assert plugins.owner("favourite_tea") is None
    yoast = plugins.owner("_yoast_wpseo_title")
    assert yoast is not None
    assert plugins.is_active(yoast, ("wordpress-seo/wp-seo.php",)) is True
    assert plugins.is_active(yoast, ("woocommerce/woocommerce.php",)) is False
