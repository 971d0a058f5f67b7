"""When everybody is looked at, indexes are built anew: with the same outcome, and interrupted without a trace."""

from __future__ import annotations

from pathlib import Path

import pytest
from crowd import DAY, NOWS, ZONES, buyer, fill

from sidecar.segments import file, membership, table
from sidecar.state.database import State

EVERY = "SELECT name, sql FROM sqlite_master WHERE type = 'index' ORDER BY name"
TABLES = ("trait", "counted_order", "reorder", "membership", "segment_size")


def _made(state: State) -> dict[str, list[tuple[object, ...]]]:
    found = {name: state.rows(f"SELECT * FROM {name} ORDER BY 1, 2") for name in TABLES}
    return found | {"events": state.rows("SELECT segment, person_id, entered, at FROM membership_event ORDER BY 1, 2")}


def test_many_people_end_as_few_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zone, now = ZONES[1], NOWS[0]
    segments = file.load(None, zone)
    crowd = [buyer(*(now - age * DAY for age in range(number, 400, 37 + number))) for number in range(1, 30)]
    found = []
    for many, most in ((10_000, 200_000), (5, 200_000), (5, 3)):
        monkeypatch.setattr(table, "_MANY", many)
        monkeypatch.setattr(table, "_MOST", most)
        monkeypatch.setattr(table, "_PAGE", 7)
        with State(tmp_path / f"{many}-{most}") as state:
            before = state.rows(EVERY)
            fill(state, crowd, zone)
            membership.refresh(state, segments, now, zone)
            first = _made(state)
            # Once more, with what is there already.
            state.sql.execute("UPDATE person_doc SET facts = facts")
            state.sql.execute("INSERT OR REPLACE INTO trait_stale (person_id) SELECT person_id FROM person_doc")
            assert membership.refresh(state, segments, now, zone) == []
            assert _made(state) == first and state.rows(EVERY) == before
            found.append(first)
    assert found[0] == found[1] == found[2] and len(found[0]["trait"]) == 29


@pytest.mark.parametrize("where", ["_pages", "_everybody"])
def test_interrupted_the_indexes_are_there(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zone, now = ZONES[0], NOWS[0]
    segments = file.load(None, zone)
    monkeypatch.setattr(table, "_MANY", 2)
    module = table if where == "_pages" else membership
    real = getattr(module, where)

    def dies(*arguments: object) -> None:
        real(*arguments)
        raise KeyboardInterrupt

    with State(tmp_path) as state:
        fill(state, [buyer(now - DAY), buyer(now - DAY), buyer(now - 2 * DAY)], zone)
        before = state.rows(EVERY)
        with monkeypatch.context() as patch:
            patch.setattr(module, where, dies)
            with pytest.raises(KeyboardInterrupt):
                membership.refresh(state, segments, now, zone)
        assert state.rows(EVERY) == before
        assert state.rows("SELECT 1 FROM membership") == state.rows("SELECT 1 FROM membership_event") == []
        assert len(state.rows("SELECT 1 FROM trait")) == (0 if where == "_pages" else 3)
        membership.tick(state, segments, now, zone)
        sizes = membership.sizes(state)
        assert sizes["recent-buyers"] == sizes["stage-purchase"] == 3
