"""Which plugin a meta key likely comes from: the table in `plugins.toml`, which is there to grow. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from functools import cache
from importlib import resources

import msgspec

OWN = "this shop's own code or form"


class Plugin(msgspec.Struct, frozen=True):
    """A plugin, the keys that it writes (regular expressions, from the beginning), and its folders in
    `active_plugins`; without folders nobody can tell whether it is active."""

    name: str
    keys: tuple[str, ...]
    folders: tuple[str, ...] = ()


class _Table(msgspec.Struct, frozen=True):
    plugin: tuple[Plugin, ...]


@cache
def table() -> tuple[tuple[Plugin, re.Pattern[str]], ...]:
    """Every plugin with its keys as one pattern; the first that fits wins."""
    text = (resources.files("sidecar.mapping") / "plugins.toml").read_text(encoding="utf-8")
    plugins = msgspec.convert(tomllib.loads(text), _Table).plugin
    return tuple((plugin, re.compile("|".join(plugin.keys), re.IGNORECASE)) for plugin in plugins)


def owner(key: str, prefix: str = "wp_") -> Plugin | None:
    """The plugin that likely writes the key, or None. `prefix` is the tables' prefix, which some keys carry."""
    bare = key.removeprefix(prefix)
    for plugin, keys in table():
        if keys.match(key) or (bare != key and keys.match(bare)):
            return plugin
    return None


def is_active(plugin: Plugin, active: Collection[str]) -> bool | None:
    """Whether one of the plugin's folders is among the active plugins (`folder/file.php`); None: nobody can tell."""
    if not plugin.folders:
        return None
    present = {one.partition("/")[0].lower() for one in active}
    return any(name in present or any(one.startswith(f"{name}-") for one in present) for name in plugin.folders)
