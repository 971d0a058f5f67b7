"""Stand-ins for what the events part will bring (only until it is here)."""

from __future__ import annotations

from typing import Any

import msgspec

from sidecar.events import monitor
from sidecar.runtime import Runtime
from sidecar.sync.explain import explain


class Health(msgspec.Struct, kw_only=True):
    versions: dict[str, str] = {}
    bridge: str = "ok"
    hold: str = ""
    trouble: list[str] = []
    lag_seconds: float | None = 1
    last_pass: int | None = 1793534390
    queue: int = 3
    queue_oldest: int | None = 1793534300
    events_last_hour: int = 12
    currency: str = "PLN"


class WebRuntime(Runtime):
    def pass_(self, seconds: float) -> None: ...

    def health(self) -> Health:
        return Health()

    def events(self, type_: str, after: int, limit: int) -> list[monitor.Event]:
        return monitor.page(self.state, type_=type_, after=after, limit=limit)

    def confirm_site(self) -> None: ...

    def _email(self, contact_id: int) -> str:
        from sidecar.crm import contacts
        from sidecar.errors import NotFound
        from sidecar.mysql.connection import Reader

        with Reader(self.config) as reader:
            found = contacts.read(reader, [], [contact_id]).by_id.get(contact_id)
        if found is None:
            raise NotFound("no contact")
        return found.email

    def explain(self, contact_id: int) -> Any:
        return explain(self.config, self.state, self.mapping, self._email(contact_id))
