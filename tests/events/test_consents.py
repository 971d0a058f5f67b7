"""The record of consent in the running sidecar: rows of the plugin, in any order and as often as they come."""

from __future__ import annotations

import itertools
import json
import random
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from bridging import NOW_MS, LiveShop, bridge, hint, pass_
from commandline import Bench
from syncing import contacts, execute

from sidecar.config import Config
from sidecar.people import consents
from sidecar.people.consents import Act, Word
from sidecar.runtime import build
from sidecar.state.database import State
from sidecar.sync.work import PassReport

LINES = ((1, 2, "Tea"),)
AT = "2026-11-01 11:59:30"
WHO = "zgoda@example.net"


def row(
    shop: LiveShop, channel: str = "email", state: str = "given", *, order: int = 0, user: int = 0, contact: int = 0,
    source: str = "checkout", at: str = AT, told: bool = True,
) -> int:  # fmt: skip
    """A row of the plugin, with its hint."""
    execute(
        shop.database,
        "INSERT INTO wp_fcsc_consents (contact_id, user_id, order_id, channel, state, source, wording, created_gmt)"
        " VALUES (%s, %s, %s, %s, %s, %s, 'Yes', %s)",
        (contact, user, order, channel, state, source, at),
    )
    id_ = int(shop.database.rows("SELECT MAX(id) FROM wp_fcsc_consents")[0][0])
    if told:
        hint(shop.database, "consent.changed", id_, contact, detail=f"{channel} {state}", user=user)
    return id_


def buyer(shop: LiveShop, who: str = WHO) -> int:
    order = shop.keeper.order(who, "70.00", lines=LINES, at=AT)
    hint(shop.database, "order.created", order)
    return order


def record(config: Config, who: str = WHO) -> list[tuple[str, str, str, int]]:
    """(channel, state, source, at) of a person, the oldest first."""
    with State(config.state.dir) as state:
        people = state.rows("SELECT id FROM person WHERE key = ?", (state.key(who),))
        words = consents.history(state, people[0][0]) if people else []
        return [(channel, word.state, word.source, word.at) for channel, word in reversed(words)]


def polled(config: Config) -> PassReport:
    """A pass in which a poll, and a sign of life of the bridge, are due."""
    with State(config.state.dir) as state:
        for key in ("poll.last", "bridge.asked", "bridge.seen"):
            state.set(key, "0")
    return pass_(config)


def status(shop: LiveShop, who: str = WHO) -> str:
    return str(contacts(shop.database)[who]["columns"]["status"])


def unix(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.mark.parametrize("first", [True, False])
def test_a_ticked_box(shop: LiveShop, first: bool) -> None:
    """Pains 22, 23: both order storages; the contact is made without marketing, and the plugin, asked with its own row as
    the proof, allows it."""
    with bridge(shop.database, shop.config) as (fake, config):
        with State(config.state.dir) as state:
            state.set("live.from", str(NOW_MS - 1))
        if first:  # the hint of the consent before that of the order
            order = shop.keeper.order(WHO, "70.00", lines=LINES, at=AT)
            made = row(shop, order=order)
            hint(shop.database, "order.created", order)
        else:
            made = row(shop, order=buyer(shop))
        sms = row(shop, "sms", order=int(shop.keeper.orders_of(WHO)[0]))
        pass_(config)
        assert record(config) == [("email", "given", "checkout", unix(AT)), ("sms", "given", "checkout", unix(AT))]
        id_ = int(shop.keeper.one("SELECT id FROM wp_fc_subscribers WHERE email = %s", WHO))
        assert [tuple(item.values()) for item in fake.told] == [(made, id_, True), (sms, id_, True)]
        assert {item["status"] for call in fake.calls for item in call if item["op"] == "create"} == {"transactional"}
        assert status(shop) == "subscribed"
        # The same again changes nothing.
        hint(shop.database, "consent.changed", made)
        report = polled(config)
        assert (report.events, len(fake.told), len(record(config))) == (1, 2, 2)


def test_without_a_bridge_it_waits(hpos: LiveShop) -> None:
    order = buyer(hpos)
    row(hpos, order=order)
    pass_(hpos.config)
    assert (status(hpos), len(record(hpos.config))) == ("transactional", 1)
    with bridge(hpos.database, hpos.config) as (fake, config):
        fake.behave = "down"
        polled(config)
        assert fake.told == []
        fake.behave = ""
        polled(config)
        assert len(fake.told) == 1
    assert status(hpos) == "subscribed"


def test_only_the_last_word_is_asked_for(hpos: LiveShop) -> None:
    """A box, and then an unsubscribe link, both told late and the wrong way round."""
    order = buyer(hpos)
    pass_(hpos.config)
    id_ = int(hpos.keeper.one("SELECT id FROM wp_fc_subscribers WHERE email = %s", WHO))
    row(hpos, "email", "withdrawn", contact=id_, source="one-click", at="2026-11-01 11:59:50")
    with bridge(hpos.database, hpos.config) as (fake, config):
        pass_(config)
        made = row(hpos, order=order)
        pass_(config)
        assert fake.told == [{"id": made, "contact_id": id_, "raise": False}]
        assert [word[1] for word in record(config)] == ["given", "withdrawn"]
        assert status(hpos) == "transactional"


def test_lost_hints_and_rows_of_nobody_yet(hpos: LiveShop) -> None:
    user = row(hpos, "sms", user=999_999, source="register", told=False)
    order = hpos.keeper.order(WHO, "70.00", lines=LINES, at=AT)
    row(hpos, order=order, told=False)
    row(hpos, "sms", order=10**9, told=False)
    row(hpos, "fax", order=order, told=False)  # a newer plugin
    polled(hpos.config)
    polled(hpos.config)
    assert [word[:3] for word in record(hpos.config)] == [("email", "given", "checkout")]
    # The account came later than its row.
    account = hpos.keeper.account("konto@example.net")
    hpos.keeper.do("UPDATE wp_fcsc_consents SET user_id = %s WHERE id = %s", account, user)
    hint(hpos.database, "customer.created", account)
    polled(hpos.config)
    assert [word[:3] for word in record(hpos.config, "konto@example.net")] == [("sms", "given", "register")]


def test_an_old_plugin_has_no_table(hpos: LiveShop) -> None:
    execute(hpos.database, "DROP TABLE wp_fcsc_consents")
    hint(hpos.database, "consent.changed", 5, at_ms=NOW_MS - 100_000)
    assert polled(hpos.config).nothing >= 1


def test_the_act_and_the_status_that_follows_are_one_word(hpos: LiveShop) -> None:
    """FluentCRM's own link: the plugin tells of the act and of the status."""
    buyer(hpos)
    pass_(hpos.config)
    id_ = int(hpos.keeper.one("SELECT id FROM wp_fc_subscribers WHERE email = %s", WHO))
    hpos.keeper.do("UPDATE wp_fc_subscribers SET status = 'unsubscribed' WHERE id = %s", id_)
    hint(hpos.database, "contact.status", id_, detail="subscribed>unsubscribed")
    row(hpos, "email", "withdrawn", contact=id_, source="fluentcrm", at=AT)
    pass_(hpos.config)
    assert record(hpos.config) == [("email", "withdrawn", "fluentcrm", unix(AT))]


def test_export_and_erasure(hpos: LiveShop) -> None:
    """Pain 25: what is kept of a person, as JSON, without their address; and nothing of it after the erasure."""
    order = buyer(hpos)
    row(hpos, "sms", order=order)
    row(hpos, "sms", order=buyer(hpos, "inna@example.net"))
    pass_(hpos.config)
    with build(hpos.config) as sidecar:
        kept = sidecar.rights.export(WHO)
        person = kept.person_id
        assert person is not None
        sidecar.state.sql.execute("INSERT INTO automation (name) VALUES ('welcome')")
        sidecar.state.sql.execute(
            "INSERT INTO enrolment (id, automation_id, version_id, person_id, subject, entered, step) VALUES (1, 1, 1, ?, 'order:5', 1793534400, 'a')",
            (person,),
        )
        sidecar.state.sql.execute("INSERT INTO step_done VALUES (1, 'hello', 1793534401, 'done', '')")
        sidecar.state.sql.execute(
            "INSERT INTO message (key, enrolment_id, automation_id, version_id, step, person_id, channel, provider, purpose, language, state, decided, sent)"
            " VALUES ('k', 1, 1, 1, 'hello', ?, 'email', 'smtp', 'marketing', 'pl', 'sent', 1793534400123, 1793534401)",
            (person,),
        )
        kept = sidecar.rights.export(WHO)
    text = msgspec.json.encode(kept).decode()
    assert [(word.channel, word.state, word.wording) for word in kept.consents] == [("sms", "given", "Yes")]
    assert [(one.automation, one.subject, [step.step for step in one.steps]) for one in kept.enrolments] == [("welcome", "order:5", ["hello"])]  # fmt: skip
    assert [(one.step, one.state, one.sent) for one in kept.messages] == [("hello", "sent", 1793534401)]
    assert kept.orders == [order]
    assert WHO not in text
    with build(hpos.config) as sidecar:
        sidecar.rights.erase(WHO)
        assert hpos.database.rows("SELECT COUNT(*) FROM wp_fcsc_consents") == [(1,)]
        gone = sidecar.rights.export(WHO)
        assert (gone.person_id, gone.consents, gone.messages, gone.suppressed) == (None, [], [], True)


def test_the_command(hpos: LiveShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row(hpos, "sms", order=buyer(hpos))
    pass_(hpos.config)
    monkeypatch.setenv("SIDECAR_STATE__DIR", hpos.config.state.dir)
    bench = Bench(hpos.database, tmp_path)
    said = bench.json("privacy", "export", WHO.upper())["kept"]
    assert [(one["channel"], one["state"]) for one in said["consents"]] == [("sms", "given")]
    assert json.loads(bench.run("privacy", "export", WHO).stdout) == said
    assert bench.json("privacy", "export", "nobody@example.org")["kept"]["person_id"] is None
    bench.run("privacy", "export", "no address", code=2)


# --- the record itself -------------------------------------------------------------------------------------


def words(person: int, *told: tuple[str, int]) -> list[Act]:
    return [
        Act(person_id=person, channel="sms", word=Word(state=state, at=at, source="checkout", evidence=f"row:{at}"))  # type: ignore[arg-type]
        for state, at in told
    ]


def test_the_last_word_by_its_own_time_counts(tmp_path: Path) -> None:
    """Whatever the order of arrival, and however often each comes."""
    told = words(7, ("given", 10), ("withdrawn", 20), ("given", 30), ("withdrawn", 40))
    with State(tmp_path) as state:
        for person, order in enumerate(itertools.permutations(told), start=1):
            for act in (*order, *random.Random(person).sample(told, 3)):
                consents.record(state, [msgspec.structs.replace(act, person_id=person)])
        found = consents.latest(state, range(1, 25))
        assert {(found[person]["sms"].state, found[person]["sms"].at) for person in range(1, 25)} == {("withdrawn", 40)}
        assert state.rows("SELECT COUNT(*) FROM consent") == [(24 * 4,)]
        assert [word.at for _, word in consents.history(state, 3)] == [40, 30, 20, 10]
        assert consents.latest(state, [99]) == {}
