"""A shop after its first run, with the plugin's tables."""

from __future__ import annotations

import pytest
from bridging import LiveShop, install
from shopkeeper import Shopkeeper
from support import ShopDatabase
from syncing import ConfigFor, run

from sidecar.config import Config
from sidecar.runtime import build


def _live(database: ShopDatabase, config: Config) -> LiveShop:
    run(config)
    install(database)
    with build(config) as sidecar:
        sidecar.refresh_segments()
    return LiveShop(database, Shopkeeper(database), config)


@pytest.fixture
def shop(demo: ShopDatabase, config_for: ConfigFor) -> LiveShop:
    """In both order storages."""
    return _live(demo, config_for(demo))


@pytest.fixture
def hpos(demo_hpos: ShopDatabase, config_for: ConfigFor) -> LiveShop:
    """In WooCommerce's own tables only, where the storage does not matter."""
    return _live(demo_hpos, config_for(demo_hpos))
