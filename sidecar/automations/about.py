"""What an enrolment is about, read from its subject: `cart:12`, `order:55`, `product:7:9` (a variation), `day:2026-11-26`, ''.

Sources may add parts that tell two of the same apart (`cart:12:1793534400`, the same row used for another cart).
"""

from __future__ import annotations

from functools import lru_cache

import msgspec


class About(msgspec.Struct, frozen=True, kw_only=True):
    """`kind` is the word before the first colon. `id` is what follows, `sub` the part after it; 0 where that is no number."""

    kind: str = ""
    id: int = 0
    sub: int = 0

    @property
    def cart(self) -> int:
        """The cart's row, or 0."""
        return self.id if self.kind == "cart" else 0

    @property
    def order(self) -> int:
        """The order's id, or 0."""
        return self.id if self.kind == "order" else 0

    @property
    def product(self) -> int:
        """The product's id, or 0."""
        return self.id if self.kind == "product" else 0

    @property
    def ware(self) -> int:
        """What exactly is bought: the variation where there is one, else the product; 0 for other subjects."""
        return (self.sub or self.id) if self.kind == "product" else 0


@lru_cache(maxsize=2048)
def about(subject: str) -> About:
    """Never raises: a subject that is none of these is about nothing in the shop."""
    kind, *parts = subject.split(":")
    return About(kind=kind, id=_number(parts, 0), sub=_number(parts, 1))


def _number(parts: list[str], place: int) -> int:
    text = parts[place] if place < len(parts) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
