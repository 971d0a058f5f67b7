"""What automations ask of the plugin in WordPress. `crm.bridge_client.Bridge` is one; so tests need no WordPress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class Queued(Protocol):
    """What became of one message: queued, known (it was there already), refused or again."""

    @property
    def key(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def email_id(self) -> int: ...
    @property
    def reason(self) -> str: ...


class Made(Protocol):
    """What became of one coupon, note or change of a contact; refused and again mean that it was not done."""

    @property
    def key(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def id(self) -> int: ...
    @property
    def code(self) -> str: ...
    @property
    def reason(self) -> str: ...


Items = Sequence[Mapping[str, Any]]


class Plugin(Protocol):
    """Every call takes at most MOST_ITEMS and is idempotent by the key of each item. Each raises BridgeUnreachable (it may have
    been done or not) or BridgeRefused."""

    @property
    def paired(self) -> bool: ...

    def messages(self, items: Items) -> Sequence[Queued]: ...

    def sent(self, keys: Sequence[str]) -> Sequence[Queued]:
        """Those of the keys that it knows."""
        ...

    def coupons(self, items: Items) -> Sequence[Made]: ...

    def notes(self, items: Items) -> Sequence[Made]: ...

    def automation_contacts(self, items: Items) -> Sequence[Made]: ...

    def push(self, items: Sequence[Mapping[str, str]]) -> object:
        """{gone: hash} each: subscriptions of browsers that are no more."""
        ...
