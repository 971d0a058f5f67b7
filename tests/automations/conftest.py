"""A shop after its first run, made once; each test has a copy of it and of the state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from automating import World, copied, prepared
from support import ShopDatabase

from sidecar import config as parts
from sidecar.config import Config
from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.demo.truth import Truth


@pytest.fixture(scope="session")
def known_shop(
    mariadb: PrivateMariaDB, demo_template_hpos: tuple[str, Truth], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ShopDatabase, Config]]:
    mariadb.clone(demo_template_hpos[0], "automations_known")
    shop = ShopDatabase(mariadb, "automations_known", "hpos", demo_template_hpos[1])
    database = parts.Database(unix_socket=shop.socket, user="root", name=shop.database)
    state = parts.State(dir=str(tmp_path_factory.mktemp("known")))
    config = Config(shop=parts.Shop(table_prefix="wp_", database=database), state=state)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIDECAR_NOW", "2026-11-01T12:00:00Z")
        prepared(shop, config)
    yield shop, config
    mariadb.drop_database(shop.database)


@pytest.fixture
def world(known_shop: tuple[ShopDatabase, Config], tmp_path: Path) -> Iterator[World]:
    """The shop itself is shared by the tests of a session: they leave what they add to it, at moments and under addresses of
    their own."""
    shop, config = known_shop
    made = World(shop, copied(config, tmp_path / "state"))
    yield made
    made.close()
