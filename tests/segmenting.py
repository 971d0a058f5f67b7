"""What tests of tags of segments share: a file of segments, and both sides of what must be equal."""

from __future__ import annotations

from typing import Any

from bridging import LiveShop
from support import ShopDatabase
from syncing import TAG

from sidecar.config import Config
from sidecar.runtime import build
from sidecar.state.database import State

AT = "2026-11-01 11:59:30"
LINES = ((1, 2, "Tea"),)
RULES = """
[[group]]
slug = "worth"
name = "Worth"
field = "worth"

[[segment]]
slug = "big"
name = "Big buyers"
group = "worth"
rule = { field = "ltv", at_least = 200 }

[[segment]]
slug = "small"
name = "Small buyers"
group = "worth"
rule = { field = "ltv", more_than = 0 }

[[segment]]
slug = "recent"
name = "Recent"
rule = { field = "last_order", within = "30d" }

[[segment]]
slug = "hidden"
name = "Hidden"
tag = false
rule = { field = "orders_count", at_least = 1 }
"""


def refresh(config: Config, **how: bool) -> Any:
    with build(config) as sidecar:
        return sidecar.refresh_segments(**how)


def tagged(shop: ShopDatabase) -> set[tuple[str, int]]:
    """(segment, contact) as FluentCRM has it."""
    return set(
        shop.rows(
            "SELECT o.slug, p.subscriber_id FROM wp_fcsc_owned o JOIN wp_fc_tags t ON t.id = o.object_id"
            " JOIN wp_fc_subscriber_pivot p ON p.object_id = t.id AND p.object_type = %s WHERE o.kind = 'segment'",
            (TAG,),
        )
    )


def members(config: Config, *without: str) -> set[tuple[str, int]]:
    """(segment, contact) as the sidecar has it."""
    with State(config.state.dir) as state:
        found = state.rows("SELECT m.segment, p.contact_id FROM membership m JOIN person p ON p.id = m.person_id")
    return {row for row in found if row[0] not in without}


def fields(shop: ShopDatabase, name: str = "worth") -> dict[int, str]:
    return dict(shop.rows("SELECT subscriber_id, value FROM wp_fc_subscriber_meta WHERE `key` = %s", (name,)))


def same(shop: LiveShop) -> None:
    """Tags are the memberships, and the field the name of the segment of the group."""
    found = members(shop.config)
    assert tagged(shop.database) == {row for row in found if row[0] != "hidden"} != set()
    names = {"big": "Big buyers", "small": "Small buyers"}
    assert fields(shop.database) == {contact: names[slug] for slug, contact in found if slug in names}
    doubles = "SELECT 1 FROM wp_fc_subscriber_pivot GROUP BY subscriber_id, object_id, object_type HAVING COUNT(*) > 1"
    assert shop.database.rows(doubles) == []


def others(shop: ShopDatabase) -> list[tuple[Any, ...]]:
    """Tags and attachments that are not of segments."""
    return shop.rows(
        "SELECT p.subscriber_id, p.object_id, p.object_type FROM wp_fc_subscriber_pivot p WHERE NOT EXISTS"
        " (SELECT 1 FROM wp_fcsc_owned o WHERE o.kind = 'segment' AND o.object_id = p.object_id AND p.object_type = %s)"
        " ORDER BY 1, 2, 3",
        (TAG,),
    )
