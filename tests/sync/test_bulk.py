"""What makes a first run quick leaves nothing behind: indexes that were dropped meanwhile, figures of many at once."""

from __future__ import annotations

import subprocess
import sys

import pytest
from support import ROOT
from syncing import ConfigFor, run

from sidecar.state import bulk, runs
from sidecar.state.database import State
from sidecar.sync import standing

INDEXES = "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'shop_order' ORDER BY name"
DIES = """
import os, sys
from sidecar.state import bulk
from sidecar.state.database import State
with State(sys.argv[1]) as state, bulk.without_indexes(state, "shop_order"):
    os._exit(9)
"""


def test_the_indexes_are_there_after_a_first_run(demo_hpos: object, config_for: ConfigFor) -> None:
    config = config_for(demo_hpos)  # type: ignore[arg-type]
    with State(config.state.dir) as state:
        before = state.rows(INDEXES)
    assert len(before) == 3
    run(config)
    with State(config.state.dir) as state:
        assert state.rows(INDEXES) == before


def test_who_comes_after_a_crash_builds_them_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("state")
    with State(folder) as state:
        before = state.rows(INDEXES)
    died = subprocess.run([sys.executable, "-c", DIES, str(folder)], cwd=ROOT, check=False, timeout=60)
    assert died.returncode == 9
    with State(folder) as state:
        assert state.rows(INDEXES) == []
        with runs.lock(state):
            assert state.rows(INDEXES) == before
        with runs.lock(state):
            assert state.rows(INDEXES) == before


def test_an_error_while_loading_builds_them_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    with State(tmp_path_factory.mktemp("state")) as state:
        before = state.rows(INDEXES)
        with pytest.raises(ZeroDivisionError), bulk.without_indexes(state, "shop_order"):
            raise ZeroDivisionError
        assert state.rows(INDEXES) == before


def test_the_figures_of_many_are_those_of_each(demo_hpos: object, config_for: ConfigFor) -> None:
    """Two statements for one thing: one for a few changed people, one for all."""
    config = config_for(demo_hpos)  # type: ignore[arg-type]
    run(config)
    figures = "SELECT id, orders_count, ltv FROM person ORDER BY id"
    with State(config.state.dir) as state:
        written = state.rows(figures)
        assert len({row[2] for row in written}) > 20
        found = []
        for statements in ((standing._FIGURES,), (standing._NOTHING, standing._FIGURES_OF_MANY)):
            state.sql.execute("UPDATE person SET dirty = 1, orders_count = 77, ltv = -1")
            for statement in statements:
                state.sql.execute(statement)
            found.append(state.rows(figures))
        assert found[0] == found[1] == written
