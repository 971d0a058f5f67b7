"""What keeps the sidecar from doing harm: clones, pauses, erasures, and somebody who is told when it stops."""

from __future__ import annotations

import gc
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from bridging import KEY, NOW_MS, LiveShop, bridge, hint, install, pass_, queue
from commandline import Bench
from pytest_httpserver import HTTPServer
from shopkeeper import Shopkeeper
from support import ShopDatabase
from syncing import contacts, crm_rows, execute, field, run
from werkzeug import Request, Response

from sidecar import alerts, signing
from sidecar.config import Alerts, Config
from sidecar.errors import OnHold, Paused
from sidecar.runtime import build
from sidecar.state.database import State
from sidecar.sync.health import conditions
from sidecar.sync.session import Choices
from sidecar.sync.undo import runs_there

LINES = ((1, 2, "Tea"),)


def later(patch: pytest.MonkeyPatch, clock: str) -> None:
    patch.setenv("SIDECAR_NOW", f"2026-11-01T{clock}:00Z")


# --- the clone guard (pain 27) ---------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["siteurl", "database"])
def test_a_clone_writes_to_nobody(hpos: LiveShop, how: str) -> None:
    """Pain 27."""
    database, config = hpos.database, hpos.config
    pass_(config)
    clone = database
    try:
        if how == "siteurl":
            hpos.keeper.do(
                "UPDATE wp_options SET option_value = 'https://staging.example.org' WHERE option_name = 'siteurl'"
            )
        else:
            database.server.clone(database.database, "a_clone")
            clone = ShopDatabase(database.server, "a_clone", "hpos", None)
            shop = msgspec.structs.replace(
                config.shop, database=msgspec.structs.replace(config.shop.database, name="a_clone")
            )
            config = msgspec.structs.replace(config, shop=shop)
        keeper = Shopkeeper(clone)
        before = crm_rows(clone)
        hint(clone, "order.created", keeper.order("nowa@example.net", lines=LINES))
        with bridge(clone, config) as (fake, paired):
            assert pass_(paired).state == "held"
            assert pass_(paired, reconcile=True, poll=True).state == "held"
            with build(paired) as sidecar:
                for act in (lambda: sidecar.sync(Choices()), lambda: sidecar.undo(1)):
                    with pytest.raises(OnHold) as caught:
                        act()
                    assert any("was" in line for line in caught.value.details)
                assert sidecar.sync(Choices(dry_run=True)).differences, "looking is allowed"
                assert sidecar.health().held
            assert fake.calls == []
        assert crm_rows(clone) == before
        assert len(queue(clone)) == 1, "the event waits"
        with build(config) as sidecar:
            assert sidecar.site().held
            sidecar.confirm_site()
            assert not sidecar.site().held
        assert pass_(config).changed == 1
        assert "nowa@example.net" in contacts(clone)
    finally:
        if how == "database":
            database.server.drop_database("a_clone")


def test_what_is_no_other_site(hpos: LiveShop) -> None:
    with build(hpos.config) as sidecar:
        known = sidecar.site().known
        hpos.keeper.do(
            "UPDATE wp_options SET option_value = CONCAT('https://www.', %s, '/') WHERE option_name = 'siteurl'",
            known.siteurl,
        )
        assert not sidecar.site().held
        hpos.keeper.do("UPDATE wp_options SET option_value = 'https://other.example' WHERE option_name = 'home'")
        assert sidecar.site().held
        assert sidecar.health().held
        hpos.keeper.do("UPDATE wp_options SET option_value = %s WHERE option_name = 'home'", f"https://{known.home}")
        assert not sidecar.site().held
        assert sidecar.health().held is None


def test_the_commands_of_the_guard(demo_hpos: ShopDatabase, tmp_path: Path) -> None:
    bench = Bench(demo_hpos, tmp_path)
    bench.run("sync")
    assert bench.json("site", "show")["changed"] == []
    bench.execute("UPDATE wp_options SET option_value = 'https://staging.example' WHERE option_name = 'siteurl'")
    assert "staging.example" in bench.run("site", "show", code=1).output
    assert bench.json("sync", code=1)["error"]["code"] == "on_hold"
    assert bench.json("doctor", "--only", "bridge.E005", code=1)["findings"][0]["level"] == "error"
    bench.run("site", "confirm", code=130, typed="n\n")
    assert "--yes" in bench.json("site", "confirm", code=2)["error"]["message"], "as for undo and erase"
    bench.run("site", "show", code=1)
    bench.run("site", "confirm", typed="y\n")
    bench.run("sync")


# --- the pause (pain 6) ----------------------------------------------------------------------------------


def test_a_pause_keeps_events_and_ends_by_itself(hpos: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    config = hpos.config
    with build(config) as sidecar:
        assert sidecar.pause(30).until == NOW_MS // 1000 + 1800
        hint(hpos.database, "order.created", hpos.keeper.order("nowa@example.net", lines=LINES))
        before = crm_rows(hpos.database)
        assert sidecar.pass_(poll=True, reconcile=True).state == "paused"
        with pytest.raises(Paused, match="12:30"):
            sidecar.sync(Choices())
        assert sidecar.sync(Choices(dry_run=True)).differences
        assert crm_rows(hpos.database) == before
        paused = sidecar.health().paused
        assert paused is not None
        assert paused.since == NOW_MS // 1000
        assert sidecar.resume()
        assert not sidecar.resume()
        sidecar.pause(30)
    # The process is gone; nobody resumes.
    later(monkeypatch, "12:31")
    assert pass_(config).changed == 1
    assert "nowa@example.net" in contacts(hpos.database)


def test_pause_and_resume_from_the_command_line(demo_hpos: ShopDatabase, tmp_path: Path) -> None:
    bench = Bench(demo_hpos, tmp_path)
    bench.run("sync")
    assert "12:20" in bench.run("sync", "pause", "--minutes", "20").output
    assert bench.json("tick")["pass"]["state"] == "paused"
    assert bench.json("sync", code=1)["error"]["code"] == "paused"
    assert bench.json("sync", "resume")["was_paused"] is True
    assert bench.json("tick")["pass"]["state"] == "done"


# --- erasure (pain 25) -----------------------------------------------------------------------------------


def everything_of(shop: LiveShop, email: str) -> tuple[int, bytes]:
    with State(shop.config.state.dir) as state:
        key = state.key(email)
        rows = state.rows("SELECT id FROM person WHERE key = ?", (key,))
        return (rows[0][0] if rows else 0), key


@pytest.mark.parametrize("live", [False, True])
def test_who_was_erased_stays_erased(shop: LiveShop, live: bool) -> None:
    """Pain 25."""
    keeper, database, who = shop.keeper, shop.database, "nowa@example.net"
    user = keeper.account(who, first_name="Ala")
    order = keeper.order(who, "100.00", customer=user, lines=LINES)
    for topic, object_id in (("customer.created", user), ("order.created", order), ("product.viewed", 1)):
        hint(database, topic, object_id, user=user, visitor="a" * 32)
    pass_(shop.config)
    assert who in contacts(database)
    contact = keeper.one("SELECT id FROM wp_fc_subscribers WHERE email = %s", who)
    keeper.do("INSERT INTO wp_fcsc_carts (visitor, user_id) VALUES (%s, %s)", "a" * 32, user)
    keeper.do("INSERT INTO wp_fcsc_carts (visitor, email) VALUES (%s, %s)", "b" * 32, who)
    for number, (account, bought, visitor) in enumerate(
        ((user, 0, ""), (0, order, ""), (0, 0, "a" * 32), (0, 0, "d" * 32))
    ):
        keeper.do(
            "INSERT INTO wp_fcsc_push (endpoint_hash, endpoint, p256dh, auth, user_id, order_id, visitor, created_gmt)"
            " VALUES (%s, 'https://push.example/', '', '', %s, %s, %s, UTC_TIMESTAMP())",
            str(number),
            account,
            bought,
            visitor,
        )
    person, key = everything_of(shop, who)
    with bridge(database, shop.config) as (fake, config), build(config) as sidecar:
        if live:
            hint(database, "order.updated", order)
            sidecar.pass_()
        found = sidecar.rights.erase(f" {who.upper()} ")
        assert (found.contacts, found.known, found.carts, found.in_plugin) == (1, True, 2, True)
        assert (("deleted", contact) in fake.fired) == live
        again = sidecar.rights.erase(who)
        assert (again.contacts, again.known) == (0, False)
    assert database.rows("SELECT visitor FROM wp_fcsc_push") == [("d" * 32,)], "whoever that is"
    assert keeper.one("SELECT hash FROM wp_fcsc_suppressed") == signing.suppression_hash(KEY, who)
    assert who not in contacts(database)
    assert (
        keeper.one("SELECT COUNT(*) FROM wp_fcsc_undo WHERE object_id = %s AND kind IN ('created', 'changed')", contact)
        == 0
    )
    with State(shop.config.state.dir) as state:
        for table, column in (
            ("person", "id"),
            ("person_doc", "person_id"),
            ("activity", "person_id"),
            ("event", "person_id"),
            ("visitor", "person_id"),
            ("account", "person_id"),
            ("shop_order", "person_id"),
        ):
            assert state.rows(f"SELECT COUNT(*) FROM {table} WHERE {column} = ?", (person,)) == [(0,)], table
        assert state.rows("SELECT COUNT(*) FROM person WHERE key = ?", (key,)) == [(0,)]
        assert state.rows("SELECT verdict, doc FROM shop_order WHERE id = ?", (order,)) == [("erased", None)]
    # Nothing brings them back: hints, orders, runs, full runs, a lost state.
    hint(database, "order.created", keeper.order(who, "10.00", customer=user, lines=LINES))
    hint(database, "customer.updated", user)
    pass_(shop.config, reconcile=True, poll=True)
    run(shop.config, full=True)
    assert who not in contacts(database)
    (Path(shop.config.state.dir) / "state.sqlite3").unlink()
    run(shop.config, full=True)
    assert who not in contacts(database)
    with build(shop.config) as sidecar:
        assert sidecar.verify().ok
        assert len(sidecar.rights.suppressed()) >= 1
        assert sidecar.rights.lift(who)
        sidecar.sync()
        assert field(contacts(database)[who], "woo_ltv") == "110.00"


def test_an_erasure_that_was_asked_for_in_wordpress(shop: LiveShop) -> None:
    """Pain 25."""
    keeper, database = shop.keeper, shop.database
    for who in ("konto@example.net", "gosc@example.net"):
        user = keeper.account(who) if who.startswith("konto") else 0
        hint(database, "order.created", keeper.order(who, "100.00", customer=user, lines=LINES), user=user)
    pass_(shop.config)
    user = keeper.user_of("konto@example.net")
    with State(shop.config.state.dir) as state:
        # A guest whom the state knows, without a contact of their own.
        state.sql.execute("UPDATE person SET contact_id = NULL WHERE key = ?", (state.key("gosc@example.net"),))
    for who in ("konto@example.net", "gosc@example.net"):
        id_ = keeper.one("SELECT id FROM wp_fc_subscribers WHERE email = %s", who)
        hash_ = signing.suppression_hash(KEY, who)
        for table, column in (
            ("fc_subscriber_meta", "subscriber_id"),
            ("fc_subscriber_pivot", "subscriber_id"),
            ("fc_subscribers", "id"),
        ):
            keeper.do(f"DELETE FROM wp_{table} WHERE {column} = %s", id_)
        hint(database, "person.erased", 0, user=user if who.startswith("konto") else 0, detail=hash_)
        keeper.do("INSERT INTO wp_fcsc_suppressed VALUES (%s, UTC_TIMESTAMP())", hash_)
    hint(database, "person.erased", 0, user=1, detail="0" * 64)  # in nobody's list: it was lifted, or is a lie
    assert pass_(shop.config).events == 3
    for who in ("konto@example.net", "gosc@example.net"):
        assert everything_of(shop, who)[0] == 0, who
    pass_(shop.config, reconcile=True)
    run(shop.config, full=True)
    assert not {"konto@example.net", "gosc@example.net"} & contacts(database).keys()
    with build(shop.config) as sidecar:
        assert sidecar.verify().ok


def test_erasing_from_the_command_line(demo_hpos: ShopDatabase, tmp_path: Path) -> None:
    bench = Bench(demo_hpos, tmp_path)
    bench.run("sync")
    who = next(iter(contacts(demo_hpos)))
    assert bench.run("privacy", "erase", who, code=130, typed="n\n")
    found = bench.json("privacy", "erase", who, "--yes")["erased"]
    assert (found["contacts"], found["in_plugin"]) == (1, False)
    bench.run("sync", "--full")
    assert who not in contacts(demo_hpos)
    listed = bench.json("privacy", "list")["suppressed"]
    assert [one["where"] for one in listed] == ["state"]
    assert who not in str(listed)
    assert bench.json("privacy", "lift", who)["was_suppressed"] is True
    bench.run("sync")
    assert who in contacts(demo_hpos)
    assert bench.json("privacy", "erase", "nobody", "--yes", code=2)["error"]["code"] == "usage"
    for command in ("erase", "lift", "export"):  # at once, and by its own name
        said = bench.run("privacy", command, "nobody", code=2).output
        assert f"sidecar privacy {command} anna@example.com" in said and "for good?" not in said


# --- what is never said to the database (pains 32, 35, 47) ------------------------------------------------

QUEUE_OF_MAILS = (
    r"DELETE FROM `?wp_fc_campaign_emails`? WHERE subscriber_id = \d+",
    r"UPDATE `?wp_fc_campaign_emails`? e JOIN .* SET e\.email_address = \S+ WHERE e\.subscriber_id = \d+ AND .*"
    + re.escape("AND e.status IN ('draft','pending','scheduled','scheduling')"),
)


@contextmanager
def heard(shop: ShopDatabase) -> Iterator[list[str]]:
    """Every statement that the server was given meanwhile, as its own log has them."""
    said: list[str] = []
    execute(shop, "SET GLOBAL log_output = 'TABLE'")
    execute(shop, "TRUNCATE TABLE mysql.general_log")
    execute(shop, "SET GLOBAL general_log = 1")
    try:
        yield said
    finally:
        execute(shop, "SET GLOBAL general_log = 0")
        rows = shop.rows(
            "SELECT CONVERT(argument USING utf8mb4) FROM mysql.general_log WHERE command_type IN ('Query', 'Execute')"
        )
        said += [" ".join(str(row[0]).split()) for row in rows]
        execute(shop, "TRUNCATE TABLE mysql.general_log")


@pytest.mark.parametrize("live", [False, True])
def test_nothing_queues_a_mail_or_an_action(hpos: LiveShop, live: bool) -> None:
    """Pains 32, 35, 47: whatever the sidecar does, FluentCRM's queue of mails is only ever corrected (an address that
    moved, a person who was erased), and WooCommerce's sessions and Action Scheduler are neither read nor written."""
    keeper, database = hpos.keeper, hpos.database
    user = keeper.account("stary@example.net")
    keeper.order("stary@example.net", customer=user, lines=LINES)
    gone = keeper.order("zapomniana@example.net", lines=LINES)
    keeper.order("usunieta@example.net", lines=LINES)
    with bridge(database, hpos.config) as (fake, paired):
        config = paired if live else hpos.config
        with State(config.state.dir) as state:
            state.set("live.from", str(NOW_MS - 86_400_000))
        run(config)
        for name in ("stary", "zapomniana", "usunieta"):
            id_ = keeper.one("SELECT id FROM wp_fc_subscribers WHERE email = %s", f"{name}@example.net")
            for status in ("scheduled", "sent"):
                keeper.do(
                    "INSERT INTO wp_fc_campaign_emails (campaign_id, subscriber_id, email_address, status) VALUES (1, %s, %s, %s)",
                    id_, f"{name}@example.net", status,
                )  # fmt: skip
        with heard(database) as said, build(config) as sidecar:
            sidecar.sync(Choices(full=True))
            order = keeper.order("nowa@example.net", lines=LINES, at="2026-11-01 11:59:30")
            for topic in ("order.created", "order.paid", "coupon.used", "order.refunded", "order.trashed"):
                hint(database, topic, order, visitor="a" * 32)
            keeper.do("UPDATE wp_users SET user_email = 'nowszy@example.net' WHERE ID = %s", user)
            hint(database, "customer.updated", user)
            keeper.anonymise(gone)
            hint(database, "order.anonymised", gone)
            for topic in ("email.opened", "email.clicked", "contact.unsubscribed", "contact.tags", "contact.updated"):
                hint(database, topic, keeper.one("SELECT MAX(id) FROM wp_fc_subscribers"), 5)
            for topic in ("cart.changed", "cart.emptied", "cart.email", "checkout.started"):
                hint(database, topic, 1, visitor="a" * 32)
            assert sidecar.pass_(poll=True, reconcile=True).events == 16
            assert sidecar.rights.erase("usunieta@example.net").contacts == 1
            sidecar.retry()
            sidecar.verify()
            for number in sorted(runs_there(config), reverse=True):
                sidecar.undo(number)
        assert bool(fake.calls) is live
    assert len(said) > 200, "the log was not on"
    mails = [sql for sql in said if "fc_campaign_emails" in sql and not re.match(r"SELECT|EXPLAIN|SHOW", sql)]
    assert [sql for sql in mails if not any(re.fullmatch(known, sql) for known in QUEUE_OF_MAILS)] == []
    assert {sql.split()[0] for sql in mails} == {"DELETE", "UPDATE"}
    assert not [sql for sql in said if re.search(r"woocommerce_sessions|actionscheduler", sql)]


# --- alerts (pain 9) -------------------------------------------------------------------------------------


def alerting(config: Config, server: HTTPServer, **more: Any) -> tuple[Config, list[dict[str, str]]]:
    heard: list[dict[str, str]] = []

    def take(request: Request) -> Response:
        heard.append(request.get_json())
        return Response("ok")

    server.expect_request("/hook", method="POST").respond_with_handler(take)
    return msgspec.structs.replace(config, alerts=Alerts(webhook_url=server.url_for("/hook"), **more)), heard


def test_a_stopped_sync_is_told_once_and_once_when_it_is_over(
    hpos: LiveShop, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pain 9."""
    config, heard = alerting(hpos.config, httpserver, backlog_rows=3, quiet_factor=0)
    with build(config) as sidecar:
        sidecar.pass_()
        assert heard == []
        for _ in range(4):
            hint(hpos.database, "product.viewed", 1)
        later(monkeypatch, "12:20")
        assert {one.name for one in sidecar.alerts(force=True)} == {"no_pass", "backlog"}
        sidecar.alerts(force=True)
        assert [(one["alert"], one["state"]) for one in heard] == [("no_pass", "on"), ("backlog", "on")]
        assert {one.name for one in sidecar.troubles()} == {"no_pass", "backlog"}
        heard.clear()
        later(monkeypatch, "12:22")
        sidecar.pass_()
        later(monkeypatch, "12:24")
        sidecar.pass_()
        assert [(one["alert"], one["state"]) for one in heard] == [("no_pass", "over"), ("backlog", "over")]
        assert sidecar.troubles() == []


def test_a_site_that_is_quieter_than_ever(
    hpos: LiveShop, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, heard = alerting(hpos.config, httpserver, no_pass_minutes=100_000)
    with State(config.state.dir) as state:
        state.sql.execute("DELETE FROM shop_order")
        for number in range(40):
            state.sql.execute(
                "INSERT INTO shop_order (id, verdict, status, created, crc) VALUES (?, 'unpaid', 'pending', ?, 0)",
                (number + 1, NOW_MS // 1000 - number * 4 * 3600),
            )
    with build(config) as sidecar:
        found = sidecar.health()
        assert found.quiet_after == 2 * 6 * 3600
        sidecar.alerts(force=True)
        assert heard == []
        monkeypatch.setenv("SIDECAR_NOW", "2026-11-02T01:00:00Z")
        sidecar.alerts(force=True)
        assert [(one["alert"], one["state"]) for one in heard] == [("quiet", "on")]
        sidecar.state.set("bridge.hint_at", str(NOW_MS + 13 * 3_600_000))
        sidecar.alerts(force=True)
        assert heard[-1]["state"] == "over"


def test_a_channel_that_fails_is_tried_again_and_keeps_its_secret(
    hpos: LiveShop, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    httpserver.expect_request("/hook-geheim").respond_with_data("no", status=500)
    config = msgspec.structs.replace(hpos.config, alerts=Alerts(webhook_url=httpserver.url_for("/hook-geheim")))
    with build(config) as sidecar:
        sidecar.pass_()
        later(monkeypatch, "12:40")
        for _ in range(2):
            told = sidecar.alerts(force=True)
            assert [one.failed for one in told] == [["webhook: HTTPException"]]
    assert len(httpserver.log) == 2
    ours = [one.getMessage() for one in caplog.records if one.name.startswith("sidecar")]
    assert ours
    assert not any("geheim" in line for line in ours)


def test_that_it_is_over_is_told_again_too(
    hpos: LiveShop, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, heard = alerting(hpos.config, httpserver, quiet_factor=0)
    broken = msgspec.structs.replace(config, alerts=Alerts(webhook_url=httpserver.url_for("/nothing"), quiet_factor=0))
    with build(config) as sidecar, build(broken) as deaf:
        sidecar.pass_()
        later(monkeypatch, "12:20")
        sidecar.alerts(force=True)
        later(monkeypatch, "12:22")
        deaf.pass_()
        later(monkeypatch, "12:24")
        for _ in range(2):
            assert [(one.name, one.over, one.failed) for one in deaf.alerts(force=True)] == [
                ("no_pass", True, ["webhook: HTTPException"])
            ]
        assert deaf.troubles() == [], "it is over, whoever knows of it"
        later(monkeypatch, "12:50")
        assert deaf.alerts(force=True) == [], "on again: that is what they know"
        assert len(deaf.troubles()) == 1
        sidecar.pass_()
        later(monkeypatch, "12:52")
        sidecar.alerts(force=True)
        sidecar.alerts(force=True)
    assert [(one["alert"], one["state"]) for one in heard] == [("no_pass", "on"), ("no_pass", "over")]


def test_two_processes_tell_it_once(hpos: LiveShop, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """`tick` and `alerts` in one crontab begin in the same second, and telling takes a while."""
    config, heard = alerting(hpos.config, httpserver, quiet_factor=0)
    with build(config) as sidecar:
        sidecar.pass_()
    later(monkeypatch, "12:20")
    together = threading.Barrier(2)

    def look() -> None:
        with build(config) as sidecar:
            sidecar.health()
            together.wait()
            sidecar.alerts(force=True)

    slow = alerts._post

    def post(url: str, data: dict[str, str]) -> None:
        time.sleep(0.5)
        slow(url, data)

    monkeypatch.setattr(alerts, "_post", post)
    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one["alert"] for one in heard] == ["no_pass"]
    host = hpos.database.rows("SELECT option_value FROM wp_options WHERE option_name = 'home'")[0][0]
    assert re.sub(r"^https?://(www\.)?", "", host) in heard[0]["text"], "which of somebody's shops it is"


def test_no_pass_fails_because_nobody_can_be_told(hpos: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(alerts, "check", broken)
    assert pass_(hpos.config).state == "done"


# PyMySQL leaks its socket when nobody opens.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_shop_went_away(hpos: LiveShop) -> None:
    from sidecar.errors import StoreUnavailable

    away = msgspec.structs.replace(hpos.config.shop.database, unix_socket="/nowhere/at/all.sock")
    config = msgspec.structs.replace(hpos.config, shop=msgspec.structs.replace(hpos.config.shop, database=away))
    pass_(hpos.config)
    with build(config) as sidecar:
        with pytest.raises(StoreUnavailable):
            sidecar.pass_()
        found = sidecar.health()
        assert found.shop
        assert found.pass_error
        assert {one.name for one in conditions(found, config) if one.on} == {"shop_unreachable"}
    gc.collect()


def test_alerts_from_the_command_line(
    demo_hpos: ShopDatabase, tmp_path: Path, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pain 9."""
    heard: list[str] = []
    httpserver.expect_request("/hook").respond_with_handler(
        lambda r: (heard.append(r.get_json()["alert"]), Response())[1]
    )
    bench = Bench(demo_hpos, tmp_path, f'[alerts]\nwebhook_url = "{httpserver.url_for("/hook")}"\nquiet_factor = 0.0\n')
    bench.run("alerts", "test")
    assert heard == ["test"]
    assert "Nothing is wrong" in bench.run("alerts").output
    bench.run("sync")
    # Nobody runs a pass: cron is missing.
    later(monkeypatch, "12:30")
    assert "no_pass" in bench.run("alerts", code=1).output
    assert heard == ["test", "no_pass"]
    bench.run("tick")
    assert bench.json("alerts")["alerts"] == []


def test_every_way_of_telling_knows_its_form(monkeypatch: pytest.MonkeyPatch) -> None:
    posts: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(alerts, "_post", lambda url, data: posts.append((url, data)))
    mails: list[Any] = []

    class Server:
        def __init__(self, host: str, port: int, timeout: float) -> None:
            mails.append((host, port))

        def __enter__(self) -> Server:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def starttls(self, context: object) -> None:
            mails.append("tls")

        def login(self, user: str, password: str) -> None:
            mails.append((user, password))

        def ehlo_or_helo_if_needed(self) -> None:
            pass

        def send_message(self, message: Any) -> None:
            mails.append((message["From"], message["To"], message.get_content().strip()))

    monkeypatch.setattr("smtplib.SMTP", Server)
    config = Alerts(
        telegram_token="1:x", telegram_chat="-5", smtp_host="mail.example", smtp_user="u", smtp_password="p",
        smtp_from="sidecar@example.org", smtp_to=("a@example.org", "b@example.org"),
    )  # fmt: skip
    assert alerts.test(config, "shop.example").failed == []
    ((url, data),) = posts
    assert url == "https://api.telegram.org/bot1:x/sendMessage"
    assert data["chat_id"] == "-5"
    assert mails[:3] == [("mail.example", 587), "tls", ("u", "p")]
    assert mails[3] == ("sidecar@example.org", "a@example.org, b@example.org", data["text"])
    assert "shop.example" in data["text"]


def test_without_the_plugins_tables_nothing_is_missing(demo_hpos: ShopDatabase, tmp_path: Path) -> None:
    bench = Bench(demo_hpos, tmp_path)
    bench.run("sync")
    assert bench.json("tick", "--poll")["pass"]["state"] == "done"
    assert bench.json("events")["events"] == []
    install(demo_hpos)
    order = Shopkeeper(demo_hpos).order("nowa@example.net", lines=LINES)
    hint(demo_hpos, "order.created", order)
    assert bench.json("tick")["pass"]["changed"] == 1
    shown = bench.run("events", "--type", "order").output
    assert f"order {order}" in shown
    assert "contact changed" in shown
    assert bench.json("events", "--type", "nonsense", code=2)["error"]["code"] == "usage"
    execute(demo_hpos, "DROP TABLE wp_fcsc_outbox, wp_fcsc_suppressed, wp_fcsc_carts")
    assert bench.json("tick", "--reconcile")["pass"]["reconciled"] is True
