"""Shops on which the main job ran once, for tests that only read: one copy a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from support import ShopDatabase
from syncing import checksums, is_crm, is_shop, run

from sidecar.config import Config, Database, Shop, State
from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.sync.engine import Report

copies = count(1)


@dataclass(frozen=True)
class Synced:
    """A shop after its first run, with what stood in its tables before and after."""

    shop: ShopDatabase
    config: Config
    report: Report
    before: dict[str, int]
    after: dict[str, int]


@pytest.fixture(scope="module")
def synced(
    mariadb: PrivateMariaDB, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[str], Synced]]:
    """`synced("demo_hpos")`: that shop after a first run; the same one for the whole module."""
    made: dict[str, Synced] = {}

    def get(name: str) -> Synced:
        if name not in made:
            kind, _, storage = name.partition("_")
            found: Any = request.getfixturevalue(f"{kind}_template_{storage}")
            template, truth = found if kind == "demo" else (found, None)
            database = f"synced_{next(copies)}"
            mariadb.clone(template, database)
            shop = ShopDatabase(mariadb, database, storage, truth)
            config = Config(
                shop=Shop(table_prefix="wp_", database=Database(unix_socket=shop.socket, user="root", name=database)),
                state=State(dir=str(tmp_path_factory.mktemp("state"))),
            )
            before = checksums(shop, lambda table: True)
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("SIDECAR_NOW", "2026-11-01T12:00:00Z")
                report = run(config)
            made[name] = Synced(shop, config, report, before, checksums(shop, lambda t: is_shop(t) or is_crm(t)))
        return made[name]

    yield get
    for one in made.values():
        mariadb.drop_database(one.shop.database)


@pytest.fixture(params=["hpos", "posts"])
def synced_demo(request: pytest.FixtureRequest, synced: Callable[[str], Synced]) -> Synced:
    """The demo shop after its first run, in either storage. Read only."""
    return synced(f"demo_{request.param}")


@pytest.fixture(params=["hpos", "posts"])
def synced_real(request: pytest.FixtureRequest, synced: Callable[[str], Synced]) -> Synced:
    """The real store after its first run, in either storage. Read only."""
    return synced(f"real_{request.param}")
