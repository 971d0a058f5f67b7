"""Who else writes to the same people, and plugins that may shut out the bridge."""

from __future__ import annotations

from collections.abc import Mapping

from sidecar.doctor.model import Facts, Verdict
from sidecar.doctor.registry import check
from sidecar.values import php

SENDERS = {
    "mailchimp-for-woocommerce": "Mailchimp for WooCommerce",
    "mailchimp-for-wp": "MC4WP",
    "mailpoet": "MailPoet",
    "klaviyo": "Klaviyo",
    "omnisend": "Omnisend",
    "omnisend-connect": "Omnisend",
    "automatewoo": "AutomateWoo",
    "woocommerce-abandoned-cart": "Abandoned Cart Lite (Tyche)",
    "woocommerce-abandon-cart-pro": "Abandoned Cart Pro (Tyche)",
    "woo-cart-abandonment-recovery": "Cart Abandonment Recovery",
    "woo-save-abandoned-carts": "CartBounty",
    "wp-marketing-automations": "FunnelKit Automations",
    "wp-marketing-automations-pro": "FunnelKit Automations Pro",
    "newsletter": "Newsletter",
    "mailin": "Brevo",
    "woocommerce-sendinblue-newsletter-subscription": "Brevo for WooCommerce",
    "getresponse-integration": "GetResponse",
    "getresponse-official": "GetResponse",
    "activecampaign-subscription-forms": "ActiveCampaign",
    "activecampaign-for-woocommerce": "ActiveCampaign for WooCommerce",
    "official-mailerlite-sign-up-forms": "MailerLite",
    "woo-mailerlite": "MailerLite for WooCommerce",
    "drip-for-woocommerce": "Drip",
    "hubspot-for-woocommerce": "HubSpot for WooCommerce",
    "leadin": "HubSpot",
    "groundhogg": "Groundhogg",
    "jetpack-crm": "Jetpack CRM",
    "mailoptin": "MailOptin",
    "woocommerce-follow-up-emails": "Follow-Ups",
    "customer-reviews-woocommerce": "Customer Reviews for WooCommerce",
    "wp-fusion": "WP Fusion",
    "wp-fusion-lite": "WP Fusion Lite",
}
FIREWALLS = {
    "wordfence": "Wordfence",
    "better-wp-security": "Solid Security (iThemes)",
    "all-in-one-wp-security-and-firewall": "All-In-One Security",
    "sucuri-scanner": "Sucuri",
    "wp-cerber": "WP Cerber",
    "ninjafirewall": "NinjaFirewall",
    "disable-json-api": "Disable REST API",
    "disable-wp-rest-api": "Disable WP REST API",
    "cloudflare": "Cloudflare",
    "shield-security": "Shield",
    "wp-simple-firewall": "Shield",
    "wp-hide-security-enhancer": "WP Hide",
    "bulletproof-security": "BulletProof Security",
    "defender-security": "Defender",
}


@check(
    "plugins.W001",
    "Other senders",
    "decide which one sends what; until then leave the sidecar's automations off where the other sends",
)
def senders(facts: Facts) -> Verdict:
    found = sorted({SENDERS[slug] for slug in facts.shop.active(*SENDERS)}) + _own_mails(facts.shop.options)
    if found:
        return Verdict("warning", "others write to the same customers", "", found)
    return Verdict("ok", "nobody else is known to write to the customers")


def _own_mails(options: Mapping[str, str]) -> list[str]:
    """What WooCommerce and FluentCRM themselves send, where the owner has switched it on (sources: WooCommerce 10.9.1
    FeaturesController.php and StockNotifications/Config.php, FluentCRM 3.1.10 AbandonCart/AbCartHelper.php)."""
    found = []
    feature = options.get("woocommerce_feature_customer_review_request_enabled") == "yes"
    if feature and _setting(options, "woocommerce_customer_review_request_settings", "enabled") == "yes":
        found.append("WooCommerce's own review request")
    if options.get("woocommerce_customer_stock_notifications_allow_signups") == "yes":
        found.append("WooCommerce's own back-in-stock notifications")
    if _setting(options, "_fluentcrm_experimental_settings", "abandoned_cart") == "yes":
        found.append("FluentCRM's own abandoned carts")
    return found


def _setting(options: Mapping[str, str], name: str, key: str) -> object:
    try:
        value = php.loads(options.get(name, ""))
    except php.PhpError:
        return None
    return value.get(key) if isinstance(value, dict) else None


@check(
    "plugins.I002",
    "Firewalls",
    "let them pass /wp-json/fluentcrm-sidecar/v1/ from this host; needed for the live bridge only",
)
def firewalls(facts: Facts) -> Verdict:
    found = sorted({FIREWALLS[slug] for slug in facts.shop.active(*FIREWALLS)})
    if found:
        return Verdict("info", "plugins that may block REST requests", "", found)
    return Verdict("ok", "no plugin is known to block REST requests")
