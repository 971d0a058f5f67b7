"""The unit files are what systemd understands, and as closed as they say."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support import ROOT

UNITS = sorted((ROOT / "systemd").glob("fluentcrm-sidecar*"))


@pytest.fixture
def units(tmp_path: Path) -> list[Path]:
    """The units with a program and an account that are there: `verify` looks whether they are."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze (package systemd)")
    found = []
    for unit in UNITS:
        text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(), flags=re.MULTILINE)
        copy = tmp_path / unit.name
        copy.write_text(re.sub(r"^(User|Group)=.*\n", "", text, flags=re.MULTILINE))
        found.append(copy)
    return found


def test_systemd_has_nothing_to_say(units: list[Path]) -> None:
    assert [unit.name for unit in units] == [
        "fluentcrm-sidecar-tick.service", "fluentcrm-sidecar-tick.timer", "fluentcrm-sidecar.service",
    ]  # fmt: skip
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *map(str, units)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # It also looks at units of the host that ours name; only what it says of ours counts.
    ours = [line for line in (done.stdout + done.stderr).splitlines() if "fluentcrm-sidecar" in line]
    assert not ours, ours


def test_systemd_would_complain(units: list[Path]) -> None:
    """The test above can fail."""
    units[-1].write_text(units[-1].read_text().replace("ProtectSystem=strict", "ProtectSystem=stricter"))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(units[-1])],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "protect system" in (done.stdout + done.stderr).lower()


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_none_stops_another(unit: Path) -> None:
    """A pass beside the running service does no harm: it must not end it for good, as `Conflicts=` would within a minute."""
    assert not re.search(r"^(Conflicts|PartOf|BindsTo|Requisite)=", unit.read_text(), re.MULTILINE)


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.suffix == ".service"], ids=lambda unit: unit.name)
def test_both_services_are_equally_closed(unit: Path) -> None:
    text = unit.read_text()
    for line in ("NoNewPrivileges=yes", "ProtectSystem=strict", "CapabilityBoundingSet=", "PrivateDevices=yes",
                 "SystemCallFilter=@system-service", "MemoryMax=400M", "StateDirectoryMode=0700", "UMask=0077"):  # fmt: skip
        assert re.search(rf"^{re.escape(line)}$", text, re.MULTILINE), line
