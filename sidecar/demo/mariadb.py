"""A private, throw-away MariaDB server: own data directory, own socket, no network, gone afterwards."""

from __future__ import annotations

import atexit
import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pymysql

from sidecar.demo import databases
from sidecar.errors import SidecarError

PLACES = ("/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/local/bin", "/usr/libexec", "/opt/mariadb/bin")
SOCKET_LIMIT = 107  # bytes; what sockaddr_un holds on Linux
STOP_SECONDS = 20.0

# Between us and the server stands this short program: it gives up root and asks the kernel to end the server
# when we die. It is not a preexec_fn because that is unsafe once we have threads, and the order matters: the
# kernel forgets the request when the user changes.
GUARD = """
import ctypes, os, signal, sys
parent, user = int(sys.argv[1]), sys.argv[2]
if user:
    import pwd
    who = pwd.getpwnam(user)
    os.setgroups([]); os.setgid(who.pw_gid); os.setuid(who.pw_uid)
try:
    ctypes.CDLL(None).prctl(1, int(signal.SIGTERM), 0, 0, 0)
except (OSError, AttributeError):
    pass
if os.getppid() != parent:
    sys.exit(1)
os.execv(sys.argv[3], sys.argv[3:])
"""


class MariaDBMissing(SidecarError):
    """The machine has no MariaDB server program."""

    code = "mariadb_missing"


class MariaDBFailed(SidecarError):
    """The private server did not start, or ended by itself. `details` is the tail of its log."""

    code = "mariadb_failed"


class PrivateMariaDB:
    """A server for one process. Use it as a context manager, or call `start()` and `stop()`.

    `durable=True` leaves every setting that costs disk writes at the server's default (for benchmarks);
    otherwise the log is flushed once a second and nothing survives a power cut (for tests and the demo).
    The server also ends when the thread that started it ends, however that happens (Linux).
    """

    def __init__(self, *, durable: bool = False, buffer_pool: str = "128M", start_seconds: float = 30.0) -> None:
        self.durable = durable
        self.buffer_pool = buffer_pool
        self.start_seconds = start_seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._home: Path | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def home(self) -> Path:
        """The temporary directory that holds everything. Raises MariaDBFailed when nothing is started."""
        if self._home is None:
            raise MariaDBFailed("the private MariaDB server is not running", hint="call start() first")
        return self._home

    @property
    def socket(self) -> str:
        """The path of the server's unix socket."""
        return str(self.home / "s")

    @property
    def pid(self) -> int | None:
        """The server's process id, or None when it is not running."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Make the data directory, start the server and wait until it answers. Nothing happens when it runs.

        Raises MariaDBMissing or MariaDBFailed.
        """
        if self._process is not None:
            return
        server, installer = find("mariadbd", "mysqld"), find("mariadb-install-db", "mysql_install_db")
        user = _server_user()
        self._home = _short_directory(user)
        _sweep(self._home.parent, self._home.stat().st_uid)
        atexit.register(self.stop)
        try:
            self._install(installer, user)
            self._launch(server, user)
            self._wait()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the server (SIGTERM, after 20 s SIGKILL) and remove its directory. May be called twice."""
        atexit.unregister(self.stop)
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        home, self._home = self._home, None
        if home is not None:
            shutil.rmtree(home, ignore_errors=True)

    def connect(self, database: str = "", **options: Any) -> pymysql.Connection[Any]:
        """A new connection as root, utf8mb4. `options` go to `pymysql.connect`."""
        settings: dict[str, Any] = {"charset": "utf8mb4", "local_infile": False, **options}
        return pymysql.connect(unix_socket=self.socket, user="root", password="", database=database or None, **settings)

    def create_database(self, name: str) -> None:
        """Make an empty database; one of that name must not exist."""
        with contextlib.closing(self.connect()) as connection:
            databases.create(connection, name)

    def drop_database(self, name: str) -> None:
        """Remove a database if it is there."""
        with contextlib.closing(self.connect()) as connection:
            databases.drop(connection, name)

    def clone(self, template: str, name: str) -> None:
        """Copy a database, tables and rows, under a new name."""
        databases.clone(self.connect, template, name)

    def run_script(self, database: str, script: str | Path) -> None:
        """Run SQL: a text, or the path of a file (`.sql` or `.sql.gz`). Raises ScriptFailed."""
        databases.run_script(self.connect, self.socket, database, script)

    def _install(self, installer: str, user: str) -> None:
        command = [installer, "--no-defaults", f"--datadir={self.home / 'data'}", "--skip-test-db"]
        command += ["--auth-root-authentication-method=normal", "--skip-name-resolve"]
        if user:
            command.append(f"--user={user}")
        # A server that starts deletes what it takes for left-over temporary tables. In a common directory those may be
        # another server's, of which it then loses a query.
        env = {**os.environ, "TMPDIR": str(self.home)}
        done = subprocess.run(  # noqa: S603 (our own argument list, no shell)
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, cwd=self.home, env=env
        )
        if done.returncode:
            raise MariaDBFailed(
                f"{Path(installer).name} failed in {self.home} (exit {done.returncode})",
                hint="is the disk full, or the temporary directory not writable?",
                details=(done.stdout + done.stderr).splitlines()[-15:],
            )

    def _launch(self, server: str, user: str) -> None:
        command = [sys.executable, "-I", "-S", "-c", GUARD, str(os.getpid()), user, server]
        command += ["--no-defaults", f"--datadir={self.home / 'data'}", f"--socket={self.socket}"]
        command += [f"--pid-file={self.home / 'pid'}", f"--tmpdir={self.home}", "--skip-networking"]
        command += ["--skip-name-resolve", "--skip-log-bin", f"--innodb-buffer-pool-size={self.buffer_pool}"]
        command += ["--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_520_ci"]
        if not self.durable:
            command += ["--innodb-flush-log-at-trx-commit=0", "--innodb-fast-shutdown=2"]
        if os.geteuid() == 0 and not user:
            command.append("--user=root")
        with (self.home / "log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 (our own argument list, no shell)
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.home,
                start_new_session=True,
            )

    def _wait(self) -> None:
        deadline = time.monotonic() + self.start_seconds
        while True:
            try:
                # Knock first: PyMySQL leaks its socket when nobody opens.
                if not _answers(self.home / "s"):
                    raise ConnectionRefusedError
                self.connect(connect_timeout=10).close()
            except (OSError, pymysql.MySQLError) as error:
                ended = self._process is None or self._process.poll() is not None
                if ended or time.monotonic() > deadline:
                    how = "ended by itself" if ended else f"did not answer within {self.start_seconds:g} s"
                    log = (self.home / "log").read_text("utf-8", "replace").splitlines()[-15:]
                    raise MariaDBFailed(f"the private MariaDB server {how}", details=log) from error
                time.sleep(0.02)
            else:
                return


def find(*names: str) -> str:
    """The path of the first of these programs that the machine has. Raises MariaDBMissing."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *PLACES])
    for name in names:
        if found := shutil.which(name, path=path):
            return found
    raise MariaDBMissing(
        f"no {' or '.join(names)} on this machine",
        hint="install the Debian or Ubuntu package mariadb-server; its system service need not run",
    )


def _server_user() -> str:
    """Whom the server runs as: '' is ourselves. MariaDB refuses root, so root lends it the user `mysql`."""
    if os.geteuid() != 0:
        return ""
    try:
        return pwd.getpwnam("mysql").pw_name
    except KeyError:
        return ""


def _short_directory(user: str) -> Path:
    """A new private directory whose path leaves room for a socket name and that `user` can reach."""
    for parent in dict.fromkeys([tempfile.gettempdir(), "/tmp", "/var/tmp"]):  # noqa: S108 (mkdtemp makes it private)
        if len(os.fsencode(parent)) + 20 > SOCKET_LIMIT or (user and not _open_to_all(Path(parent))):
            continue
        try:
            home = Path(tempfile.mkdtemp(prefix="fcsc-", dir=parent))
        except OSError:
            continue
        if user:
            shutil.chown(home, user)
        return home
    raise MariaDBFailed(
        "no temporary directory will do for a private MariaDB server",
        hint="set TMPDIR to a short path that the server's user may enter",
    )


def _sweep(parent: Path, owner: int) -> None:
    """Remove what a killed owner left behind: our own directories of yesterday on which no server answers."""
    for home in parent.glob("fcsc-*"):
        with contextlib.suppress(OSError):
            seen = home.lstat()
            old = seen.st_uid == owner and time.time() - seen.st_mtime > 86_400
            if old and not home.is_symlink() and not _answers(home / "s"):
                shutil.rmtree(home, ignore_errors=True)


def _answers(path: Path) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as door:
        door.connect(str(path))
        return True
    return False


def _open_to_all(directory: Path) -> bool:
    """Whether everybody may pass through this directory and all above it."""
    try:
        return all(step.stat().st_mode & 0o001 for step in (directory.resolve(), *directory.resolve().parents))
    except OSError:
        return False
