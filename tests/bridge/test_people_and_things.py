"""Customers, products, stock, reviews and FluentCRM's own changes → outbox rows, by what people really click."""

from __future__ import annotations

import re
import secrets

import pytest
from shopper import Shopper, field
from wordpress_site import Site

pytestmark = pytest.mark.wordpress

CONTACT = (
    "return (int) FluentCrm\\App\\Models\\Subscriber::create( array( 'email' => $in, 'status' => 'subscribed' ) )->id;"
)


def user(site: Site, name: str) -> int:
    return int(site.rows("SELECT ID FROM wp_users WHERE user_login = %s OR user_email = %s", (name, name))[0][0])


def contact(site: Site) -> int:
    made = int(site.php(CONTACT, f"c{secrets.token_hex(4)}@example.com"))
    site.outbox()
    return made


def register(shopper: Shopper, name: str) -> int:
    page = shopper.page("/my-account/")
    nonce = field(page, "woocommerce-register-nonce")
    shopper.post(
        "/my-account/",
        {
            "email": f"{name}@example.com",
            "password": "Ab12!xyz-long",
            "woocommerce-register-nonce": nonce,
            "register": "Register",
        },
    )
    return user(shopper.site, f"{name}@example.com")


def test_registration_address_profile_and_deletion(hpos: Site, shopper: Shopper) -> None:
    id_ = register(shopper, "reg")
    assert hpos.outbox() == [("customer.created", id_, 0, "")]
    page = shopper.page("/my-account/edit-address/billing/")
    form = {"billing_first_name": "Reg", "billing_last_name": "Istered", "billing_country": "US", "billing_address_1": "1 Elm",
            "billing_city": "Albany", "billing_state": "NY", "billing_postcode": "12207", "billing_phone": "5551234567",
            "billing_email": "reg@example.com", "action": "edit_address", "woocommerce-edit-address-nonce": field(page, "woocommerce-edit-address-nonce")}  # fmt: skip
    shopper.post("/my-account/edit-address/billing/", form)
    assert hpos.outbox() == [("customer.address", id_, 0, "")]
    page = shopper.page("/my-account/edit-account/")
    form = {"account_first_name": "Reg", "account_last_name": "New", "account_display_name": "Reg", "account_email": "reg2@example.com",
            "action": "save_account_details", "save-account-details-nonce": field(page, "save-account-details-nonce")}  # fmt: skip
    shopper.post("/my-account/edit-account/", form)
    assert hpos.outbox() == [("customer.updated", id_, 0, "")]
    hpos.php("require_once ABSPATH . 'wp-admin/includes/user.php'; wp_delete_user( $in );", id_)
    assert hpos.outbox() == [("customer.deleted", id_, 0, "")]


def test_login_is_told(hpos: Site, shopper: Shopper) -> None:
    shopper.login("shop")
    assert hpos.outbox() == [("customer.login", user(hpos, "shop"), 0, "")]


def test_account_made_at_the_block_checkout(hpos: Site, shopper: Shopper) -> None:
    shopper.add(hpos.ids["tea"])
    order = shopper.block_checkout("atcheckout@example.com", create_account=True, customer_password="Ab12!xyz-long")[
        "order_id"
    ]
    id_ = user(hpos, "atcheckout@example.com")
    assert hpos.rows("SELECT user_id FROM wp_fcsc_outbox WHERE topic = 'order.created'") == [(id_,)]
    assert sorted(hpos.outbox()) == [
        ("customer.created", id_, 0, ""),
        ("order.created", order, 0, ""),
        ("order.status", order, 0, "pending>on-hold"),
        ("stock.changed", hpos.ids["tea"], 0, "instock"),
    ]


def test_a_review_counts_when_it_can_be_read(hpos: Site) -> None:
    add = "return wp_insert_comment( array( 'comment_post_ID' => $in[0], 'comment_type' => $in[2], 'comment_approved' => $in[1], 'comment_content' => 'good', 'user_id' => 1 ) );"
    held = hpos.php(add, [hpos.ids["tea"], 0, "review"])
    hpos.php(add, [hpos.ids["tea"], 1, "comment"])
    hpos.php(add, [hpos.ids["tea"], 1, "order_note"])
    rating = ("product.updated", hpos.ids["tea"], 0, "")  # WooCommerce counts the stars anew
    assert set(hpos.outbox()) <= {rating}
    hpos.php("wp_set_comment_status( $in, 'approve' );", held)
    assert sorted(hpos.outbox()) == [rating, ("review.posted", hpos.ids["tea"], held, "")]
    shown = hpos.php(add, [hpos.ids["tea"], 1, "review"])
    assert sorted(hpos.outbox()) == [rating, ("review.posted", hpos.ids["tea"], shown, "")]


def test_a_review_from_the_product_page(hpos: Site, shopper: Shopper) -> None:
    shopper.post("/wp-comments-post.php", {"comment": "Nice tea", "rating": "5", "author": "Ann", "email": "ann@example.com", "comment_post_ID": hpos.ids["tea"], "comment_parent": 0})  # fmt: skip
    rows = [row for row in hpos.outbox() if row[0] != "product.updated"]
    assert [(row[0], row[1]) for row in rows] == [("review.posted", hpos.ids["tea"])]
    assert hpos.rows(
        "SELECT meta_value FROM wp_commentmeta WHERE comment_id = %s AND meta_key = 'rating'", (rows[0][2],)
    ) == [("5",)]


def test_products_and_stock(hpos: Site) -> None:
    tea, shirt, red = hpos.ids["tea"], hpos.ids["shirt"], hpos.ids["red"]
    hpos.php("$p = wc_get_product( $in ); $p->set_name( 'Green tea' ); $p->save();", tea)
    assert hpos.outbox() == [("product.updated", tea, 0, "")]
    hpos.php("$p = wc_get_product( $in ); $p->set_regular_price( '26' ); $p->save();", red)
    assert set(hpos.outbox()) == {("product.updated", shirt, 0, "")}
    hpos.php("$p = wc_get_product( $in ); $p->set_stock_status( 'outofstock' ); $p->save();", red)
    assert ("stock.changed", shirt, red, "outofstock") in hpos.outbox()
    hpos.php("$p = wc_get_product( $in ); $p->set_stock_status( 'instock' ); $p->save();", red)
    hpos.outbox()
    made = hpos.php("$p = new WC_Product_Simple(); $p->set_name( 'Gone' ); return $p->save();")
    assert ("product.updated", made, 0, "") in hpos.outbox()
    for code, topic in (("wp_trash_post", "deleted"), ("wp_untrash_post", "updated"), ("wp_delete_post", "deleted")):
        hpos.php(f"{code}( $in );", made)
        assert hpos.outbox() == [(f"product.{topic}", made, 0, "")], code


def test_posts_and_pages_are_nobodys_business(hpos: Site) -> None:
    hpos.php(
        "$id = wp_insert_post( array( 'post_title' => 'x', 'post_status' => 'publish' ) ); wp_trash_post( $id ); wp_delete_post( $id, true );"
    )
    assert hpos.outbox() == []


def withdrawn(site: Site, id_: int) -> tuple[str, int, int, str]:
    """The news of the row that the record of consent has got."""
    row = site.rows("SELECT MAX(id) FROM wp_fcsc_consents WHERE contact_id = %s AND source = 'fluentcrm'", (id_,))[0][0]
    return ("consent.changed", row, id_, "email withdrawn")


def test_fluentcrm_tags_lists_status_fields_and_deletion(hpos: Site) -> None:
    id_, model = contact(hpos), "$c = FluentCrm\\App\\Models\\Subscriber::find( $in[0] );"
    vip, news = hpos.ids["VIP"], hpos.ids["News"]

    def after(code: str, *given: object) -> list[tuple[str, int, int, str]]:
        hpos.php(model + code, [id_, *given])
        return hpos.outbox()

    assert after("$c->attachTags( array( $in[1] ) );", vip) == [("contact.tags", id_, vip, "added")]
    assert after("$c->attachTags( array( $in[1] ) );", vip) == []
    assert after("$c->detachTags( array( $in[1] ) );", vip) == [("contact.tags", id_, vip, "removed")]
    assert after("$c->attachLists( array( $in[1] ) );", news) == [("contact.lists", id_, news, "added")]
    assert after("$c->detachLists( array( $in[1] ) );", news) == [("contact.lists", id_, news, "removed")]
    assert after("$c->syncCustomFieldValues( array( 'colour' => 'red' ) );") == [("contact.updated", id_, 0, "")]
    assert after(
        "FluentCrmApi( 'contacts' )->createOrUpdate( array( 'email' => $c->email, 'first_name' => 'Zoe' ) );"
    ) == [("contact.updated", id_, 0, "")]
    left = sorted(after("$c->updateStatus( 'unsubscribed' );"))
    assert left == [withdrawn(hpos, id_), ("contact.status", id_, 0, "subscribed>unsubscribed")]
    assert after("FluentCrm\\App\\Services\\Helper::deleteContacts( array( $c->id ) );") == [
        ("contact.deleted", id_, 0, "")
    ]
    made = hpos.php(
        "return FluentCrmApi( 'contacts' )->createOrUpdate( array( 'email' => 'fresh@example.com', 'status' => 'subscribed', 'tags' => array( $in ) ) )->id;",
        vip,
    )
    assert sorted(hpos.outbox()) == [("contact.created", made, 0, ""), ("contact.tags", made, vip, "added")]


def test_fluentcrm_contact_edited_by_staff_over_rest(hpos: Site, shopper: Shopper) -> None:
    """The contact page of FluentCRM: what its browser sends."""
    id_ = contact(hpos)
    shopper.login("admin")
    page = shopper.page("/wp-admin/admin.php?page=fluentcrm-admin")
    found = re.search(r'"nonce":"([0-9a-f]{10})"', page)
    assert found
    hpos.outbox()
    answer = shopper.http.put(
        f"{hpos.url}/wp-json/fluent-crm/v2/subscribers/subscribers-property", timeout=60,
        json={"property": "status", "subscribers": [id_], "value": "unsubscribed"}, headers={"X-WP-Nonce": found[1]},
    )  # fmt: skip
    assert answer.status_code == 200, answer.text[:300]
    assert sorted(hpos.outbox()) == [withdrawn(hpos, id_), ("contact.status", id_, 0, "subscribed>unsubscribed")]


def test_fluentcrm_open_click_and_unsubscribe(hpos: Site, shopper: Shopper) -> None:
    """Pain 26."""
    id_ = contact(hpos)
    email, hash_, short = hpos.php(
        "$campaign = FluentCrm\\App\\Models\\CustomEmailCampaign::create( array( 'title' => 'x', 'status' => 'published', 'email_subject' => 's', 'email_body' => 'b', 'settings' => array() ) );"
        "$ids = $campaign->subscribe( array( $in ), array( 'status' => 'sent', 'scheduled_at' => current_time( 'mysql' ) ) );"
        "$row = FluentCrm\\App\\Models\\CampaignEmail::find( $ids[0] ); $url = FluentCrm\\App\\Models\\UrlStores::getUrlSlug( home_url( '/tea/' ) );"
        "return array( (int) $row->id, $row->email_hash, $url );",
        id_,
    )
    hpos.outbox()
    shopper.get(f"/?fluentcrm=1&route=open&_e_hash={hash_}&_e_id={email}")
    assert hpos.outbox() == [("email.opened", id_, email, "")]
    shopper.get(f"/?ns_url={short}&mid={email}&fch={hash_[:8]}", allow_redirects=False)
    assert hpos.outbox() == [("email.clicked", id_, email, "")]
    secure = hpos.php("return fluentCrmGetContactManagedHash( $in );", id_)
    shopper.post(
        f"/index.php?fluentcrm=1&route=unsubscribe&secure_hash={secure}&ce_id={email}",
        {"List-Unsubscribe": "One-Click"},
    )
    assert sorted(hpos.outbox()) == [
        withdrawn(hpos, id_),
        ("contact.status", id_, 0, "subscribed>unsubscribed"),
        ("contact.unsubscribed", id_, email, ""),
    ]
