"""Who else writes to the same people, and plugins that may shut out the bridge."""

from __future__ import annotations

from sidecar.automations import senders as others
from sidecar.doctor.model import Facts, Verdict
from sidecar.doctor.registry import check

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
    active = facts.shop.active(*others.PLUGINS)
    found = sorted({others.PLUGINS[slug].name for slug in active})
    found += [sender.name for sender in others.own(facts.shop.options)]
    if found:
        return Verdict("warning", "others write to the same customers", "", found)
    return Verdict("ok", "nobody else is known to write to the customers")


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
