"""What FluentCRM knows of contacts, read from its tables as both of its generations fill them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from crowd import DAY, Made, fill
from support import ShopDatabase

from sidecar.config import Config
from sidecar.crm.model import LIST, TAG
from sidecar.demo import schema
from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.insights import engagement
from sidecar.mysql.connection import Reader
from sidecar.segments import contact_pages, contacts, due, evaluate, file, membership, subjects
from sidecar.segments.contact_pages import held
from sidecar.segments.evaluate import Held
from sidecar.segments.model import Segment
from sidecar.segments.traits import joined
from sidecar.state.database import State
from sidecar.values import dates, php

ZONE = ZoneInfo("Europe/Warsaw")
NOW = 1_793_534_400  # 2026-11-01 12:00 UTC, as SIDECAR_NOW
PEOPLE = 6


class Crm:
    """Contacts 1 to 6 of people 1 to 6 in an emptied FluentCRM of one generation."""

    def __init__(self, shop: ShopDatabase, config: Config, state: State, generation: str) -> None:
        self.shop, self.state, self.generation = shop, state, generation
        self.reader = Reader(config)
        self._connection = shop.connect()
        self._mail = 0
        for table in ("subscribers", "subscriber_pivot", "subscriber_meta", "campaign_emails", "campaign_url_metrics", "tags", "lists"):  # fmt: skip
            self.run(f"DELETE FROM wp_fc_{table}")
        for number in range(1, PEOPLE + 1):
            self.run(
                "INSERT INTO wp_fc_subscribers (id, email, status, city) VALUES (%s, %s, 'subscribed', 'Sofia')",
                number, f"p{number}@example.org",
            )  # fmt: skip
        fill(state, [Made(orders=[], acts=[], account=None, country="", birthday="")] * PEOPLE, ZONE)
        state.sql.execute("UPDATE person SET contact_id = id")

    def run(self, sql: str, *arguments: Any) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, arguments or None)

    def close(self) -> None:
        self.reader.close()
        self._connection.close()

    def mail(self, contact: int, sent: int, status: str = "sent") -> int:
        """FluentCRM sends an e-mail; `sent`: Unix seconds."""
        self._mail += 1
        wall = dates.local_text(sent, ZONE)
        self.run(
            "INSERT INTO wp_fc_campaign_emails (id, campaign_id, subscriber_id, email_address, status, scheduled_at,"
            " created_at, updated_at) VALUES (%s, %s, %s, 'x', %s, %s, %s, %s)",
            self._mail, self._mail, contact, status, wall, wall, wall,
        )  # fmt: skip
        return self._mail

    def opened(self, mail: int, at: int) -> None:
        """The pixel was loaded."""
        wall = dates.local_text(at, ZONE)
        if self.generation == "3.1":
            self.run("UPDATE wp_fc_campaign_emails SET is_open = 1, updated_at = %s WHERE id = %s", wall, mail)
        else:
            self.run("UPDATE wp_fc_campaign_emails SET is_open = 1 WHERE id = %s", mail)
            self._metric("open", mail, wall)

    def clicked(self, mail: int, at: int) -> None:
        wall = dates.local_text(at, ZONE)
        self.run(
            "UPDATE wp_fc_campaign_emails SET is_open = 1, click_counter = COALESCE(click_counter, 0) + 1, updated_at = %s"
            " WHERE id = %s",
            wall, mail,
        )  # fmt: skip
        self._metric("click", mail, wall)

    def _metric(self, type_: str, mail: int, wall: str) -> None:
        self.run(
            "INSERT INTO wp_fc_campaign_url_metrics (campaign_id, subscriber_id, type, created_at, updated_at)"
            " SELECT campaign_id, subscriber_id, %s, %s, %s FROM wp_fc_campaign_emails WHERE id = %s",
            type_, wall, wall, mail,
        )  # fmt: skip

    def term(self, kind: str, id_: int, slug: str, *people: int) -> None:
        """A tag or a list that these contacts have."""
        table = "tags" if kind == TAG else "lists"
        self.run(f"INSERT IGNORE INTO wp_fc_{table} (id, title, slug) VALUES (%s, 'T', %s)", id_, slug)
        for contact in people:
            self.run(
                "INSERT INTO wp_fc_subscriber_pivot (subscriber_id, object_id, object_type) VALUES (%s, %s, %s)",
                contact, id_, kind,
            )  # fmt: skip

    def field(self, contact: int, slug: str, value: str) -> None:
        self.run(
            "INSERT INTO wp_fc_subscriber_meta (subscriber_id, created_by, object_type, `key`, value)"
            " VALUES (%s, 0, 'custom_field', %s, %s)",
            contact, slug, value,
        )  # fmt: skip

    def refresh(self, rules: list[Segment], ids: list[int] | None = None, **how: Any) -> int:
        return contacts.refresh(self.state, self.reader, rules, ZONE, ids, **how)

    def who(self, rule: str) -> set[int]:
        """Who a rule finds, by both evaluators."""
        condition = file.rule(rule, ZONE, [])
        at = membership.moment(self.state, [Segment(slug="s", name="S", rule=condition)], NOW, ZONE)
        found = set(membership.matching(self.state, condition, at))
        people = subjects.load(self.state, range(1, PEOPLE + 1))
        assert found == {id_ for id_, person in people.items() if evaluate.member(condition, person, at)}
        return found


@pytest.fixture(params=["3.1", "2.9"], scope="module")
def tables(request: pytest.FixtureRequest, mariadb: PrivateMariaDB) -> Iterator[tuple[ShopDatabase, str]]:
    """Empty tables of one generation."""
    name = f"contacts_{request.param.replace('.', '')}"
    mariadb.create_database(name)
    with closing(mariadb.connect(name)) as connection:
        schema.create(connection, prefix="wp_", hpos_tables=True, fluentcrm=request.param)
    yield ShopDatabase(mariadb, name, "hpos", None), request.param
    mariadb.drop_database(name)


@pytest.fixture
def crm(
    tables: tuple[ShopDatabase, str], config_for: Callable[..., Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Crm]:
    monkeypatch.setenv("SIDECAR_NOW", "2026-11-01T12:00:00Z")
    shop, generation = tables
    with State(tmp_path) as state:
        made = Crm(shop, config_for(shop), state, generation)
        membership.tick(state, [], NOW, ZONE)
        yield made
        made.close()


def _segments(*rules: str) -> list[Segment]:
    return [Segment(slug=f"s{number}", name="S", rule=file.rule(rule, ZONE, [])) for number, rule in enumerate(rules)]


MAILS = _segments('{ field = "last_open", within = "60d" }')


def test_mails_opens_and_clicks(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = [crm.mail(1, NOW - days * DAY) for days in (90, 80, 70, 5)]
    crm.opened(sent[2], NOW - 65 * DAY)
    crm.clicked(sent[3], NOW - 4 * DAY)
    crm.mail(1, NOW + DAY, "scheduled")
    quiet = [crm.mail(2, NOW - days * DAY) for days in (100, 70, 3)]
    crm.mail(3, NOW - DAY, "failed")
    crm.refresh(MAILS)
    assert _mails(crm, 1) == (
        4,
        2,
        1,
        NOW - 90 * DAY,
        NOW - 5 * DAY,
        NOW - 4 * DAY,
        NOW - 4 * DAY,
        engagement.score("2100"),
    )
    assert _mails(crm, 2) == (3, 0, 0, NOW - 100 * DAY, NOW - 3 * DAY, None, None, 0.0)
    assert _mails(crm, 3) == (0, 0, 0, None, None, None, None, None)
    assert crm.who('{ field = "last_open", within = "60d" }') == {1}
    assert crm.who('{ field = "emails_sent", is = 0 }') == {3, 4, 5, 6}
    silent = next(segment for segment in file.load(None, ZONE) if segment.slug == "silent")
    assert {change.slug: change.size for change in membership.refresh(crm.state, [silent], NOW, ZONE)} == {"silent": 1}
    # One that had never answered opens, a week later another one: only they are read again.
    crm.opened(quiet[0], NOW + 60)
    assert crm.refresh(MAILS) == 1
    assert _mails(crm, 2)[5] == NOW + 60
    crm.opened(sent[0], NOW + 7 * DAY)
    crm.mail(4, NOW + 7 * DAY)
    assert crm.refresh(MAILS) == 2
    assert _mails(crm, 1)[5] == NOW + 7 * DAY and _mails(crm, 1)[1] == 3
    assert _mails(crm, 4)[0] == 1
    assert crm.refresh(MAILS) == 0
    # An hour that the shop's clock shows twice: what happens now is written as an hour ago.
    monkeypatch.setenv("SIDECAR_NOW", "2026-11-09T12:00:00Z")
    assert crm.refresh(MAILS) == 0
    crm.opened(quiet[1], NOW + 7 * DAY - 3600)
    assert crm.refresh(MAILS) == 1
    assert _mails(crm, 2)[1] == 2


def _mails(crm: Crm, person: int) -> tuple[Any, ...]:
    (row,) = crm.state.rows(
        "SELECT emails_sent, emails_opened, emails_clicked, first_sent, last_sent, last_open, last_click, engagement"
        " FROM contact_trait WHERE person_id = ?",
        (person,),
    )
    return tuple(row)


def test_only_those_who_answered_are_read_again(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    """What changed in silence (FluentCRM throws old e-mails away) is found when all are counted again."""
    mails = [crm.mail(person, NOW - 40 * DAY) for person in (1, 2)]
    # The newest thing that happened: behind it and a little before it is read again, not all.
    crm.clicked(crm.mail(5, NOW - DAY), NOW - 3600)
    crm.refresh(MAILS)
    crm.run("DELETE FROM wp_fc_campaign_emails WHERE id = %s", mails[0])
    crm.opened(mails[1], NOW - 60)
    assert crm.refresh(MAILS) == 1
    assert [_mails(crm, person)[0] for person in (1, 2)] == [1, 1]
    assert crm.refresh(MAILS, full=True) == 1
    assert [_mails(crm, person)[0] for person in (1, 2)] == [0, 1]
    crm.run("DELETE FROM wp_fc_campaign_emails WHERE id = %s", mails[1])
    assert crm.refresh(MAILS) == 0
    monkeypatch.setenv("SIDECAR_NOW", "2026-12-02T12:00:00Z")
    assert crm.refresh(MAILS) == 1


def test_statuses(crm: Crm) -> None:
    rules = _segments('{ field = "consent", is = true }')
    crm.run("UPDATE wp_fc_subscribers SET status = 'unsubscribed' WHERE id IN (1, 2)")
    crm.refresh(rules)
    assert crm.who('{ field = "status", is = "Unsubscribed" }') == {1, 2}
    assert crm.who('{ field = "consent", is = true }') == {3, 4, 5, 6}
    # Nobody asked for e-mails: none were read.
    assert crm.state.rows("SELECT DISTINCT mails FROM contact_trait") == [(0,)]
    assert [change.size for change in membership.tick(crm.state, rules, NOW, ZONE)] == [4]
    # A hint about one contact, and about one that nobody knows.
    crm.run("UPDATE wp_fc_subscribers SET status = 'subscribed' WHERE id IN (1, 2)")
    assert crm.refresh(rules, [1, 999], live=True) == 1
    assert crm.state.rows("SELECT person_id, traits, live FROM trait_stale") == [(1, 1, NOW)]
    (change,) = membership.tick(crm.state, rules, NOW, ZONE)
    assert (change.entered, change.left) == (1, 0)
    # Whose traits are to be made anew stays so.
    crm.state.sql.execute("INSERT INTO trait_stale (person_id) VALUES (2)")
    assert crm.refresh(rules) == 1
    assert crm.state.rows("SELECT person_id, traits, live FROM trait_stale") == [(2, 0, 0)]
    crm.run("UPDATE wp_fc_subscribers SET status = 'pending' WHERE id = 2")
    assert crm.refresh(rules, [2], live=True) == 1
    assert crm.state.rows("SELECT person_id, traits, live FROM trait_stale") == [(2, 0, NOW)]


def test_a_contact_that_is_gone_has_no_value(crm: Crm) -> None:
    crm.term(TAG, 1, "vip", 1, 2)
    rules = _segments('{ field = "tags", has = "vip" }', '{ field = "status", known = false }')
    crm.refresh(rules)
    membership.tick(crm.state, rules, NOW, ZONE)
    crm.run("DELETE FROM wp_fc_subscribers WHERE id = 1")
    assert crm.refresh(rules, [1]) == 1
    assert crm.who('{ field = "tags", has = "vip" }') == {2}
    assert crm.who('{ field = "status", known = false }') == {1}
    assert crm.who('{ field = "emails_sent", at_least = 0 }') == {2, 3, 4, 5, 6}
    # Its person gets another one: that is read without a hint. Another person loses theirs.
    membership.tick(crm.state, rules, NOW, ZONE)
    crm.state.sql.execute("UPDATE person SET contact_id = 2 WHERE id = 1")
    contacts.follow(crm.state, crm.reader, rules, ZONE)
    assert crm.who('{ field = "tags", has = "vip" }') == {1, 2}
    crm.state.sql.execute("UPDATE person SET contact_id = NULL WHERE id = 2")
    assert crm.refresh(rules) == 1
    assert crm.who('{ field = "tags", has = "vip" }') == {1}
    assert crm.state.rows("SELECT person_id FROM contact_trait WHERE person_id = 2") == []


def test_tags_and_lists(crm: Crm) -> None:
    crm.term(TAG, 1, "vip", 1, 2)
    crm.term(TAG, 2, "vip", 3)  # no unique slug in FluentCRM
    crm.term(TAG, 3, "łyżki", 1, 4)
    crm.term(TAG, 4, "x' OR '1'='1", 5)
    crm.term(TAG, 5, "nobody-asks", 1, 2, 3, 4, 5, 6)
    crm.term(LIST, 1, "news", 2, 6)
    if crm.generation == "2.9":
        crm.term(TAG, 1, "vip", 1)  # attached twice
    rules = _segments(
        '{ field = "tags", has = ["VIP", "ŁYŻKI"] }',
        '{ field = "tags", has_none = ["x\' OR \'1\'=\'1", "not there"] }',
        '{ field = "lists", has = "news" }',
    )
    crm.refresh(rules)
    assert {row[0] for row in crm.state.rows("SELECT DISTINCT name FROM contact_value")} == {
        "tag:vip", "tag:łyżki", "tag:x' or '1'='1", "list:news",
    }  # fmt: skip
    assert crm.who('{ field = "tags", has = ["vip", "łyżki"] }') == {1, 2, 3, 4}
    assert crm.who('{ field = "tags", has_all = ["vip", "łyżki"] }') == {1}
    assert crm.who('{ field = "tags", has_none = ["x\' OR \'1\'=\'1", "not there"] }') == {1, 2, 3, 4, 6}
    assert crm.who('{ all = [{ field = "lists", has = "news" }, { field = "tags", has = "vip" }] }') == {2}
    membership.tick(crm.state, rules, NOW, ZONE)
    crm.run("DELETE FROM wp_fc_subscriber_pivot WHERE subscriber_id = 2")
    assert crm.refresh(rules, [2]) == 1
    changes = {change.slug: (change.entered, change.left) for change in membership.tick(crm.state, rules, NOW, ZONE)}
    assert changes == {"s0": (0, 1), "s2": (0, 1)}


def test_custom_fields_and_columns(crm: Crm) -> None:
    crm.field(1, "points", "100")
    crm.field(1, "points", "7")  # stands twice: the first one counts
    crm.field(2, "points", "99.5")
    crm.field(3, "points", "many")
    crm.field(1, "POINTS", "1000")  # to the server the same key
    crm.field(1, "service", "2026-10-25")
    crm.field(2, "service", "2026-10-25 02:30:00")  # comes twice in Warsaw
    crm.field(3, "service", "0000-00-00")
    crm.field(1, "likes", php.dumps(["Blue", "Łyżki"]))
    crm.field(2, "likes", php.dumps({0: "blue"}))
    crm.field(3, "likes", "Red")
    crm.field(4, "likes", "a:1:{i:0;s:99:")  # damaged
    crm.field(5, "x' OR '1'='1", "yes")
    crm.field(6, "unasked", "yes")
    crm.run("UPDATE wp_fc_subscribers SET city = 'ŁÓDŹ', date_of_birth = '1990-02-03' WHERE id = 6")
    asked = [
        ('{ field = "contact.points", at_least = 100 }', {1}),
        ('{ field = "contact.points", is = 99.5 }', {2}),
        ('{ field = "contact.points", is = "MANY" }', {3}),
        ('{ field = "contact.points", known = false }', {4, 5, 6}),
        ('{ field = "contact.service", after = "2026-10-25" }', {1, 2}),
        ('{ field = "contact.service", after = "2026-10-25 02:30:00" }', {2}),
        ('{ field = "contact.service", after = "2026-10-25 02:30:01" }', set()),
        ('{ field = "contact.likes", has = "blue" }', {1, 2}),
        ('{ field = "contact.likes", has_all = ["blue", "łyżki"] }', {1}),
        ('{ field = "contact.likes", is = "blue" }', {2}),
        ('{ field = "contact.likes", has = ["red"] }', {3}),
        ('{ field = "contact.likes", has_none = ["red", "blue"] }', {4, 5, 6}),
        ("{ field = \"contact.x' OR '1'='1\", is = \"yes\" }", {5}),
        ('{ field = "contact.city", is = "łódź" }', {6}),
        ('{ field = "contact.city", in = ["Sofia", "Varna"] }', {1, 2, 3, 4, 5}),
        ('{ field = "contact.date_of_birth", before = "2000-01-01" }', {6}),
        ('{ field = "contact.nobody", is_not = "x" }', {1, 2, 3, 4, 5, 6}),
    ]
    rules = _segments(*(rule for rule, _ in asked))
    crm.refresh(rules)
    for rule, people in asked:
        assert crm.who(rule) == people, rule
    assert crm.refresh(rules) == 0
    kept = {row[0] for row in crm.state.rows("SELECT DISTINCT name FROM contact_value")}
    assert kept == {
        "contact.points",
        "contact.service",
        "contact.likes",
        "contact.x' OR '1'='1",
        "contact.city",
        "contact.date_of_birth",
    }
    membership.tick(crm.state, rules, NOW, ZONE)
    crm.run("UPDATE wp_fc_subscriber_meta SET value = '150' WHERE subscriber_id = 2 AND `key` = 'points'")
    assert crm.refresh(rules, [2]) == 1
    changes = {change.slug: (change.entered, change.left) for change in membership.tick(crm.state, rules, NOW, ZONE)}
    assert changes == {"s0": (1, 0), "s1": (0, 1)}


def test_a_custom_date_comes_due(crm: Crm) -> None:
    """30 days before the service, and 30 days after it: time alone moves them, at the right second."""
    crm.field(1, "service", "2026-10-10 10:00:00")
    rules = _segments('{ field = "contact.service", older_than = "30d" }')
    crm.refresh(rules)
    assert membership.tick(crm.state, rules, NOW, ZONE) == []
    turn = dates.from_local("2026-11-09 10:00:00", ZONE)
    assert turn is not None
    assert due.next_after(crm.state, rules, NOW, ZONE) == turn
    assert membership.tick(crm.state, rules, turn - 1, ZONE) == []
    assert [change.entered for change in membership.tick(crm.state, rules, turn, ZONE)] == [1]


def test_other_rules_ask_for_other_things(crm: Crm) -> None:
    crm.term(TAG, 1, "vip", 1)
    crm.field(2, "points", "5")
    tags, points = _segments('{ field = "tags", has = "vip" }'), _segments('{ field = "contact.points", at_least = 1 }')
    # A tick that came first, with nothing read: the reading makes up for it.
    assert membership.tick(crm.state, tags, NOW, ZONE) == []
    crm.refresh(tags)
    assert [change.size for change in membership.tick(crm.state, tags, NOW, ZONE)] == [1]
    crm.refresh(points)
    assert crm.state.rows("SELECT name, person_id FROM contact_value") == [("contact.points", 2)]
    # Nothing asks: nothing is kept, and FluentCRM is not asked.
    crm.refresh(_segments('{ field = "ltv", at_least = 1 }'))
    assert crm.state.rows("SELECT 1 FROM contact_trait UNION ALL SELECT 1 FROM contact_value") == []
    before = crm.reader.queries
    assert crm.refresh(_segments('{ field = "ltv", at_least = 1 }')) == 0
    assert crm.refresh(_segments('{ field = "ltv", at_least = 1 }'), [1]) == 0
    assert crm.reader.queries == before


def test_a_rule_that_is_tried_out_moves_nobody(crm: Crm) -> None:
    crm.term(TAG, 1, "vip", 1)
    crm.term(TAG, 2, "new", 2, 3)
    rules = _segments('{ field = "tags", has = "vip" }')
    crm.refresh(rules)
    membership.tick(crm.state, rules, NOW, ZONE)
    tried = '{ field = "tags", has = "new" }'
    contacts.try_out(crm.state, crm.reader, file.rule(tried, ZONE, []), ZONE)
    assert crm.who(tried) == {2, 3}
    assert crm.who('{ field = "tags", has = "vip" }') == {1}
    assert crm.state.rows("SELECT 1 FROM trait_stale") == []
    before = crm.reader.queries
    contacts.try_out(crm.state, crm.reader, file.rule(tried, ZONE, []), ZONE)
    assert crm.reader.queries == before
    # A tag that there is not (yet): no contact is read.
    contacts.try_out(crm.state, crm.reader, file.rule('{ field = "tags", has = "ne" }', ZONE, []), ZONE)
    assert crm.reader.queries == before + 1
    assert crm.who(tried) == {2, 3}
    crm.mail(4, NOW - DAY)
    mails = '{ all = [{ field = "emails_sent", at_least = 1 }, { field = "contact.city", is = "sofia" }] }'
    contacts.try_out(crm.state, crm.reader, file.rule(mails, ZONE, []), ZONE)
    assert crm.who(mails) == {4}
    assert crm.state.rows("SELECT 1 FROM trait_stale") == []
    assert crm.refresh(rules) == 0
    assert crm.state.rows("SELECT DISTINCT name FROM contact_value") == [("tag:vip",)]


def test_a_campaign_of_one_second_is_read_in_pages(crm: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contact_pages, "_CHANGED", 2)
    crm.refresh(MAILS)
    mails = [crm.mail(person, NOW) for person in range(1, PEOPLE + 1)]
    assert crm.refresh(MAILS) == PEOPLE
    for mail in mails[:5]:
        crm.clicked(mail, NOW + 5)
    assert crm.refresh(MAILS) == 5


def test_e_mails_of_another_contact_are_others(crm: Crm) -> None:
    """Also when nobody asked for e-mails while the contact was changed."""
    crm.mail(1, NOW - 2 * DAY)
    crm.mail(2, NOW - DAY)
    crm.mail(2, NOW - 3 * DAY)
    crm.mail(3, NOW - 60)  # the newest: of the others nothing is read again
    crm.refresh(MAILS)
    crm.state.sql.execute("UPDATE person SET contact_id = 2 WHERE id = 1")
    crm.refresh(_segments('{ field = "consent", is = true }'))
    crm.refresh(MAILS)
    assert [_mails(crm, person)[0] for person in (1, 2)] == [2, 2]


@pytest.mark.parametrize("dies", range(3))
def test_interrupted_the_next_reading_makes_up_for_it(crm: Crm, dies: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = _segments('{ any = [{ field = "emails_sent", at_least = 1 }, { field = "tags", has = "vip" }] }')
    crm.refresh(rules)
    membership.tick(crm.state, rules, NOW, ZONE)
    monkeypatch.setattr(contacts, "_FIRST", 2)
    monkeypatch.setattr(contacts, "_WIDE", 2)
    for person in range(1, 5):
        crm.mail(person, NOW + 60)
    crm.term(TAG, 1, "vip", 5)
    real, left = contacts._page, iter(range(dies))

    def page(*arguments: Any, **named: Any) -> int:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return real(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(contacts, "_page", page)
        with pytest.raises(KeyboardInterrupt):
            crm.refresh(rules)
    membership.tick(crm.state, rules, NOW, ZONE)
    crm.refresh(rules)
    membership.tick(crm.state, rules, NOW, ZONE)
    assert crm.state.rows("SELECT person_id FROM membership ORDER BY 1") == [(1,), (2,), (3,), (4,), (5,)]


def test_one_contact_is_read_fast(crm: Crm) -> None:
    crm.term(TAG, 1, "vip", 1)
    for number in range(200):
        crm.opened(crm.mail(1, NOW - number * 3600), NOW)
    rules = [
        *file.load(None, ZONE),
        *_segments('{ field = "tags", has = "vip" }', '{ field = "contact.points", is = 1 }'),
    ]
    crm.refresh(rules)
    took = []
    for _ in range(5):
        begun = time.perf_counter()
        crm.refresh(rules, [1])
        took.append(time.perf_counter() - begun)
    assert min(took) < 0.05


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", None), ("  ", None), ("a:0:{}", None), ("0000-00-00 00:00:00", None), ("-3", Held("-3", -3.0)),
        ("1e9", Held("1e9")), ("２", Held("２")), ("nan", Held("nan")), ("9" * 30, Held("9" * 30)), ("2026", Held("2026", 2026.0)),
        ("2026-11-01", Held("2026-11-01", None, 1_793_487_600)), ("2026-11-01T13:00", Held("2026-11-01t13:00", None, NOW)),
        ("0001-01-01", Held("0001-01-01")), ("2026-02-30", Held("2026-02-30")), ("b\x1fc", Held("b c")),
        (php.dumps(["B", "a", ""]), Held(joined(["a", "b"]))), (php.dumps(["B", ["deep"]]), Held("b")),
        (php.dumps("inner"), Held("s:5:\"inner\";")),
    ],
)  # fmt: skip
def test_a_value_as_rules_compare_it(text: str, wanted: Held | None) -> None:
    assert held(text, ZONE) == wanted


@pytest.mark.parametrize(
    ("answers", "wanted"),
    [("", None), ("22", None), ("000", 0.0), ("222", 100.0), ("111", 60.0), ("2" * 20 + "0" * 9, 100.0)],
)
def test_engagement(answers: str, wanted: float | None) -> None:
    assert engagement.score(answers) == wanted


def test_engagement_of_the_newest_counts_most() -> None:
    """By hand: (1 + 0.6 * 0.9 + 0) / (1 + 0.9 + 0.81)."""
    assert engagement.score("210") == round(100 * 1.54 / 2.71, 1)
    late, early = engagement.score("2000"), engagement.score("0002")
    assert late is not None and early is not None and late > early
