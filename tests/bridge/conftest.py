"""The real shop of these tests, once per session and storage."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from shopper import Shopper
from wordpress_site import Site, wp_root

from sidecar.demo.mariadb import PrivateMariaDB


def _site(factory: pytest.TempPathFactory, server: PrivateMariaDB, storage: str) -> Iterator[Site]:
    wp_root()
    site = Site(factory.mktemp(f"site-{storage}"), server, storage)
    try:
        site.make()
        site.settings(basis="email")
        site.pair()
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="session")
def site_hpos(tmp_path_factory: pytest.TempPathFactory, mariadb: PrivateMariaDB) -> Iterator[Site]:
    yield from _site(tmp_path_factory, mariadb, "hpos")


@pytest.fixture(scope="session")
def site_posts(tmp_path_factory: pytest.TempPathFactory, mariadb: PrivateMariaDB) -> Iterator[Site]:
    yield from _site(tmp_path_factory, mariadb, "posts")


@pytest.fixture(params=["hpos", "posts"])
def site(request: pytest.FixtureRequest) -> Site:
    """The shop, in either storage; the outbox is empty."""
    made: Site = request.getfixturevalue(f"site_{request.param}")
    made.outbox()
    made.requests_log()
    return made


@pytest.fixture
def hpos(site_hpos: Site) -> Site:
    """For what has nothing to do with how orders are stored."""
    site_hpos.outbox()
    site_hpos.requests_log()
    return site_hpos


@pytest.fixture
def shopper(request: pytest.FixtureRequest) -> Iterator[Shopper]:
    """A browser without cookies, on the site that the test uses."""
    name = "site" if "site" in request.fixturenames else "hpos"
    with Shopper(request.getfixturevalue(name)) as browser:
        yield browser
