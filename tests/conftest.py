"""Fixtures: a private MariaDB for the session, and for each test its own copy of a shop.

`demo_hpos`, `demo_posts` and `demo` (both, one after the other) are the deterministic shop with its truth;
`real_hpos` and `real_posts` are databases that real WooCommerce wrote. A copy takes a third of a second,
so ask for one only where the database matters.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from support import ShopDatabase, real_store

from sidecar.config import Config, Database, Shop, State
from sidecar.demo.mariadb import MariaDBMissing, PrivateMariaDB
from sidecar.demo.schema import Storage
from sidecar.demo.shop import build
from sidecar.demo.truth import Truth

copies = count(1)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test happens at noon UTC on 1 November 2026, the demo's and the real stores' "now"."""
    monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:00:00Z")


@pytest.fixture(scope="session")
def mariadb() -> Iterator[PrivateMariaDB]:
    """The session's database server. Skips where there is none, except in CI (REQUIRE_MARIADB=1)."""
    server = PrivateMariaDB()
    try:
        server.start()
    except MariaDBMissing as missing:
        if os.environ.get("REQUIRE_MARIADB") == "1":
            raise
        pytest.skip(f"{missing.message}; {missing.hint}")
    yield server
    server.stop()


def _demo_template(server: PrivateMariaDB, storage: Storage) -> tuple[str, Truth]:
    name = f"template_demo_{storage}"
    server.create_database(name)
    with closing(server.connect(name)) as connection:
        return name, build(connection, storage=storage, customers=300, orders=900)


@pytest.fixture(scope="session")
def demo_template_hpos(mariadb: PrivateMariaDB) -> tuple[str, Truth]:
    return _demo_template(mariadb, "hpos")


@pytest.fixture(scope="session")
def demo_template_posts(mariadb: PrivateMariaDB) -> tuple[str, Truth]:
    return _demo_template(mariadb, "posts")


def _copy(server: PrivateMariaDB, template: str, storage: str, truth: Truth | None) -> Iterator[ShopDatabase]:
    name = f"shop_{next(copies)}"
    server.clone(template, name)
    yield ShopDatabase(server, name, storage, truth)
    server.drop_database(name)


@pytest.fixture
def demo_hpos(mariadb: PrivateMariaDB, demo_template_hpos: tuple[str, Truth]) -> Iterator[ShopDatabase]:
    """A demo shop with orders in WooCommerce's own tables."""
    yield from _copy(mariadb, demo_template_hpos[0], "hpos", demo_template_hpos[1])


@pytest.fixture
def demo_posts(mariadb: PrivateMariaDB, demo_template_posts: tuple[str, Truth]) -> Iterator[ShopDatabase]:
    """A demo shop with orders in posts and postmeta."""
    yield from _copy(mariadb, demo_template_posts[0], "posts", demo_template_posts[1])


@pytest.fixture(params=["hpos", "posts"])
def demo(request: pytest.FixtureRequest) -> ShopDatabase:
    """A demo shop; the test runs once for either storage."""
    shop: ShopDatabase = request.getfixturevalue(f"demo_{request.param}")
    return shop


def _real_template(server: PrivateMariaDB, file: str, name: str) -> str:
    path = real_store(file)
    if not path.exists():
        pytest.skip(f"the real store {path} is not here; set SHARED_STORES to the folder that has it")
    server.create_database(name)
    server.run_script(name, path)
    return name


@pytest.fixture(scope="session")
def real_template_hpos(mariadb: PrivateMariaDB) -> str:
    return _real_template(mariadb, "shop-hpos.sql.gz", "template_real_hpos")


@pytest.fixture(scope="session")
def real_template_posts(mariadb: PrivateMariaDB) -> str:
    return _real_template(mariadb, "shop-legacy.sql.gz", "template_real_posts")


@pytest.fixture
def real_hpos(mariadb: PrivateMariaDB, real_template_hpos: str) -> Iterator[ShopDatabase]:
    """The shop that real WooCommerce wrote, in its own tables."""
    yield from _copy(mariadb, real_template_hpos, "hpos", None)


@pytest.fixture
def real_posts(mariadb: PrivateMariaDB, real_template_posts: str) -> Iterator[ShopDatabase]:
    """The shop that real WooCommerce wrote, in posts."""
    yield from _copy(mariadb, real_template_posts, "posts", None)


@pytest.fixture(params=["hpos", "posts"])
def real(request: pytest.FixtureRequest) -> ShopDatabase:
    """The real shop; the test runs once for either storage."""
    shop: ShopDatabase = request.getfixturevalue(f"real_{request.param}")
    return shop


@pytest.fixture(scope="session")
def truth_lines() -> dict[str, dict[str, Any]]:
    """The real stores' truth by lower-cased e-mail, as WooCommerce's own objects gave it."""
    path = real_store("shop-truth.jsonl.gz")
    if not path.exists():
        pytest.skip(f"the real stores' truth {path} is not here; set SHARED_STORES")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return {line["email"]: line for line in map(json.loads, lines)}


@pytest.fixture
def config_for(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Config]:
    """`config_for(shop)`: a configuration for that copy of a shop, with a state directory of its own.

    Sections given by name replace the default: `config_for(shop, people=People(...))`.
    """

    def make(shop: ShopDatabase, *, state_dir: Path | None = None, **sections: Any) -> Config:
        database = Database(unix_socket=shop.socket, user="root", name=shop.database)
        state = State(dir=str(state_dir or tmp_path_factory.mktemp("state")))
        return Config(**{"shop": Shop(table_prefix="wp_", database=database), "state": state, **sections})

    return make
