"""A real sidecar beside a real WordPress: its commands, its process, and what it makes of a contact."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests
from wordpress_site import Site

# Notes FluentCRM's hooks as an owner's automation would hear them. No tags of its own: it must not change what it counts.
COUNTER = r"""<?php
foreach ( array( 'contact_created', 'contact_updated', 'contact_added_to_tags', 'contact_email_changed' ) as $name ) {
	add_action( "fluent_crm/$name", function ( $contact ) use ( $name ) {
		file_put_contents( WP_CONTENT_DIR . '/hooks.log', $name . ' ' . (int) $contact->id . "\n", FILE_APPEND );
	}, 10, 3 );
}
"""


@dataclass
class Contact:
    """What FluentCRM's tables say of one contact."""

    id: int
    email: str
    status: str
    columns: dict[str, Any]
    fields: dict[str, str] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)


def contact(site: Site, email: str) -> Contact | None:
    """The contact with exactly this address, or None."""
    rows = site.rows(
        "SELECT id, email, status, first_name, city, user_id, life_time_value FROM wp_fc_subscribers WHERE email = %s",
        (email,),
    )
    if not rows:
        return None
    names = ("first_name", "city", "user_id", "life_time_value")
    id_ = int(rows[0][0])
    made = Contact(id_, rows[0][1], rows[0][2], dict(zip(names, rows[0][3:], strict=True)))
    made.fields = dict(
        site.rows("SELECT `key`, value FROM wp_fc_subscriber_meta WHERE subscriber_id = %s AND object_type = 'custom_field'", (id_,))
    )  # fmt: skip
    made.tags = {
        row[0]
        for row in site.rows(
            "SELECT t.slug FROM wp_fc_tags t JOIN wp_fc_subscriber_pivot p ON p.object_id = t.id"
            " AND p.object_type LIKE '%%Tag' WHERE p.subscriber_id = %s",
            (id_,),
        )
    }
    return made


def preferences(site: Site, email: str) -> str:
    """The proof in the link of a message."""
    key = site.rows("SELECT option_value FROM wp_options WHERE option_name = 'fcsc_link_key'")[0][0]
    found = contact(site, email)
    assert found is not None
    said = f"p.{found.id}.{int(time.time()) + 600}."
    mac = hmac.new(bytes.fromhex(key), f"fcsc-link\n{said}".encode(), hashlib.sha256).digest()
    return f"{said}.{base64.urlsafe_b64encode(mac).decode()[:22]}"


def eventually(look: Callable[[], Any], seconds: float = 10.0, what: str = "") -> Any:
    """The first true answer of `look`. Fails after so many seconds, with the last answer."""
    until = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < until, f"not within {seconds} s: {what or look} ({found!r})"
        time.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Sidecar:
    """The program, installed for one site. `serve()` starts it, `stop()` ends it; `run()` is one command.

    `quick` looks for events twice a second and has less patience with a silent WordPress; without it everything is as an owner has it."""

    def __init__(self, site: Site, folder: Path, *, quick: bool = True) -> None:
        self.site = site
        self.folder = folder
        self.port = free_port()
        self.endpoint = f"http://127.0.0.1:{self.port}"
        self.config = folder / "sidecar.toml"
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(
            f'[shop]\ntable_prefix = "wp_"\n[shop.database]\nunix_socket = "{site.server.socket}"\nuser = "root"\n'
            f'name = "{site.database}"\n[state]\ndir = "{folder}/state"\n[service]\nport = {self.port}\n'
            + ("poll_seconds = 0.5\n" if quick else "")
            + ("[bridge]\npatience_seconds = 5\n[events]\npoll_seconds = 5\n" if quick else "")
            + '[log]\nlevel = "info"\n',
            "utf-8",
        )
        self.config.chmod(0o600)
        # The tests' clock stands still; here everything is as it is.
        self.env = {name: value for name, value in os.environ.items() if name != "SIDECAR_NOW"}
        self.env["MALLOC_ARENA_MAX"] = "2"

    def run(self, *words: str, code: int = 0) -> Any:
        """A command's JSON. It must end with `code`."""
        done = subprocess.run(
            [sys.executable, "-m", "sidecar", "--config", str(self.config), "--json", *words],
            capture_output=True, text=True, env=self.env, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == code, f"sidecar {' '.join(words)}: {done.returncode} {done.stdout} {done.stderr}"
        return json.loads(done.stdout) if done.stdout.strip() else None

    @property
    def log(self) -> str:
        path = self.folder / "serve.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def serve(self) -> None:
        """Start it, if it does not run, and wait until it answers."""
        if self.process is not None:
            return
        with (self.folder / "serve.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "sidecar", "--config", str(self.config), "serve"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env,
            )  # fmt: skip

        def up() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.log[-2000:]
            with contextlib.suppress(requests.ConnectionError):
                return requests.get(f"{self.endpoint}/healthz", timeout=5).json() == {"ok": True}
            return False

        eventually(up, 20, "sidecar serve answers")

    def stop(self) -> float:
        """SIGTERM; the seconds until it was gone."""
        if self.process is None:
            return 0.0
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        try:
            assert self.process.wait(10) == 0, self.log[-2000:]
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.process = None
        return time.monotonic() - began

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        """Not running, for so long."""
        self.stop()
        try:
            yield
        finally:
            self.serve()

    # -- looking

    def quiet(self, seconds: float = 15.0) -> None:
        """Wait until the outbox is empty."""
        eventually(lambda: not self.site.outbox(keep=True), seconds, "the outbox is empty")

    def hooks(self, id_: int) -> list[str]:
        """The hooks of FluentCRM that fired for a contact, oldest first."""
        path = self.site.content / "hooks.log"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [name for name, found in (line.split() for line in lines) if int(found) == id_]


@dataclass(frozen=True)
class Live:
    """The site, its sidecar, and what `sidecar pair` and the first `sidecar sync` said."""

    site: Site
    sidecar: Sidecar
    paired: Any
    synced: Any
