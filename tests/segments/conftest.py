"""A shop after its first run whose sidecar has the file of segments `rules`; a module may have another one."""

from __future__ import annotations

from pathlib import Path

import pytest
from bridging import LiveShop, install
from segmenting import RULES
from shopkeeper import Shopkeeper
from support import ShopDatabase
from syncing import ConfigFor, run

from sidecar.config import Segments


@pytest.fixture
def rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """At noon UTC on 1 November 2026."""
    monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:00:00Z")
    file = tmp_path / "segments.toml"
    file.write_text(RULES, "utf-8")
    return file


@pytest.fixture
def shop(demo_hpos: ShopDatabase, config_for: ConfigFor, rules: Path) -> LiveShop:
    config = config_for(demo_hpos, segments=Segments(file=str(rules)))
    run(config)
    install(demo_hpos)
    return LiveShop(demo_hpos, Shopkeeper(demo_hpos), config)
