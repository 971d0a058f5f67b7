"""Who may call the bridge: signed by the paired key, now, once. Everybody else gets one and the same answer."""

from __future__ import annotations

import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from wordpress_site import KEY, SECRET, Site

pytestmark = pytest.mark.wordpress


@pytest.fixture(autouse=True)
def paired(hpos: Site) -> None:
    hpos.pair()


def test_status(site: Site) -> None:
    site.pair()
    site.outbox()
    before = int(time.time() * 1000)
    site.php("FluentCrmSidecar\\Outbox::add( 'order.updated', 1 );")
    said = site.signed("GET", "/status").json()
    assert said["storage"] == site.storage
    assert said["site_url"] == said["home_url"] == site.url
    assert (said["user"], said["timezone"], said["locale"], said["sync_on"]) == (
        "sidecar",
        "America/New_York",
        "en_US",
        False,
    )
    assert set(said["paid_statuses"]) == {"processing", "completed"}
    assert {"pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed"} <= set(
        said["order_statuses"]
    )
    assert said["outbox"]["rows"] == 1
    assert before <= said["outbox"]["oldest_ms"] <= int(time.time() * 1000)
    assert abs(said["now"] - time.time()) < 5
    for name in ("plugin", "wordpress", "woocommerce", "fluentcrm", "php"):
        assert said[name][0].isdigit(), name


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": "0" * 64},
        {"signature": ""},
        {"key": "00000000000000ff"},
        {"secret": "ff" * 32},
        {"timestamp": str(int(time.time()) - 301)},
        {"timestamp": str(int(time.time()) + 40_000)},
        {"timestamp": "now"},
        {"nonce": "short"},
        {"nonce": "A" * 32},
        {"actor": "1;root;en_US;ltr"},
        {"actor": "1;administrator;en_US;ltr\nX"},
        {"target": "/fluentcrm-sidecar/v1/contacts"},
    ],
)
def test_refused_without_a_hint(hpos: Site, changes: dict[str, str]) -> None:
    try:
        answer = hpos.signed("GET", "/status", **changes)
    except requests.exceptions.InvalidHeader:
        return  # a line break does not even leave
    assert (answer.status_code, answer.json()["code"]) == (401, "fcsc_unauthorized")
    assert answer.content == requests.get(f"{hpos.url}/wp-json/fluentcrm-sidecar/v1/status", timeout=30).content
    assert "X-FCSC-Signature" not in answer.headers


def test_the_body_is_signed(hpos: Site) -> None:
    good = {"timestamp": str(int(time.time())), "nonce": secrets.token_hex(16)}
    right = hpos.signed("POST", "/contacts", {"items": []}, **good)
    assert right.status_code == 200
    sent = dict(right.request.headers) | {"X-FCSC-Nonce": secrets.token_hex(16)}
    assert requests.post(str(right.request.url), data=b'{"items":[{}]}', headers=sent, timeout=30).status_code == 401


def test_a_replay_is_refused_also_by_two_at_once(hpos: Site) -> None:
    """Pain 39."""
    nonce = secrets.token_hex(16)
    with ThreadPoolExecutor(4) as pool:
        codes = list(pool.map(lambda _: hpos.signed("GET", "/status", nonce=nonce).status_code, range(4)))
    assert sorted(codes) == [200, 401, 401, 401]


def test_query_and_plain_permalinks(hpos: Site) -> None:
    """What is signed is the route and the sorted query, whatever the URL looks like."""
    assert (
        hpos.signed("GET", "/status?b=2&a=x%20y", target="/fluentcrm-sidecar/v1/status?a=x%20y&b=2").status_code == 200
    )
    headers = dict(hpos.signed("GET", "/status").request.headers)
    plain = f"{hpos.url}/index.php?rest_route=/fluentcrm-sidecar/v1/status"
    assert requests.get(plain, headers=headers, timeout=30).status_code == 401  # a replay
    hpos.rows("DELETE FROM wp_fcsc_nonces")
    assert requests.get(plain, headers=headers, timeout=30).status_code == 200


def test_too_large(hpos: Site) -> None:
    answer = hpos.signed("POST", "/contacts", {"items": ["x" * (1 << 20)]})
    assert answer.status_code == 413


def test_too_many_or_no_items(hpos: Site) -> None:
    assert hpos.signed("POST", "/contacts", {"items": [{}] * 201}).status_code == 400
    assert hpos.signed("POST", "/contacts", {}).status_code == 400
    assert (
        hpos.signed("POST", "/contacts", {"items": ["x", None, 3]}).json()["outcomes"]
        == [{"person": 0, "state": "refused", "contact_id": 0, "reason": "unknown op"}] * 3
    )


def test_rotation(hpos: Site) -> None:
    new = ("00000000000000cd", "7f" * 32)
    hpos.rows("UPDATE wp_fcsc_keys SET state = 'previous'")
    hpos.rows("INSERT INTO wp_fcsc_keys VALUES (%s, %s, 'http://127.0.0.1:9', 'current', UTC_TIMESTAMP())", new)
    assert hpos.signed("GET", "/status", key=new[0], secret=new[1]).status_code == 200
    assert hpos.signed("GET", "/status").status_code == 200
    hpos.rows("UPDATE wp_fcsc_keys SET created_gmt = UTC_TIMESTAMP() - INTERVAL 16 MINUTE WHERE state = 'current'")
    hpos.rows("UPDATE wp_fcsc_keys SET created_gmt = UTC_TIMESTAMP() - INTERVAL 1 DAY WHERE state = 'previous'")
    assert hpos.signed("GET", "/status", key=new[0], secret=new[1]).status_code == 200
    assert hpos.signed("GET", "/status").status_code == 401
    assert hpos.rows("SELECT key_id FROM wp_fcsc_keys") == [(new[0],)]


def test_a_site_that_is_not_paired(hpos: Site) -> None:
    hpos.rows("DELETE FROM wp_fcsc_keys")
    assert hpos.signed("GET", "/status").status_code == 401
    hpos.rows("RENAME TABLE wp_fcsc_keys TO wp_fcsc_keys_away")
    try:
        assert hpos.signed("GET", "/status").status_code == 401
    finally:
        hpos.rows("RENAME TABLE wp_fcsc_keys_away TO wp_fcsc_keys")


def test_old_nonces_go(hpos: Site) -> None:
    hpos.rows("INSERT INTO wp_fcsc_nonces VALUES (%s, %s)", ("a" * 32, int(time.time()) - 700))
    hpos.php("FluentCrmSidecar\\Tables::cleanup();")
    assert hpos.rows("SELECT COUNT(*) FROM wp_fcsc_nonces WHERE nonce = %s", ("a" * 32,)) == [(0,)]


def test_the_secret_is_nowhere_to_be_read(hpos: Site) -> None:
    for path in ("/wp-json/", "/wp-json/fluentcrm-sidecar/v1", "/wp-json/wp/v2/settings"):
        text = requests.get(hpos.url + path, timeout=30).text
        assert SECRET not in text
        assert KEY not in text
