"""Effects that do nothing and say that all went well: for questions and simulations. What was wished is kept."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.automations.channels.model import Handed, Outgoing
from sidecar.automations.effects import ContactWish, CouponWish, HookWish, NoteWish, Outcome


class Quiet:
    """An `effects.Effects` without any."""

    def __init__(self) -> None:
        self.sent: list[Outgoing] = []
        self.wished: list[ContactWish | CouponWish | HookWish | NoteWish] = []

    def send(self, batch: Sequence[Outgoing]) -> list[Handed]:
        """Nothing is handed over."""
        self.sent += batch
        return [Handed(key=one.key, state="sent") for one in batch]

    def asked(self, keys: Sequence[str]) -> dict[str, Handed]:
        """Nobody knows anything."""
        return {}

    def coupons(self, wishes: Sequence[CouponWish]) -> list[Outcome]:
        """None is made."""
        return self._done(wishes)

    def contacts(self, wishes: Sequence[ContactWish]) -> list[Outcome]:
        """No contact changes."""
        return self._done(wishes)

    def notes(self, wishes: Sequence[NoteWish]) -> list[Outcome]:
        """Nothing is written."""
        return self._done(wishes)

    def hooks(self, wishes: Sequence[HookWish]) -> list[Outcome]:
        """Nobody is called."""
        return self._done(wishes)

    def _done(self, wishes: Sequence[ContactWish | CouponWish | HookWish | NoteWish]) -> list[Outcome]:
        self.wished += wishes
        return [
            Outcome(key=one.key, state="done", value=one.code if isinstance(one, CouponWish) else "") for one in wishes
        ]
