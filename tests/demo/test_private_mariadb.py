"""The private server starts, stops, cleans up, and dies with its owner."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

import pymysql
import pytest

from sidecar.demo import databases, mariadb
from sidecar.demo.mariadb import MariaDBFailed, MariaDBMissing, PrivateMariaDB


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _gone_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while _alive(pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    return not _alive(pid)


def test_stops_and_cleans_up_and_starts_again(mariadb: PrivateMariaDB) -> None:
    server = PrivateMariaDB(durable=True)
    for _ in range(2):
        with server:
            home, pid = server.home, server.pid
            assert pid is not None and _alive(pid)
            assert len(os.fsencode(server.socket)) <= 107
            assert home.stat().st_mode & 0o077 == 0
            server.start()  # nothing happens
            assert server.pid == pid
            with closing(server.connect()) as connection, connection.cursor() as cursor:
                cursor.execute("SELECT @@innodb_flush_log_at_trx_commit, @@skip_networking, @@log_bin")
                assert cursor.fetchone() == (1, 1, 0)
        assert not home.exists()
        assert not _alive(pid)
        server.stop()  # nothing happens
    with pytest.raises(MariaDBFailed, match="not running"):
        _ = server.socket


def test_the_tests_server_is_quick_and_speaks_utf8mb4(mariadb: PrivateMariaDB) -> None:
    with closing(mariadb.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@innodb_flush_log_at_trx_commit, @@collation_server, CURRENT_USER()")
        assert cursor.fetchone() == (0, "utf8mb4_unicode_520_ci", "root@localhost")


def test_ends_when_its_owner_is_killed(mariadb: PrivateMariaDB) -> None:
    program = (
        "import sys, time\nfrom sidecar.demo.mariadb import PrivateMariaDB\n"
        "server = PrivateMariaDB()\nserver.start()\n"
        "print(server.pid, server.home, flush=True)\ntime.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout is not None
        pid, home = owner.stdout.readline().split()
        assert _alive(int(pid))
        owner.send_signal(signal.SIGKILL)
    assert _gone_within(int(pid), 20)
    subprocess.run(["rm", "-rf", home], check=True)  # a killed owner cannot tidy up


def test_ends_at_interpreter_exit(mariadb: PrivateMariaDB) -> None:
    program = (
        "from sidecar.demo.mariadb import PrivateMariaDB\n"
        "server = PrivateMariaDB()\nserver.start()\nprint(server.pid, server.home, flush=True)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    pid, home = done.stdout.split()
    assert not _alive(int(pid))
    assert not Path(home).exists()


def test_a_missing_server_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(mariadb, "PLACES", ())
    with pytest.raises(MariaDBMissing) as caught:
        PrivateMariaDB().start()
    assert "mariadb-server" in caught.value.hint


def test_a_server_that_ends_by_itself_shows_its_log(mariadb: PrivateMariaDB) -> None:
    server = PrivateMariaDB(buffer_pool="nonsense")
    with pytest.raises(MariaDBFailed, match="ended by itself") as caught:
        server.start()
    assert any("nonsense" in line for line in caught.value.details)
    with pytest.raises(MariaDBFailed, match="not running"):
        _ = server.home


@pytest.mark.parametrize("client", [True, False], ids=["client", "no-client"])
def test_scripts_run_with_and_without_the_client(
    mariadb: PrivateMariaDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: bool
) -> None:
    if not client:
        monkeypatch.setattr(databases.shutil, "which", lambda name: None)
    name = f"script_{client}".lower()
    mariadb.create_database(name)
    text = "-- a comment\nCREATE TABLE t (\n  a TEXT\n);\nINSERT INTO t VALUES ('żółw; 🐢');\n"
    mariadb.run_script(name, text)
    packed = tmp_path / "more.sql.gz"
    packed.write_bytes(gzip.compress(b"INSERT INTO t SELECT * FROM t;\n"))
    mariadb.run_script(name, packed)
    with closing(mariadb.connect(name)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT a FROM t")
        assert cursor.fetchall() == (("żółw; 🐢",), ("żółw; 🐢",))
    with pytest.raises(databases.ScriptFailed) as caught:
        mariadb.run_script(name, "SELECT * FROM nowhere;")
    assert "nowhere" in str(caught.value.details)
    mariadb.drop_database(name)


def test_a_clone_is_the_same_and_separate(mariadb: PrivateMariaDB) -> None:
    mariadb.create_database("original")
    mariadb.run_script(
        "original",
        "CREATE TABLE t (id INT AUTO_INCREMENT PRIMARY KEY, d DATETIME, UNIQUE KEY u (d));\n"
        "SET sql_mode='';\nINSERT INTO t VALUES (7, '0000-00-00 00:00:00');\n",
    )
    mariadb.clone("original", "copy")
    with closing(mariadb.connect("copy", autocommit=True)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id, CAST(d AS CHAR) FROM t")
        assert cursor.fetchall() == ((7, "0000-00-00 00:00:00"),)
        cursor.execute("INSERT INTO t (d) VALUES ('2026-01-01')")
        assert cursor.lastrowid == 8
        with pytest.raises(pymysql.err.IntegrityError):
            cursor.execute("INSERT INTO t (d) VALUES ('2026-01-01')")
    with closing(mariadb.connect("original")) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM t")
        assert cursor.fetchone() == (1,)
    for name in ("original", "copy"):
        mariadb.drop_database(name)


def test_sweeps_away_what_a_killed_owner_left_long_ago(mariadb: PrivateMariaDB) -> None:
    parent, owner = mariadb.home.parent, mariadb.home.stat().st_uid
    old, young = parent / "fcsc-test-old", parent / "fcsc-test-young"
    try:
        for home, age in ((old, 90_000), (young, 10)):
            home.mkdir()
            os.chown(home, owner, -1)
            os.utime(home, (time.time() - age,) * 2)
        with PrivateMariaDB():
            assert not old.exists()
            assert young.exists()
            assert mariadb.home.exists()
    finally:
        subprocess.run(["rm", "-rf", old, young], check=True)


def test_another_servers_temporary_tables_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that starts deletes `#sql…` files from its temporary directory: never from the one that all share."""
    shared = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        shared.chmod(0o777)
        theirs = [shared / f"#sql-temptable-215a-1-3{end}" for end in (".MAI", ".MAD")]
        for path in theirs:
            path.touch()
            path.chmod(0o666)
        monkeypatch.setenv("TMPDIR", str(shared))
        with PrivateMariaDB():
            assert all(path.exists() for path in theirs)
    finally:
        shutil.rmtree(shared)
