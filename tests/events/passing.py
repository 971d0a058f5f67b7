"""One pass in a process of its own that dies by SIGKILL at the Nth thing it says to the database or to the bridge.

Called as: python passing.py CONFIG WHEN, with CONFIG the configuration as JSON and WHEN the number after which it dies
(0: it lives, and prints how many there were).
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

HERE = Path(__file__).resolve()


def main(text: str, when: int) -> None:
    from pymysql.connections import Connection

    from sidecar.config import Config
    from sidecar.crm.bridge_client import Bridge
    from sidecar.runtime import build

    said = itertools.count(1)
    last = 0

    def count() -> None:
        nonlocal last
        last = next(said)
        if last == when:
            os.kill(os.getpid(), signal.SIGKILL)

    command, call = Connection._execute_command, Bridge._call

    def counted(self: Connection, *arguments: object) -> None:  # type: ignore[type-arg]
        command(self, *arguments)  # type: ignore[arg-type]
        count()

    def called(self: Bridge, *arguments: object) -> bytes:
        answer = call(self, *arguments)  # type: ignore[arg-type]
        count()
        return answer

    Connection._execute_command = counted  # type: ignore[method-assign]
    Bridge._call = called  # type: ignore[method-assign]
    with build(msgspec.json.decode(text, type=Config)) as shop:
        shop.pass_(60)
    print(last)


def run_until(config: object, when: int) -> int | None:
    """How many commands a pass that lived had said, None of one that was killed."""
    path = os.pathsep.join(entry for entry in (os.environ.get("PYTHONPATH", ""), *sys.path) if entry)
    done = subprocess.run(
        [sys.executable, str(HERE), msgspec.json.encode(config).decode(), str(when)],
        capture_output=True, text=True, check=False, timeout=120, env={**os.environ, "PYTHONPATH": path},
    )  # fmt: skip
    if done.returncode == -signal.SIGKILL:
        return None
    assert done.returncode == 0, done.stderr[-2000:]
    return int(done.stdout)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
