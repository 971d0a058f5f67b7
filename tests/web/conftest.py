"""A paired sidecar on a copy of a shop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from signer import TOKEN, Signer
from support import ShopDatabase

from sidecar.config import Config, Service
from sidecar.runtime import Runtime
from sidecar.state import pairing
from sidecar.sync.session import Choices
from sidecar.web.app import create_app


@pytest.fixture
def web_config(demo_hpos: ShopDatabase, config_for: Callable[..., Config]) -> Config:
    return config_for(demo_hpos, service=Service(metrics_token=TOKEN))


@pytest.fixture
def runtime(web_config: Config) -> Iterator[Runtime]:
    with Runtime(web_config) as made:
        yield made


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    pairing.write(runtime.config.state.dir, pairing.first("http://127.0.0.1:8765"))
    return create_app(runtime)


@pytest.fixture
def bridge(app: Flask, runtime: Runtime) -> Signer:
    known = pairing.read(runtime.config.state.dir)
    assert known is not None
    return Signer(app.test_client(), known.current)


@pytest.fixture
def synced(runtime: Runtime, bridge: Signer) -> Signer:
    """The same after a first run."""
    runtime.sync(Choices())
    return bridge


@pytest.fixture
def state_dir(runtime: Runtime) -> Path:
    return Path(runtime.config.state.dir)
