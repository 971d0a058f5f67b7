"""Whole cents as the texts that WooCommerce stores."""

from __future__ import annotations


def text(cents: int) -> str:
    """`-12.34`; nothing is `0`, as WooCommerce writes it."""
    if not cents:
        return "0"
    whole, part = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{part:02d}"
