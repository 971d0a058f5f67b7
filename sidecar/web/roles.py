"""Who may see and do what: the one table. The bridge has the same and checks first; here it is checked again."""

from __future__ import annotations

from typing import Final, Literal, get_args

from sidecar.signing import ROLES, Actor, Role

Permission = Literal["see", "contact", "sync", "undo", "mapping", "settings"]
PERMISSIONS: Final[tuple[Permission, ...]] = get_args(Permission)

ABOUT: Final[dict[Permission, str]] = {
    "see": "see status and events",
    "contact": "see a contact (360°)",
    "sync": "start and pause a sync, retry, switch automations",
    "undo": "undo a run",
    "mapping": "see and edit the mapping, edit segments and automations",
    "settings": "confirm a moved site, erase a person, send tests, settings",
}
TABLE: Final[dict[Permission, frozenset[Role]]] = {
    "see": frozenset(ROLES),
    "contact": frozenset(ROLES),
    "sync": frozenset({"administrator", "shop_manager", "crm_manager"}),
    "undo": frozenset({"administrator", "shop_manager"}),
    "mapping": frozenset({"administrator", "crm_manager"}),
    "settings": frozenset({"administrator"}),
}


def may(actor: Actor | None, permission: Permission) -> bool:
    """Whether they may. The machine itself (None: WP-CLI, cron) acts for who has the shell of the site: it may all."""
    return actor is None or actor.role in TABLE[permission]
