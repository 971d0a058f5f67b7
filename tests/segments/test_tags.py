"""Tags of segments in FluentCRM: exactly the memberships, as differences, live or quiet, and never what the owner made."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from bridging import NOW_MS, FakeBridge, LiveShop, bridge, hint, pass_
from commandline import Bench
from killing import refresh_until
from segmenting import AT, LINES, RULES, fields, members, others, refresh, same, tagged
from support import ShopDatabase
from syncing import TAG, contacts, execute, run

from sidecar.config import Config, Segments
from sidecar.errors import SegmentError
from sidecar.runtime import build
from sidecar.state.database import State


def test_tags_are_the_memberships(shop: LiveShop, rules: Path) -> None:
    """Also after somebody changed them by hand, deleted one, renamed one; a second look writes nothing."""
    database, config = shop.database, shop.config
    execute(database, "INSERT INTO wp_fc_tags (title, slug) VALUES ('Mine', 'segment-big')")
    mine = database.rows("SELECT id FROM wp_fc_tags WHERE slug = 'segment-big'")[0][0]
    contact = min(database.rows("SELECT id FROM wp_fc_subscribers"))[0]
    pivot = "INSERT INTO wp_fc_subscriber_pivot (subscriber_id, object_id, object_type) VALUES (%s, %s, %s)"
    execute(database, pivot, (contact, mine, TAG))
    before = others(database)
    assert refresh(config).contacts > 0
    same(shop)
    assert others(database) == before
    titles = dict(database.rows("SELECT slug, title FROM wp_fc_tags WHERE slug LIKE 'segment-%%'"))
    assert titles == {
        "segment-big": "Mine", "segment-big-2": "Segment: Big buyers", "segment-small": "Segment: Small buyers",
        "segment-recent": "Segment: Recent",
    }  # fmt: skip
    stamp = "SELECT COUNT(*), MAX(id) FROM wp_fc_subscriber_pivot"
    was = database.rows(stamp)
    for full in (False, True):
        again = refresh(config, full=full)
        assert (again.moved, again.contacts) == (0, 0)
    assert database.rows(stamp) == was
    # The sync leaves them alone, and does not take them for changes.
    assert run(config, full=True).counts.writes == 0
    same(shop)
    # By hand: one taken away, one given, one to a contact that the sidecar does not know.
    recent = database.rows("SELECT object_id FROM wp_fcsc_owned WHERE kind = 'segment' AND slug = 'recent'")[0][0]
    execute(
        database, "DELETE FROM wp_fc_subscriber_pivot WHERE object_id = %s AND object_type = %s LIMIT 1", (recent, TAG)
    )
    execute(
        database, "INSERT INTO wp_fc_subscribers (email, hash, status) VALUES ('odd@example.net', 'x', 'subscribed')"
    )
    odd = database.rows("SELECT id FROM wp_fc_subscribers WHERE email = 'odd@example.net'")[0][0]
    execute(database, pivot, (odd, recent, TAG))
    without = next(
        row[0]
        for row in database.rows("SELECT id FROM wp_fc_subscribers")
        if ("recent", row[0]) not in tagged(database)
    )
    execute(database, pivot, (without, recent, TAG))
    assert refresh(config, full=True).contacts == 2
    same(shop)
    # Deleted there: made again. Renamed there: left so. Renamed here: renamed there.
    execute(database, "DELETE FROM wp_fc_tags WHERE id = %s", (recent,))
    execute(database, "UPDATE wp_fc_tags SET title = 'Whales', slug = 'whales' WHERE slug = 'segment-big-2'")
    rules.write_text(RULES.replace('"Small buyers"', '"Minnows"').replace('"Big buyers"', '"Sharks"'), "utf-8")
    refresh(config)
    assert {row[0] for row in database.rows("SELECT title FROM wp_fc_tags")} >= {
        "Whales",
        "Segment: Minnows",
        "Segment: Recent",
    }
    assert tagged(database) == members(config, "hidden")
    assert set(fields(database).values()) == {"Minnows", "Sharks"}
    assert others(database)[: len(before)] == before[: len(before)]


def test_a_segment_that_is_gone_leaves_nobody_tagged(shop: LiveShop, rules: Path) -> None:
    refresh(shop.config)
    first = RULES.index('[[segment]]\nslug = "recent"')
    rules.write_text(RULES[:first].replace('[[segment]]\nslug = "big"', '[[segment]]\nslug = "great"'), "utf-8")
    refresh(shop.config)
    assert {slug for slug, _ in tagged(shop.database)} == {"great", "small"}
    assert tagged(shop.database) == members(shop.config)
    with build(
        shop.config.__class__(**{**_sections(shop.config), "segments": Segments(file=str(rules), tags=False)})
    ) as off:
        off.refresh_segments()
    assert tagged(shop.database) == set()


def _sections(config: Config) -> dict[str, Any]:
    return {name: getattr(config, name) for name in config.__struct_fields__}


def test_faults_of_the_file_stop_nothing(shop: LiveShop, rules: Path) -> None:
    refresh(shop.config)
    was = tagged(shop.database)
    rules.write_text(RULES.replace("at_least = 200", "at_lest = 200"), "utf-8")
    order = shop.keeper.order("nowa@example.net", "300.00", lines=LINES, at=AT)
    hint(shop.database, "order.created", order)
    with build(shop.config) as sidecar:
        report = sidecar.pass_()
        assert (report.state, report.changed, report.moved) == ("done", 1, 0)
        assert "nowa@example.net" in contacts(shop.database)
        assert tagged(shop.database) == was
        with pytest.raises(SegmentError):
            sidecar.refresh_segments()
        rules.write_text(RULES, "utf-8")
        assert sidecar.pass_().moved > 0
    same(shop)
    new = shop.database.rows("SELECT id FROM wp_fc_subscribers WHERE email = 'nowa@example.net'")[0][0]
    assert {("big", new), ("recent", new)} <= tagged(shop.database)


def _live(fake: FakeBridge) -> list[dict[str, Any]]:
    return [
        item
        for call in fake.calls
        for item in call
        if item["op"] == "update" and item["tags_add"] + item["tags_remove"]
    ]


def test_live_and_quiet(shop: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens now goes through WordPress; what an import finds, or other rules, does not; what time does, does."""
    database, keeper = shop.database, shop.keeper
    with bridge(database, shop.config) as (fake, config), build(config) as sidecar:
        with State(config.state.dir) as state:
            state.set("live.from", str(NOW_MS - 30 * 86_400_000))
        assert sidecar.pass_().moved > 0
        assert _live(fake) == [], "all of them are old"
        hint(database, "order.created", keeper.order("nowa@example.net", "300.00", lines=LINES, at=AT))
        report = sidecar.pass_()
        assert (report.tagged, len(_live(fake))) == (1, 1)
        item = _live(fake)[0]
        assert (item["email"], item["fields"], len(item["tags_add"])) == (
            "nowa@example.net",
            {"worth": "Big buyers"},
            2,
        )
        assert ("tags_added", item["contact_id"]) in fake.fired
        fake.calls.clear()
        for number in range(20):
            keeper.order(f"import{number}@example.net", at="2025-05-01 10:00:00", lines=LINES)
        sidecar.sync()
        assert sidecar.pass_().moved >= 20
        assert _live(fake) == []
        same(LiveShop(database, keeper, config))
        # A refund moves her down, and time out of "recent".
        order = keeper.orders_of("nowa@example.net")[0]
        hint(database, "order.refunded", order, keeper.refund(order, "150.00"))
        sidecar.pass_()
        assert [item["fields"] for item in _live(fake)] == [{"worth": "Small buyers"}]
        fake.calls.clear()
        monkeypatch.setenv("SIDECAR_NOW", "2026-12-01T11:59:29Z")
        sidecar.pass_()
        fake.calls.clear()
        monkeypatch.setenv("SIDECAR_NOW", "2026-12-01T11:59:30Z")
        sidecar.pass_()
        assert [(item["email"], len(item["tags_remove"])) for item in _live(fake)] == [("nowa@example.net", 1)]
        same(LiveShop(database, keeper, config))


def test_a_bridge_that_is_away(shop: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a moment what is live waits; when it is not over, it is written quietly. Nothing is lost."""
    database, keeper = shop.database, shop.keeper
    with bridge(database, shop.config) as (fake, config), build(config) as sidecar:
        with State(config.state.dir) as state:
            state.set("live.from", str(NOW_MS - 30 * 86_400_000))
        sidecar.pass_()
        hint(database, "order.created", keeper.order("nowa@example.net", "300.00", lines=LINES, at=AT))

        def away(items: list[dict[str, Any]]) -> None:
            if any(item["op"] == "create" for item in items):
                fake.behave = "down"

        fake.before_write = away
        sidecar.pass_()
        assert "nowa@example.net" in contacts(database)
        here = LiveShop(database, keeper, config)
        assert tagged(database) != members(config, "hidden"), "the tags wait"
        fake.behave, fake.before_write = "", None
        monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:00:20Z")
        sidecar.pass_()
        same(here)
        assert [item["email"] for item in _live(fake)] == ["nowa@example.net"]
        fake.calls.clear()
        fake.before_write = away
        hint(database, "order.created", keeper.order("druga@example.net", "300.00", lines=LINES, at=AT))
        sidecar.pass_()
        monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:05:00Z")
        sidecar.pass_()
        same(here)
        assert _live(fake) == []


def test_a_contact_that_is_another_one(shop: LiveShop) -> None:
    """Deleted in FluentCRM: nothing is attached to nobody. Made again: it has its tags again."""
    refresh(shop.config)
    email, contact = shop.database.rows(
        "SELECT email, id FROM wp_fc_subscribers s WHERE EXISTS (SELECT 1 FROM wp_fc_subscriber_meta m WHERE m.subscriber_id = s.id AND m.`key` = 'worth') LIMIT 1"
    )[0]
    for table, column in (
        ("fc_subscriber_pivot", "subscriber_id"),
        ("fc_subscriber_meta", "subscriber_id"),
        ("fc_subscribers", "id"),
    ):
        execute(shop.database, f"DELETE FROM wp_{table} WHERE {column} = %s", (contact,))
    refresh(shop.config, full=True)
    assert shop.database.rows("SELECT 1 FROM wp_fc_subscriber_pivot WHERE subscriber_id = %s", (contact,)) == []
    order = shop.keeper.order(email, "300.00", lines=LINES, at=AT)
    hint(shop.database, "order.created", order)
    pass_(shop.config)
    run(shop.config)
    refresh(shop.config)
    found = contacts(shop.database)
    if email in found:  # FluentCRM's owner deleted it: whether it comes again is the sync's to say
        same(shop)


POINTS = 5


@pytest.mark.parametrize("first", [True, False])
def test_killed_and_refreshed_again(shop: LiveShop, tmp_path: Path, first: bool) -> None:
    """`kill -9` anywhere, in the first refresh and in one of changes: the next one leaves memberships and tags equal."""
    database, config = shop.database, shop.config
    if not first:
        refresh(config)
        for one in range(30):
            shop.keeper.order(f"neu{one}@example.net", "300.00", lines=LINES, at=AT)
        run(config)
    server, name, kept, state = database.server, database.database, f"{database.database}_kept", Path(config.state.dir)
    server.clone(name, kept)
    shutil.copytree(state, tmp_path / "state")

    def back() -> None:
        server.drop_database(name)
        server.clone(kept, name)
        shutil.rmtree(state)
        shutil.copytree(tmp_path / "state", state)

    whole = refresh_until(database.socket, name, state, config.segments.file, 0)
    assert whole is not None
    chance = random.Random(str(first))
    for number in range(POINTS):
        back()
        when = 1 + int(whole[0] * (number + chance.random()) / POINTS)
        died = refresh_until(database.socket, name, state, config.segments.file, when)
        assert died is None, f"was not killed at {when} of {whole[0]}"
        refresh(config)
        same(shop)
        assert refresh(config, full=True).contacts == 0
    server.drop_database(kept)


def test_the_command(demo_hpos: ShopDatabase, tmp_path: Path, rules: Path) -> None:
    bench = Bench(demo_hpos, tmp_path, f'[segments]\nfile = "{rules}"\ntag_title = "Gruppe {{name}}"\n')
    bench.run("sync")
    assert bench.json("segments", "refresh", "--no-tags")["contacts"] == 0
    assert demo_hpos.rows("SELECT 1 FROM wp_fc_tags WHERE slug LIKE 'segment-%%'") == []
    assert bench.json("segments", "refresh")["contacts"] > 0
    assert demo_hpos.rows("SELECT title FROM wp_fc_tags WHERE slug = 'segment-big'") == [("Gruppe Big buyers",)]
    assert bench.json("segments", "refresh")["contacts"] == 0
