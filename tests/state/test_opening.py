"""Opening the state: by two at once, over what a crash has left, and on a disk that does not want it."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from commandline import Bench
from support import ShopDatabase

from sidecar import alerts, edited_file, new_file, tasks
from sidecar.automations.channels import push
from sidecar.config import Alerts, Config
from sidecar.config import State as StateConfig
from sidecar.errors import ConfigError
from sidecar.state import jobs, pairing, runs
from sidecar.state.database import State, failure
from sidecar.state.migrations import MIGRATIONS


def _open(directory: str, together: Barrier, said: multiprocessing.Queue[str]) -> None:
    together.wait()
    try:
        with State(directory) as state:
            said.put(f"{state.key('anna@example.com').hex()} {state.rows('PRAGMA user_version')[0][0]}")
    except Exception as error:  # noqa: BLE001 - whatever it is, the test names it
        said.put(repr(error))


@pytest.mark.parametrize("version", [0, 1, 5])
def test_processes_that_open_it_at_once_agree(tmp_path: Path, version: int) -> None:
    """The service and cron after an update, or all at the first start."""
    context = multiprocessing.get_context("fork")
    for turn in range(4):
        directory = tmp_path / str(turn)
        if version:
            directory.mkdir(mode=0o700)
            with sqlite3.connect(directory / "state.sqlite3") as old:
                old.executescript("".join(MIGRATIONS[:version]) + f"PRAGMA user_version = {version};")
            old.close()
        together, said = context.Barrier(3), context.Queue()
        workers = [context.Process(target=_open, args=(str(directory), together, said)) for _ in range(3)]
        for worker in workers:
            worker.start()
        answers = {said.get(timeout=60) for _ in workers}
        for worker in workers:
            worker.join()
        assert len(answers) == 1, answers
        assert answers.pop().endswith(f" {len(MIGRATIONS)}")


def test_a_crash_at_the_first_start_leaves_no_half_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def power_cut(_: int) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(new_file.os, "fsync", power_cut)
        with pytest.raises(KeyboardInterrupt):
            State(tmp_path)
    assert not (tmp_path / "identity.key").exists()
    with State(tmp_path) as state:
        key = state.key("anna@example.com")
    assert (tmp_path / "identity.key").stat().st_mode & 0o777 == 0o600
    with State(tmp_path) as state:
        assert state.key("anna@example.com") == key


def test_a_damaged_key_is_said(tmp_path: Path) -> None:
    (tmp_path / "identity.key").write_bytes(b"short")
    with pytest.raises(ConfigError, match="damaged"):
        State(tmp_path)


def test_a_full_disk_is_named(tmp_path: Path) -> None:
    with State(tmp_path) as state:
        state.set("before", "1")
        state.sql.execute("PRAGMA max_page_count = 1")  # SQLite takes the present size, and no page more
        with pytest.raises(Exception) as caught, state.transaction():
            for number in range(1000):
                state.set(str(number), "x" * 4000)
        found = failure(caught.value)
        assert found is not None
        assert "disk is full" in found.message
        assert "make room" in found.hint
        state.sql.execute("PRAGMA max_page_count = 100000")
        with state.transaction():
            state.set("after", "1")
        assert [state.get(key) for key in ("before", "0", "after")] == ["1", "", "1"]


def test_a_fault_of_ours_is_not_the_disks(tmp_path: Path) -> None:
    with State(tmp_path) as state:
        for statement in ("SELECT nothing FROM nowhere", "INSERT INTO setting VALUES (NULL, NULL)"):
            with pytest.raises(sqlite3.Error) as caught:
                state.sql.execute(statement)
            assert failure(caught.value) is None
    assert failure(KeyError("anna@example.com")) is None


def test_a_damaged_state_is_told_with_what_to_do(demo_hpos: ShopDatabase, tmp_path: Path) -> None:
    bench = Bench(demo_hpos, tmp_path)
    bench.state_dir.mkdir(mode=0o700)
    (bench.state_dir / "state.sqlite3").write_bytes(b"no database " * 100)
    found = bench.json("sync", "status", code=1)["error"]
    assert found["code"] == "state_failed"
    assert "not a database" in found["message"]
    assert "backup" in found["hint"]
    assert "fault of the sidecar" not in bench.run("sync", "status", code=1).output


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files in somebody else's directory")
def test_what_root_makes_in_the_services_state_is_the_services(tmp_path: Path) -> None:
    """Else one `sudo sidecar sync status` shuts the service out."""
    os.chown(tmp_path, 12345, 12345)
    with State(tmp_path) as state:
        state.set("a", "1")
        assert not runs.running(state)
        with runs.lock(state), jobs.hands_on(state):
            pairing.write(tmp_path, pairing.first("http://127.0.0.1:8765"))
        alerts.check(state, Alerts(), [])
        owners = {file.name: file.stat().st_uid for file in tmp_path.iterdir()}
    assert set(owners.values()) == {12345}, owners
    assert {"run.lock", "pass.lock", "job.lock", "alerts.lock", "pairing.json", "identity.key"} <= set(owners)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files in somebody else's directory")
def test_what_root_edits_is_the_services_too(tmp_path: Path) -> None:
    """Files of rules with their folder, locks and backups, the key of Web Push, the queue, a state that is made below."""
    os.chown(tmp_path, 12345, 12345)
    target = tmp_path / "automations" / "mine.toml"
    for text in ("one", "two"):
        with edited_file.alone(target, "automation"):
            edited_file.write(target, text)
    push.public_key(tmp_path)
    tasks.queue(Config(state=StateConfig(dir=str(tmp_path))))
    State(tmp_path / "a" / "b").close()
    owners = {str(path.relative_to(tmp_path)): path.stat().st_uid for path in tmp_path.rglob("*")}
    assert set(owners.values()) == {12345}, owners
    assert {"automations", "automations/mine.toml", "vapid.pem", "queue.sqlite3", "a", "a/b/identity.key"} <= set(
        owners
    )
    assert len([name for name in owners if name.startswith("automations/mine.toml.2")]) == 1  # the backup
    assert (tmp_path / "queue.sqlite3").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files in somebody else's directory")
def test_root_gives_nothing_away_that_was_there(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("root's")
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    os.chown(theirs, 12345, 12345)
    (theirs / "run.lock").symlink_to(mine)
    os.close(new_file.lock_file(theirs / "run.lock"))
    assert mine.stat().st_uid == 0


def test_a_lock_of_another_account_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run.lock").touch()

    def refuse(path: Path, flags: int, mode: int = 0) -> int:
        raise FileExistsError if flags & os.O_EXCL else PermissionError

    monkeypatch.setattr(new_file.os, "open", refuse)
    with pytest.raises(ConfigError, match="belongs to another account") as caught:
        new_file.lock_file(tmp_path / "run.lock")
    assert "chown" in caught.value.hint
