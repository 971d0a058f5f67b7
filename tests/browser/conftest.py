"""A browser, a shop that lives, and people who are logged in."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import WIDE, Tab, chromium
from live_shop import LiveShop
from wordpress_site import wp_root

from sidecar.demo.mariadb import PrivateMariaDB

Open = Callable[..., Tab]


@pytest.fixture(scope="session")
def chrome() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures go: $BROWSER_SHOTS, else the run's temporary folder."""
    wanted = os.environ.get("BROWSER_SHOTS")
    folder = Path(wanted) if wanted else tmp_path_factory.mktemp("shots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory, chrome: Any, mariadb: PrivateMariaDB) -> Iterator[LiveShop]:
    """The shop. It takes some twenty seconds, so all tests share it."""
    wp_root()
    shop = LiveShop(tmp_path_factory.mktemp("live"), mariadb)
    try:
        shop.make()
        yield shop
    finally:
        shop.stop()


@pytest.fixture(scope="session")
def logins() -> dict[str, Any]:
    """Cookies by user, so that everybody logs in once."""
    return {}


@pytest.fixture
def open_as(live: LiveShop, chrome: Any, shots: Path, logins: dict[str, Any]) -> Iterator[Open]:
    """`open_as("admin")`: a tab of that user. What went wrong in it fails the test at the end."""
    tabs: list[Tab] = []

    def make(name: str, size: tuple[int, int] = WIDE) -> Tab:
        tab = Tab(chrome, shots, state=logins.get(name), size=size)
        tabs.append(tab)
        if name not in logins:
            tab.page.goto(live.site.url + "/wp-login.php")
            tab.page.fill("#user_login", name)
            tab.page.fill("#user_pass", name)
            tab.page.click("#wp-submit")
            tab.page.wait_for_url("**/wp-admin/**", wait_until="commit")
            logins[name] = tab.context.storage_state()
            # The dashboard's trouble is not ours; left, it can cause no more.
            tab.page.goto("about:blank")
            tab.trouble.clear()
        return tab

    yield make
    found = [line for tab in tabs for line in tab.trouble]
    for tab in tabs:
        tab.close()
    assert not found, found
