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
from sidecar.demo.schema import Storage
from sidecar.demo.truth import Truth


def _known(
    server: PrivateMariaDB, template: tuple[str, Truth], storage: Storage, folder: Path
) -> Iterator[tuple[ShopDatabase, Config]]:
    name = f"automations_{storage}"
    server.clone(template[0], name)
    shop = ShopDatabase(server, name, storage, template[1])
    database = parts.Database(unix_socket=shop.socket, user="root", name=shop.database)
    config = Config(shop=parts.Shop(table_prefix="wp_", database=database), state=parts.State(dir=str(folder)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIDECAR_NOW", "2026-11-01T12:00:00Z")
        prepared(shop, config)
    yield shop, config
    server.drop_database(name)


@pytest.fixture(scope="session")
def known_shop(
    mariadb: PrivateMariaDB, demo_template_hpos: tuple[str, Truth], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ShopDatabase, Config]]:
    yield from _known(mariadb, demo_template_hpos, "hpos", tmp_path_factory.mktemp("known"))


@pytest.fixture(scope="session")
def known_posts(
    mariadb: PrivateMariaDB, demo_template_posts: tuple[str, Truth], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[ShopDatabase, Config]]:
    yield from _known(mariadb, demo_template_posts, "posts", tmp_path_factory.mktemp("known"))


@pytest.fixture
def world(known_shop: tuple[ShopDatabase, Config], tmp_path: Path) -> Iterator[World]:
    """The shop itself is shared by the tests of a session: they leave what they add to it, at moments and under addresses of
    their own."""
    shop, config = known_shop
    made = World(shop, copied(config, tmp_path / "state"))
    yield made
    made.close()


@pytest.fixture
def legacy(known_posts: tuple[ShopDatabase, Config], tmp_path: Path) -> Iterator[World]:
    """The same with orders in posts and postmeta."""
    shop, config = known_posts
    made = World(shop, copied(config, tmp_path / "state"))
    yield made
    made.close()
