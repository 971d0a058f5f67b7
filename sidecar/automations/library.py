"""All automations: the ready-made ones, and the owner's, whose file of the same name takes the place of a ready-made one.

A file that has a fault stands in nobody else's way.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from functools import cache
from importlib import resources
from pathlib import Path

from sidecar import edited_file
from sidecar.automations import fields, file, model, parse_trigger
from sidecar.config import Config
from sidecar.edited_file import RulesText
from sidecar.errors import AutomationError, Conflict, NotFound, Problem
from sidecar.segments.model import Segment
from sidecar.toml_file import did_you_mean

_WHAT = "automation"


@cache
def ready() -> tuple[str, ...]:
    """The names of the ready-made automations."""
    found = (one.name for one in resources.files("sidecar.automations").joinpath("ready").iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml")))


def ready_text(name: str) -> str:
    """How a ready-made automation is written."""
    return resources.files("sidecar.automations").joinpath("ready", f"{name}.toml").read_text(encoding="utf-8")


def directory(config: Config) -> Path:
    """Where the owner's automations are."""
    return Path(config.automations.dir or Path(config.state.dir) / "automations")


class Shelf:
    """A library that is kept: reading all files takes a second."""

    def __init__(self) -> None:
        self._made_for: tuple[object, ...] = ()
        self._library: Library | None = None

    def library(self, config: Config, zone: tzinfo, segments: list[Segment]) -> Library:
        """Made anew when the segments or the shop's zone are others; it looks after single files itself."""
        made_for = (zone, segments)
        if self._library is None or made_for != self._made_for:
            self._library, self._made_for = Library(config, zone, segments), made_for
        return self._library


class Library:
    """Reads the files anew when they have changed. `segments` are those in force, `zone` is the shop's."""

    def __init__(self, config: Config, zone: tzinfo, segments: Sequence[Segment]) -> None:
        self._dir = directory(config)
        self._zone = zone
        self._segments = segments
        self._read: dict[str, tuple[str, model.Automation | AutomationError]] = {}

    def names(self) -> list[str]:
        """Every automation that there is, also one with a fault, in the order of the alphabet."""
        return sorted({*ready(), *self._own()})

    def own(self, name: str) -> bool:
        """Whether the owner's file is in force."""
        return name in self._own()

    def get(self, name: str) -> model.Automation:
        """One automation. Raises NotFound; AutomationError with everything that is wrong with its file."""
        found = self._found(name)
        if isinstance(found, AutomationError):
            raise found
        return found

    def all(self) -> dict[str, model.Automation]:
        """Every automation that can be used."""
        found = ((name, self._found(name)) for name in self.names())
        return {name: one for name, one in found if isinstance(one, model.Automation)}

    def faults(self) -> dict[str, AutomationError]:
        """What is wrong with the others."""
        found = ((name, self._found(name)) for name in self.names())
        return {name: one for name, one in found if isinstance(one, AutomationError)}

    def text(self, name: str) -> RulesText:
        """How it is written. Raises NotFound; AutomationError when the file cannot be read."""
        own = self._own().get(name)
        if own is None and name not in ready():
            raise NotFound(f"there is no automation {name}", hint="`sidecar automations list` shows all")
        built_in = "" if own else ready_text(name)
        return edited_file.read(str(own or ""), built_in, what=_WHAT, raise_as=AutomationError)

    def check(self, name: str, text: str) -> model.Automation:
        """What a text would be as the automation of that name. Raises AutomationError with every problem, NotFound for a name
        that none can have."""
        if not parse_trigger.name(name):
            # A path is a file name's text to `parse`: here it would be written to.
            raise NotFound(
                f"{name!r} cannot be the name of an automation", hint="small letters, digits, single hyphens"
            )
        found = file.parse(text, f"{name}.toml", self._zone, self._segments)
        fault = self._lacks(found)
        if fault is not None:
            raise fault
        return found

    def save(self, name: str, text: str, base: str) -> RulesText:
        """Put a text in force as the owner's. `base` is the digest of the text that was edited, '' for a new automation.

        Raises what `check` does, Conflict when it was changed meanwhile, ConfigError when it cannot be written.
        """
        self.check(name, text)
        target = self._dir / f"{name}.toml"
        with edited_file.alone(target, _WHAT):
            now = self.text(name) if name in self.names() else RulesText(text="", file="", digest="")
            edited_file.unchanged(now, base, _WHAT)
            return edited_file.write(target, text)

    def copy(self, source: str, name: str, title: str = "") -> RulesText:
        """A new automation of the owner's that begins as another one is written, with a title of its own when one is given.

        Raises NotFound for a source that is not there or a name that none can have, Conflict when the name is taken,
        AutomationError when the source has a fault, ConfigError when it cannot be written.
        """
        text = _opened(self.text(source).text, source)
        if title:
            text = fields.put(text, "", {"title": title})
        if name in self.names():
            raise Conflict(f"there is an automation {name} already", hint="choose another name")
        return self.save(name, text, "")

    def remove(self, name: str) -> None:
        """Take an automation of the owner's away, keeping a backup. Raises NotFound, Conflict when it is a ready-made one or another one
        starts it, ConfigError when it cannot be taken away."""
        if name not in self.names():
            raise NotFound(f"there is no automation {name}", hint="`sidecar automations list` shows all")
        if name in ready():
            raise Conflict(f"{name} is a ready-made automation", hint="it does nothing while it is off")
        starters = [one for one, found in self.all().items() if one != name and _starts(found, name)]
        if starters:
            raise Conflict(f"{', '.join(starters)} starts {name}", hint="take that step out first")
        target = self._dir / f"{name}.toml"
        with edited_file.alone(target, _WHAT):
            edited_file.remove(target)

    def reset(self, name: str) -> RulesText:
        """The ready-made automation is in force again; the owner's file is kept as a backup. Raises NotFound when none is
        ready-made, ConfigError when the file cannot be taken away."""
        if name not in ready():
            raise NotFound(f"there is no ready-made automation {name}", hint="delete its file to be rid of your own")
        target = self._dir / f"{name}.toml"
        with edited_file.alone(target, _WHAT):
            edited_file.remove(target)
        return self.text(name)

    def _own(self) -> dict[str, Path]:
        return {path.name.removesuffix(".toml"): path for path in self._dir.glob("[!.]*.toml") if path.is_file()}

    def _found(self, name: str) -> model.Automation | AutomationError:
        try:
            written = self.text(name)
        except AutomationError as error:
            return error
        digest, found = self._read.get(name, ("", None))
        if found is None or digest != written.digest:
            try:
                found = file.parse(written.text, written.file or f"{name}.toml", self._zone, self._segments)
            except AutomationError as error:
                found = error
            self._read[name] = (written.digest, found)
        return found if isinstance(found, AutomationError) else self._lacks(found) or found

    def _lacks(self, found: model.Automation) -> AutomationError | None:
        """An automation that it starts and that is not there."""
        known = {*self.names(), found.name}
        for number, step in enumerate(found.steps):
            if isinstance(step, model.Start) and step.automation not in known:
                key, message = f"step[{number + 1}].automation", f"there is no automation {step.automation!r}"
                problem = Problem(
                    f"{found.name}.toml", None, key, message, did_you_mean(step.automation, sorted(known))
                )
                return AutomationError(f"{found.name}.toml: 1 problem in the automation", [problem])
        return None


def _opened(text: str, source: str) -> str:
    """A text with another first comment: what stands above a ready-made automation is about that one."""
    lines = text.splitlines(keepends=True)
    while lines and lines[0].startswith("#"):
        lines.pop(0)
    return f"# Begun as a copy of {source}. docs/automations.md explains every key.\n{''.join(lines)}"


def read(path: Path) -> str:
    """The text of a file. Raises AutomationError."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise AutomationError(f"{path} cannot be read: {error}", []) from error


def _starts(found: model.Automation, name: str) -> bool:
    return any(isinstance(step, model.Start) and step.automation == name for step in found.steps)
