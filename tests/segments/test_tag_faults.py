"""What can go wrong between memberships and tags: two writers of one thing, faults that must stop nothing else, what is live
among much that is not, comparisons that are cut off."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

import pytest
from bridging import NOW_MS, LiveShop, bridge, hint, pass_
from commandline import Bench
from pytest_httpserver import HTTPServer
from segmenting import AT, LINES, RULES, fields, members, others, refresh, same, tagged
from support import ShopDatabase
from syncing import contacts, execute, run

from sidecar.config import Alerts
from sidecar.mapping import compile as mapping_file
from sidecar.runtime import build
from sidecar.segments import membership, tags
from sidecar.state.database import State
from sidecar.sync import segments, tagging


def _live_mode(config: Any) -> None:
    with State(config.state.dir) as state:
        state.set("live.from", str(NOW_MS - 30 * 86_400_000))


def _written(fake: Any) -> list[str]:
    """Whose tags went through WordPress."""
    return [
        item["email"]
        for call in fake.calls
        for item in call
        if item["op"] == "update" and item["tags_add"] + item["tags_remove"]
    ]


# --- two writers ---------------------------------------------------------------------------------------


def test_a_rule_of_the_mapping_with_the_slug_of_a_segments_tag(shop: LiveShop) -> None:
    """The owner may rename a segment's tag. The rule has a tag of its own: the sync neither gives nor takes the segment's."""
    rule = '\n[[tag]]\nslug = "woo-mine"\ntitle = "Mine"\nfrom = "facts.orders_count"\nwhen = ["1"]\n'
    mapping = mapping_file.default_text() + rule
    refresh(shop.config)
    execute(shop.database, "UPDATE wp_fc_tags SET slug = 'woo-mine' WHERE slug = 'segment-big'")
    before = others(shop.database)
    run(shop.config, mapping, full=True)
    same(shop)
    assert len(others(shop.database)) > len(before), "the rule has a tag of its own"
    mine = others(shop.database)
    refresh(shop.config, full=True)
    same(shop)
    assert others(shop.database) == mine
    assert run(shop.config, mapping, full=True).counts.writes == 0


def test_a_field_that_the_mapping_fills(shop: LiveShop, rules: Path, tmp_path: Path, demo_hpos: ShopDatabase) -> None:
    """Two writers of one field: the group goes without, and is told; tags and all else go on."""
    taken = next(slug for slug in _mapped(shop.config))
    was = fields(shop.database, taken)
    assert was
    rules.write_text(RULES.replace('field = "worth"', f'field = "{taken}"'), "utf-8")
    looked = refresh(shop.config)
    assert taken in looked.fault
    assert fields(shop.database, taken) == was
    assert tagged(shop.database) == members(shop.config, "hidden") != set()
    with build(shop.config) as sidecar:
        sidecar.pass_()
        assert taken in sidecar.health().segments_fault
    bench = Bench(demo_hpos, tmp_path, f'[segments]\nfile = "{rules}"\n')
    assert taken in bench.json("segments", "check", code=3)["error"]["details"][0]["message"]
    rules.write_text(RULES, "utf-8")
    assert refresh(shop.config).fault == ""
    same(shop)


def _mapped(config: Any) -> list[str]:
    with build(config) as sidecar:
        return sorted(sidecar.mapping.custom)


def test_a_field_with_values_of_somebody_else(shop: LiveShop, rules: Path) -> None:
    """What the owner wrote by hand is not gone because a group wants the same field."""
    database = shop.database
    contact = min(database.rows("SELECT id FROM wp_fc_subscribers"))[0]
    execute(
        database,
        "INSERT INTO wp_fc_subscriber_meta (subscriber_id, created_by, object_type, `key`, value)"
        " VALUES (%s, 0, 'custom_field', 'worth', 'Priceless')",
        (contact,),
    )
    assert "worth" in refresh(shop.config).fault
    assert fields(database) == {contact: "Priceless"}
    assert tagged(database) == members(shop.config, "hidden")
    execute(database, "DELETE FROM wp_fc_subscriber_meta WHERE `key` = 'worth'")
    with State(shop.config.state.dir) as state:
        state.set(tagging._THEIRS, "{}")
    assert refresh(shop.config).fault == ""
    same(shop)


def test_a_field_of_another_type_stops_nothing(shop: LiveShop, rules: Path) -> None:
    refresh(shop.config)
    database = shop.database
    text = database.rows("SELECT value FROM wp_fc_meta WHERE `key` = 'contact_custom_fields'")[0][0]
    at = text.index('s:4:"slug";s:5:"worth"')
    start = text.rindex('s:4:"type";s:10:"select-one"', 0, at)
    execute(
        database,
        "UPDATE wp_fc_meta SET value = %s WHERE `key` = 'contact_custom_fields'",
        (text[:start] + 's:4:"type";s:8:"checkbox"' + text[start + len('s:4:"type";s:10:"select-one"') :],),
    )
    hint(database, "order.created", shop.keeper.order("nowa@example.net", "300.00", lines=LINES, at=AT))
    with build(shop.config) as sidecar:
        report = sidecar.pass_()
        assert (report.state, report.changed) == ("done", 1)
        assert "checkbox" in sidecar.health().segments_fault
    assert tagged(database) == members(shop.config, "hidden")
    new = database.rows("SELECT id FROM wp_fc_subscribers WHERE email = 'nowa@example.net'")[0][0]
    assert new not in fields(database)


def test_a_field_that_no_group_has_any_more_is_emptied(shop: LiveShop, rules: Path) -> None:
    refresh(shop.config)
    assert fields(shop.database)
    rules.write_text(RULES.replace('field = "worth"', 'field = "value_group"'), "utf-8")
    refresh(shop.config)
    assert fields(shop.database) == {}
    assert len(fields(shop.database, "value_group")) > 0
    # From then on it is nobody's: what the owner writes there stays.
    contact = min(shop.database.rows("SELECT id FROM wp_fc_subscribers"))[0]
    execute(
        shop.database,
        "INSERT INTO wp_fc_subscriber_meta (subscriber_id, created_by, object_type, `key`, value)"
        " VALUES (%s, 0, 'custom_field', 'worth', 'Mine')",
        (contact,),
    )
    refresh(shop.config, full=True)
    assert fields(shop.database) == {contact: "Mine"}


def test_without_a_unique_key(shop: LiveShop) -> None:
    """FluentCRM 2.9 has none on attachments: nobody has a tag twice."""
    database = shop.database
    for (name,) in database.rows(
        "SELECT DISTINCT index_name FROM information_schema.statistics WHERE table_schema = DATABASE()"
        " AND table_name = 'wp_fc_subscriber_pivot' AND non_unique = 0 AND index_name <> 'PRIMARY'"
    ):
        execute(database, f"ALTER TABLE wp_fc_subscriber_pivot DROP INDEX `{name}`")
    refresh(shop.config)
    with State(shop.config.state.dir) as state:
        state.set("segments.compared", "")
        state.set("segments.written", "0")
        state.sql.execute("INSERT INTO tag_stale (person_id) SELECT id FROM person")
    assert refresh(shop.config, full=True).contacts == 0
    hint(database, "order.created", shop.keeper.order("nowa@example.net", "300.00", lines=LINES, at=AT))
    pass_(shop.config)
    same(shop)


# --- who is no contact any more ------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["deleted", "undone"])
def test_who_is_no_contact_is_in_no_segment(shop: LiveShop, how: str) -> None:
    """Nobody writes their facts anew when a contact is deleted in FluentCRM, or a run is undone."""
    refresh(shop.config)
    database = shop.database
    with build(shop.config) as sidecar:
        if how == "undone":
            sidecar.undo(max(sidecar.undo_runs()))
        else:
            contact = min(contact for _, contact in members(shop.config))
            for table, column in (
                ("subscriber_pivot", "subscriber_id"),
                ("subscriber_meta", "subscriber_id"),
                ("subscribers", "id"),
            ):
                execute(database, f"DELETE FROM wp_fc_{table} WHERE {column} = %s", (contact,))
            hint(database, "contact.deleted", contact)
            sidecar.pass_()
        sidecar.refresh_segments()
    with State(shop.config.state.dir) as state:
        assert state.rows("SELECT COUNT(*) FROM membership")[0][0] > 0 or how == "undone"
        assert (
            state.rows("SELECT 1 FROM membership m JOIN person p ON p.id = m.person_id WHERE p.verdict <> 'in'") == []
        )


def test_two_people_with_one_contact(shop: LiveShop) -> None:
    """The contact has the tags of both, and each look leaves it so."""
    refresh(shop.config)
    with State(shop.config.state.dir) as state:
        pick = "SELECT p.id, p.contact_id FROM person p JOIN membership m ON m.person_id = p.id WHERE m.segment = ? AND p.contact_id IS NOT NULL LIMIT 1"
        (_, contact), (small, _) = state.rows(pick, ("big",))[0], state.rows(pick, ("small",))[0]
        state.sql.execute("UPDATE person SET contact_id = ? WHERE id = ?", (contact, small))
    refresh(shop.config, full=True)
    assert {slug for slug, one in tagged(shop.database) if one == contact} >= {"big", "small"}
    assert shop.database.rows("SELECT COUNT(*) FROM wp_fc_subscriber_meta WHERE `key` = 'worth' AND subscriber_id = %s", (contact,)) == [(1,)]  # fmt: skip
    with State(shop.config.state.dir) as state:
        state.sql.execute("INSERT INTO tag_stale (person_id) VALUES (?)", (small,))
    assert refresh(shop.config).contacts == 0, "one of them is looked at"
    assert refresh(shop.config, full=True).contacts == 0


# --- live ----------------------------------------------------------------------------------------------


def test_live_though_everybody_is_compared(shop: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The daily comparison is quiet; what happens just then is not."""
    with bridge(shop.database, shop.config) as (fake, config), build(config) as sidecar:
        _live_mode(config)
        sidecar.pass_()
        monkeypatch.setenv("SIDECAR_NOW", "2026-11-02T12:00:00Z")
        order = shop.keeper.order("nowa@example.net", "300.00", lines=LINES, at="2026-11-02 11:59:30")
        hint(shop.database, "order.created", order, at_ms=NOW_MS + 86_400_000)
        sidecar.pass_()
        assert "nowa@example.net" in _written(fake)
        same(shop)


def test_live_though_other_hints_follow(shop: LiveShop) -> None:
    """A change of a product, say, notes the same person once more before anybody looked."""
    with bridge(shop.database, shop.config) as (fake, config), build(config) as sidecar:
        _live_mode(config)
        sidecar.pass_()
        hint(shop.database, "order.created", shop.keeper.order("nowa@example.net", "300.00", lines=LINES, at=AT))
        look = sidecar._passes._groups.look
        sidecar._passes._groups.due = lambda: False  # type: ignore[method-assign]
        sidecar.pass_()
        with State(config.state.dir) as state:
            state.sql.execute("INSERT OR REPLACE INTO person_doc SELECT * FROM person_doc")
        del sidecar._passes._groups.due
        assert look is not None
        sidecar.pass_()
        assert _written(fake) == ["nowa@example.net"]


def test_an_order_of_now_in_the_middle_of_an_import(shop: LiveShop) -> None:
    """Old orders are put into the shop while somebody buys: one batch of hints, and one of these people is live."""
    with bridge(shop.database, shop.config) as (fake, config), build(config) as sidecar:
        _live_mode(config)
        sidecar.pass_()
        for number in range(20):
            old = shop.keeper.order(f"import{number}@example.net", "300.00", at="2025-05-01 10:00:00", lines=LINES)
            hint(shop.database, "order.created", old)
            if number == 10:
                hint(shop.database, "order.created", shop.keeper.order("nowa@example.net", lines=LINES, at=AT))
        assert sidecar.pass_().moved > 20
        assert _written(fake) == ["nowa@example.net"]
        same(shop)


def test_live_behind_a_heap_of_others(shop: LiveShop) -> None:
    """Comings of an import and one of now of the same person: it is one write, and live."""
    config = shop.config
    refresh(config)
    with State(config.state.dir) as state:
        person = state.rows("SELECT id FROM person WHERE contact_id IS NOT NULL LIMIT 1")[0][0]
        event = "INSERT INTO membership_event (segment, person_id, entered, at, live) VALUES ('big', ?, 1, ?, ?)"
        now = NOW_MS // 1000
        state.sql.executemany(event, [(person, now, 0)] * 600 + [(person, now, 1)])
        found = tags.due(state, now - 3600, 50)
        assert found is not None and found.people == {person: tags.TRIES}
        found = tags.due(state, now + 1, 50)
        assert found is not None and found.people == {person: 0}, "too long ago"


def test_no_more_live_ones_than_a_page(shop: LiveShop) -> None:
    config = shop.config
    refresh(config)
    with State(config.state.dir) as state:
        people = [row[0] for row in state.rows("SELECT id FROM person WHERE contact_id IS NOT NULL LIMIT 9")]
        event = "INSERT INTO membership_event (segment, person_id, entered, at, live) VALUES ('big', ?, 1, ?, ?)"
        state.sql.executemany(event, [(person, NOW_MS // 1000, n % 2) for n, person in enumerate(people)])
        seen: list[int] = []
        while (found := tags.due(state, 0, 2)) is not None:
            assert sum(1 for tries in found.people.values() if tries) <= 2
            seen += found.people
            tags.done(state, found, {})
        assert sorted(seen) == sorted(people)
        assert not tags.waits(state)


def test_refused_and_raced_contacts_do_not_stop_the_others(shop: LiveShop) -> None:
    """Refused: written quietly next time. Raced (or WordPress had no time left): tried through WordPress again, not for ever."""
    with bridge(shop.database, shop.config) as (fake, config), build(config) as sidecar:
        _live_mode(config)
        sidecar.pass_()
        original = fake._item

        def refusing(item: dict[str, Any]) -> dict[str, Any]:
            if item["op"] == "update" and item["email"] == "nowa@example.net":
                return {
                    "person": item["person"],
                    "state": "refused",
                    "contact_id": item["contact_id"],
                    "reason": "failed",
                }
            if item["op"] == "update" and item["email"] == "late@example.net":
                tries.append(1)
                if len(tries) < 5:  # three rounds of a pass, and one of the next
                    return {
                        "person": item["person"],
                        "state": "raced",
                        "contact_id": item["contact_id"],
                        "reason": "out_of_time",
                    }
            return original(item)

        tries: list[int] = []
        fake._item = refusing  # type: ignore[method-assign]
        for name in ("nowa", "late", "druga"):
            hint(shop.database, "order.created", shop.keeper.order(f"{name}@example.net", "300.00", lines=LINES, at=AT))
        for _ in range(3):
            sidecar.pass_()
        same(shop)
        assert len(tries) == 5
        fired = {contact for hook, contact in fake.fired if hook == "tags_added"}
        ids = dict(shop.database.rows("SELECT email, id FROM wp_fc_subscribers"))
        assert {ids["late@example.net"], ids["druga@example.net"]} <= fired
        assert not sidecar._passes._groups.due()


def test_what_happened_long_ago_is_not_live(shop: LiveShop, rules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file had a fault for a week: when it is mended, nobody's automation starts because of last week."""
    with bridge(shop.database, shop.config) as (fake, config), build(config) as sidecar:
        _live_mode(config)
        sidecar.pass_()
        rules.write_text("[[segment", "utf-8")
        hint(shop.database, "order.created", shop.keeper.order("nowa@example.net", "300.00", lines=LINES, at=AT))
        sidecar.pass_()
        fake.calls.clear()
        monkeypatch.setenv("SIDECAR_NOW", "2026-11-08T12:00:00Z")
        rules.write_text(RULES, "utf-8")
        sidecar.pass_()
        assert _written(fake) == []
        same(shop)


def test_who_is_pushed_out_by_an_import_starts_nothing(shop: LiveShop, rules: Path) -> None:
    """The border of a top percent moves; those behind it did nothing, and nothing happened just now."""
    rules.write_text('[[segment]]\nslug = "top"\nname = "Top"\nrule = { field = "ltv", top_percent = 10 }\n', "utf-8")
    with bridge(shop.database, shop.config) as (fake, config), build(config) as sidecar:
        _live_mode(config)
        sidecar.pass_()
        before = members(config)
        for number in range(40):
            order = shop.keeper.order(f"import{number}@example.net", "9000.00", at="2025-05-01 10:00:00", lines=LINES)
            hint(shop.database, "order.created", order)
        sidecar.pass_()
        assert before - members(config), "somebody was pushed out"
        assert _written(fake) == []
        # By an order of now, somebody is.
        fake.calls.clear()
        for number in range(40):
            order = shop.keeper.order(f"now{number}@example.net", "9500.00", at=AT, lines=LINES)
            hint(shop.database, "order.created", order)
        sidecar.pass_()
        emails = _written(fake)
        assert any(email.startswith("import") for email in emails)
        assert any(email.startswith("now") for email in emails)


# --- much to do, and faults ----------------------------------------------------------------------------


def test_a_comparison_in_slices(shop: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its time is over after each page: events are handled in between, live ones live, and in the end all is right."""
    monkeypatch.setattr("sidecar.sync.cycle._SEGMENTS", -1.0)
    monkeypatch.setattr(tags, "_SOME", 10)
    with bridge(shop.database, shop.config) as (fake, config):
        _live_mode(config)
        for number in range(60):
            with build(config) as sidecar:  # a process of its own each time
                if number == 2:
                    order = shop.keeper.order("nowa@example.net", "300.00", lines=LINES, at=AT)
                    hint(shop.database, "order.created", order)
                sidecar.pass_(0.0)
            with State(config.state.dir) as state:
                if not tags.waits(state):
                    break
                if number == 0:
                    found = tags.comparison(state)
                    assert found is not None and found.person > 0
                    assert tagged(shop.database) != members(config, "hidden")
        assert 4 < number < 59
        same(shop)
        assert _written(fake) == ["nowa@example.net"]


def test_other_segments_while_everybody_is_compared(
    shop: LiveShop, rules: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sidecar.sync.cycle._SEGMENTS", -1.0)
    monkeypatch.setattr(tags, "_SOME", 10)
    with build(shop.config) as sidecar:
        for _ in range(3):
            sidecar.pass_(0.0)
        more = '\n[[segment]]\nslug = "any"\nname = "Anybody"\nrule = { field = "orders_count", at_least = 0 }\n'
        rules.write_text(RULES + more, "utf-8")
        for _ in range(80):
            sidecar.pass_(0.0)
            if not tags.waits(sidecar.state):
                break
        else:
            raise AssertionError("it never ends")
    same(shop)


def test_an_error_in_segments_stops_nothing_else(
    shop: LiveShop, monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told once, in the log, in health and as an alert; orders go on; it is tried again after a pause."""
    import msgspec

    config = msgspec.structs.replace(
        shop.config, alerts=Alerts(webhook_url=httpserver.url_for("/hook"), quiet_factor=0)
    )
    httpserver.expect_request("/hook").respond_with_data("ok")
    with build(config) as sidecar:
        sidecar.pass_()
        calls: list[int] = []

        def broken(*_: Any, **__: Any) -> Any:
            calls.append(1)
            raise ZeroDivisionError

        original = membership.tick
        monkeypatch.setattr(membership, "tick", broken)
        for name in ("nowa", "druga", "trzecia"):
            order = shop.keeper.order(f"{name}@example.net", "300.00", lines=LINES, at=AT)
            hint(shop.database, "order.created", order)
            with caplog.at_level(logging.ERROR):
                report = sidecar.pass_()
            assert (report.state, report.changed) == ("done", 1)
            assert f"{name}@example.net" in contacts(shop.database)
        assert len(calls) == 1, "there is a pause before it is tried again"
        assert [record.name for record in caplog.records] == ["sidecar.sync.segments"]
        assert sidecar.health().segments_error == "ZeroDivisionError"
        monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:20:00Z")
        sidecar._passes._groups._not_before = 0.0
        sidecar.pass_()
        sidecar.alerts(force=True)
        assert {one.name for one in sidecar.troubles()} == {"segments_failing"}
        monkeypatch.setattr(membership, "tick", original)
        sidecar._passes._groups._not_before = 0.0
        sidecar.pass_()
        assert sidecar.health().segments_failing is None
        sidecar.alerts(force=True)
        assert sidecar.troubles() == []
    same(shop)


def test_a_fault_of_the_file_is_told(shop: LiveShop, rules: Path) -> None:
    """As an alert, by the doctor, on the status page; an empty file is one: everybody would lose all tags."""
    refresh(shop.config)
    was = tagged(shop.database)
    rules.write_text("", "utf-8")
    with build(shop.config) as sidecar:
        sidecar.pass_()
        sidecar.alerts(force=True)
        assert {one.name for one in sidecar.troubles()} >= {"segments_fault"}
        assert tagged(shop.database) == was
        rules.write_text("segment = []\n", "utf-8")
        sidecar.pass_()
        assert tagged(shop.database) == set()
        sidecar.alerts(force=True)
        assert "segments_fault" not in {one.name for one in sidecar.troubles()}


def test_a_file_whose_size_and_time_are_as_before(shop: LiveShop, rules: Path) -> None:
    """As when it may be read again, or was restored with its time."""
    with build(shop.config) as sidecar:
        stat = rules.stat()
        rules.write_text(RULES.replace("[[segment]]", "[[segment]", 1).replace("Recent", "Recent2"), "utf-8")
        os.utime(rules, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        sidecar.pass_()
        assert segments.fault(sidecar.state)
        rules.write_text(RULES, "utf-8")
        os.utime(rules, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        assert sidecar.pass_().moved > 0
        assert segments.fault(sidecar.state) == ""
