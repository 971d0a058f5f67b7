"""What the doctor says of the plugin and of the running sidecar."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from bridging import NOW_MS, LiveShop, bridge, hint, pass_
from support import ShopDatabase
from syncing import ConfigFor, execute, run

from sidecar.config import Alerts, Config, Segments
from sidecar.doctor.examine import examine
from sidecar.doctor.model import Finding
from sidecar.runtime import build


def found(config: Config) -> dict[str, Finding]:
    return {one.id: one for one in examine(config, None, only=("bridge",), env={})}


def levels(config: Config) -> dict[str, str]:
    return {id_: one.level for id_, one in found(config).items()}


def test_without_the_plugin_there_are_only_notes(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    config = config_for(demo_hpos)
    assert set(levels(config).values()) == {"ok", "info"}
    run(config)
    assert set(levels(config).values()) == {"ok", "info"}
    execute(demo_hpos, "UPDATE wp_options SET option_value = 'a:1:{i:0;s:39:\"fluentcrm-sidecar/fluentcrm-sidecar.php\";}' WHERE option_name = 'active_plugins'")  # fmt: skip
    assert "not to be seen" in found(config)["bridge.I001"].sentence


def test_a_running_sidecar_is_in_order(hpos: LiveShop) -> None:
    config = msgspec.structs.replace(hpos.config, alerts=Alerts(webhook_url="https://example.org/hook"))
    with bridge(hpos.database, config) as (_, paired):
        hint(hpos.database, "product.viewed", 1)
        pass_(paired)
        assert set(levels(paired).values()) == {"ok"}
        assert "webhook" in found(paired)["bridge.I007"].sentence


def test_a_sidecar_that_has_stopped(hpos: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    with bridge(hpos.database, hpos.config) as (fake, config):
        hint(hpos.database, "product.viewed", 1)
        pass_(config)
        fake.behave = "down"
        monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:05:00Z")
        hint(hpos.database, "product.viewed", 1)
        pass_(config)
        monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T13:00:00Z")
        hint(hpos.database, "product.viewed", 1, at_ms=NOW_MS)
        seen = levels(config)
        assert {id_ for id_, level in seen.items() if level == "warning"} == {
            "bridge.W003",
            "bridge.W004",
            "bridge.W006",
        }
        assert "55 min" in found(config)["bridge.W004"].sentence
    with build(hpos.config) as sidecar:
        sidecar.pause(10)
    assert found(hpos.config)["bridge.W006"].sentence == "the owner has paused it"


def test_faults_of_segments(hpos: LiveShop, tmp_path: Path) -> None:
    file = tmp_path / "segments.toml"
    config = msgspec.structs.replace(hpos.config, segments=Segments(file=str(file)))
    file.write_text("[[segment", "utf-8")
    pass_(config)
    seen = found(config)["bridge.W008"]
    assert (seen.level, "1 problem" in seen.details[0]) == ("warning", True)
    file.write_text("segment = []", "utf-8")
    pass_(config)
    assert found(config)["bridge.W008"].level == "ok"
    with build(config) as sidecar:
        sidecar.state.set("segments.error", "1|TypeError")
    assert found(config)["bridge.W008"].details == ("TypeError",)


def test_nothing_is_made_by_looking(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    from pathlib import Path

    config = config_for(demo_hpos)
    found(config)
    assert list(Path(config.state.dir).iterdir()) == []
