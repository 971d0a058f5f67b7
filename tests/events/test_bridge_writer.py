"""The live writer: FluentCRM's hooks fire for what happens now, and never for what is history."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from bridging import NOW_MS, LiveShop, bridge, hint, pass_, queue
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from syncing import contacts, crm_rows, execute, field, run, undo_run, unlike

from sidecar.config import Config
from sidecar.crm.bridge_client import Bridge
from sidecar.errors import BridgeRefused, BridgeUnreachable
from sidecar.runtime import build
from sidecar.state import pairing
from sidecar.state.database import State

LINES = ((1, 2, "Tea"),)
AT = "2026-11-01 11:59:30"


def fresh(config: Config) -> None:
    """The live mode was switched on long ago."""
    with State(config.state.dir) as state:
        state.set("live.from", str(NOW_MS - 30 * 86_400_000))


def test_live_and_quiet_leave_the_same(shop: LiveShop, config_for: object) -> None:
    """Two shops, the same story, one told live and one quietly."""
    who = "nowa@example.net"

    def story(config: Config) -> dict[str, object]:
        keeper = shop.keeper
        order = keeper.order(who, "100.00", lines=LINES, at=AT)
        hint(shop.database, "order.created", order)
        first = pass_(config)
        assert first.changed == 1
        user = keeper.account("konto@example.net", first_name="Ala")
        hint(shop.database, "customer.created", user)
        hint(shop.database, "order.refunded", order, keeper.refund(order, "25.00"))
        pass_(config)
        keeper.do("UPDATE wp_users SET user_email = 'inne@example.net' WHERE ID = %s", user)
        hint(shop.database, "customer.updated", user)
        pass_(config)
        found = contacts(shop.database)
        return {name: found[name] for name in (who, "inne@example.net")}

    with bridge(shop.database, shop.config) as (fake, config):
        fresh(config)
        live = story(config)
        hooks = [name for name, _ in fake.fired]
        assert hooks.count("created") == 2
        assert {"updated", "tags_added", "email_changed"} <= set(hooks)
    with build(shop.config) as sidecar:
        assert sidecar.verify().ok
        runs = [one for one in sidecar.status().runs if one.kind == "live"]
        assert len(runs) == 1
        assert runs[0].counts["created"] == 2
    # What was written live can be undone as well.
    undo_run(shop.config, runs[0].id)
    left = contacts(shop.database)
    assert who not in left
    # Now the same quietly: a state that remembers nothing of it.
    pairing.path(shop.config.state.dir).unlink()
    for email in (who, "inne@example.net"):
        for order in shop.keeper.orders_of(email):
            shop.keeper.delete_order(order)
    shop.keeper.delete_account(shop.keeper.user_of("inne@example.net"))
    run(shop.config)
    quiet = story(shop.config)
    for found in (*live.values(), *quiet.values()):
        found["columns"].pop("user_id")  # type: ignore[attr-defined]
    assert unlike(live, quiet) == {}


def test_history_never_starts_an_automation(hpos: LiveShop) -> None:
    """Pains 4, 5, 23: an import, events older than the live mode, and orders that were old when they were made."""
    keeper, database = hpos.keeper, hpos.database
    with bridge(database, hpos.config) as (fake, config):
        hint(database, "order.created", keeper.order("przed@example.net", lines=LINES, at=AT), at_ms=NOW_MS - 1000)
        assert pass_(config).changed == 1
        assert fake.calls == [], "it happened before the live mode was switched on"
        hint(
            database,
            "order.created",
            keeper.order("teraz@example.net", lines=LINES, at="2026-11-01 11:59:30"),
            at_ms=NOW_MS + 1,
        )
        report = pass_(config)
        assert (report.changed, report.live) == (1, True)
        assert {item["email"] for call in fake.calls for item in call} == {"teraz@example.net"}
        assert {item["status"] for call in fake.calls for item in call if item["op"] == "create"} == {"transactional"}
        fake.calls.clear()
        old = keeper.order("historia@example.net", at="2024-05-01 10:00:00", lines=LINES)
        hint(database, "order.created", old, at_ms=NOW_MS + 1)
        fresh(config)
        hint(
            database,
            "order.created",
            keeper.order("dawna@example.net", lines=LINES, at=AT),
            at_ms=NOW_MS - 2 * 86_400_000,
        )
        assert pass_(config).changed == 2
        for number in range(20):
            keeper.order(f"import{number}@example.net", at="2025-05-01 10:00:00", lines=LINES)
        run(config)
        assert fake.calls == []
        assert len([one for one in contacts(database) if one.startswith("import")]) == 20
        before = crm_rows(database)
        run(config, full=True)
        assert crm_rows(database) == before, "a second import writes nothing"
    assert {"przed@example.net", "historia@example.net", "dawna@example.net"} <= contacts(database).keys()


def test_what_an_importer_does_to_its_orders_is_history_too(hpos: LiveShop) -> None:
    """Pain 5: WooCommerce tells of a status and a payment of each, at once or a pass later, and polling finds the rest. An old
    order that is paid today is of now."""
    keeper, database = hpos.keeper, hpos.database
    with bridge(database, hpos.config) as (fake, config):
        fresh(config)
        waiting = keeper.order("przelew@example.net", at="2026-10-20 10:00:00", lines=LINES, status="wc-on-hold")
        run(config)
        old = keeper.order("historia@example.net", at="2024-05-01 10:00:00", lines=LINES)
        for topic, detail in (("order.created", ""), ("order.status", "pending>completed"), ("order.paid", "")):
            hint(database, topic, old, detail=detail)
        assert pass_(config).changed == 3
        keeper.set(old, _order_total="90.00")
        hint(database, "order.paid", old)
        found = keeper.order("znaleziona@example.net", at="2024-06-01 10:00:00", lines=LINES)
        keeper.do("UPDATE wp_wc_orders SET date_updated_gmt = '2026-11-01 11:59:50' WHERE id = %s", found)
        assert pass_(config, poll=True).changed == 2
        assert fake.calls == []
        keeper.status(waiting, "wc-processing")
        hint(database, "order.paid", waiting)
        assert pass_(config).changed == 1
        assert {item["email"] for call in fake.calls for item in call} == {"przelew@example.net"}
    assert {"historia@example.net", "znaleziona@example.net"} <= contacts(database).keys()


def test_what_waited_through_a_long_pause_starts_nothing(hpos: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pain 5: when a pause ends, what is older than `live_hours` by then is written quietly, what is new is live."""
    keeper, database = hpos.keeper, hpos.database
    with bridge(database, hpos.config) as (fake, config):
        fresh(config)
        with build(config) as sidecar:
            sidecar.pause(25 * 60)
            hint(database, "order.created", keeper.order("wtedy@example.net", lines=LINES, at=AT))
            assert sidecar.pass_().state == "paused"
            monkeypatch.setenv("SIDECAR_NOW", "2026-11-02T13:01:00Z")
            late = keeper.order("teraz@example.net", lines=LINES, at="2026-11-02 13:00:30")
            hint(database, "order.created", late, at_ms=NOW_MS + 25 * 3_600_000)
            assert sidecar.pass_().changed == 2
    assert {"wtedy@example.net", "teraz@example.net"} <= contacts(database).keys()
    assert {item["email"] for call in fake.calls for item in call} == {"teraz@example.net"}
    assert [name for name, _ in fake.fired].count("created") == 1
    assert database.rows("SELECT COUNT(*) FROM wp_fc_campaign_emails WHERE created_at > '2026-11-01'") == [(0,)]


def test_an_edit_in_between_is_not_overwritten(hpos: LiveShop) -> None:
    keeper, database = hpos.keeper, hpos.database
    with bridge(database, hpos.config) as (fake, config):
        fresh(config)
        order = keeper.order("nowa@example.net", "10.00", lines=LINES, at=AT)
        hint(database, "order.created", order)
        pass_(config)
        id_ = keeper.one("SELECT id FROM wp_fc_subscribers WHERE email = 'nowa@example.net'")
        edits = iter(["7.00"])

        def edit(items: object) -> None:
            for value in edits:
                keeper.do(
                    "UPDATE wp_fc_subscriber_meta SET value = %s WHERE subscriber_id = %s AND `key` = 'woo_ltv'",
                    value,
                    id_,
                )

        fake.before_write = edit
        fake.calls.clear()
        keeper.set(order, _order_total="20.00")
        hint(database, "order.updated", order)
        assert pass_(config).changed == 1
        assert [call[0]["old_fields"]["woo_ltv"] for call in fake.calls] == ["10.00", "7.00"]
        assert field(contacts(database)["nowa@example.net"], "woo_ltv") == "20.00"
        # Somebody who edits it each time: later, and no more than three times at once.
        numbers = iter(range(100, 1000))
        fake.before_write = lambda items: keeper.do(
            "UPDATE wp_fc_subscriber_meta SET value = %s WHERE subscriber_id = %s AND `key` = 'woo_ltv'",
            str(next(numbers)),
            id_,
        )
        fake.calls.clear()
        keeper.set(order, _order_total="30.00")
        hint(database, "order.updated", order)
        report = pass_(config)
        assert (report.changed, report.later, len(fake.calls)) == (0, 1, 3)
        assert queue(database)[0][2] == 1


def test_a_bridge_that_fails_for_one_contact_only(hpos: LiveShop) -> None:
    keeper, database = hpos.keeper, hpos.database
    with bridge(database, hpos.config) as (fake, config):
        fresh(config)
        fake.behave, fake.poison = "break", {"zla@example.net"}
        for name in ("a", "zla", "b", "c"):
            hint(database, "order.created", keeper.order(f"{name}@example.net", lines=LINES, at=AT))
        report = pass_(config)
        assert (report.changed, report.failed, queue(database)) == (3, 1, [])
        with build(config) as sidecar:
            assert [(one.kind, one.reason) for one in sidecar.letters() if one.reason.startswith("wordpress")] == [
                ("person", "wordpress_500")
            ]


@pytest.mark.parametrize("behave", ["down", "refuse", "unsigned"])
def test_a_bridge_that_does_not_answer(hpos: LiveShop, monkeypatch: pytest.MonkeyPatch, behave: str) -> None:
    keeper, database = hpos.keeper, hpos.database
    with bridge(database, hpos.config) as (fake, config):
        fresh(config)
        hint(database, "order.created", keeper.order("a@example.net", lines=LINES, at=AT))
        assert pass_(config).live
        fake.behave = behave
        hint(database, "order.created", keeper.order("b@example.net", lines=LINES, at=AT))
        with build(config) as sidecar:
            report = sidecar.pass_()
            if behave == "down":
                assert (report.changed, report.later) == (0, 1), "for a moment it waits"
                assert [row[2] for row in queue(database)] == [0], "that is no failure of the event"
                monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:02:00Z")
                report = sidecar.pass_()
            # What answered without a signature may have written all the same: then nothing is left to do.
            assert (report.changed + report.nothing, report.live) == (1, False)
            assert "b@example.net" in contacts(database)
            assert sidecar.health().bridge == "silent"
            assert sidecar.pass_().state == "done", "who refuses is not waited for"
            assert sidecar.health().bridge_why
            fake.behave = ""
            monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:05:00Z")
            hint(database, "order.created", keeper.order("c@example.net", lines=LINES, at=AT), at_ms=NOW_MS + 290_000)
            report = sidecar.pass_()
            assert (report.changed, report.live, sidecar.health().bridge) == (1, True, "live")
            assert fake.calls[-1][0]["email"] == "c@example.net"


def test_a_plugin_that_was_switched_off_is_not_waited_for(hpos: LiveShop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the plugin the shop is asked twice a minute, and what is found is written at once, though quietly; when
    the plugin is back, so is the live mode."""
    keeper, database = hpos.keeper, hpos.database
    options = "SELECT option_value FROM wp_options WHERE option_name = 'active_plugins'"
    switch = "UPDATE wp_options SET option_value = %s WHERE option_name = 'active_plugins'"
    on = database.rows(options)[0][0]
    with bridge(database, hpos.config) as (fake, config):
        fresh(config)
        hint(database, "order.created", keeper.order("a@example.net", lines=LINES, at=AT))
        with build(config) as sidecar:
            assert sidecar.pass_().live
            execute(database, switch, ("a:0:{}",))
            fake.behave = "down"
            keeper.order("b@example.net", lines=LINES, at="2026-11-01 12:00:10")
            monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:00:40Z")
            report = sidecar.pass_()
            assert (report.polled, report.changed, report.live, report.later) == (1, 1, False, 0)
            assert "b@example.net" in contacts(database)
            health = sidecar.health()
            assert (health.bridge, health.bridge_why) == ("silent", "the plugin is switched off")
            execute(database, switch, (on,))
            fake.behave = ""
            monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:01:20Z")
            hint(database, "order.created", keeper.order("c@example.net", lines=LINES, at=AT), at_ms=NOW_MS + 79_000)
            assert sidecar.pass_().live
            assert sidecar.health().bridge == "live"


def _certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A certificate for localhost that only this test trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(now - timedelta(hours=1)).not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file, secret = folder / "cert.pem", folder / "key.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    return file, context


def test_a_site_with_https(hpos: LiveShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The site is asked by HTTPS, and only when its certificate is trusted and for its name."""
    file, context = _certificate(tmp_path)
    with bridge(hpos.database, hpos.config, context) as (fake, config):
        keeper = pairing.Keeper(config.state.dir)
        with pytest.raises(BridgeUnreachable, match="certificate is not trusted") as refused:
            Bridge(fake.url, keeper.get, 5.0).status()
        assert "SSL_CERT_FILE" in (refused.value.hint or "")
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        assert Bridge(fake.url, keeper.get, 5.0).status().plugin == "1.0.0"
        with pytest.raises(BridgeUnreachable, match="certificate is not trusted"):
            Bridge(fake.url.replace("localhost", "127.0.0.1"), keeper.get, 5.0).status()
        with pytest.raises(BridgeUnreachable, match="does not answer"):
            Bridge(fake.url.replace("https", "http"), keeper.get, 5.0).status()


def test_the_client_believes_only_what_is_signed(hpos: LiveShop) -> None:
    with bridge(hpos.database, hpos.config) as (fake, config):
        keeper = pairing.Keeper(config.state.dir)
        client = Bridge(fake.url, keeper.get, 2.0)
        assert client.status().plugin == "1.0.0"
        fake.behave = "unsigned"
        with pytest.raises(BridgeRefused, match="not signed"):
            client.status()
        fake.behave = "down"
        with pytest.raises(BridgeUnreachable):
            client.contacts([])
        fake.behave = ""
        other = pairing.first("http://127.0.0.1:1")
        with pytest.raises(BridgeRefused, match="refuses our signature"):
            Bridge(fake.url, lambda: other, 2.0).status()
        with pytest.raises(BridgeUnreachable):
            Bridge("http://127.0.0.1:9", keeper.get, 1.0).status()
        with pytest.raises(BridgeRefused, match="not paired"):
            Bridge(fake.url, lambda: None).status()


def test_batches_stay_below_the_limits_of_the_bridge(hpos: LiveShop) -> None:
    from sidecar.crm.batch import Batch, NewContact
    from sidecar.crm.writer_bridge import BridgeWriter

    sent: list[int] = []

    class Counting:
        def contacts(self, items: list[dict[str, object]]) -> list[object]:
            assert len(msgspec.json.encode({"items": items})) < 1 << 20
            sent.append(len(items))
            return []

    new = [
        NewContact(person=number, email="x", status="transactional", created="", columns={"city": "ł" * 3000}, fields={}, tags=(), lists=(), written=b"")
        for number in range(450)
    ]  # fmt: skip
    outcomes = BridgeWriter(Counting(), lambda: None, "wp_", 1).write(Batch(new=new))  # type: ignore[arg-type]
    assert sum(sent) == 450
    assert max(sent) < 200
    assert {outcome.reason for outcome in outcomes} == {"no_answer"}
    sent.clear()
    BridgeWriter(Counting(), lambda: None, "wp_", 1).write(  # type: ignore[arg-type]
        Batch(erase=[(number, number) for number in range(1, 451)])
    )
    assert sent == [200, 200, 50]


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{}", b"SSH-2.0\r\n", b""]
)  # fmt: skip
def test_an_answer_that_is_cut_off_is_none(said: bytes) -> None:
    """PHP died in the middle, or it is no web server: like a WordPress that is away, not a fault of the sidecar."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(65536)
                peer.sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        keys = pairing.first("http://127.0.0.1:9")
        with pytest.raises(BridgeUnreachable):
            Bridge(f"http://127.0.0.1:{server.getsockname()[1]}", lambda: keys, 5.0).status()
        thread.join()


@pytest.mark.parametrize("url", ["shop.example", "ftp://shop.example", "http://", "http://shop.example:x"])
def test_an_address_that_is_none(url: str) -> None:
    keys = pairing.first("http://127.0.0.1:9")
    with pytest.raises(BridgeUnreachable):
        Bridge(url, lambda: keys, 5.0).status()
