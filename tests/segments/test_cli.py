"""`sidecar segments` on a real shop that was synced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from commandline import Bench
from support import ShopDatabase

NOW = "2026-11-01T12:00:00Z"
ANNA = "anna.wielka@example.org"


@pytest.fixture
def bench(demo: ShopDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("SIDECAR_NOW", NOW)
    made = Bench(demo, tmp_path)
    made.run("sync")
    yield made


def test_a_day_with_segments(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bench.json("segments", "list")["refreshed"] is None
    assert "Nobody was looked at yet" in bench.run("segments", "list").output
    first = bench.json("segments", "refresh")["changes"]
    sizes = {row["slug"]: row["size"] for row in first}
    people = _facts(bench)
    assert sizes["first-time-buyers"] == sum(count == 1 for count, _ in people)
    assert sizes["repeat-buyers"] == sum(count >= 2 for count, _ in people)
    assert bench.json("segments", "refresh")["changes"] == []
    assert bench.json("segments", "refresh", "--full")["changes"] == []
    listed = {row["slug"]: row["size"] for row in bench.json("segments", "list")["segments"]}
    assert {slug: size for slug, size in listed.items() if size} == sizes
    # A year later time alone has moved people.
    monkeypatch.setenv("SIDECAR_NOW", "2027-11-01T12:00:00Z")
    later = {row["slug"]: row for row in bench.json("segments", "refresh")["changes"]}
    assert later["inactive-90-days"]["entered"] > 0
    assert later["recent-buyers"]["size"] == 0
    assert bench.json("segments", "refresh", "--full")["changes"] == []


def test_sizes_are_those_of_the_contacts_in_fluentcrm(bench: Bench) -> None:
    """Counted a second time in FluentCRM's own tables, from the fields that the sync wrote there."""
    bench.run("segments", "refresh")
    sizes = {row["slug"]: row["size"] for row in bench.json("segments", "list")["segments"]}

    def contacts(condition: str) -> int:
        sql = (
            "SELECT COUNT(DISTINCT s.id) FROM wp_fc_subscribers s JOIN wp_fc_subscriber_meta n ON n.subscriber_id = s.id"
            " AND n.`key` = 'woo_orders_count' LEFT JOIN wp_fc_subscriber_meta l ON l.subscriber_id = s.id"
            f" AND l.`key` = 'woo_last_order' WHERE {condition}"
        )
        return int(bench.shop.rows(sql)[0][0])

    assert sizes["repeat-buyers"] == contacts("n.value + 0 >= 2") > 0
    assert sizes["first-time-buyers"] == contacts("n.value + 0 = 1") > 0
    # The shop's clock at NOW.
    wall = "CONVERT_TZ('2026-11-01 12:00:00', '+00:00', '+01:00')"
    assert sizes["inactive-90-days"] == contacts(f"l.value <= {wall} - INTERVAL 90 DAY") > 0
    assert sizes["recent-buyers"] == contacts(f"l.value > {wall} - INTERVAL 14 DAY") > 0
    assert sizes["lapsed-repeat-buyers"] == contacts(f"n.value + 0 >= 2 AND l.value <= {wall} - INTERVAL 180 DAY") > 0


def _facts(bench: Bench) -> list[tuple[int, int]]:
    from sidecar.state.database import State

    with closing(State(bench.state_dir)) as state:
        return [(row[0], row[1]) for row in state.rows("SELECT orders_count, ltv FROM person WHERE verdict = 'in'")]


def test_show_preview_explain(bench: Bench) -> None:
    bench.run("segments", "refresh")
    shown = bench.json("segments", "show", "repeat-buyers")
    assert shown["sheet"]["size"] == shown["history"][-1][1] > 0
    assert {row["slug"]: row["both"] for row in shown["sheet"]["overlaps"]}["repeat-buyers"] == shown["sheet"]["size"]
    tried = bench.json("segments", "preview", '{ field = "orders_count", at_least = 2 }')
    assert tried["sheet"] == shown["sheet"]
    top = bench.json("segments", "preview", '{ field = "ltv", top_percent = 7 }')["sheet"]
    assert 0 < top["size"] < top["people"] and top["ltv"] > shown["sheet"]["ltv"]
    text = bench.run("segments", "explain", ANNA.upper()).output
    assert "in   repeat-buyers since 2026-11-01 13:00:00" in text
    why = bench.json("segments", "explain", ANNA, "--segment", "repeat-buyers")["segments"]
    assert why[0]["finding"]["value"] == 3
    assert ANNA not in bench.run("segments", "show", "repeat-buyers").output
    assert "orders_count at least 2" in bench.run("segments", "show", "repeat-buyers").output
    assert "  none of\n      last_open within 60d" in bench.run("segments", "show", "silent").output
    bench.file.with_name("segments.toml").write_text(
        '[[segment]]\nslug = "a"\nname = "A"\nrule = { all = [{ field = "product_types", has = "physical" }, { field = "ltv", more_than = 2.5 }] }\n'
    )
    both = bench.json("segments", "explain", ANNA)["segments"][0]["finding"]["of"]
    assert [(one["holds"], one["value"]) for one in both] == [(True, ["physical"]), (True, 300_000_000)]
    assert "yes ltv more than 2.50  (300.00)" in bench.run("segments", "explain", ANNA).output
    for missing in (("explain", "nobody@example.org"), ("explain", ANNA, "--segment", "x"), ("show", "x")):
        assert bench.json("segments", *missing, code=1)["error"]["code"] == "not_found"


def test_the_owners_file(bench: Bench) -> None:
    mine = bench.file.parent / "segments.toml"
    mine.write_text('[[segment]]\nslug = "big"\nname = "Big"\nrule = { field = "ltv", at_least = 100 }\n')
    assert bench.json("segments", "check")["segments"] == 1
    (change,) = bench.json("segments", "refresh")["changes"]
    assert (change["slug"], change["size"]) == ("big", sum(ltv >= 100_000_000 for _, ltv in _facts(bench)))
    mine.write_text('[[segment]]\nslug = "big"\nname = "Big"\nrule = { field = "ltw", at_least = 100 }\n')
    failed = bench.json("segments", "check", code=3)["error"]
    assert failed["details"][0]["line"] == 4 and failed["details"][0]["hint"] == "did you mean ltv?"
    assert bench.json("segments", "refresh", code=3)["error"]["code"] == "segments"


def test_fields_are_listed(bench: Bench) -> None:
    found = bench.json("segments", "fields")
    assert {"ltv", "country", "birthday"} <= {row["field"] for row in found["fields"]}
    assert "contact.city" in found["contact"]
    text = bench.run("segments", "fields").output
    assert "last_order" in text and "contact.SLUG" in text


def test_what_fluentcrm_knows(bench: Bench) -> None:
    """A segment over tags, fields and e-mails: refreshed, tried out, explained."""
    contact = bench.contact(ANNA)
    bench.execute("INSERT INTO wp_fc_tags (id, title, slug) VALUES (900, 'Club', 'club'), (901, 'Old', 'old')")
    attach = "INSERT INTO wp_fc_subscriber_pivot (subscriber_id, object_id, object_type) VALUES (%s, %s, %s)"
    bench.execute(attach, (contact, 900, "FluentCrm\\App\\Models\\Tag"))
    club = '{ all = [{ field = "tags", has = "club" }, { field = "contact.woo_orders_count", at_least = 3 }] }'
    mine = bench.file.with_name("segments.toml")
    mine.write_text(f'[[segment]]\nslug = "club"\nname = "C"\nrule = {club}\n')
    (change,) = bench.json("segments", "refresh")["changes"]
    assert (change["slug"], change["size"]) == ("club", 1)
    bench.execute(attach, (contact, 901, "FluentCrm\\App\\Models\\Tag"))
    assert bench.json("segments", "preview", '{ field = "tags", has = "old" }')["sheet"]["size"] == 1
    bench.execute("DELETE FROM wp_fc_subscriber_pivot WHERE object_id = 900")
    assert bench.json("segments", "explain", ANNA)["segments"][0]["holds"] is False
    (change,) = bench.json("segments", "refresh")["changes"]
    assert (change["left"], change["size"]) == (1, 0)
    assert bench.json("segments", "refresh", "--full")["changes"] == []


def test_groups_of_segments(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.run("segments", "refresh")
    found = {row["group"]["slug"]: row["stages"] for row in bench.json("segments", "groups")["groups"]}
    assert set(found) == {"journey", "rfm"}
    people = _facts(bench)
    assert sum(stage["people"] for stage in found["journey"]) == len(people)
    assert sum(stage["people"] for stage in found["rfm"]) == sum(count > 0 for count, _ in people) > 0
    assert sum(stage["share"] for stage in found["journey"]) == pytest.approx(1)
    assert all(stage["finished"]["median"] is None for stage in found["journey"])
    # Time passes: recent buyers are left behind, and have stayed for as long as it took.
    monkeypatch.setenv("SIDECAR_NOW", "2027-11-01T12:00:00Z")
    bench.run("segments", "refresh")
    (journey,) = bench.json("segments", "groups", "journey")["groups"]
    stages = {stage["slug"]: stage for stage in journey["stages"]}
    assert stages["stage-loyalty"]["people"] == stages["stage-purchase"]["people"] == 0
    assert max(stage["lasting"]["median"] or 0 for stage in stages.values()) == 365
    text = bench.run("segments", "groups", "journey").output
    assert "Awareness" in text and "Hibernating" not in text
    way = bench.json("segments", "groups", "journey", "--of", ANNA.upper())["stays"]
    assert way[-1]["until"] is None and all(stay["slug"].startswith("stage-") for stay in way)
    assert "still" in bench.run("segments", "groups", "journey", "--of", ANNA).output
    for missing in (("x",), ("journey", "--of", "nobody@example.org"), ("x", "--of", ANNA)):
        assert bench.json("segments", "groups", *missing, code=1)["error"]["code"] == "not_found"


def test_a_segment_of_a_group_is_shown_as_its_owner_wrote_it(bench: Bench) -> None:
    bench.run("segments", "refresh")
    text = bench.run("segments", "show", "stage-consideration").output
    assert "orders_count is 0" in text and "and in none of stage-awareness, which" in text
    rows = {row["slug"]: row["group"] for row in bench.json("segments", "list")["segments"]}
    assert (rows["stage-consideration"], rows["vip"]) == ("journey", None)
    why = {row["slug"]: row for row in bench.json("segments", "explain", ANNA)["segments"]}
    assert sum(why[slug]["holds"] for slug, group in rows.items() if group == "journey") == 1
    assert sum(why[slug]["holds"] for slug, group in rows.items() if group == "rfm") == 1
