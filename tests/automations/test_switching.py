"""Before an automation is switched on, and what on and off mean. Pain 46."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC
from typing import Any

import msgspec
import pytest
from bridging import install
from support import ShopDatabase
from syncing import execute
from triggering import DAY, NOW, STEPS, Yard

from sidecar.automations import file, library, model, senders, switching, troubles, versions
from sidecar.automations.preflight import preflight
from sidecar.config import Config, Database, Shop, State
from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.demo.truth import Truth
from sidecar.doctor.checks import plugins as checks
from sidecar.errors import Conflict, UsageError
from sidecar.segments import file as segments_file
from sidecar.segments.model import Period

CART = model.OnCart(idle=Period(seconds=1800))
FUNNELS = "INSERT INTO wp_fc_funnels (type, title, trigger_name, status, created_at, updated_at) VALUES ('funnels', %s, %s, %s, NOW(), NOW())"


@pytest.fixture(scope="module")
def shop(mariadb: PrivateMariaDB, demo_template_hpos: tuple[str, Truth]) -> Iterator[ShopDatabase]:
    mariadb.clone(demo_template_hpos[0], "shop_of_switches")
    made = ShopDatabase(mariadb, "shop_of_switches", "hpos", demo_template_hpos[1])
    install(made)
    yield made
    mariadb.drop_database(made.database)


@pytest.fixture
def yard(shop: ShopDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    execute(shop, "DELETE FROM wp_fc_funnels")
    names = (*senders.OPTIONS, *senders.MAIL_OPTIONS)
    execute(shop, "DELETE FROM wp_options WHERE option_name IN %s", (names,))
    database = Database(unix_socket=shop.socket, user="root", name=shop.database)
    config = Config(
        shop=Shop(table_prefix="wp_", database=database), state=State(dir=str(tmp_path_factory.mktemp("state")))
    )
    made = Yard(config)
    made.person(1)
    yield made
    made.close()


def automation(trigger: model.Trigger, *overlaps: str) -> model.Automation:
    return model.Automation(name="one", title="One", trigger=trigger, steps=STEPS, overlaps=overlaps)


def option(shop: ShopDatabase, name: str, value: str) -> None:
    execute(shop, "INSERT INTO wp_options (option_name, option_value) VALUES (%s, %s)", (name, value))


def overlaps(yard: Yard, made: model.Automation) -> list[str]:
    return [finding.id for finding in preflight(yard.place, made) if finding.level == "overlap"]


def test_nobody_else_sends_it(yard: Yard) -> None:
    assert preflight(yard.place, automation(CART)) == []


@pytest.mark.parametrize(
    "slug", ["woocommerce-abandoned-cart", "woo-save-abandoned-carts", "automatewoo", "mailchimp-for-woocommerce"]
)
def test_another_plugin_reminds_of_carts(yard: Yard, slug: str) -> None:
    yard.plugins = (*yard.plugins, f"{slug}/{slug}.php", "hello.php")
    assert overlaps(yard, automation(CART)) == [slug]
    others = preflight(yard.place, automation(model.OnDay(field="birthday")))
    assert [finding.id for finding in others if finding.level == "overlap"] == []
    assert ("automatewoo" in slug or "mailchimp" in slug) == any(finding.id == slug for finding in others)


def test_fluentcrms_own_carts_and_automations(shop: ShopDatabase, yard: Yard) -> None:
    option(shop, "_fluentcrm_experimental_settings", 'a:1:{s:14:"abandoned_cart";s:3:"yes";}')
    for title, name, status in (
        ("Carts", "fc_ab_cart_simulation_woo", "published"), ("Hi", "user_register", "published"), ("Draft", "user_register", "draft"),
    ):  # fmt: skip
        execute(shop, FUNNELS, (title, name, status))
    assert overlaps(yard, automation(CART)) == [
        "fluentcrm-abandoned-carts",
        "fluentcrm-automation.fc_ab_cart_simulation_woo",
    ]
    found = preflight(yard.place, automation(model.OnEvent(topic="customer.created")))
    assert [finding.sentence for finding in found] == ["FluentCRM's own automation “Hi” begins with the same"]
    execute(shop, FUNNELS, ("Shipped", "woocommerce_order_status_shipped", "published"))
    assert overlaps(yard, automation(model.OnEvent(topic="order.status", to=("wc-shipped",)))) == [
        "fluentcrm-automation.woocommerce_order_status_shipped"
    ]


def test_woocommerces_own_mails(shop: ShopDatabase, yard: Yard) -> None:
    """Reviews and stock are off until the owner switches them on; those about orders are on until they switch them off."""
    review = automation(model.OnEvent(topic="order.status", to=("completed",)), "review")
    assert overlaps(yard, review) == []
    option(shop, "woocommerce_feature_customer_review_request_enabled", "yes")
    assert overlaps(yard, review) == [], "the feature is there, the mail is off"
    option(shop, "woocommerce_customer_review_request_settings", 'a:1:{s:7:"enabled";s:3:"yes";}')
    assert overlaps(yard, review) == ["woocommerce-review-request"]
    option(shop, "woocommerce_customer_stock_notifications_allow_signups", "yes")
    assert overlaps(yard, automation(model.OnStock())) == ["woocommerce-stock-notices"]
    done = automation(model.OnEvent(topic="order.status", to=("completed",)), "woocommerce-customer-completed-order")
    assert overlaps(yard, done) == ["woocommerce-customer-completed-order"]
    option(shop, "woocommerce_customer_completed_order_settings", 'a:1:{s:7:"enabled";s:2:"no";}')
    assert overlaps(yard, done) == []


def test_what_starts_it_cannot_be_seen(yard: Yard) -> None:
    yard.plugins = ()
    assert [finding.id for finding in preflight(yard.place, automation(CART))] == ["source.plugin"]
    yard.collect()
    birthday = preflight(yard.place, automation(model.OnDay(field="birthday")))
    assert [finding.id for finding in birthday] == ["source.days"]


def test_an_overlap_with_nobody_is_said_so(yard: Yard) -> None:
    (finding,) = preflight(yard.place, automation(model.OnStock(), "reviews", "stock"))
    assert (finding.id, finding.level) == ("overlaps.unknown", "note")
    assert "review" in finding.hint


def test_the_default_leaves_it_to_the_other(yard: Yard) -> None:
    """Pain 46."""
    yard.plugins = (*yard.plugins, "automatewoo/automatewoo.php")
    with pytest.raises(Conflict) as refused:
        switching.on(yard.place, automation(CART))
    assert "AutomateWoo sends the same" in refused.value.details[0]
    assert not versions.row(yard.state, "one").running
    findings = switching.on(yard.place, automation(CART), anyway=True)
    assert [finding.id for finding in findings] == ["automatewoo"]
    assert versions.row(yard.state, "one").running


def test_a_copy_beside_its_model(yard: Yard) -> None:
    """Two that are written alike would mail people twice: told like another sender. None of the ready-made ones are alike."""
    everybody = segments_file.load(None, UTC)
    made = {name: file.parse(library.ready_text(name), f"{name}.toml", UTC, everybody) for name in library.ready()}
    found = {
        name: [one.id for one in preflight(yard.place, automation, [*made.values()]) if one.id.startswith("own.")]
        for name, automation in made.items()
    }
    assert found == {name: [f"own.{name}"] for name in made}  # each with itself
    model_ = made["digital-goods"]
    copy = msgspec.structs.replace(model_, name="spring", steps=model_.steps[:-1])
    with pytest.raises(Conflict) as refused:
        switching.on(yard.place, copy, running=[model_])
    assert "begins with the same and has the same messages" in refused.value.details[0]
    switching.on(yard.place, copy, running=[model_], anyway=True)
    other = msgspec.structs.replace(copy, trigger=CART)
    assert not [one for one in preflight(yard.place, other, [model_]) if one.id.startswith("own.")]


def test_on_means_from_now_on(yard: Yard) -> None:
    """Pain 5: also after a while off."""
    paid = automation(model.OnEvent(topic="order.paid"))
    yard.shelf["one"] = paid
    yard.order(54, 1)
    yard.event("order.paid", 54, 1)
    switching.on(yard.place, paid, rollout=100, holdout=5)
    row = versions.row(yard.state, "one")
    assert (row.live_from, row.rollout, row.holdout) == (NOW, 100, 5)
    assert yard.collect().entered == 0
    yard.now = NOW + 60
    yard.order(55, 1)
    yard.event("order.paid", 55, 1)
    assert yard.collect().entered == 1
    assert switching.off(yard.state, "one")
    assert not switching.off(yard.state, "one")
    yard.now = NOW + 120
    yard.order(56, 1)
    yard.event("order.paid", 56, 1)
    assert yard.collect().entered == 0
    yard.now = NOW + 180
    switching.on(yard.place, paid)
    assert versions.row(yard.state, "one").live_from == NOW + 180
    assert yard.collect().entered == 0
    assert yard.inside() == [(1, "order:55")]


def test_changing_the_shares_leaves_the_rest(yard: Yard) -> None:
    paid = automation(model.OnEvent(topic="order.paid"))
    switching.on(yard.place, paid, rollout=10)
    yard.now += DAY
    yard.plugins = (*yard.plugins, "automatewoo/automatewoo.php")
    switching.on(yard.place, paid, rollout=20, holdout=10)
    row = versions.row(yard.state, "one")
    assert (row.live_from, row.rollout, row.holdout) == (NOW, 20, 10)


def test_what_was_wrong_before_is_not_told_again(yard: Yard) -> None:
    troubles.broken(yard.state, "one/mail", "its text")
    troubles.broken(yard.state, "one-more/mail", "its text")
    switching.on(yard.place, automation(model.OnEvent(topic="order.paid")))
    assert troubles.open_(yard.state) == {"one-more/mail": "its text"}


def test_a_share_that_is_not_said_stays(yard: Yard) -> None:
    """Raising the rollout must not end the comparison with those who are held back."""
    paid = automation(model.OnEvent(topic="order.paid"))

    def shares(**said: int) -> tuple[int, int]:
        switching.on(yard.place, paid, **said)
        row = versions.row(yard.state, "one")
        return row.rollout, row.holdout

    assert [shares(), shares(rollout=20, holdout=10), shares(rollout=50), shares(holdout=5), shares()] == [
        (100, 0), (20, 10), (50, 10), (50, 5), (50, 5),
    ]  # fmt: skip
    switching.off(yard.state, "one")
    assert shares() == (50, 5)


@pytest.mark.parametrize("shares", [{"rollout": 0}, {"rollout": 101}, {"holdout": -1}, {"holdout": 51}])
def test_shares_that_make_no_sense(yard: Yard, shares: Any) -> None:
    with pytest.raises(UsageError):
        switching.on(yard.place, automation(CART), **shares)


def test_a_filter_asks_fluentcrm_anew(shop: ShopDatabase, yard: Yard) -> None:
    """What no segment asks for is read for those who may enter, at that moment."""
    from sidecar.segments.model import Text

    contact = shop.rows("SELECT MIN(id) FROM wp_fc_subscribers")[0][0]
    yard.state.sql.execute("UPDATE person SET contact_id = ? WHERE id = 1", (contact,))
    yard.on(model.OnEvent(topic="order.paid"), filter=Text("status", ("subscribed",)))
    for order, status in ((55, "pending"), (56, "subscribed"), (57, "unsubscribed")):
        execute(shop, "UPDATE wp_fc_subscribers SET status = %s WHERE id = %s", (status, contact))
        yard.order(order, 1)
        yard.event("order.paid", order, 1)
        yard.collect()
    assert yard.inside() == [(1, "order:56")]


def test_doctor_knows_the_same_senders() -> None:
    """One list for both."""
    assert checks.others is senders
    assert {sender.id for sender in senders.PLUGINS.values()} == set(senders.PLUGINS)
