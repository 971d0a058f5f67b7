"""`sidecar segments export`: who is in the file, that it harms nobody who opens it, and that it is for its owner only."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from commandline import Bench
from hypothesis import given
from hypothesis import strategies as st
from shopkeeper import Shopkeeper
from support import ShopDatabase

from sidecar.segments.export import FIELDS, harmless

EVIL = '=HYPERLINK("http://x","a")'


@pytest.fixture
def bench(demo_hpos: ShopDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:00:00Z")
    monkeypatch.chdir(tmp_path)
    keeper = Shopkeeper(demo_hpos)
    keeper.order(
        "evil@shop.example", billing={"first_name": EVIL, "last_name": 'semi;"quote"\nline', "phone": "+359888123456"}
    )
    made = Bench(demo_hpos, tmp_path)
    made.run("sync")
    keeper.do("UPDATE wp_fc_subscribers SET first_name = %s, last_name = %s, phone = '+359888123456', status = 'subscribed'"
              " WHERE email = 'evil@shop.example'", EVIL, 'semi;"quote"\nline')  # fmt: skip
    made.run("segments", "refresh")
    yield made


def members(bench: Bench, slug: str) -> list[int]:
    from contextlib import closing

    from sidecar.state.database import State

    with closing(State(bench.state_dir)) as state:
        sql = "SELECT p.contact_id FROM membership m JOIN person p ON p.id = m.person_id WHERE m.segment = ? ORDER BY p.id"
        return [row[0] for row in state.rows(sql, (slug,))]


def test_a_csv_of_those_who_agreed(bench: Bench) -> None:
    done = bench.json("segments", "export", "first-time-buyers")
    file = Path(done["file"])
    assert file == Path("first-time-buyers.csv")
    assert file.stat().st_mode & 0o777 == 0o600
    rows = list(csv.DictReader(io.StringIO(file.read_bytes().decode())))
    agreed = bench.shop.rows("SELECT id, email, status FROM wp_fc_subscribers WHERE status = 'subscribed'")
    wanted = {id_: email for id_, email, _ in agreed if id_ in members(bench, "first-time-buyers")}
    assert wanted and {int(row["contact_id"]): row["email"] for row in rows} == wanted
    assert done["written"] == len(rows) and done["left_out"] == len(members(bench, "first-time-buyers")) - len(rows) > 0
    (evil,) = [row for row in rows if row["email"] == "evil@shop.example"]
    assert (evil["first_name"], evil["last_name"], evil["phone"]) == (
        f"'{EVIL}",
        'semi;"quote"\nline',
        "'+359888123456",
    )
    assert set(evil) == set(FIELDS) and evil["orders"] == "1" and evil["status"] == "subscribed"
    assert evil["ltv"] == evil["aov"] and float(evil["ltv"]) > 0 and len(evil["last_order"]) == 19


def test_everybody_as_json_on_standard_output(bench: Bench) -> None:
    found = bench.run("segments", "export", "first-time-buyers", "--all", "--format", "json", "--out", "-")
    rows = json.loads(found.stdout)
    assert [row["contact_id"] for row in rows] == members(bench, "first-time-buyers")
    assert "everybody is exported" in found.stderr and "everybody" not in found.stdout
    (evil,) = [row for row in rows if row["email"] == "evil@shop.example"]
    assert evil["first_name"] == EVIL and tuple(evil) == FIELDS
    assert json.loads(bench.run("segments", "export", "b2b", "--format", "json", "--out", "-").stdout) == []
    assert bench.json("segments", "export", "b2b", "--out", "-", code=2)["error"]["code"] == "usage"
    assert bench.json("segments", "export", "nobody", code=1)["error"]["code"] == "not_found"


def test_a_file_that_is_there_stays(bench: Bench) -> None:
    Path("mine.csv").write_text("mine")
    assert (
        bench.json("segments", "export", "vip", "--out", "mine.csv", code=2)["error"]["hint"] == "--force replaces it"
    )
    assert Path("mine.csv").read_text() == "mine"
    bench.run("segments", "export", "vip", "--out", "mine.csv", "--force", "--all")
    assert Path("mine.csv").read_text().startswith("contact_id,email")
    assert Path("mine.csv").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in Path().glob("*mine*")] == ["mine.csv"]
    failed = bench.json("segments", "export", "vip", "--out", "no/such/folder.csv", code=3)["error"]
    assert "cannot be written" in failed["message"]


def test_an_export_that_breaks_off_leaves_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    from sidecar.segments import people

    def away(*_: object) -> None:
        raise RuntimeError("away")

    monkeypatch.setattr(people, "shown", away)
    before = sorted(Path().iterdir())
    bench.run("segments", "export", "first-time-buyers", code=None)
    assert sorted(Path().iterdir()) == before


def test_samples_are_masked(bench: Bench) -> None:
    emails = [row[0] for row in bench.shop.rows("SELECT email FROM wp_fc_subscribers")]
    for command in (("show", "first-time-buyers"), ("preview", '{ field = "orders_count", at_least = 1 }')):
        said = bench.run("segments", *command).output + str(bench.json("segments", *command))
        assert "•••@" in said
        assert not [email for email in emails if email in said]


@given(st.text() | st.sampled_from(["=1", "+1", "-1", "@x", "\t=1", "\r=1", " =1", "\n=1", "plain", ""]))
def test_no_cell_is_a_formula(text: str) -> None:
    said = harmless(text)
    assert not said.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
    assert said in (text, f"'{text}")
