"""POST /coupons, /notes and /automation-contacts against the real plugins: made once, by their own code."""

from __future__ import annotations

import secrets
import time
from typing import Any

import pytest
from shopper import Shopper
from wordpress_site import Site

pytestmark = pytest.mark.wordpress


@pytest.fixture(autouse=True)
def paired(hpos: Site) -> None:
    hpos.pair()


def ask(site: Site, route: str, *items: dict[str, Any]) -> list[dict[str, Any]]:
    answer = site.signed("POST", route, {"items": list(items)})
    assert answer.status_code == 200, answer.text[:2000]
    outcomes: list[dict[str, Any]] = answer.json()["outcomes"]
    return outcomes


def contact(site: Site) -> int:
    id_: int = site.php(
        "return (int) FluentCrm\\App\\Models\\Subscriber::create( array( 'email' => $in, 'first_name' => 'Ava', 'status' => 'subscribed' ) )->id;",
        f"w{secrets.token_hex(5)}@example.com",
    )
    return id_


# --- coupons


def wish(**more: Any) -> dict[str, Any]:
    return {
        "key": secrets.token_hex(16), "code": f"back-{secrets.token_hex(3)}", "kind": "percent", "amount": "10",
        "expires": int(time.time()) + 86_400, "automation": "cart-recovery",
    } | more  # fmt: skip


def test_a_coupon_as_it_was_wished(hpos: Site) -> None:
    """Pain 43."""
    made = wish(
        kind="fixed_cart",
        amount="7.50",
        minimum="40",
        free_shipping=True,
        email="Ava@Example.com",
        products=[hpos.ids["tea"]],
    )
    outcome = ask(hpos, "/coupons", made)[0]
    assert outcome == {"key": made["key"], "state": "done", "id": outcome["id"], "code": made["code"], "reason": ""}
    told = hpos.php(
        "$c = new WC_Coupon( $in ); return array( $c->get_discount_type(), (float) $c->get_amount(), $c->get_date_expires()->getTimestamp(), $c->get_usage_limit(), $c->get_usage_limit_per_user(),"
        " $c->get_individual_use(), (float) $c->get_minimum_amount(), $c->get_free_shipping(), $c->get_product_ids(), $c->get_email_restrictions(), $c->get_meta( '_fcsc_key' ) );",
        outcome["id"],
    )
    assert told == [
        "fixed_cart",
        7.5,
        made["expires"],
        1,
        1,
        True,
        40,
        True,
        [hpos.ids["tea"]],
        ["ava@example.com"],
        made["key"],
    ]


def test_a_code_that_is_taken_becomes_another_one(hpos: Site) -> None:
    one, two = ask(hpos, "/coupons", wish(code="Save10"), wish(code="save10"))
    assert {one["state"], two["state"]} == {"done"}
    assert one["code"].startswith("save10-") and two["code"].startswith("save10-") and one["code"] != two["code"]
    assert ask(hpos, "/coupons", wish(code="Wróć do NAS!"))[0]["code"] == "wr-do-nas"


def test_the_same_key_is_one_coupon(hpos: Site) -> None:
    made = wish()
    first, second = ask(hpos, "/coupons", made, made)
    assert second == first | {"state": "known"}
    assert ask(hpos, "/coupons", made)[0] == second
    assert hpos.rows(
        "SELECT COUNT(*) FROM wp_postmeta WHERE meta_key = '_fcsc_key' AND meta_value = %s", (made["key"],)
    ) == [(1,)]
    hpos.php("( new WC_Coupon( $in ) )->delete( true );", first["id"])
    again = ask(hpos, "/coupons", made)[0]
    assert (again["state"], again["reason"]) == ("refused", "gone")


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"kind": "fixed_product"}, "kind"), ({"amount": "0"}, "amount"), ({"amount": "-5"}, "amount"), ({"amount": "101"}, "amount"), ({"amount": "1e3"}, "amount"),
        ({"amount": ""}, "amount"), ({"expires": int(time.time()) - 1}, "expires"), ({"expires": 0}, "expires"), ({"minimum": "x"}, "minimum"),
        ({"email": "nobody"}, "email"), ({"code": "!!"}, "code"),
    ],
)  # fmt: skip
def test_wrong_wishes(hpos: Site, changes: dict[str, Any], wrong: str) -> None:
    outcome = ask(hpos, "/coupons", wish(**changes))[0]
    assert (outcome["state"], outcome["reason"], outcome["code"]) == ("refused", f"wrong: {wrong}", "")


def test_killed_while_the_coupon_is_made(hpos: Site) -> None:
    made = wish()
    code = (
        "add_filter( 'query', function ( $sql ) { if ( false !== strpos( $sql, '_fcsc_key' ) ) { posix_kill( getmypid(), 9 ); } return $sql; } );"
        "return FluentCrmSidecar\\Coupons::make( array( $in ) );"
    )
    with pytest.raises(AssertionError, match="PHP said"):
        hpos.php(code, made)
    assert hpos.rows("SELECT COUNT(*) FROM wp_posts WHERE post_title = %s", (made["code"],)) == [(0,)]
    assert ask(hpos, "/coupons", made)[0]["code"] == made["code"]


def test_used_once_and_not_after_its_moment(site: Site, shopper: Shopper) -> None:
    """Pain 43: the moment is the moment, and one use is one."""
    site.pair()
    outcome = ask(site, "/coupons", wish(expires=int(time.time()) + 60))[0]
    shopper.add(site.ids["cup"], 2)
    assert shopper.store("cart/apply-coupon", {"code": outcome["code"]}).status_code == 200
    order = shopper.classic_checkout("once@example.com")["order_id"]
    assert site.php("return wc_get_order( $in )->get_coupon_codes();", order) == [outcome["code"]]
    with Shopper(site) as other:
        other.add(site.ids["cup"])
        assert other.store("cart/apply-coupon", {"code": outcome["code"]}).status_code == 400  # used
        fresh = ask(site, "/coupons", wish(expires=int(time.time()) + 3))[0]
        time.sleep(4)
        assert other.store("cart/apply-coupon", {"code": fresh["code"]}).status_code == 400  # over


def test_ours_that_are_over_and_unused_are_cleared_away(hpos: Site) -> None:
    """Pain 43."""
    old, young, used, running = (one["id"] for one in ask(hpos, "/coupons", wish(), wish(), wish(), wish()))
    theirs = hpos.php("$c = new WC_Coupon(); $c->set_code( $in ); $c->set_date_expires( time() - 99 * 86400 ); return $c->save();", f"own-{secrets.token_hex(3)}")  # fmt: skip
    hpos.php(
        "foreach ( $in as $id => $days ) { $c = new WC_Coupon( (int) $id ); $c->set_date_expires( time() - $days * 86400 ); $c->save(); }",
        {str(old): 8, str(young): 6, str(used): 8},
    )
    hpos.php("( new WC_Coupon( $in ) )->increase_usage_count( 'ava@example.com' );", used)
    hpos.php("do_action( 'fcsc_cleanup' );")
    left = {int(row[0]) for row in hpos.rows("SELECT ID FROM wp_posts WHERE post_type = 'shop_coupon'")}
    assert left & {old, young, used, running, theirs} == {young, used, running, theirs}
    assert hpos.rows("SELECT COUNT(*) FROM wp_postmeta WHERE post_id = %s", (old,)) == [(0,)]


# --- notes and tickets


def note(contact_id: int, **more: Any) -> dict[str, Any]:
    return {"key": secrets.token_hex(16), "contact_id": contact_id, "title": "Called <b>", "body": "Two\nlines <script>x</script>"} | more  # fmt: skip


def test_a_note_on_the_contact(hpos: Site) -> None:
    made = note(contact(hpos))
    first, second = ask(hpos, "/notes", made, made)
    assert first == {"key": made["key"], "state": "done", "id": first["id"], "reason": "", "code": ""}
    assert second == first | {"state": "known"}
    rows = hpos.rows(
        "SELECT id, type, title, description FROM wp_fc_subscriber_notes WHERE subscriber_id = %s",
        (made["contact_id"],),
    )
    assert rows == [(first["id"], "note", "Called", "Two<br />\nlines &lt;script&gt;x&lt;/script&gt;")]
    assert ask(hpos, "/notes", note(99999999))[0]["reason"] == "gone"
    assert ask(hpos, "/notes", note(made["contact_id"], title=" "))[0]["reason"] == "title"


def test_a_ticket_goes_to_the_staff_where_fluent_support_is_not(hpos: Site) -> None:
    hpos.mails()
    id_ = contact(hpos)
    made = note(id_, ticket=True, priority="critical", title="Parcel lost", order_id=0)
    assert [one["state"] for one in ask(hpos, "/notes", made, made)] == ["done", "known"]
    mails = hpos.mails()
    assert [(mail["to"], mail["subject"]) for mail in mails] == [("admin@example.com", "[!] Parcel lost")]
    assert f"#/subscribers/{id_}" in mails[0]["message"]
    assert "&lt;script&gt;" in mails[0]["message"] and "<script>" not in mails[0]["message"]
    assert any(line.startswith("Reply-To: <w") for line in mails[0]["headers"])
    assert hpos.rows("SELECT COUNT(*) FROM wp_fc_subscriber_notes WHERE subscriber_id = %s", (id_,)) == [(0,)]


FLUENT_SUPPORT = r"""<?php // Fluent Support's PHP API as its code has it: the two calls, and no more.
namespace FluentSupport\App\Models { class Customer { public $id = 31; public static function maybeCreateCustomer( $data ) { file_put_contents( WP_CONTENT_DIR . '/support.log', json_encode( $data ) . "\n", FILE_APPEND ); return new self(); } } }
namespace { class FcscTickets { public function createTicket( array $data ) { file_put_contents( WP_CONTENT_DIR . '/support.log', json_encode( $data ) . "\n", FILE_APPEND ); return (object) array( 'id' => 77 ); } }
function FluentSupportApi( $key ) { return new FcscTickets(); } }
"""


def test_a_ticket_goes_to_fluent_support_where_it_is(hpos: Site) -> None:
    """A stand-in: Fluent Support itself is not part of these tests."""
    extra, log = hpos.content / "extra" / "support.php", hpos.content / "support.log"
    extra.write_text(FLUENT_SUPPORT, "utf-8")
    try:
        made = note(contact(hpos), ticket=True, title="Hello", priority="strange")
        assert ask(hpos, "/notes", made, made)[1] == {
            "key": made["key"],
            "state": "known",
            "id": 77,
            "reason": "",
            "code": "",
        }
    finally:
        extra.unlink()
    told = log.read_text("utf-8").splitlines()
    log.unlink()
    assert (
        len(told) == 2
        and '"first_name":"Ava"' in told[0]
        and '"priority":"normal"' in told[1]
        and '"customer_id":31' in told[1]
    )


# --- contacts


def terms(site: Site, id_: int) -> set[str]:
    return {
        str(row[0])
        for row in site.rows(
            "SELECT t.title FROM wp_fc_subscriber_pivot p JOIN wp_fc_tags t ON t.id = p.object_id WHERE p.subscriber_id = %s AND p.object_type LIKE '%%Tag'",
            (id_,),
        )
    }


def change(id_: int, **more: Any) -> dict[str, Any]:
    return {"key": secrets.token_hex(16), "contact_id": id_} | more


def test_tags_by_title_and_fields(hpos: Site) -> None:
    """A title that is a number is a title, and one that MySQL takes for the same is another."""
    hpos.php("( new FluentCrm\\App\\Models\\CustomContactField() )->saveGlobalFields( array( array( 'slug' => 'size', 'label' => 'Size', 'type' => 'text', 'field_key' => 'text' ) ) );")  # fmt: skip
    id_, new = contact(hpos), f"José {secrets.token_hex(3)}"
    hpos.outbox()
    wished = change(
        id_,
        add=["VIP", "2024", new, "قهوه", "قهوه"],
        remove=["New", "never there"],
        fields={"size": "XL", "city": "Łódź"},
    )
    assert ask(hpos, "/automation-contacts", wished)[0] == {
        "key": wished["key"],
        "state": "done",
        "id": id_,
        "reason": "",
        "code": "",
    }
    assert terms(hpos, id_) == {"VIP", "2024", new, "قهوه"}
    assert hpos.rows("SELECT city FROM wp_fc_subscribers WHERE id = %s", (id_,)) == [("Łódź",)]
    assert hpos.rows(
        "SELECT `key`, value FROM wp_fc_subscriber_meta WHERE subscriber_id = %s AND object_type = 'custom_field'",
        (id_,),
    ) == [("size", "XL")]
    # The hooks fire and the sidecar hears of it: other automations may wait for a tag.
    assert {topic for topic, *_ in hpos.outbox()} == {"contact.tags", "contact.updated"}
    tags = hpos.rows("SELECT COUNT(*) FROM wp_fc_tags")
    assert ask(hpos, "/automation-contacts", wished)[0]["state"] == "done"
    assert (hpos.outbox(), hpos.rows("SELECT COUNT(*) FROM wp_fc_tags")) == ([], tags)
    ask(hpos, "/automation-contacts", change(id_, add=[new.replace("é", "e")], remove=["VIP", "2024"]))
    assert terms(hpos, id_) == {new, new.replace("é", "e"), "قهوه"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"fields": {"nowhere": "x"}}, "unknown field: nowhere"), ({"fields": {"status": "subscribed"}}, "unknown field: status"), ({"fields": {"email": "a@b.c"}}, "unknown field: email"),
        ({"fields": {"user_id": "1"}}, "unknown field: user_id"), ({"contact_id": 99999999, "fields": {"city": "x"}}, "gone"),
    ],
)  # fmt: skip
def test_changes_that_are_refused(hpos: Site, changes: dict[str, Any], reason: str) -> None:
    outcome = ask(hpos, "/automation-contacts", change(contact(hpos)) | changes)[0]
    assert (outcome["state"], outcome["reason"]) == ("refused", reason)


@pytest.mark.parametrize("route", ["/messages", "/coupons", "/notes", "/automation-contacts"])
def test_batches_are_bounded_and_signed(hpos: Site, route: str) -> None:
    assert hpos.signed("POST", route, {"items": [{}] * 201}).status_code == 400
    assert hpos.signed("POST", route, {}).status_code == 400
    assert hpos.signed("POST", route, {"items": [{}]}, signature="0" * 64).status_code == 401
    wrong: Any = ["x", None, {}, {"key": "k" * 10}]
    assert {one["state"] for one in ask(hpos, route, *wrong)} == {"refused"}
