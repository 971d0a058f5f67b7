"""How hard the shop's host may be worked: rows a second, and a pause while the host is loaded."""

from __future__ import annotations

import os
import threading
import time


class Throttle:
    """Shared by all reader threads of a run. `rate` is rows a second (0: no limit); while the host's
    one-minute load is above `max_load` (0: never mind), every page waits a little longer, 2 s at most."""

    def __init__(self, rate: int = 0, max_load: float = 0.0) -> None:
        self._rate = rate
        self._max_load = max_load
        self._lock = threading.Lock()
        self._free_at = 0.0
        self.rows = 0

    def spend(self, rows: int) -> None:
        """Count rows that were read, and sleep as long as they cost."""
        with self._lock:
            self.rows += rows
            if not self._rate and not self._max_load:
                return
            now = time.monotonic()
            if self._rate:
                self._free_at = max(self._free_at, now) + rows / self._rate
            wait = max(0.0, self._free_at - now)
        if self._max_load:
            excess = os.getloadavg()[0] / self._max_load - 1
            wait += min(2.0, max(0.0, excess))
        if wait > 0:
            time.sleep(wait)
