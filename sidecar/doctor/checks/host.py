"""This host: the state directory and the configuration file."""

from __future__ import annotations

import ipaddress
import os
import shutil
from pathlib import Path

from sidecar.config_file import readable_by_others
from sidecar.doctor.model import Facts, Verdict
from sidecar.doctor.registry import check

LITTLE_SPACE, NO_SPACE = 500 << 20, 50 << 20


def _nearest(directory: Path) -> Path:
    """The directory itself or the nearest one above it that exists."""
    while not directory.exists() and directory != directory.parent:
        directory = directory.parent
    return directory


@check(
    "host.E001",
    "State directory",
    "make it writable for this user, or set [state] dir to another",
    needs_database=False,
)
def state(facts: Facts) -> Verdict:
    directory = Path(facts.config.state.dir)
    near = _nearest(directory)
    if not near.is_dir() or not os.access(near, os.W_OK | os.X_OK):
        return Verdict("error", f"the state directory {directory} cannot be written")
    if near != directory:
        return Verdict("info", f"the state directory {directory} will be made by the first run", "nothing to do")
    return Verdict("ok", f"the state directory {directory} is writable")


@check(
    "host.W002",
    "Privacy of the state directory",
    "run `chmod 700` on it, and keep it outside of the web server's directories",
    needs_database=False,
)
def private(facts: Facts) -> Verdict:
    directory = Path(facts.config.state.dir)
    roots = [facts.wp.wp_path, facts.wp.content_dir] if facts.wp else []
    if any(directory.resolve().is_relative_to(root.resolve()) for root in roots):
        return Verdict("warning", f"the state directory {directory} is inside the web site, which the world may read")
    if directory.is_dir() and directory.stat().st_mode & 0o077:
        return Verdict("warning", f"others on this machine may enter the state directory {directory}")
    return Verdict("ok", "the state directory is private")


@check("host.E003", "Free space", "free some space, or set [state] dir to a larger disk", needs_database=False)
def space(facts: Facts) -> Verdict:
    directory = _nearest(Path(facts.config.state.dir))
    free = shutil.disk_usage(directory).free
    shown = f"{free // (1 << 20)} MiB are free for the state directory"
    if free < NO_SPACE:
        return Verdict("error", f"only {shown}")
    if free < LITTLE_SPACE:
        return Verdict("warning", f"only {shown}")
    return Verdict("ok", shown)


@check("host.W004", "Privacy of the configuration", "run `chmod 600` on it", needs_database=False)
def config_file(facts: Facts) -> Verdict:
    file = facts.config_file
    if file is None:
        return Verdict("ok", "the configuration comes from the environment")
    if readable_by_others(file):
        return Verdict("warning", f"others on this machine may read {file}")
    return Verdict("ok", f"{file} is private")


def _this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@check(
    "host.W005",
    "Where the service listens",
    'set [service] host to "127.0.0.1", or unix_socket to a path; the plugin talks to this machine only',
    needs_database=False,
)
def listens(facts: Facts) -> Verdict:
    service = facts.config.service
    if service.unix_socket or _this_machine(service.host):
        return Verdict("ok", "`sidecar serve` listens on this machine only")
    return Verdict("warning", f"`sidecar serve` listens on {service.host}: other machines may reach it, without TLS")
