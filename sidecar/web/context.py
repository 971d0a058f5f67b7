"""What a view works with: the runtime and the tasks of the application that answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app

from sidecar.runtime import Runtime
from sidecar.tasks import Tasks

if TYPE_CHECKING:
    from sidecar.automations.desk import Desk


def runtime() -> Runtime:
    """The shop."""
    found: Runtime = current_app.extensions["fcsc"][0]
    return found


def tasks() -> Tasks:
    """Its background work."""
    found: Tasks = current_app.extensions["fcsc"][1]
    return found


def desk() -> Desk:
    """Its automations."""
    return runtime().automations
