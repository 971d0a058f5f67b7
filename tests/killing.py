"""A run of the main job in a process of its own that dies by SIGKILL at the Nth thing it says to the database.

Called as: python killing.py SOCKET DATABASE STATE_DIR WHEN [SEGMENTS], with WHEN the number of the command after which it
dies (0: it lives, and prints how many commands there were; -1: right after contacts were committed).
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve()


def main(socket: str, database: str, state: str, when: int, segments: str = "") -> None:
    from pymysql.connections import Connection

    # Counted over both processes of a run; the machine dies with both.
    said = multiprocessing.Value("L", 0)
    run = os.getpid()
    inserting: set[int] = set()
    original = Connection._execute_command

    def die() -> None:
        for pid in [*(child.pid for child in multiprocessing.active_children()), run, os.getpid()]:
            os.kill(pid or 0, signal.SIGKILL)

    def command(self: Connection, *arguments: object) -> None:  # type: ignore[type-arg]
        with said.get_lock():
            said.value += 1
            last = said.value
        original(self, *arguments)  # type: ignore[arg-type]
        text = bytes(arguments[1].encode() if isinstance(arguments[1], str) else arguments[1])  # type: ignore[arg-type]
        if b"INSERT INTO `wp_fc_subscribers`" in text:
            inserting.add(id(self))
        if when == -1 and text == b"COMMIT" and id(self) in inserting:
            time.sleep(0.5)  # the server has it
            die()
        if last == when:
            die()

    Connection._execute_command = command  # type: ignore[method-assign]
    from sidecar.config import Config, Database, Segments, Shop, State
    from sidecar.mapping import compile as rules
    from sidecar.state import database as state_database
    from sidecar.sync.engine import sync
    from sidecar.sync.session import Choices

    config = Config(
        shop=Shop(table_prefix="wp_", database=Database(unix_socket=socket, user="root", name=database)),
        state=State(dir=state),
        segments=Segments(file=segments),
    )
    if segments:
        from sidecar.sync.segments import refresh

        def traced(_: str) -> None:
            said.value += 1
            if said.value == when:
                die()

        with state_database.State(state) as opened:
            opened.sql.set_trace_callback(traced)
            refresh(config, opened)
        print(said.value, 0)
        return
    with state_database.State(state) as opened:
        report = sync(config, opened, rules.load(None), Choices())
    print(said.value, report.run.id)


def refresh_until(socket: str, database: str, state: Path | str, segments: str, when: int) -> tuple[int, int] | None:
    """The same of a refresh of segments; what it says to the state counts as well."""
    return run_until(socket, database, state, when, segments)


def run_until(socket: str, database: str, state: Path | str, when: int, segments: str = "") -> tuple[int, int] | None:
    """(commands, run id) of a run that lived, None of one that was killed."""
    path = os.pathsep.join(entry for entry in (os.environ.get("PYTHONPATH", ""), *sys.path) if entry)
    done = subprocess.run(
        [sys.executable, str(HERE), socket, database, str(state), str(when), segments],
        capture_output=True, text=True, check=False, timeout=120, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    if done.returncode == -signal.SIGKILL:
        return None
    assert done.returncode == 0, done.stderr[-2000:]
    commands, run_id = done.stdout.split()
    return int(commands), int(run_id)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), *sys.argv[5:])
