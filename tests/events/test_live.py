"""What a hint does: the life of an order, of an account, of a product and of a contact, each seen within one pass."""

from __future__ import annotations

import msgspec
import pytest
from bridging import NOW_MS, LiveShop, hint, pass_, queue
from syncing import contacts, crm_rows, field, people, run

from sidecar.config import Consent, OptIn
from sidecar.events import activity, refusals
from sidecar.runtime import build
from sidecar.state.database import State

LINES = ((1, 2, "Tea"),)
VISITOR = "0123456789abcdef0123456789abcdef"


def ltv(shop: LiveShop, email: str) -> tuple[str | None, str | None]:
    contact = contacts(shop.database)[email]
    return field(contact, "woo_ltv"), field(contact, "woo_orders_count")


def told(shop: LiveShop, topic: str, object_id: int, sub_id: int = 0, **more: object) -> str:
    """One hint, one pass; what became of it."""
    hint(shop.database, topic, object_id, sub_id, **more)  # type: ignore[arg-type]
    pass_(shop.config)
    assert queue(shop.database) == []
    with build(shop.config) as sidecar:
        event = sidecar.events(limit=1)[0]
        assert (event.topic, event.object_id) == (topic, object_id)
        return f"{event.outcome}: {event.reason}" if event.reason else event.outcome


def agrees(shop: LiveShop) -> None:
    """The whole shop by another path; and a run of changes finds nothing more to write."""
    with build(shop.config) as sidecar:
        before = crm_rows(shop.database)
        sidecar.sync()
        assert crm_rows(shop.database) == before
        verdict = sidecar.verify()
        assert verdict.ok, verdict.differences


def test_the_life_of_an_order(shop: LiveShop) -> None:
    keeper, who = shop.keeper, "nowa@example.net"
    order = keeper.order(who, "100.00", status="wc-pending", lines=LINES)
    assert told(shop, "order.created", order) == "changed"
    assert ltv(shop, who) == ("0.00", "0")
    keeper.status(order, "wc-failed")
    assert told(shop, "order.failed", order) == "nothing"
    keeper.status(order, "wc-processing")
    assert told(shop, "order.status", order, detail="failed>processing") == "changed"
    assert ltv(shop, who) == ("100.00", "1")
    keeper.set(order, _order_total="150.00")
    assert told(shop, "order.updated", order) == "changed"
    assert ltv(shop, who) == ("150.00", "1")
    refund = keeper.refund(order, "30.00")
    assert told(shop, "order.refunded", order, refund) == "changed"
    assert ltv(shop, who) == ("120.00", "1")
    keeper.delete_order(refund)
    # Deleting a refund by code names it nowhere: any hint of its order finds out.
    assert told(shop, "order.updated", order) == "changed"
    assert ltv(shop, who) == ("150.00", "1")
    keeper.status(order, "trash")
    assert told(shop, "order.trashed", order) == "changed"
    assert ltv(shop, who) == ("0.00", "0")
    keeper.status(order, "wc-processing")
    assert told(shop, "order.restored", order) == "changed"
    assert ltv(shop, who) == ("150.00", "1")
    keeper.delete_order(order)
    assert told(shop, "order.deleted", order) == "changed"
    assert ltv(shop, who) == ("0.00", "0")
    agrees(shop)


def test_a_refund_alone_is_enough(shop: LiveShop) -> None:
    keeper, who = shop.keeper, "nowa@example.net"
    order = keeper.order(who, "100.00", lines=LINES)
    told(shop, "order.created", order)
    refund = keeper.refund(order, "40.00")
    assert told(shop, "order.refunded", order, refund) == "changed"
    keeper.delete_order(refund)
    assert told(shop, "order.refund_deleted", order, refund) == "changed"
    assert ltv(shop, who) == ("100.00", "1")


def test_an_order_in_another_currency_with_a_refund(shop: LiveShop) -> None:
    keeper = shop.keeper
    rate = {"_woocs_order_rate": "0.25", "_woocs_order_base_currency": "PLN"}
    order = keeper.order("nowa@example.net", "100.00", currency="EUR", lines=LINES, meta=rate)
    refund = keeper.refund(order, "10.00", currency="EUR")
    assert told(shop, "order.refunded", order, refund) == "changed"
    assert ltv(shop, "nowa@example.net") == ("360.00", "1")


def test_an_order_that_nobody_can_be_written_for_says_why(hpos: LiveShop) -> None:
    order = hpos.keeper.order("", "100.00", lines=LINES)
    assert told(hpos, "order.created", order, at_ms=NOW_MS - 100_000) == "left: no_email"


def test_an_account_that_comes_changes_moves_and_goes(shop: LiveShop) -> None:
    keeper = shop.keeper
    user = keeper.account("konto@example.net", first_name="Ala", last_name="Kot")
    assert told(shop, "customer.created", user) == "changed"
    assert contacts(shop.database)["konto@example.net"]["columns"]["first_name"] == "Ala"
    keeper.user_meta(user, first_name="Alina")
    assert told(shop, "customer.updated", user) == "changed"
    assert contacts(shop.database)["konto@example.net"]["columns"]["first_name"] == "Alina"
    keeper.user_meta(
        user, billing_city="Gdynia", billing_address_1="Morska 1", billing_country="PL", billing_postcode="81-001"
    )
    assert told(shop, "customer.address", user) == "changed"
    assert contacts(shop.database)["konto@example.net"]["columns"]["city"] == "Gdynia"
    order = keeper.order("konto@example.net", "70.00", customer=user, lines=LINES)
    told(shop, "order.created", order, user=user)
    id_ = keeper.one("SELECT id FROM wp_fc_subscribers WHERE email = 'konto@example.net'")
    keeper.do("UPDATE wp_users SET user_email = 'inne@example.net' WHERE ID = %s", user)
    assert told(shop, "customer.updated", user) == "changed"
    assert keeper.one("SELECT id FROM wp_fc_subscribers WHERE email = 'inne@example.net'") == id_
    assert "konto@example.net" not in contacts(shop.database)
    assert ltv(shop, "inne@example.net") == ("70.00", "1")
    assert told(shop, "customer.login", user) == "nothing"
    agrees(shop)
    # Their order is a guest's now, under the address before the last: that leads to them still.
    keeper.delete_account(user)
    told(shop, "customer.deleted", user)
    assert ltv(shop, "inne@example.net") == ("70.00", "1")
    with State(shop.config.state.dir) as state:
        assert state.rows("SELECT COUNT(*) FROM account WHERE user_id = ?", (user,)) == [(0,)]


def test_an_order_that_comes_with_its_account_before_the_accounts_hint(shop: LiveShop) -> None:
    user = shop.keeper.account("konto@example.net")
    order = shop.keeper.order("inny@example.net", "70.00", customer=user, lines=LINES)
    assert told(shop, "order.created", order) == "changed"
    assert ltv(shop, "konto@example.net") == ("70.00", "1")
    assert "inny@example.net" not in contacts(shop.database)


def test_a_vip_who_rises_and_one_who_falls_by_it(shop: LiveShop) -> None:
    def vips() -> set[str]:
        return {email for email, one in contacts(shop.database).items() if field(one, "woo_customer_status") == "vip"}

    before = vips()
    for _ in range(2):
        order = shop.keeper.order("bogata@example.net", "90000.00", lines=LINES)
        hint(shop.database, "order.created", order)
    pass_(shop.config)
    assert "bogata@example.net" in vips()
    assert before - vips(), "somebody falls out of the top five percent"
    agrees(shop)


def test_a_product_that_is_renamed_and_one_that_goes(shop: LiveShop) -> None:
    keeper = shop.keeper
    product = keeper.one("SELECT MIN(ID) FROM wp_posts WHERE post_type = 'product' AND post_status = 'publish'")
    order = keeper.order("nowa@example.net", "70.00", lines=((product, 1, "as sold"),))
    told(shop, "order.created", order)
    assert told(shop, "stock.changed", product) == "nothing"
    assert told(shop, "product.updated", product) == "nothing"
    keeper.do("UPDATE wp_posts SET post_title = 'Zupelnie nowa nazwa' WHERE ID = %s", product)
    hint(shop.database, "product.updated", product)
    pass_(shop.config)
    assert "Zupelnie nowa nazwa" in (field(contacts(shop.database)["nowa@example.net"], "woo_products") or "")
    with build(shop.config) as sidecar:
        event = sidecar.events("product.updated", limit=1)[0]
        assert (event.label, event.family) == ("Zupelnie nowa nazwa", "product")
    keeper.do("DELETE FROM wp_posts WHERE ID = %s", product)
    hint(shop.database, "product.deleted", product)
    pass_(shop.config)
    assert "as sold" in (field(contacts(shop.database)["nowa@example.net"], "woo_products") or "")
    agrees(shop)


def test_a_product_that_is_newer_than_the_session(hpos: LiveShop) -> None:
    with build(hpos.config) as sidecar:
        hint(hpos.database, "order.created", hpos.keeper.order("a@example.net", lines=LINES))
        sidecar.pass_()
        hpos.keeper.do(
            "INSERT INTO wp_posts (post_type, post_status, post_title, post_content, post_excerpt, to_ping, pinged,"
            " post_content_filtered) VALUES ('product', 'publish', 'Brand new', '', '', '', '', '')"
        )
        product = hpos.keeper.one("SELECT MAX(ID) FROM wp_posts WHERE post_type = 'product'")
        hint(hpos.database, "order.created", hpos.keeper.order("b@example.net", lines=((product, 1, "old name"),)))
        sidecar.pass_()
    assert "Brand new" in (field(contacts(hpos.database)["b@example.net"], "woo_products") or "")


# --- FluentCRM's side ------------------------------------------------------------------------------------


def test_a_status_that_was_lowered_stays_and_is_remembered(hpos: LiveShop) -> None:
    """Pain 22."""
    keeper, who = hpos.keeper, "nowa@example.net"
    order = keeper.order(who, "70.00", lines=LINES)
    told(hpos, "order.created", order)
    id_ = keeper.one("SELECT id FROM wp_fc_subscribers WHERE email = %s", who)
    keeper.do("UPDATE wp_fc_subscribers SET status = 'unsubscribed' WHERE id = %s", id_)
    assert told(hpos, "contact.status", id_, detail="subscribed>unsubscribed") == "nothing"
    told(hpos, "contact.unsubscribed", id_, 5)
    told(hpos, "order.created", keeper.order(who, "30.00", lines=LINES))
    assert contacts(hpos.database)[who]["columns"]["status"] == "unsubscribed"
    with State(hpos.config.state.dir) as state:
        assert state.rows("SELECT channel, state, source FROM consent WHERE source = 'fluentcrm'") == [
            ("email", "withdrawn", "fluentcrm")
        ]
    # The hint lies: the contact is what the database says.
    keeper.do("UPDATE wp_fc_subscribers SET status = 'subscribed' WHERE id = %s", id_)
    told(hpos, "contact.status", id_, detail="subscribed>bounced")
    with State(hpos.config.state.dir) as state:
        rows = state.rows("SELECT state FROM consent WHERE source = 'fluentcrm' ORDER BY id")
    assert rows == [("withdrawn",), ("given",)]


def test_a_box_at_the_checkout_moves_no_status(hpos: LiveShop) -> None:
    """Pain 22: neither an unticked box nor a ticked one is a word on e-mail of somebody who is a contact already, and
    who has withdrawn is not subscribed by a box of before, even when their contact is made anew."""
    keeper, who = hpos.keeper, "zgoda@example.net"
    consent = Consent(email=(OptIn(source="user_meta.marketing_optin"),))
    shop = msgspec.structs.replace(hpos.config, consent=consent)
    live = LiveShop(hpos.database, keeper, shop)

    def record() -> list[str]:
        with State(shop.state.dir) as state:
            key = state.key(who)
            words = "SELECT c.state FROM consent c JOIN person p ON p.id = c.person_id WHERE p.key = ? ORDER BY c.id"
            return [row[0] for row in state.rows(words, (key,))]

    def status() -> str:
        return str(contacts(hpos.database)[who]["columns"]["status"])

    user = keeper.account(who, marketing_optin="yes")
    told(live, "customer.created", user)
    assert (status(), record()) == ("subscribed", ["given"])
    keeper.user_meta(user, marketing_optin="no")
    told(live, "customer.updated", user)
    order = keeper.order(who, customer=user, lines=LINES, meta={"marketing_optin": "no"})
    told(live, "order.created", order)
    keeper.set(order, _order_total="120.00")
    told(live, "order.updated", order)
    assert (status(), record()) == ("subscribed", ["given"])
    id_ = keeper.one("SELECT id FROM wp_fc_subscribers WHERE email = %s", who)
    keeper.do("UPDATE wp_fc_subscribers SET status = 'unsubscribed' WHERE id = %s", id_)
    told(live, "contact.status", id_, detail="subscribed>unsubscribed")
    keeper.user_meta(user, marketing_optin="yes")
    told(live, "customer.updated", user)
    told(live, "order.created", keeper.order(who, customer=user, lines=LINES))
    run(shop, full=True)
    assert (status(), record()) == ("unsubscribed", ["given", "withdrawn"])
    for table, column in (("subscriber_meta", "subscriber_id"), ("subscriber_pivot", "subscriber_id"), ("subscribers", "id")):  # fmt: skip
        keeper.do(f"DELETE FROM wp_fc_{table} WHERE {column} = %s", id_)
    told(live, "contact.deleted", id_)
    told(live, "order.created", keeper.order(who, customer=user, lines=LINES))
    assert (status(), record()) == ("transactional", ["given", "withdrawn"])


def test_opens_and_clicks_move_nothing(hpos: LiveShop) -> None:
    """Pain 26: what a link scanner causes is noted, and is no word on e-mail."""
    keeper = hpos.keeper
    ids = {}
    statuses = ("subscribed", "pending", "unsubscribed", "transactional", "bounced")
    for status in statuses:
        hint(hpos.database, "order.created", keeper.order(f"{status}@example.net", lines=LINES))
    pass_(hpos.config)
    for status in statuses:
        ids[status] = keeper.one("SELECT id FROM wp_fc_subscribers WHERE email = %s", f"{status}@example.net")
        keeper.do("UPDATE wp_fc_subscribers SET status = %s WHERE id = %s", status, ids[status])
    before = crm_rows(hpos.database)
    with State(hpos.config.state.dir) as state:
        words = state.rows("SELECT * FROM consent")
    for id_ in ids.values():
        for topic in ("email.opened", "email.clicked", "email.clicked"):
            hint(hpos.database, topic, id_, 17)
    report = pass_(hpos.config)
    assert (report.events, report.nothing) == (15, 15)
    assert crm_rows(hpos.database) == before
    with State(hpos.config.state.dir) as state:
        assert state.rows("SELECT * FROM consent") == words


def test_a_contact_that_somebody_deleted_stays_away_until_the_shop_has_news(hpos: LiveShop) -> None:
    keeper, who = hpos.keeper, "nowa@example.net"
    order = keeper.order(who, "70.00", lines=LINES)
    told(hpos, "order.created", order)
    id_ = keeper.one("SELECT id FROM wp_fc_subscribers WHERE email = %s", who)
    for table, column in (
        ("fc_subscriber_meta", "subscriber_id"),
        ("fc_subscriber_pivot", "subscriber_id"),
        ("fc_subscribers", "id"),
    ):
        keeper.do(f"DELETE FROM wp_{table} WHERE {column} = %s", id_)
    told(hpos, "contact.deleted", id_)
    assert told(hpos, "order.updated", order) == "left: deleted"
    with build(hpos.config) as sidecar:
        sidecar.sync()
    assert who not in contacts(hpos.database)
    assert told(hpos, "order.created", keeper.order(who, "10.00", lines=LINES)) == "changed"
    assert ltv(hpos, who) == ("80.00", "2")


def test_an_edit_in_fluentcrm_is_weighed_by_the_rules(hpos: LiveShop) -> None:
    keeper = hpos.keeper
    told(hpos, "order.created", keeper.order("nowa@example.net", "70.00", lines=LINES))
    id_ = keeper.one("SELECT id FROM wp_fc_subscribers WHERE email = 'nowa@example.net'")
    keeper.do("UPDATE wp_fc_subscribers SET first_name = 'By hand' WHERE id = %s", id_)
    keeper.do("UPDATE wp_fc_subscriber_meta SET value = '1.00' WHERE subscriber_id = %s AND `key` = 'woo_ltv'", id_)
    assert told(hpos, "contact.updated", id_) == "changed"
    contact = contacts(hpos.database)["nowa@example.net"]
    assert contact["columns"]["first_name"] == "By hand"
    assert field(contact, "woo_ltv") == "70.00"
    assert told(hpos, "contact.tags", id_, 1, detail="added") == "nothing"


def test_a_contact_that_a_form_made_gets_the_shops_figures(hpos: LiveShop) -> None:
    keeper = hpos.keeper
    keeper.order("nowa@example.net", "70.00", lines=LINES)
    hint(hpos.database, "order.created", keeper.next_id() - 1)
    keeper.do("INSERT INTO wp_fc_subscribers (email, status) VALUES ('Nowa@Example.net', 'subscribed')")
    id_ = keeper.one("SELECT id FROM wp_fc_subscribers WHERE email = 'nowa@example.net'")
    assert told(hpos, "contact.created", id_) == "changed"
    assert ltv(hpos, "nowa@example.net") == ("70.00", "1")
    assert contacts(hpos.database)["nowa@example.net"]["columns"]["status"] == "subscribed"


def test_an_order_that_was_anonymised_takes_its_contact_along(shop: LiveShop) -> None:
    order = shop.keeper.order("nowa@example.net", "70.00", lines=LINES)
    told(shop, "order.created", order)
    shop.keeper.anonymise(order)
    told(shop, "order.anonymised", order)
    assert "nowa@example.net" not in contacts(shop.database)


# --- visitors --------------------------------------------------------------------------------------------


def test_what_a_visitor_did_becomes_a_persons_when_they_order(hpos: LiveShop) -> None:
    keeper = hpos.keeper
    for product in (1, 2):
        hint(hpos.database, "product.viewed", product, visitor=VISITOR, at_ms=NOW_MS - 50_000 + product)
    hint(hpos.database, "cart.changed", 4, detail="2", visitor=VISITOR, at_ms=NOW_MS - 40_000)
    hint(hpos.database, "product.viewed", 3, visitor="f" * 32)
    hint(hpos.database, "product.viewed", 3)  # without consent there is no id, and nothing is kept
    pass_(hpos.config)
    with State(hpos.config.state.dir) as state:
        assert state.rows("SELECT COUNT(*), COUNT(person_id) FROM activity") == [(4, 0)]
    order = keeper.order("nowa@example.net", "70.00", lines=LINES)
    told(hpos, "order.created", order, visitor=VISITOR)
    hint(hpos.database, "checkout.started", 4, visitor=VISITOR)
    pass_(hpos.config)
    with State(hpos.config.state.dir) as state:
        person = state.rows("SELECT person_id FROM visitor WHERE visitor = ?", (VISITOR,))[0][0]
        assert {(one.kind, one.object_id) for one in activity.of_person(state, person)} == {
            ("view", 1), ("view", 2), ("cart", 4), ("order", order), ("checkout", 4)}  # fmt: skip
        assert activity.prune(state, NOW_MS + 91 * 86_400_000, 90, 10) == 6
        assert state.rows("SELECT COUNT(*) FROM visitor") == [(0,)]


@pytest.mark.parametrize("detail", ["", "refused"])
def test_a_typed_address_makes_nobody_a_contact(hpos: LiveShop, detail: str) -> None:
    """Pain 24: typing an address at the checkout, or taking the consent back, writes nothing and keeps no address."""
    keeper = hpos.keeper
    keeper.do("INSERT INTO wp_fcsc_carts (visitor, email) VALUES (%s, 'wpisany@example.net')", VISITOR)
    cart = keeper.one("SELECT id FROM wp_fcsc_carts")
    before = crm_rows(hpos.database)
    with State(hpos.config.state.dir) as state:
        known = state.rows("SELECT COUNT(*) FROM person")
    assert told(hpos, "cart.email", cart, detail=detail, visitor=VISITOR) == "nothing"
    run(hpos.config, full=True)
    assert crm_rows(hpos.database) == before
    with State(hpos.config.state.dir) as state:
        assert state.rows("SELECT COUNT(*) FROM person") == known
        assert "wpisany" not in "\n".join(state.sql.iterdump())


def test_who_said_no_to_cart_mails_is_remembered_by_address(hpos: LiveShop) -> None:
    """Pain 24: the no outlives the plugin's row and the visitor's device, is seen on the contact, and goes with an
    erasure. No address is kept for it."""
    keeper, who, nobody = hpos.keeper, "odmowa@example.net", "nikt@example.net"
    told(hpos, "order.created", keeper.order(who, "50.00", lines=LINES))
    for number, address in enumerate((who, nobody)):
        keeper.do("INSERT INTO wp_fcsc_carts (visitor, email) VALUES (%s, %s)", VISITOR[:-1] + str(number), address)
    cart, other = (row[0] for row in hpos.database.rows("SELECT id FROM wp_fcsc_carts ORDER BY id"))
    told(hpos, "cart.email", cart)
    with State(hpos.config.state.dir) as state:
        keys = [state.key(address) for address in (who, nobody)]
        assert refusals.since(state, keys) == {}, "to type an address is no refusal"
    for id_ in (cart, other):
        told(hpos, "cart.email", id_, detail="refused", at_ms=NOW_MS + id_)
    keeper.do("DELETE FROM wp_fcsc_carts")
    with State(hpos.config.state.dir) as state:
        assert set(refusals.since(state, keys)) == set(keys)
        assert "odmowa" not in "\n".join(state.sql.iterdump())
    with build(hpos.config) as sidecar:
        number = hpos.database.rows("SELECT id FROM wp_fc_subscribers WHERE email = %s", (who,))[0][0]
        assert [(one.channel, one.state) for one in sidecar.contact(number).consent] == [("cart", "refused")]
        for address in (who, nobody):
            sidecar.rights.erase(address)
    with State(hpos.config.state.dir) as state:
        assert refusals.since(state, keys) == {}


@pytest.mark.parametrize("status", ["wc-pending", "wc-on-hold"])
def test_an_order_that_waits_for_its_payment_is_an_order(hpos: LiveShop, status: str) -> None:
    """Pain 33: a cart that became such an order is told from one that was left, and nothing of it counts as bought."""
    keeper, who = hpos.keeper, "czeka@example.net"
    hint(hpos.database, "cart.changed", 4, detail="1", visitor=VISITOR, at_ms=NOW_MS - 3000)
    hint(hpos.database, "checkout.started", 4, visitor=VISITOR, at_ms=NOW_MS - 2000)
    pass_(hpos.config)
    order = keeper.order(who, "70.00", status=status, lines=LINES)
    told(hpos, "order.created", order, visitor=VISITOR, at_ms=NOW_MS - 1000)
    # The buyer comes back from the bank and their cart is empty.
    told(hpos, "cart.emptied", 4, visitor=VISITOR)
    assert ltv(hpos, who) == ("0.00", "0")
    with State(hpos.config.state.dir) as state:
        person = state.rows("SELECT person_id, status FROM shop_order WHERE id = ?", (order,))[0]
        assert person[1] == status.removeprefix("wc-")
        acts = [(one.kind, one.object_id) for one in activity.of_person(state, person[0])]
    assert acts == [("emptied", 4), ("order", order), ("checkout", 4), ("cart", 4)]
    keeper.status(order, "wc-processing")
    told(hpos, "order.status", order, detail=f"{status.removeprefix('wc-')}>processing")
    assert ltv(hpos, who) == ("70.00", "1")


def test_the_monitor_is_paged_and_pruned(hpos: LiveShop) -> None:
    """Pain 35."""
    for number in range(7):
        hint(hpos.database, "product.viewed", number + 1)
    pass_(hpos.config)
    with build(hpos.config) as sidecar:
        first = sidecar.events("product", limit=4)
        second = sidecar.events("product", after=first[-1].id, limit=4)
        assert [one.object_id for one in [*first, *second]] == [7, 6, 5, 4, 3, 2, 1]
        assert sidecar.events("order") == []
        assert sidecar.health().events_last_hour == 7
        from sidecar.events import monitor

        assert monitor.prune(sidecar.state, NOW_MS, 30, 3) == 4
        assert monitor.prune(sidecar.state, NOW_MS + 31 * 86_400_000, 30, 3) == 3


def test_people_are_never_named_in_the_state(hpos: LiveShop) -> None:
    """Pains 24, 25."""
    order = hpos.keeper.order("nowa@example.net", "70.00", lines=LINES)
    told(hpos, "order.created", order, visitor=VISITOR)
    assert people(hpos.config)
    with State(hpos.config.state.dir) as state:
        text = "\n".join(state.sql.iterdump())
    assert "nowa@example" not in text
    assert "Nowa" not in text
