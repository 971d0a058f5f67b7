"""Which meta keys nothing needs any more. Pure. Careful: a key that a rule or a fact reads is never stale."""

from __future__ import annotations

import re
from collections.abc import Collection

from sidecar.mapping.explore import Key

_TRANSIENT = re.compile(r"_(?:site_)?transient_|_oembed_|_wc_session_")
# Caches that WooCommerce before 8 kept in these; newer ones carry the blog's prefix (wc_money_spent_wp).
_OLD_CACHES = frozenset({"_money_spent", "_order_count", "_last_order", "_woocommerce_persistent_cart"})
_DRAFTS_OF_WORDPRESS = re.compile(r"_wp_old_(?:slug|date)$|_edit_lock$|_encloseme$|_pingme$")


def reason(key: Key, active: Collection[str]) -> str:
    """Why a key looks stale, or ''. Without WooCommerce among the active plugins the list is not to be trusted (a
    network may activate plugins elsewhere), and no plugin is called inactive by it."""
    if _TRANSIENT.match(key.key):
        return "a transient that belongs into the options table or nowhere"
    if key.key in _OLD_CACHES:
        return "a cache of an older WooCommerce"
    if _DRAFTS_OF_WORDPRESS.match(key.key):
        return "WordPress' own bookkeeping of edits"
    trusted = any(plugin.startswith("woocommerce/") for plugin in active)
    if trusted and key.active is False and not key.used and not key.better:
        return f"{key.plugin} is not active"
    return ""
