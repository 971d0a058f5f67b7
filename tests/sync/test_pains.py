"""What breaks in such integrations (docs: pains, by number), each shown not to break here."""

from __future__ import annotations

import hashlib
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from killing import HERE
from shopkeeper import Shopkeeper
from support import ShopDatabase
from syncing import (
    ConfigFor,
    checksums,
    contacts,
    execute,
    field,
    is_crm,
    is_shop,
    letters,
    people,
    run,
    undo_run,
    unlike,
)

from sidecar import config as settings
from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.demo.shop import build
from sidecar.errors import Conflict
from sidecar.mysql import queries, throttle
from sidecar.state import runs
from sidecar.state.database import State
from sidecar.values import php

BUYER = "refund.later@example.org"


def verdicts(config: settings.Config) -> dict[int, str]:
    with State(config.state.dir) as state:
        return dict(state.rows("SELECT id, verdict FROM shop_order"))


def numbers(found: dict[str, Any], email: str) -> tuple[str | None, str | None, str | None]:
    contact = found[email]
    return tuple(field(contact, slug) for slug in ("woo_orders_count", "woo_ltv", "woo_aov"))  # type: ignore[return-value]


def test_pain_1_one_bad_record_stops_nothing(demo: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo), config_for(demo)
    good = [keeper.order(f"good{number}@example.org", "10.00") for number in range(3)]
    bad = keeper.order("bad@example.org")
    if keeper.hpos:
        keeper.do("UPDATE wp_wc_orders SET date_created_gmt = NULL WHERE id = %s", bad)
        keeper.do("DELETE FROM wp_wc_order_addresses WHERE order_id = %s", good[0])
    else:
        keeper.do("UPDATE wp_posts SET post_date_gmt = '0000-00-00 00:00:00' WHERE ID = %s", bad)
        keeper.do("DELETE FROM wp_postmeta WHERE post_id = %s AND meta_key LIKE '\\_billing\\_f%%'", good[0])
    report = run(config)
    found = contacts(demo)
    assert [numbers(found, f"good{number}@example.org")[1] for number in range(3)] == ["10.00"] * 3
    assert (f"order:{bad}", "no_date") in {(letter.ref, letter.reason) for letter in letters(config)}
    assert report.run.state == "done"
    # Nothing repeats the same batch for ever: the next run reads what changed, which is nothing.
    assert run(config).counts.orders_changed == 0


def test_pain_2_an_interrupted_import_goes_on_where_it_was(demo: ShopDatabase, config_for: ConfigFor) -> None:
    config = config_for(demo, sync=settings.Sync(page_orders=25))
    seen: list[int] = []

    class Enough(Exception):
        pass

    from sidecar.mapping import compile as rules
    from sidecar.sync.engine import sync
    from sidecar.sync.session import Choices

    def progress(step: str, done: int, total: int) -> None:
        if step == "orders":
            seen.append(done)
            if len(seen) == 4:
                raise Enough

    with State(config.state.dir) as state:
        with pytest.raises(Enough):
            sync(config, state, rules.load(None), Choices(), progress)
        assert runs.latest(state)[0].state == "failed"
        again: list[int] = []
        report = sync(
            config,
            state,
            rules.load(None),
            Choices(),
            lambda step, done, total: again.append(done) if step == "orders" else None,
        )
    assert report.mode == "full"
    assert min(again) >= max(seen[:-1]), "began from the beginning"


def test_pain_3_the_host_is_spared(demo: ShopDatabase, config_for: ConfigFor, synced: Callable[[str], Any]) -> None:
    rate = 9_000
    config = config_for(demo, sync=settings.Sync(limit_rate=rate))
    before = checksums(demo, is_shop)
    # Somebody edits an order and an account just now: we do not wait for them, nor they for us.
    with closing(demo.connect(autocommit=False)) as busy, busy.cursor() as cursor:
        cursor.execute("SET SESSION innodb_lock_wait_timeout=2")
        cursor.execute("UPDATE wp_users SET display_name = 'Busy'")
        table = (
            "wp_wc_orders SET currency = 'EUR'" if demo.storage == "hpos" else "wp_posts SET post_status = 'wc-failed'"
        )
        cursor.execute(f"UPDATE {table}")
        started = time.monotonic()
        report = run(config)
        seconds = time.monotonic() - started
        busy.rollback()
    free = synced(f"demo_{demo.storage}").report.counts
    assert unlike(contacts(demo), contacts(synced(f"demo_{demo.storage}").shop)) == {}
    assert report.counts.rows_read > 10_000
    assert seconds > 0.5 * report.counts.rows_read / rate > free.seconds * 0.1
    assert 0 < report.counts.longest_query < 1
    assert checksums(demo, is_shop) == before


def test_pain_3_a_loaded_host_is_given_a_rest(
    demo_hpos: ShopDatabase, config_for: ConfigFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Above `max_load` every page waits, in proportion and at most two seconds; below it none does."""
    waits: list[float] = []
    load = 0.9
    monkeypatch.setattr(throttle, "time", SimpleNamespace(monotonic=time.monotonic, sleep=waits.append))
    monkeypatch.setattr(throttle.os, "getloadavg", lambda: (load, 0.0, 0.0))
    config = config_for(demo_hpos, sync=settings.Sync(max_load=1.0))
    run(config)
    assert waits == []
    load = 1.5
    run(config, full=True)
    assert len(waits) > 10
    assert set(waits) == {0.5}
    waits.clear()
    load = 40.0
    run(config, full=True)
    assert set(waits) == {2.0}


def test_pain_3_the_shops_tables_are_never_written(synced: Callable[[str], Any]) -> None:
    for storage in ("hpos", "posts"):
        one = synced(f"demo_{storage}")
        for tables in (one.before, one.after):
            assert len([name for name in tables if is_shop(name.removeprefix("wp_"))]) > 15
        assert {n: c for n, c in one.before.items() if is_shop(n.removeprefix("wp_"))} == {
            n: c for n, c in one.after.items() if is_shop(n.removeprefix("wp_"))
        }
        for quiet in ("fc_campaign_emails", "fc_funnel_subscribers", "fc_subscriber_notes", "fc_campaigns"):
            assert one.before[f"wp_{quiet}"] == one.after[f"wp_{quiet}"], "an import must start and queue nothing"


def test_pain_4_resync_moves_nobody_up(demo: ShopDatabase, config_for: ConfigFor) -> None:
    """Even with a proof of consent in the shop, and even when everything is looked at again."""
    execute(
        demo,
        "INSERT INTO wp_usermeta (user_id, meta_key, meta_value) SELECT ID, 'marketing_optin', 'yes' FROM wp_users",
    )
    keeper = Shopkeeper(demo)
    for number, status in enumerate(
        ("unsubscribed", "bounced", "complained", "spammed", "pending", "transactional", "subscribed")
    ):
        email = f"status{number}@example.org"
        keeper.account(email, marketing_optin="yes")
        keeper.order(email)
        execute(
            demo, "INSERT INTO wp_fc_subscribers (email, hash, status) VALUES (%s, %s, %s)",
            (email, hashlib.md5(email.encode()).hexdigest(), status),
        )  # fmt: skip
    before = {email: contact["columns"]["status"] for email, contact in contacts(demo).items()}
    consent = settings.Consent(email=(settings.OptIn(source="user_meta.marketing_optin", wording="Yes, write to me"),))
    config = config_for(demo, consent=consent)
    run(config)
    stay = checksums(demo, is_crm)
    again = run(config, full=True)
    after = {email: contact["columns"]["status"] for email, contact in contacts(demo).items()}
    assert {email: after[email] for email in before} == before
    assert {after[email] for email in after.keys() - before.keys()} == {"subscribed", "transactional"}
    assert again.counts.writes == 0
    assert checksums(demo, is_crm) == stay


def test_pain_6_a_crash_leaves_no_lock(demo: ShopDatabase, config_for: ConfigFor) -> None:
    config = config_for(demo)
    command = [sys.executable, str(HERE), demo.socket, demo.database, config.state.dir, "0"]
    import os

    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    deadline = time.monotonic() + 30
    held = False
    while not held and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
        with State(config.state.dir) as state:
            held = runs.running(state)
            if held:
                with pytest.raises(Conflict):
                    run(config)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert held, "the run ended before it was seen"
    with State(config.state.dir) as state:
        assert not runs.running(state)
    run(config)
    with State(config.state.dir) as state:
        assert {one.state for one in runs.latest(state)} <= {"done", "interrupted"}
        assert runs.latest(state)[0].state == "done"


def test_pain_7_edited_lines_replace_lines(demo: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo), config_for(demo)
    order = keeper.order("lines@example.org", lines=((10, 2, "A"), (11, 1, "B")), meta={"_order_number": "2026/0001"})
    titles = dict(demo.rows("SELECT ID, post_title FROM wp_posts WHERE ID IN (10, 11, 12)"))
    run(config)

    def shown() -> list[str]:
        return list(php.loads(field(contacts(demo)["lines@example.org"], "woo_products") or "a:0:{}"))

    assert shown() == sorted([titles[10], titles[11]])
    keeper.do(
        "UPDATE wp_woocommerce_order_itemmeta m JOIN wp_woocommerce_order_items i USING (order_item_id) SET m.meta_value = '12'"
        " WHERE i.order_id = %s AND m.meta_key = '_product_id' AND m.meta_value = '11'", order,
    )  # fmt: skip
    keeper.set(order, _order_total="101.00")
    run(config)
    assert shown() == sorted([titles[10], titles[12]])
    with State(config.state.dir) as state:
        assert state.rows("SELECT COUNT(*) FROM shop_order WHERE id = ?", (order,)) == [(1,)]


def test_pain_8_a_deleted_product_keeps_its_line(synced_demo: Any) -> None:
    contact = contacts(synced_demo.shop)["item.deleted@example.org"]
    name = synced_demo.shop.rows(
        "SELECT order_item_name FROM wp_woocommerce_order_items WHERE order_id = %s AND order_item_type = 'line_item'",
        (synced_demo.shop.truth.cases["order.deleted_product"][0],),
    )[0][0]
    assert php.loads(field(contact, "woo_products") or "") == [name]
    assert field(contact, "woo_ltv") == f"{synced_demo.shop.truth.people['item.deleted@example.org'].net}"


def test_pain_11_a_partial_refund(synced_demo: Any) -> None:
    """Two orders of 100, 50 of the first refunded 30 days later: 2, 150, 75, and the refund is no order."""
    contact = contacts(synced_demo.shop)[BUYER]
    assert numbers(contacts(synced_demo.shop), BUYER) == ("2", "150.00", "75.00")
    second = synced_demo.shop.truth.people[BUYER].last_paid
    assert field(contact, "woo_last_order") == datetime.fromtimestamp(second, ZoneInfo("Europe/Warsaw")).strftime(
        "%Y-%m-%d %H:%M:%S"
    )


def test_pain_12_only_paid_orders_count(synced_demo: Any) -> None:
    found = contacts(synced_demo.shop)
    for status in ("pending", "on-hold", "cancelled", "refunded", "failed"):
        assert numbers(found, f"status.{status}@example.org") == ("0", "0.00", None), status
        assert "woo-lead" in found[f"status.{status}@example.org"]["tags"]
    for status in ("processing", "completed"):
        assert numbers(found, f"status.{status}@example.org")[0] == "1"


def test_pain_12_what_the_shop_publishes_as_paid_counts(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    value = php.dumps(["processing", "completed", "wc-half-paid"])
    execute(demo_hpos, "INSERT INTO wp_options (option_name, option_value) VALUES ('fcsc_paid_statuses', %s)", (value,))
    run(config_for(demo_hpos))
    found = contacts(demo_hpos)
    assert numbers(found, "status.half-paid@example.org") == ("1", "100.00", "100.00")
    assert numbers(found, "status.shipped@example.org")[0] == "0"


def test_pain_12_a_failed_payment_that_is_repeated_counts_once(demo: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo), config_for(demo)
    order = keeper.order("retry@example.org", "80.00", status="wc-pending")
    shown = []
    for status in ("wc-failed", "wc-pending", "wc-processing", "wc-completed"):
        keeper.status(order, status)
        run(config)
        shown.append(numbers(contacts(demo), "retry@example.org")[:2])
    assert shown == [("0", "0.00"), ("0", "0.00"), ("1", "80.00"), ("1", "80.00")]


def test_pain_13_custom_statuses_are_listed_then_mapped(demo: ShopDatabase, config_for: ConfigFor) -> None:
    config = config_for(demo)
    run(config)
    shipped, half = (demo.truth.cases[f"order.status_{name}"][0] for name in ("shipped", "half-paid"))  # type: ignore[union-attr]
    found = verdicts(config)
    assert (found[shipped], found[half]) == ("custom_status", "custom_status")
    assert numbers(contacts(demo), "status.shipped@example.org")[0] == "0"
    mapped = config_for(
        demo,
        state_dir=config.state.dir,
        people=settings.People(status_map={"wc-shipped": "completed", "half-paid": "on-hold"}),
    )
    report = run(mapped)
    assert report.mode == "full", "other rules: everything is looked at again"
    assert numbers(contacts(demo), "status.shipped@example.org") == ("1", "100.00", "100.00")
    assert numbers(contacts(demo), "status.half-paid@example.org")[0] == "0"
    found = verdicts(config)
    assert (found[shipped], found[half]) == ("candidate", "unpaid")
    products = field(contacts(demo)["status.shipped@example.org"], "woo_products")
    assert products, "its lines are read too"


def test_pain_14_currencies(demo: ShopDatabase, config_for: ConfigFor) -> None:
    config = config_for(demo)
    run(config)
    found = contacts(demo)
    assert numbers(found, "currency.wcpay@example.org") == ("1", "320.00", "320.00")  # (100 - 20) EUR at 0.25
    assert numbers(found, "currency.wcpay.inexact@example.org")[1] == "142.13"
    assert numbers(found, "currency.aelia@example.org")[1] == "198.77"
    assert numbers(found, "currency.woocs@example.org")[1] == "1000.00"
    unknown = [
        id_
        for case in ("unknown", "rate_zero", "rate_other_base")
        for id_ in demo.truth.cases[f"order.currency_{case}"]
    ]  # type: ignore[union-attr]
    assert {verdicts(config)[id_] for id_ in unknown} == {"no_rate"}
    assert numbers(found, "currency.mixed@example.org") == ("1", "100.00", "100.00")
    assert numbers(found, "currency.unknown@example.org")[:2] == ("0", "0.00")
    declared = config_for(
        demo, state_dir=config.state.dir, people=settings.People(currency_rates={"gbp": "0.20", "CHF": "0.25"})
    )
    run(declared)
    found = contacts(demo)
    assert numbers(found, "currency.unknown@example.org")[1] == "495.00"
    assert numbers(found, "currency.mixed@example.org")[:2] == ("2", "2100.00")
    assert numbers(found, "currency.wcpay@example.org")[1] == "320.00", "a stored rate comes first"


def test_pain_15_cents_stay_and_a_negative_customer_is_no_fault(demo: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo), config_for(demo)
    keeper.order("cents@example.org", "1234567.89")
    keeper.order("cents@example.org", "0.02")
    owed = keeper.order("owed@example.org", "10.00")
    keeper.refund(owed, "400.55")
    keeper.order("thirds@example.org", "10.00")
    keeper.order("thirds@example.org", "0.01")
    keeper.order("thirds@example.org", "0.01")
    report = run(config)
    found = contacts(demo)
    assert report.counts.failed == {}
    assert numbers(found, "cents@example.org") == ("2", "1234567.91", "617283.96")
    assert numbers(found, "owed@example.org")[:2] == ("0", "-390.55")
    assert numbers(found, "refund.too.much@example.org")[:2] == ("0", "-0.01")
    assert numbers(found, "thirds@example.org") == ("3", "10.02", "3.34")


def test_pain_17_guest_then_registered_is_one_person(synced_demo: Any) -> None:
    found = contacts(synced_demo.shop)
    assert numbers(found, "anna.wielka@example.org")[0] == "3"
    assert len([email for email in found if email.startswith("anna.wielka")]) == 1


def test_pain_17_the_guest_registers_later(demo: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo), config_for(demo)
    run(config)
    before = contacts(demo)[BUYER]
    ids = demo.rows("SELECT id FROM wp_fc_subscribers WHERE email = %s", (BUYER,))
    user = keeper.account(BUYER.upper())
    keeper.order(BUYER, "50.00", customer=user)
    run(config)
    after = contacts(demo)[BUYER]
    assert numbers(contacts(demo), BUYER) == ("3", "200.00", "66.67")
    assert after["columns"]["user_id"] == str(user)
    assert before["columns"]["user_id"] is None
    assert demo.rows("SELECT id FROM wp_fc_subscribers WHERE LOWER(email) = %s", (BUYER,)) == ids


def test_pain_18_guests_have_all(demo: ShopDatabase, config_for: ConfigFor) -> None:
    keeper = Shopkeeper(demo)
    keeper.order(
        "only.guest@example.org", "64.20", billing={"first_name": "Zofia", "last_name": "Gość", "phone": "601 234 567"}
    )
    run(config_for(demo))
    contact = contacts(demo)["only.guest@example.org"]
    columns = contact["columns"]
    assert (columns["first_name"], columns["last_name"], columns["phone"]) == ("Zofia", "Gość", "+48601234567")
    assert numbers(contacts(demo), "only.guest@example.org") == ("1", "64.20", "64.20")
    assert "woo-new" in contact["tags"]


def test_pain_19_an_account_moves_to_another_address(demo: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo), config_for(demo)
    user = keeper.account("before@example.org")
    keeper.order("before@example.org", "100.00", customer=user)
    run(config)
    id_ = keeper.one("SELECT id FROM wp_fc_subscribers WHERE email = 'before@example.org'")
    keeper.do("UPDATE wp_fc_subscribers SET status = 'unsubscribed' WHERE id = %s", id_)
    for status in ("scheduled", "sent"):
        keeper.do(
            "INSERT INTO wp_fc_campaign_emails (campaign_id, subscriber_id, email_address, status) VALUES (1, %s, 'before@example.org', %s)",
            id_, status,
        )  # fmt: skip
    keeper.do("UPDATE wp_users SET user_email = 'After@Example.org' WHERE ID = %s", user)
    report = run(config)
    assert (report.mode, report.counts.moved, report.counts.created) == ("changes", 1, 0)
    row = demo.rows("SELECT email, hash, status, id FROM wp_fc_subscribers WHERE id = %s", (id_,))[0]
    assert row[0] == "after@example.org"
    assert row[1:3] == (hashlib.md5(b"after@example.org").hexdigest(), "unsubscribed")
    mails = demo.rows(
        "SELECT status, email_address FROM wp_fc_campaign_emails WHERE subscriber_id = %s ORDER BY 1", (id_,)
    )
    assert mails == [("scheduled", "after@example.org"), ("sent", "before@example.org")]
    # The old address is an alias: a guest order under it is still this person's.
    keeper.order("before@example.org", "11.00", at="2026-11-01 09:00:00")
    run(config)
    found = contacts(demo)
    assert "before@example.org" not in found
    assert numbers(found, "after@example.org") == ("2", "111.00", "55.50")
    assert run(config, full=True).counts.writes == 0


def test_pain_19_the_new_address_was_a_guests(demo: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo), config_for(demo)
    user = keeper.account("moves.in@example.org")
    keeper.order("moves.in@example.org", "30.00", customer=user)
    run(config)
    keeper.do("UPDATE wp_users SET user_email = %s WHERE ID = %s", BUYER, user)
    run(config)
    assert numbers(contacts(demo), BUYER) == ("3", "180.00", "60.00")
    assert run(config, full=True).counts.writes == 0


def test_pain_19_a_household_shares_an_address(synced_demo: Any) -> None:
    found = contacts(synced_demo.shop)
    assert numbers(found, "rodzina.shared@example.org")[0] == "2"
    assert found["rodzina.shared@example.org"]["columns"]["first_name"] in ("Anna", "Piotr")


def test_pain_20_phones(synced_demo: Any) -> None:
    found = contacts(synced_demo.shop)
    expected = {
        "polish": "+48501234568", "polish.00": "+48501234569", "persian.digits": "+989123456789",
        "iranian": "+989123456780", "bulgarian": "+359888123456", "british": "+442079460018",
        "american": "+12175550123",
    }  # fmt: skip
    shown = {case: found[f"phone.{case}@example.org"]["columns"]["phone"] for case in expected}
    assert shown == expected
    refs = {(letter.kind, letter.reason.partition(":")[0]) for letter in letters(synced_demo.config)}
    assert ("value", "phone") in refs, "numbers that are none are reported"
    for case in ("junk", "too.short", "other.country"):  # the last is one of Ofcom's numbers for films
        assert found[f"phone.{case}@example.org"]["columns"]["phone"] is None


def test_pain_21_anonymised_orders_make_nobody(synced_demo: Any) -> None:
    found = contacts(synced_demo.shop)
    assert not [email for email in found if email.endswith(".invalid")]
    known = verdicts(synced_demo.config)
    assert {known[id_] for id_ in synced_demo.shop.truth.cases["order.anonymised"]} == {"anonymised"}


def _rows_of(shop: ShopDatabase, contact: int) -> dict[str, int]:
    tables = (
        "subscriber_meta",
        "subscriber_pivot",
        "subscriber_notes",
        "funnel_subscribers",
        "campaign_emails",
        "campaign_url_metrics",
    )
    return {
        table: shop.rows(f"SELECT COUNT(*) FROM wp_fc_{table} WHERE subscriber_id = %s", (contact,))[0][0]
        for table in tables
    }


def test_pain_21_and_25_erased_after_the_first_sync(demo: ShopDatabase, config_for: ConfigFor) -> None:
    """A contact that the sidecar made goes with everything; somebody else's stays and is reported."""
    keeper, config = Shopkeeper(demo), config_for(demo)
    orders = {email: keeper.order(email) for email in ("ours@example.org", "theirs@example.org")}
    keeper.do("INSERT INTO wp_fc_subscribers (email, hash, status) VALUES ('theirs@example.org', '', 'subscribed')")
    first = run(config)
    ids = {email: keeper.one("SELECT id FROM wp_fc_subscribers WHERE email = %s", email) for email in orders}
    for id_ in ids.values():
        keeper.do(
            "INSERT INTO wp_fc_campaign_emails (campaign_id, subscriber_id, email_address, status) VALUES (1, %s, 'x', 'scheduled')",
            id_,
        )
        keeper.do(
            "INSERT INTO wp_fc_subscriber_notes (subscriber_id, created_by, status, type, title, description) VALUES (%s, 1, 'open', 'note', 'x', 'x')",
            id_,
        )
    assert all(
        count
        for table, count in _rows_of(demo, ids["ours@example.org"]).items()
        if table in ("subscriber_meta", "subscriber_pivot")
    )
    for order in orders.values():
        keeper.anonymise(order)
    report = run(config)
    assert report.counts.erased == 1
    found = contacts(demo)
    assert "ours@example.org" not in found
    assert "theirs@example.org" in found
    assert set(_rows_of(demo, ids["ours@example.org"]).values()) == {0}
    assert report.counts.failed == {"erased_in_shop_but_not_our_contact": 1}
    # Nothing of the person stands in our own tables any more, and nothing brings them back.
    undo_rows = demo.rows(
        "SELECT COUNT(*) FROM wp_fcsc_undo WHERE object_id = %s AND kind IN ('created', 'changed')",
        (ids["ours@example.org"],),
    )
    assert undo_rows == [(0,)]
    with State(config.state.dir) as state:
        dump = "\n".join(state.sql.iterdump())
        key = state.key("ours@example.org").hex().upper()
        assert "ours@example.org" not in dump and "theirs@example.org" not in dump
        row = [person for hexed, person in people(config).items() if hexed == key]
        assert [(one["contact_id"], one["orders_count"], one["ltv"]) for one in row] in ([], [(None, 0, 0)])
    assert run(config, full=True).counts.created == 0
    undo_run(config, first.run.id)
    assert "ours@example.org" not in contacts(demo)


def test_pain_21_the_contact_that_stays_is_in_the_dead_letter(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    keeper, config = Shopkeeper(demo_hpos), config_for(demo_hpos)
    orders = [keeper.order(email) for email in ("theirs@example.org", "ours@example.org")]
    keeper.do("INSERT INTO wp_fc_subscribers (email, hash, status) VALUES ('theirs@example.org', '', 'subscribed')")
    run(config)
    for order in orders:
        keeper.anonymise(order)
    for _again in range(3):  # the letter stays until somebody decides
        run(config)
        assert [letter.reason for letter in letters(config) if letter.kind == "person"] == [
            "erased_in_shop_but_not_our_contact"
        ]


def test_pain_21_erased_before_and_buying_again(demo: ShopDatabase, config_for: ConfigFor) -> None:
    """A new order after the erasure is a new relation: the person is a contact again, with that order only."""
    keeper, config = Shopkeeper(demo), config_for(demo)
    order = keeper.order("again@example.org", "500.00")
    run(config)
    keeper.anonymise(order)
    run(config)
    keeper.order("again@example.org", "9.00")
    run(config)
    assert numbers(contacts(demo), "again@example.org") == ("1", "9.00", "9.00")


def test_pain_22_an_opt_in_taken_back_changes_no_status(demo: ShopDatabase, config_for: ConfigFor) -> None:
    consent = settings.Consent(email=(settings.OptIn(source="user_meta.marketing_optin"),))
    keeper, config = Shopkeeper(demo), config_for(demo, consent=consent)
    run(config)
    assert contacts(demo)["optin.yes@example.org"]["columns"]["status"] == "subscribed"
    assert contacts(demo)["optin.no@example.org"]["columns"]["status"] == "transactional"
    with State(config.state.dir) as state:
        proofs = state.rows("SELECT channel, state, source FROM consent")
    subscribed = demo.rows(
        "SELECT COUNT(*) FROM wp_fc_subscribers WHERE status = 'subscribed' AND source = 'woocommerce'"
    )[0][0]
    assert proofs == [("email", "given", "user_meta.marketing_optin")] * subscribed
    keeper.do("UPDATE wp_fc_subscribers SET status = 'unsubscribed' WHERE email = 'optin.yes@example.org'")
    keeper.user_meta(keeper.user_of("optin.no@example.org"), marketing_optin="yes")
    keeper.order("optin.yes@example.org", "20.00")
    run(config)
    assert contacts(demo)["optin.yes@example.org"]["columns"]["status"] == "unsubscribed"
    assert contacts(demo)["optin.no@example.org"]["columns"]["status"] == "transactional"


@pytest.mark.parametrize("default", ["subscribed", "pending"])
def test_pain_23_nobody_is_subscribed_by_default(demo: ShopDatabase, config_for: ConfigFor, default: str) -> None:
    """The column's own default is `subscribed`, and FluentCRM's SMS column may default to yes."""
    execute(demo, f"ALTER TABLE wp_fc_subscribers MODIFY status VARCHAR(50) NOT NULL DEFAULT '{default}'")
    known = contacts(demo).keys()
    run(config_for(demo))
    made = {email: contact for email, contact in contacts(demo).items() if email not in known}
    assert len(made) > 200
    assert {contact["columns"]["status"] for contact in made.values()} == {"transactional"}


def test_pain_23_the_sms_column_is_neither_believed_nor_written(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    """FluentCRM Pro's column may say yes by default: that is nobody's consent, and we never set it."""
    execute(
        demo_hpos, "ALTER TABLE wp_fc_subscribers ADD COLUMN sms_status VARCHAR(50) NOT NULL DEFAULT 'sms_subscribed'"
    )
    execute(demo_hpos, "UPDATE wp_fc_subscribers SET sms_status = 'sms_unsubscribed'")
    known = demo_hpos.rows("SELECT COUNT(*) FROM wp_fc_subscribers")[0][0]
    assert known
    consent = settings.Consent(email=(settings.OptIn(source="user_meta.marketing_optin"),))
    config = config_for(demo_hpos, consent=consent)
    run(config)
    run(config, full=True)
    said = dict(demo_hpos.rows("SELECT sms_status, COUNT(*) FROM wp_fc_subscribers GROUP BY 1"))
    assert said["sms_unsubscribed"] == known
    assert said["sms_subscribed"] > 200, "the column's own default"
    with State(config.state.dir) as state:
        assert state.rows("SELECT DISTINCT channel FROM consent") == [("email",)]


def test_pain_25_no_address_stands_in_the_state(synced_demo: Any) -> None:
    with State(synced_demo.config.state.dir) as state:
        dump = "\n".join(state.sql.iterdump())
    for email, contact in contacts(synced_demo.shop).items():
        assert email not in dump
        phone = contact["columns"]["phone"]
        assert not phone or phone not in dump
    assert "Wspólna" not in dump and "Długa" not in dump
    undo = "\n".join(
        str(row) for row in synced_demo.shop.rows("SELECT detail FROM wp_fcsc_undo WHERE kind = 'created'")
    )
    assert "@" not in undo, "what undo keeps of new contacts are digests"


def test_pain_38_mixed_collations(demo: ShopDatabase, config_for: ConfigFor, synced: Callable[[str], Any]) -> None:
    for table, collation in {
        "users": "utf8mb4_general_ci", "usermeta": "utf8mb4_unicode_ci", "postmeta": "utf8mb4_bin",
        "fc_subscriber_meta": "utf8mb4_general_ci", "woocommerce_order_itemmeta": "utf8mb4_general_ci", "terms": "utf8mb4_bin",
        "fc_tags": "utf8mb4_unicode_ci",
    }.items():  # fmt: skip
        execute(demo, f"ALTER TABLE wp_{table} CONVERT TO CHARACTER SET utf8mb4 COLLATE {collation}")
    report = run(config_for(demo))
    assert report.counts.failed == {}
    assert unlike(contacts(demo), contacts(synced(f"demo_{demo.storage}").shop)) == {}


def test_pain_38_no_query_joins_on_text() -> None:
    for query in queries.all_queries().values():
        for condition in re.findall(
            r"\bON\b(.*?)(?=\bJOIN\b|\bWHERE\b|\bGROUP\b|\bORDER\b|$)", query.sql, re.DOTALL | re.IGNORECASE
        ):
            for left, right in re.findall(r"([\w.`]+)\s*=\s*([\w.`]+)", condition):
                assert not re.search(r"meta_value|email|\bname\b|slug$", f"{left} {right}"), (query.name, condition)


def test_pain_40_drafts_and_placeholders(demo: ShopDatabase, config_for: ConfigFor) -> None:
    """A shopper who only began to check out is nobody yet, and posts are never read while HPOS rules."""
    keeper, config = Shopkeeper(demo), config_for(demo)
    keeper.order("began@example.org", status="wc-checkout-draft")
    keeper.order("auto@example.org", status="auto-draft")
    if keeper.hpos:
        keeper.do(
            "UPDATE wp_posts SET post_type = 'shop_order', post_status = 'wc-completed' WHERE post_type = 'shop_order_placehold' LIMIT 5"
        )
    else:
        keeper.do(
            "UPDATE wp_posts SET post_type = 'shop_order_placehold' WHERE ID = %s", keeper.order("holder@example.org")
        )
    report = run(config)
    found = contacts(demo)
    assert found.keys().isdisjoint(
        {"began@example.org", "auto@example.org", "holder@example.org", "status.checkout-draft@example.org"}
    )
    assert report.counts.failed == {}


def test_pain_40_a_switch_in_mid_life_loses_nothing(
    demo_posts: ShopDatabase, mariadb: PrivateMariaDB, demo_template_hpos: tuple[str, Any], config_for: ConfigFor
) -> None:
    """Orders are migrated to HPOS and the option is flipped; new orders come; later it is flipped back."""
    config = config_for(demo_posts)
    run(config)
    before = contacts(demo_posts)
    for table in ("wc_orders", "wc_order_addresses", "wc_order_operational_data", "wc_orders_meta"):
        execute(demo_posts, f"CREATE TABLE wp_{table} LIKE `{demo_template_hpos[0]}`.wp_{table}")
        execute(demo_posts, f"INSERT INTO wp_{table} SELECT * FROM `{demo_template_hpos[0]}`.wp_{table}")
    flip = "UPDATE wp_options SET option_value = %s WHERE option_name = 'woocommerce_custom_orders_table_enabled'"
    assert run(config).counts.writes == 0, "tables that are there do not matter while posts rule"
    execute(demo_posts, flip, ("yes",))
    report = run(config)
    assert (report.storage, report.mode, report.counts.writes) == ("hpos", "full", 0)
    assert unlike(contacts(demo_posts), before) == {}
    hpos = ShopDatabase(mariadb, demo_posts.database, "hpos", demo_posts.truth)
    order = Shopkeeper(hpos).order(BUYER, "50.00")
    run(config)
    assert numbers(contacts(demo_posts), BUYER)[:2] == ("3", "200.00")
    execute(demo_posts, flip, ("no",))
    assert run(config).storage == "posts"
    assert numbers(contacts(demo_posts), BUYER)[:2] == ("2", "150.00"), (
        f"{order} is not in posts: the shop itself does not see it"
    )
    assert run(config).counts.writes == 0


@pytest.mark.parametrize("zone", ["Asia/Tehran", "Europe/Sofia", "America/New_York", "+5.5"])
@pytest.mark.parametrize("storage", ["hpos", "posts"])
def test_pain_41_times_are_the_shops(storage: Any, zone: str, mariadb: PrivateMariaDB, config_for: ConfigFor) -> None:
    """Whatever the zone, its half hours and its days of 23 and 25 hours: the wall clock of the shop."""
    name = f"zone_{abs(hash((storage, zone)))}"
    mariadb.create_database(name)
    try:
        with closing(mariadb.connect(name)) as connection:
            truth = build(connection, storage=storage, customers=120, orders=150, timezone=zone)
        shop = ShopDatabase(mariadb, name, storage, truth)
        keeper = Shopkeeper(shop)
        # The hour that New York's and Sofia's clocks skip and repeat in 2026.
        moments = ["2026-03-08 07:00:00", "2026-11-01 05:30:00", "2026-11-01 06:30:00", "2026-03-29 00:59:59", "2026-03-29 01:00:00", "2026-10-25 00:30:00", "2025-12-31 20:30:00"]  # fmt: skip
        for number, at in enumerate(moments):
            keeper.order(f"moment{number}@example.org", at=at)
        config = config_for(shop)
        report = run(config)
        assert report.counts.failed == {}
        found = contacts(shop)
        from datetime import UTC, timedelta, timezone

        tz = timezone(timedelta(hours=5.5)) if zone.startswith("+") else ZoneInfo(zone)
        for number, at in enumerate(moments):
            expected = datetime.fromisoformat(at).replace(tzinfo=UTC).astimezone(tz).strftime("%Y-%m-%d %H:%M:%S")
            contact = found[f"moment{number}@example.org"]
            assert field(contact, "woo_first_order") == expected
            assert contact["columns"]["created_at"] is not None
        for email, person in truth.people.items():
            if email.startswith("date.") and person.last_paid and email in found and "sometimes" not in email:
                expected = datetime.fromtimestamp(person.last_paid, tz).strftime("%Y-%m-%d %H:%M:%S")
                assert field(found[email], "woo_last_order") == expected, email
        assert run(config, full=True).counts.writes == 0
    finally:
        mariadb.drop_database(name)


def test_pain_41_the_skipped_hour_can_be_a_contacts_birth(
    mariadb: PrivateMariaDB, config_for: ConfigFor, demo_hpos: ShopDatabase
) -> None:
    """`created_at` is a TIMESTAMP in the server's zone: there, the shop's wall clock may name an hour that is none."""
    if not mariadb_knows_zones(demo_hpos):
        pytest.skip("this server has no time zone tables and its own zone is UTC")
    execute(demo_hpos, "SET GLOBAL time_zone = 'Europe/Paris'")
    try:
        keeper = Shopkeeper(demo_hpos)
        execute(demo_hpos, "UPDATE wp_options SET option_value = 'Europe/London' WHERE option_name = 'timezone_string'")
        keeper.order("skipped@example.org", at="2026-03-29 01:30:00")
        report = run(config_for(demo_hpos))
        assert report.counts.failed == {}
        assert "skipped@example.org" in contacts(demo_hpos)
    finally:
        execute(demo_hpos, "SET GLOBAL time_zone = 'SYSTEM'")


def mariadb_knows_zones(shop: ShopDatabase) -> bool:
    return bool(shop.rows("SELECT CONVERT_TZ('2026-01-01 00:00:00', 'UTC', 'Europe/Paris')")[0][0])
