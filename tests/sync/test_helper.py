"""The second process of a full run: the same result as without it, and neither process outlives the other's end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support import ROOT, ShopDatabase
from syncing import ConfigFor, contacts, run, unlike

from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.errors import SidecarError
from sidecar.state import runs
from sidecar.state.database import State
from sidecar.sync import engine, helper
from sidecar.sync.look import Looker

SLOW = """
import os, signal, sys, time
# A shell starts what runs in its background with this ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from sidecar.crm.writer_sql import Writer
from sidecar.sync import helper
write = Writer.write
def slowly(self, batch):
    print(os.getpid(), file=sys.stderr, flush=True)
    time.sleep(0.4)
    return write(self, batch)
Writer.write = slowly
assert helper.wanted
from sidecar.cli import main
main()
"""


def with_processes(config: Any, number: int, writers: int = 2, page: int = 50) -> Any:
    sync = msgspec.structs.replace(config.sync, processes=number, page_people=page, writers=writers)
    return msgspec.structs.replace(config, sync=sync)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test runner has threads of its own; a run from the command line has none."""
    monkeypatch.setattr("sidecar.sync.helper.threading.active_count", lambda: 1)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[helper.Helper]:
    made: list[helper.Helper] = []

    class Watched(helper.Helper):
        def __init__(self, session: Any) -> None:
            super().__init__(session)
            made.append(self)

    monkeypatch.setattr(engine.helper_, "Helper", Watched)
    return made


@pytest.mark.usefixtures("alone")
def test_two_processes_write_what_one_writes(
    demo_hpos: ShopDatabase,
    config_for: ConfigFor,
    started: list[helper.Helper],
    tmp_path: Path,
    mariadb: PrivateMariaDB,
) -> None:
    name = f"{demo_hpos.database}_two"
    mariadb.clone(demo_hpos.database, name)
    two = ShopDatabase(mariadb, name, demo_hpos.storage, demo_hpos.truth)
    with_one = run(with_processes(config_for(demo_hpos), 1))
    assert not started
    other = config_for(two)
    other = msgspec.structs.replace(other, state=msgspec.structs.replace(other.state, dir=str(tmp_path / "other")))
    with_two = run(with_processes(other, 2))
    assert len(started) == 1
    assert unlike(contacts(two), contacts(demo_hpos)) == {}
    for name in ("people", "created", "updated", "unchanged", "fields", "columns", "tags", "left_out", "failed"):
        assert getattr(with_two.counts, name) == getattr(with_one.counts, name), name
    assert with_two.counts.tags_made == with_one.counts.tags_made
    assert with_two.counts.fields_made == with_one.counts.fields_made
    again = run(with_processes(other, 2), full=True)
    assert again.counts.writes == 0
    assert len(started) == 2
    with pytest.raises(ProcessLookupError):
        os.kill(started[1]._process.pid or 0, 0)
    mariadb.drop_database(two.database)


@pytest.mark.timeout(120)
@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("writers", [1, 4])
def test_the_run_and_its_helper_do_not_wait_for_each_other(
    demo_hpos: ShopDatabase, config_for: ConfigFor, started: list[helper.Helper], writers: int
) -> None:
    """The desk keeps a page for each writer before it gives a result: the run must send more than that."""
    report = run(with_processes(config_for(demo_hpos), 2, writers, page=20))
    assert len(started) == 1
    assert report.counts.people > 20 * (writers + 4)


@pytest.mark.usefixtures("alone")
def test_an_error_in_the_helper_is_the_runs_error(
    demo_hpos: ShopDatabase, config_for: ConfigFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise SidecarError("looked too closely", hint="blink")

    monkeypatch.setattr(Looker, "look", fail)
    config = with_processes(config_for(demo_hpos), 2)
    with pytest.raises(SidecarError, match="looked too closely") as raised:
        run(config)
    assert raised.value.hint == "blink"
    with State(config.state.dir) as state:
        assert runs.latest(state)[0].state == "failed"
        assert not runs.running(state)


def _slow_run(demo: ShopDatabase, config: Any, tmp_path: Path) -> tuple[subprocess.Popen[str], int]:
    """A run whose writes take long, and the process that writes."""
    file = tmp_path / "sidecar.toml"
    file.write_text(
        f'[shop]\ntable_prefix = "wp_"\n[shop.database]\nunix_socket = "{demo.socket}"\nuser = "root"\n'
        f'name = "{demo.database}"\n[state]\ndir = "{config.state.dir}"\n[sync]\npage_people = 10\n'
    )
    file.chmod(0o600)
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW, "--config", str(file), "--json", "sync"],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr is not None
    line = process.stderr.readline()
    assert line.strip().isdigit(), line + process.stderr.read()
    return process, int(line)


def _gone(pid: int, seconds: float = 20) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_the_helper_leaves_when_the_run_is_killed(
    demo_hpos: ShopDatabase, config_for: ConfigFor, tmp_path: Path
) -> None:
    config = config_for(demo_hpos)
    process, writer = _slow_run(demo_hpos, config, tmp_path)
    assert writer != process.pid, "people are not looked at in a process of their own"
    process.kill()
    process.communicate()
    assert _gone(writer), "the helper goes on without its run"
    with State(config.state.dir) as state:
        assert not runs.running(state), "the lock outlived both"
    run(config)
    again = run(config)
    assert again.counts.writes == 0


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_the_run_fails_when_the_helper_is_killed(
    demo_hpos: ShopDatabase, config_for: ConfigFor, tmp_path: Path
) -> None:
    config = config_for(demo_hpos)
    process, writer = _slow_run(demo_hpos, config, tmp_path)
    os.kill(writer, signal.SIGKILL)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "processes = 1" in out, out
    run(config)
    assert run(config).counts.writes == 0


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two cores")
def test_ctrl_c_ends_both(demo_hpos: ShopDatabase, config_for: ConfigFor, tmp_path: Path) -> None:
    config = config_for(demo_hpos)
    process, writer = _slow_run(demo_hpos, config, tmp_path)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    assert _gone(writer)
