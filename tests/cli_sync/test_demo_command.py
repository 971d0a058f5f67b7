"""`sidecar demo`: it comes out right and leaves nothing behind."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from sidecar.cli import cli
from sidecar.demo.mariadb import PrivateMariaDB


@pytest.fixture(autouse=True)
def _own_tmp(mariadb: PrivateMariaDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary files go to a folder that can be looked at; `mariadb`: skip where there is no server."""
    import tempfile

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


@pytest.mark.parametrize("storage", ["hpos", "posts"])
def test_it_agrees_and_leaves_nothing(storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIDECAR_NOW", "2020-01-01T00:00:00Z")
    found = CliRunner().invoke(cli, ["demo", "--customers", "150", "--orders", "300", "--storage", storage, "--json"])
    assert found.exit_code == 0, found.output
    answer = json.loads(found.stdout)
    assert answer["verify_ok"] is True
    assert answer["second_run_writes"] == 0
    assert answer["counts"]["created"] > 100
    assert answer["storage"] == storage
    assert list(tmp_path.iterdir()) == []
    assert os.environ["SIDECAR_NOW"] == "2020-01-01T00:00:00Z"


def test_it_is_told_in_tables() -> None:
    found = CliRunner().invoke(cli, ["demo", "--customers", "120", "--orders", "150"])
    assert found.exit_code == 0, found.output
    for words in (
        "contacts made",
        "the shop's own total",
        "agree to the cent",
        "A second sync wrote 0",
        "stopped and removed",
    ):
        assert words in found.stdout
    assert "people  : 100 %" in found.stderr
    assert "should be the same" not in found.stderr
