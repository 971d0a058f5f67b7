"""A whole shop that runs: WordPress, MariaDB, the plugin and `sidecar serve`, once per session and kind of shop.

`standin` is the distribution's WordPress with stand-ins for WooCommerce and FluentCRM; `hpos` and `posts` are real ones
(WP_ROOT), with orders in either storage.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from running import COUNTER, Live, Sidecar
from shopper import Shopper
from standin_site import StandinSite, wordpress_package
from wordpress_site import Site, wp_root

from sidecar.demo.mariadb import PrivateMariaDB

ORDER = """
$order = wc_create_order( array( 'status' => 'pending' ) );
$order->add_product( wc_get_product( $in['product'] ), 1 );
$order->set_billing_email( $in['email'] ); $order->calculate_totals(); $order->save(); $order->update_status( 'completed' );
return $order->get_id();
"""


@pytest.fixture(scope="session", params=["standin", "hpos", "posts"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, mariadb: PrivateMariaDB) -> Iterator[Live]:  # fmt: skip
    kind = str(request.param)
    (wordpress_package if kind == "standin" else wp_root)()
    folder = tmp_path_factory.mktemp(f"e2e-{kind}")
    site = StandinSite(folder, mariadb) if kind == "standin" else Site(folder, mariadb, kind, name=f"e2e_{kind}")
    sidecar = Sidecar(site, tmp_path_factory.mktemp(f"sidecar-{kind}"))
    try:
        site.make()
        (site.content / "extra" / "counter.php").write_text(COUNTER, "utf-8")
        # Who bought before there was a sidecar.
        site.php(ORDER, {"product": site.ids["tea"], "email": "before@shop.example"})
        paired = sidecar.run("pair")
        synced = sidecar.run("sync")
        sidecar.serve()
        sidecar.quiet()
        yield Live(site, sidecar, paired, synced)
    finally:
        sidecar.stop()
        site.stop()


@pytest.fixture
def live(whole: Live) -> Live:
    """The same with the sidecar running and nothing to do."""
    whole.sidecar.serve()
    whole.sidecar.quiet()
    return whole


@pytest.fixture
def shopper(live: Live) -> Iterator[Shopper]:
    """A browser without cookies."""
    with Shopper(live.site) as browser:
        yield browser


@pytest.fixture
def admin(live: Live) -> Iterator[Shopper]:
    with Shopper(live.site) as browser:
        browser.login("admin")
        yield browser
