"""The service when there is nothing to do: what pages and work took is given back to the system, once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest
from signer import Signer
from support import ShopDatabase

from sidecar import memory, serve
from sidecar.config import Config, Service
from sidecar.runtime import Runtime
from sidecar.sync.work import PassReport


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def web_config(demo_hpos: ShopDatabase, config_for: Callable[..., Config]) -> Config:
    return config_for(demo_hpos, service=Service(poll_seconds=0.001))


@pytest.fixture
def follower(runtime: Runtime, monkeypatch: pytest.MonkeyPatch) -> serve.Service:
    """Only the thread that follows the shop, as fast as it can, where nothing happens."""
    monkeypatch.setattr(serve, "_REST", 0.0)
    monkeypatch.setattr(runtime, "pass_", lambda seconds: PassReport())
    made = object.__new__(serve.Service)
    made.runtime, made.stop = runtime, threading.Event()
    return made


def test_memory_is_given_back_after_pages(
    follower: serve.Service, runtime: Runtime, bridge: Signer, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[float] = []
    monkeypatch.setattr(memory, "give_back", lambda: given.append(time.monotonic()))
    thread = threading.Thread(target=follower._follow)
    thread.start()
    try:
        until(lambda: len(given) == 1)  # what the start took
        time.sleep(0.1)
        assert len(given) == 1
        assert bridge.get("/ui/status").status_code == 200
        until(lambda: len(given) == 2)
        time.sleep(0.1)
        assert len(given) == 2
    finally:
        follower.stop.set()
        thread.join()
