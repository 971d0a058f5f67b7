"""Who else writes to a shop's customers: plugins by their folder, and what WooCommerce and FluentCRM send themselves.

Used by `doctor`, and before an automation is switched on: nobody should get the same thing from two senders.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal, get_args

import msgspec

from sidecar.values import php

# What somebody sends: reminders of carts, requests for reviews, back-in-stock notices, or anything (an engine for automations).
Does = Literal["cart", "review", "stock", "anything"]


class Sender(msgspec.Struct, frozen=True, kw_only=True):
    """`id` is what an automation's `overlaps` may name, beside what senders do."""

    id: str
    name: str
    does: tuple[Does, ...] = ()


def _plugins(does: tuple[Does, ...], names: Mapping[str, str]) -> dict[str, Sender]:
    return {slug: Sender(id=slug, name=name, does=does) for slug, name in names.items()}


PLUGINS: dict[str, Sender] = {
    **_plugins(
        ("cart", "anything"),
        {
            "mailchimp-for-woocommerce": "Mailchimp for WooCommerce",
            "mailpoet": "MailPoet",
            "klaviyo": "Klaviyo",
            "omnisend": "Omnisend",
            "omnisend-connect": "Omnisend",
            "automatewoo": "AutomateWoo",
            "wp-marketing-automations": "FunnelKit Automations",
            "wp-marketing-automations-pro": "FunnelKit Automations Pro",
            "mailin": "Brevo",
            "woocommerce-sendinblue-newsletter-subscription": "Brevo for WooCommerce",
            "activecampaign-for-woocommerce": "ActiveCampaign for WooCommerce",
            "woo-mailerlite": "MailerLite for WooCommerce",
            "drip-for-woocommerce": "Drip",
            "hubspot-for-woocommerce": "HubSpot for WooCommerce",
            "groundhogg": "Groundhogg",
            "woocommerce-follow-up-emails": "Follow-Ups",
        },
    ),
    **_plugins(
        ("cart",),
        {
            "woocommerce-abandoned-cart": "Abandoned Cart Lite (Tyche)",
            "woocommerce-abandon-cart-pro": "Abandoned Cart Pro (Tyche)",
            "woo-cart-abandonment-recovery": "Cart Abandonment Recovery",
            "woo-save-abandoned-carts": "CartBounty",
        },
    ),
    **_plugins(("review",), {"customer-reviews-woocommerce": "Customer Reviews for WooCommerce"}),
    **_plugins(
        ("anything",),
        {
            "mailchimp-for-wp": "MC4WP",
            "newsletter": "Newsletter",
            "getresponse-integration": "GetResponse",
            "getresponse-official": "GetResponse",
            "activecampaign-subscription-forms": "ActiveCampaign",
            "official-mailerlite-sign-up-forms": "MailerLite",
            "leadin": "HubSpot",
            "jetpack-crm": "Jetpack CRM",
            "mailoptin": "MailOptin",
            "wp-fusion": "WP Fusion",
            "wp-fusion-lite": "WP Fusion Lite",
        },
    ),
}
REVIEWS = Sender(id="woocommerce-review-request", name="WooCommerce's own review request", does=("review",))
STOCK = Sender(id="woocommerce-stock-notices", name="WooCommerce's own back-in-stock notifications", does=("stock",))
CARTS = Sender(id="fluentcrm-abandoned-carts", name="FluentCRM's own abandoned carts", does=("cart",))
# WooCommerce's mails about orders and accounts, by their ids; all are on until the owner switches them off.
MAILS = {
    "customer_on_hold_order": "Order on-hold",
    "customer_processing_order": "Processing order",
    "customer_completed_order": "Completed order",
    "customer_cancelled_order": "Cancelled order",
    "customer_failed_order": "Failed order",
    "customer_refunded_order": "Refunded order",
    "customer_new_account": "New account",
}
_MAIL = "woocommerce-"
OPTIONS = (
    "woocommerce_feature_customer_review_request_enabled", "woocommerce_customer_review_request_settings",
    "woocommerce_customer_stock_notifications_allow_signups", "_fluentcrm_experimental_settings",
)  # fmt: skip
MAIL_OPTIONS = tuple(f"woocommerce_{mail}_settings" for mail in MAILS)
# What `overlaps` may name.
KINDS = frozenset(get_args(Does))
IDS = frozenset({*PLUGINS, REVIEWS.id, STOCK.id, CARTS.id, *(_MAIL + mail.replace("_", "-") for mail in MAILS)})


def plugins(active: Collection[str]) -> list[Sender]:
    """Those of these plugins (files, as `mailpoet/mailpoet.php`) that send something."""
    folders = sorted({name.partition("/")[0].lower() for name in active})
    return [PLUGINS[folder] for folder in folders if folder in PLUGINS]


def own(options: Mapping[str, str]) -> list[Sender]:
    """What WooCommerce and FluentCRM themselves send, where the owner has switched it on (sources: WooCommerce 10.9.1
    FeaturesController.php and StockNotifications/Config.php, FluentCRM 3.1.10 AbandonCart/AbCartHelper.php)."""
    found = []
    feature = options.get("woocommerce_feature_customer_review_request_enabled") == "yes"
    if feature and _setting(options, "woocommerce_customer_review_request_settings", "enabled") == "yes":
        found.append(REVIEWS)
    if options.get("woocommerce_customer_stock_notifications_allow_signups") == "yes":
        found.append(STOCK)
    if _setting(options, "_fluentcrm_experimental_settings", "abandoned_cart") == "yes":
        found.append(CARTS)
    return found


def mails(options: Mapping[str, str]) -> list[Sender]:
    """WooCommerce's mails about orders and accounts that are on."""
    return [
        Sender(id=_MAIL + mail.replace("_", "-"), name=f"WooCommerce's own e-mail “{title}”")
        for mail, title in MAILS.items()
        if _setting(options, f"woocommerce_{mail}_settings", "enabled") != "no"
    ]


def _setting(options: Mapping[str, str], name: str, key: str) -> object:
    try:
        value = php.loads(options.get(name, ""))
    except php.PhpError:
        return None
    return value.get(key) if isinstance(value, dict) else None
