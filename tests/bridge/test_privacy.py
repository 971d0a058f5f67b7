"""WordPress' own export and erase requests, driven as an administrator does: all that we know of a person goes, and stays gone."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets

import pytest
from fake_sidecar import Answer, FakeSidecar
from wordpress_site import Site

pytestmark = pytest.mark.wordpress

ERASE = """
$done = array(); foreach ( apply_filters( 'wp_privacy_personal_data_erasers', array() ) as $key => $eraser ) {
	if ( 'fluentcrm-sidecar' === $key ) { $done = call_user_func( $eraser['callback'], $in, 1 ); } } return $done;
"""


def hashed(site: Site, email: str) -> str:
    key = site.php("return get_option( 'fcsc_suppression_key' );")
    return hmac.new(bytes.fromhex(key), email.strip().lower().encode(), hashlib.sha256).hexdigest()


def contact(site: Site, email: str) -> int:
    id_ = int(
        site.php(
            "$c = FluentCrm\\App\\Models\\Subscriber::create( array( 'email' => $in, 'status' => 'subscribed' ) ); return (int) $c->id;",
            email,
        )
    )
    site.outbox()
    return id_


def cart(site: Site, email: str, user: int = 0) -> str:
    visitor = secrets.token_hex(16)
    site.rows(
        "INSERT INTO wp_fcsc_carts (visitor, user_id, email, items, created_gmt, updated_gmt) VALUES (%s, %s, %s, '[]', UTC_TIMESTAMP(), UTC_TIMESTAMP())",
        (visitor, user, email),
    )
    return visitor


def test_coupons_of_an_erased_person(hpos: Site) -> None:
    """Ours that are bound to the address go; the owner's own and other people's stay. José is not Jose."""
    email = f"c{secrets.token_hex(4)}@example.com"
    make = """$c = new WC_Coupon(); $c->set_code( wp_generate_password( 12, false ) ); $c->set_email_restrictions( $in[0] ); $in[1] && $c->update_meta_data( '_fcsc_key', 'k' ); return $c->save();"""
    ours, owners, others = (hpos.php(make, [[who], mark]) for who, mark in ((email, True), (email, False), (f"x{email}", True)))  # fmt: skip
    hpos.php(ERASE, email.upper())
    left = {id_ for (id_,) in hpos.rows("SELECT ID FROM wp_posts WHERE post_type = 'shop_coupon'")}
    assert {ours, owners, others} & left == {owners, others}
    hpos.rows("DELETE FROM wp_fcsc_suppressed")


def test_erase(hpos: Site) -> None:
    """Pain 25."""
    hpos.pair("http://127.0.0.1:9")
    email = f"Erase{secrets.token_hex(4)}@Example.com"
    user = hpos.php(
        "return wp_insert_user( array( 'user_login' => $in, 'user_email' => $in, 'user_pass' => 'x' ) );", email
    )
    found = hpos.rows("SELECT id FROM wp_fc_subscribers WHERE email = %s", (email,))
    id_ = int(found[0][0]) if found else contact(hpos, email)
    hpos.rows(
        "CREATE TABLE IF NOT EXISTS wp_fcsc_undo (id INT AUTO_INCREMENT PRIMARY KEY, run_id INT, kind VARCHAR(20), object_id INT, detail TEXT)"
    )
    hpos.rows(
        "INSERT INTO wp_fcsc_undo (run_id, kind, object_id, detail) VALUES (1, 'contact', %s, 'x'), (1, 'tag', %s, 'y'), (1, 'contact', %s, 'z')",
        (id_, id_, id_ + 1),
    )
    mine, by_user, other = cart(hpos, email.lower()), cart(hpos, "", user), cart(hpos, "other@example.com")
    hpos.outbox()
    hpos.rows(
        "INSERT INTO wp_fcsc_outbox (topic, object_id, visitor, created_ms) VALUES ('product.viewed', 1, %s, 1), ('product.viewed', 2, %s, 1)",
        (mine, other),
    )
    said = hpos.php(ERASE, email)
    assert said["items_removed"] is True
    assert said["done"] is True
    assert "as soon as it runs" in said["messages"][0]
    assert hpos.rows("SELECT COUNT(*) FROM wp_fc_subscribers WHERE id = %s", (id_,)) == [(0,)]
    assert [
        row[0]
        for row in hpos.rows("SELECT visitor FROM wp_fcsc_carts WHERE visitor IN (%s, %s, %s)", (mine, by_user, other))
    ] == [other]
    assert hpos.rows("SELECT kind, object_id FROM wp_fcsc_undo ORDER BY id") == [("tag", id_), ("contact", id_ + 1)]
    assert hpos.rows("SELECT COUNT(*) FROM wp_fcsc_suppressed WHERE hash = %s", (hashed(hpos, email),)) == [(1,)]
    rows = hpos.outbox()
    assert ("product.viewed", 1, 0, "") not in rows
    assert ("product.viewed", 2, 0, "") in rows
    assert rows.count(("person.erased", id_, 0, hashed(hpos, email))) == 1
    hpos.rows("DROP TABLE wp_fcsc_undo")
    # No import brings the person back.
    item = {
        "person": 1,
        "op": "create",
        "email": email.upper().replace("EXAMPLE.COM", "example.com"),
        "status": "transactional",
        "created": "2024-01-01 00:00:00",
    }
    assert hpos.contacts(item)[0] == {"person": 1, "state": "refused", "contact_id": 0, "reason": "suppressed"}


def test_an_address_is_not_in_the_log_when_a_table_is_missing(hpos: Site) -> None:
    """Pain 25: WordPress logs the statement that failed, whatever its debug mode is."""
    log = hpos.content / "debug.log"
    before = log.stat().st_size if log.exists() else 0
    hpos.rows("DROP TABLE wp_fcsc_carts")
    try:
        hpos.php(
            "FluentCrmSidecar\\Privacy::export( $in ); FluentCrmSidecar\\Privacy::erase( $in );"
            " $posts = $wpdb->postmeta; $wpdb->postmeta = 'wp_nowhere'; FluentCrmSidecar\\Coupons::forget( $in ); $wpdb->postmeta = $posts;",
            "unlogged@example.com",
        )
        assert "unlogged" not in (log.read_text("utf-8")[before:] if log.exists() else "")
    finally:
        hpos.php("FluentCrmSidecar\\Tables::install();")


def test_erasing_asks_the_sidecar_at_once(hpos: Site) -> None:
    """Pains 24, 25."""
    email = f"now{secrets.token_hex(4)}@example.com"
    with FakeSidecar() as fake:
        fake.answer = lambda _: Answer('{"data":{}}', type="application/json")
        hpos.pair(fake.endpoint)
        said = hpos.php(ERASE, email)
    asked = fake.asked[-1]
    assert (asked.good, asked.method, asked.target, json.loads(asked.body)) == (
        True,
        "POST",
        "/api/v1/privacy/erase",
        {"email": email},
    )
    assert email not in asked.target
    assert said["messages"] == []
    assert [row[0] for row in hpos.outbox()] == ["person.erased"]
    hpos.pair()


def test_a_similar_address_is_another_person(hpos: Site) -> None:
    """For MySQL é is e."""
    kept = contact(hpos, f"rene{secrets.token_hex(4)}@example.com")
    email = hpos.rows("SELECT email FROM wp_fc_subscribers WHERE id = %s", (kept,))[0][0]
    visitor = cart(hpos, email)
    hpos.php(ERASE, email.replace("rene", "rené"))
    assert hpos.rows("SELECT COUNT(*) FROM wp_fc_subscribers WHERE id = %s", (kept,)) == [(1,)]
    assert hpos.rows("SELECT COUNT(*) FROM wp_fcsc_carts WHERE visitor = %s", (visitor,)) == [(1,)]


def test_export(hpos: Site) -> None:
    email = f"export{secrets.token_hex(4)}@example.com"
    cart(hpos, email)
    cart(hpos, "somebody@example.com")
    said = hpos.php(
        "return call_user_func( apply_filters( 'wp_privacy_personal_data_exporters', array() )['fluentcrm-sidecar']['callback'], $in, 1 );",
        email,
    )
    assert said["done"] is True
    assert [{one["name"]: one["value"] for one in group["data"]}["email"] for group in said["data"]] == [email]


def test_a_real_erase_request_by_the_administrator(hpos: Site) -> None:
    """The request post, its confirmation and WordPress' own AJAX page by page."""
    email = f"real{secrets.token_hex(4)}@example.com"
    id_ = contact(hpos, email)
    hpos.php(
        "require_once ABSPATH . 'wp-admin/includes/privacy-tools.php'; $id = wp_create_user_request( $in, 'remove_personal_data' ); wp_update_post( array( 'ID' => $id, 'post_status' => 'request-confirmed' ) );"
        "foreach ( array_values( apply_filters( 'wp_privacy_personal_data_erasers', array() ) ) as $i => $eraser ) { $r = call_user_func( $eraser['callback'], $in, 1 ); wp_privacy_process_personal_data_erasure_page( $r, $i + 1, $in, 1, $id ); }",
        email,
        user=1,
    )
    assert hpos.rows("SELECT COUNT(*) FROM wp_fc_subscribers WHERE id = %s", (id_,)) == [(0,)]
    assert "person.erased" in [row[0] for row in hpos.outbox()]
