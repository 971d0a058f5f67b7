"""Secrets of the configuration that stand elsewhere: in files of their own, or in the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from sidecar.config import Config
from sidecar.config_channels import SECRETS, Channels
from sidecar.errors import ConfigError, Problem


def read(key: str, file: Path) -> str:
    """The secret that a file holds and nothing else. Raises ConfigError; `key` is the one that names the file."""
    section, _, name = key.rpartition(".")
    try:
        return file.read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        what = "password" if name == "password_file" else "secret"
        raise ConfigError(
            f"[{section}] {name} {file} cannot be read: {why}",
            hint=f"it holds the {what} and nothing else, and the sidecar's user may read it",
        ) from error


def refuse_written(config: Config, file: Path) -> None:
    """Raises ConfigError when a secret of a channel stands in `sidecar.toml` itself, which is copied and shown around."""
    found = []
    for section, names in SECRETS.items():
        for name in names:
            if getattr(getattr(config.channels, section), name):
                key = f"channels.{section}.{name}"
                variable = "SIDECAR_" + key.replace(".", "__").upper()
                hint = f"put it into a file that {name}_file names (chmod 600), or into the variable {variable}"
                found.append(Problem(str(file), None, key, "a secret of a channel does not belong here", hint))
    if found:
        raise ConfigError(f"{file} holds secrets of channels", found, hint="move them out and run the command again")


def filled(channels: Channels, base: Path) -> Channels:
    """With the secrets that files hold, and with paths from `base`. What the environment has given stays."""
    changes: dict[str, Any] = {}
    for section, names in SECRETS.items():
        had = getattr(channels, section)
        found = {}
        for name in names:
            place = getattr(had, f"{name}_file")
            if place and not getattr(had, name):
                found[name] = read(f"channels.{section}.{name}_file", base / Path(place).expanduser())
        if section == "sms" and had.gateway:
            found["gateway"] = str(base / Path(had.gateway).expanduser())
        if found:
            changes[section] = msgspec.structs.replace(had, **found)
    return msgspec.structs.replace(channels, **changes)
