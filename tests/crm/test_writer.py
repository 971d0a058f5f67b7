"""The quiet writer on real tables: a refused row stands alone, nothing is doubled, cut, mangled or overwritten."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import ShopDatabase
from syncing import LIST, TAG, ConfigFor, contacts, execute, run

from sidecar.crm import contacts as reading
from sidecar.crm import tables
from sidecar.crm.batch import Batch, Change, NewContact, Outcome
from sidecar.crm.fields import Definition, Fields
from sidecar.crm.model import FieldValue, Patch
from sidecar.crm.terms import Terms
from sidecar.crm.writer_sql import Writer
from sidecar.crm.written import Written, pack
from sidecar.errors import CrmRefused
from sidecar.mysql.connection import Reader, open_connection
from sidecar.mysql.sqltext import quote
from sidecar.values import php

WALL = "2026-11-01 13:00:00"
HOSTILE = [
    "'", '"', "\\", "\\'", "\\\\", "''", "a\x00b", "\n\r\t\x1a\b", "\u2028\u2029", "👩‍👩‍👧🦄", "%s %d %%", "`x`", "-- x", "/* x */", ";",
    "ß İ ı", "\ufeff", "\U0010ffff", " leading and trailing ", "NULL", "\\N", "0x41", "é vs e", "فاطمه", "{{contact.email}}", "x" * 180,
]  # fmt: skip
MakeWriter = Callable[..., Writer]


@pytest.fixture
def make_writer(config_for: ConfigFor) -> Iterator[MakeWriter]:
    made: list[Writer] = []

    def make(shop: ShopDatabase, run_id: int = 1, *, pivot_unique: bool = True) -> Writer:
        config = config_for(shop)
        with closing(open_connection(config.shop.database, write=True)) as connection:
            tables.ensure(connection, "wp_")
        writer = Writer(config.shop.database, "wp_", run_id, WALL, pivot_unique=pivot_unique)
        made.append(writer)
        return writer

    yield make
    for writer in made:
        writer.close()


def somebody(person: int, email: str, **changes: Any) -> NewContact:
    given_: dict[str, Any] = {
        "person": person, "email": email, "status": "transactional", "created": "2026-01-02 03:04:05",
        "columns": {"source": "woocommerce"}, "fields": {}, "tags": [], "lists": [], "written": pack(Written()),
    }  # fmt: skip
    return NewContact(**{**given_, **changes})


def states(outcomes: list[Outcome]) -> dict[int, str]:
    return {outcome.person: outcome.reason or outcome.state for outcome in outcomes}


def id_of(shop: ShopDatabase, email: str) -> int:
    return int(shop.rows("SELECT id FROM wp_fc_subscribers WHERE BINARY email = %s", (email,))[0][0])


def test_the_refused_rows_stand_alone(demo_hpos: ShopDatabase, make_writer: MakeWriter) -> None:
    """Of a page of 120 two are too long and one has an impossible birthday: 117 go in whole."""
    new = [somebody(n, f"new{n}@example.org", fields={"f": str(n)}, tags=[1]) for n in range(120)]
    new[17].columns["city"] = "x" * 193
    new[18].columns["phone"] = "1" * 51
    new[99].columns["date_of_birth"] = "2026-02-30"
    before = demo_hpos.rows("SELECT COUNT(*) FROM wp_fc_subscribers")[0][0]
    found = states(make_writer(demo_hpos).write(Batch(new=new)))
    bad = {number: reason for number, reason in found.items() if reason != "done"}
    assert bad == {17: "mysql_1406", 18: "mysql_1406", 99: "mysql_1292"}
    after = contacts(demo_hpos)
    assert demo_hpos.rows("SELECT COUNT(*) FROM wp_fc_subscribers")[0][0] == before + 117
    for number in range(120):
        if number not in bad:
            contact = after[f"new{number}@example.org"]
            assert (contact["fields"], contact["tags"]) == ({"f": [str(number)]}, ["hand-picked"])
        else:
            assert f"new{number}@example.org" not in after
    # Nothing of the halves that were rolled back is left behind.
    orphans = demo_hpos.rows(
        "SELECT COUNT(*) FROM wp_fc_subscriber_meta m LEFT JOIN wp_fc_subscribers s ON s.id = m.subscriber_id WHERE s.id IS NULL"
    )
    assert orphans == [(0,)]
    assert demo_hpos.rows("SELECT COUNT(*) FROM wp_fcsc_undo WHERE kind = 'created'") == [(117,)]


def test_a_mixed_batch_is_halved_to_the_end(demo_hpos: ShopDatabase, make_writer: MakeWriter) -> None:
    """New, changed and erased contacts together, one bad of each kind."""
    writer = make_writer(demo_hpos)
    for outcome in writer.write(
        Batch(new=[somebody(n, f"old{n}@example.org", columns={"city": "Alt"}) for n in range(4)])
    ):
        assert outcome.state == "done"
    ids = [id_of(demo_hpos, f"old{n}@example.org") for n in range(4)]
    batch = Batch(
        new=[somebody(10, "fine@example.org"), somebody(11, "bad@example.org", columns={"city": "x" * 200})],
        changes=[
            Change(person=20, patch=Patch(contact_id=ids[0], columns={"city": ("Alt", "Neu")})),
            Change(person=21, patch=Patch(contact_id=ids[1], columns={"city": ("Alt", "x" * 200)})),
        ],
        erase=[(30, ids[2]), (31, ids[3])],
    )
    assert states(writer.write(batch)) == {
        10: "done",
        11: "mysql_1406",
        20: "done",
        21: "mysql_1406",
        30: "done",
        31: "done",
    }
    after = contacts(demo_hpos)
    assert {"old2@example.org", "old3@example.org", "bad@example.org"}.isdisjoint(after)
    assert after["old0@example.org"]["columns"]["city"] == "Neu"
    assert after["old1@example.org"]["columns"]["city"] == "Alt"


def test_somebody_else_was_faster(demo_hpos: ShopDatabase, make_writer: MakeWriter) -> None:
    """A contact of that address came between our reading and our writing: look again, and no half is written."""
    execute(demo_hpos, "INSERT INTO wp_fc_subscribers (email, status) VALUES ('Fast@example.org', 'subscribed')")
    writer = make_writer(demo_hpos)
    found = states(
        writer.write(Batch(new=[somebody(1, "fast@example.org", fields={"f": "x"}), somebody(2, "slow@example.org")]))
    )
    assert found == {1: "raced", 2: "done"}
    contact = contacts(demo_hpos)["fast@example.org"]
    assert (contact["columns"]["status"], contact["fields"]) == ("subscribed", {})


def test_a_server_without_mariadbs_statements_gets_the_same_rows(
    demo_hpos: ShopDatabase, make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MySQL and old MariaDB know neither `INSERT … RETURNING` nor table value constructors: plain statements then."""
    fields = ({"woo_ltv": "10.00", "woo_note": "it's \\ ł"}, {"woo_ltv": "7.50"}, {})

    def rows(prefix: str) -> list[tuple[Any, ...]]:
        new = [
            somebody(number, f"{prefix}{number}@example.net", fields=own, tags=[7])
            for number, own in enumerate(fields, 1)
        ]
        assert states(make_writer(demo_hpos).write(Batch(new=new))) == {1: "done", 2: "done", 3: "done"}
        return sorted(
            (row[0].removeprefix(prefix), *row[1:])
            for row in demo_hpos.rows(
                "SELECT s.email, m.`key`, m.value, m.object_type, p.object_id FROM wp_fc_subscribers s"
                " LEFT JOIN wp_fc_subscriber_meta m ON m.subscriber_id = s.id"
                " LEFT JOIN wp_fc_subscriber_pivot p ON p.subscriber_id = s.id WHERE s.email LIKE %s",
                (prefix + "%@example.net",),
            )
        )

    quick = rows("maria")
    assert len(quick) == 4
    for name in ("has_returning", "has_table_values"):
        monkeypatch.setattr(f"sidecar.crm.rows.{name}", lambda connection: False)
    assert rows("plain") == quick


@pytest.mark.parametrize("clock", ["set", "fixed"])
def test_fields_are_of_the_runs_time(
    demo_hpos: ShopDatabase, make_writer: MakeWriter, monkeypatch: pytest.MonkeyPatch, clock: str
) -> None:
    """Wall-clock text, whatever the server's clock says; also where it may not be set (`secure_timestamp`)."""
    if clock == "fixed":
        monkeypatch.setattr("sidecar.crm.rows._clock", lambda *_: "")
    make_writer(demo_hpos).write(Batch(new=[somebody(1, "timely@example.org", fields={"a": "1", "b": "2"})]))
    found = demo_hpos.rows(
        "SELECT CAST(created_at AS CHAR), CAST(updated_at AS CHAR) FROM wp_fc_subscriber_meta WHERE subscriber_id = %s",
        (id_of(demo_hpos, "timely@example.org"),),
    )
    assert found == [(WALL, WALL)] * 2
    kept = demo_hpos.rows("SELECT ABS(TIMESTAMPDIFF(MINUTE, created_gmt, UTC_TIMESTAMP())) FROM wp_fcsc_undo")
    assert kept
    assert all(minutes < 10 for (minutes,) in kept), "undo is kept by the real time"


def test_an_accent_twin_in_one_batch(demo_hpos: ShopDatabase, make_writer: MakeWriter) -> None:
    found = states(
        make_writer(demo_hpos).write(Batch(new=[somebody(1, "renee@example.org"), somebody(2, "renée@example.org")]))
    )
    assert sorted(found.values()) == ["done", "raced"]


@pytest.mark.parametrize("unique", [True, False])
def test_attachments_are_never_doubled(demo_hpos: ShopDatabase, make_writer: MakeWriter, unique: bool) -> None:
    if not unique:
        execute(demo_hpos, "ALTER TABLE wp_fc_subscriber_pivot DROP INDEX subscriber_object_type_unique")
    execute(demo_hpos, "INSERT INTO wp_fc_subscribers (id, email, status) VALUES (9000, 'p@example.org', 'subscribed')")
    execute(
        demo_hpos,
        "INSERT INTO wp_fc_subscriber_pivot (subscriber_id, object_id, object_type) VALUES (9000, 1, %s), (9000, 1, %s)",
        (TAG, LIST),
    )
    writer = make_writer(demo_hpos, pivot_unique=unique)
    for _ in range(2):
        patch = Patch(contact_id=9000, tags_add=[1, 2], lists_add=[1, 2])
        assert states(writer.write(Batch(changes=[Change(person=1, patch=patch)]))) == {1: "done"}
    rows = demo_hpos.rows(
        "SELECT object_id, object_type FROM wp_fc_subscriber_pivot WHERE subscriber_id = 9000 ORDER BY 2, 1"
    )
    assert rows == [(1, LIST), (2, LIST), (1, TAG), (2, TAG)]
    writer.write(Batch(changes=[Change(person=1, patch=Patch(contact_id=9000, tags_remove=[1], lists_remove=[2]))]))
    rows = demo_hpos.rows(
        "SELECT object_id, object_type FROM wp_fc_subscriber_pivot WHERE subscriber_id = 9000 ORDER BY 2, 1"
    )
    assert rows == [(1, LIST), (2, TAG)]


def test_what_was_changed_meanwhile_is_not_overwritten(demo_hpos: ShopDatabase, make_writer: MakeWriter) -> None:
    writer = make_writer(demo_hpos)
    writer.write(
        Batch(
            new=[
                somebody(
                    1, "edit@example.org", columns={"first_name": "Zoë", "city": "Łódź"}, fields={"a": "1", "b": "2"}
                )
            ]
        )
    )
    id_ = id_of(demo_hpos, "edit@example.org")
    rows = {
        slug: (row, value)
        for row, slug, value in demo_hpos.rows(
            "SELECT id, `key`, value FROM wp_fc_subscriber_meta WHERE subscriber_id = %s", (id_,)
        )
    }
    # A colleague edits only accents, case and a trailing space: the collation would call it the same.
    execute(demo_hpos, "UPDATE wp_fc_subscribers SET first_name = 'Zoe', city = 'Łódź ' WHERE id = %s", (id_,))
    execute(demo_hpos, "UPDATE wp_fc_subscriber_meta SET value = '1 ' WHERE id = %s", (rows["a"][0],))
    execute(demo_hpos, "UPDATE wp_fc_subscriber_meta SET value = 'B' WHERE id = %s", (rows["b"][0],))
    patch = Patch(
        contact_id=id_,
        columns={"first_name": ("Zoë", "Ola"), "city": ("Łódź", "Gdynia"), "state": ("", "LD")},
        fields={"a": (FieldValue(rows["a"][0], "1"), "9"), "b": (FieldValue(rows["b"][0], "b"), "")},
    )
    writer.write(Batch(changes=[Change(person=1, patch=patch)]))
    contact = contacts(demo_hpos)["edit@example.org"]
    assert (contact["columns"]["first_name"], contact["columns"]["city"], contact["columns"]["state"]) == (
        "Zoe",
        "Łódź ",
        "LD",
    )
    assert contact["fields"] == {"a": ["1 "], "b": ["B"]}


def test_a_new_address_moves_hash_and_waiting_mail(demo_hpos: ShopDatabase, make_writer: MakeWriter) -> None:
    """Pain 47."""
    writer = make_writer(demo_hpos)
    writer.write(Batch(new=[somebody(1, "was@example.org")]))
    id_ = id_of(demo_hpos, "was@example.org")
    for status in ("draft", "pending", "scheduled", "scheduling", "sent", "failed", "cancelled"):
        execute(
            demo_hpos,
            "INSERT INTO wp_fc_campaign_emails (campaign_id, subscriber_id, email_address, status) VALUES (1, %s, 'was@example.org', %s)",
            (id_, status),
        )
    change = Change(person=1, patch=Patch(contact_id=id_), move_to="is@example.org", email="was@example.org")
    writer.write(Batch(changes=[change]))
    assert demo_hpos.rows("SELECT email, hash FROM wp_fc_subscribers WHERE id = %s", (id_,)) == [
        ("is@example.org", hashlib.md5(b"is@example.org").hexdigest())
    ]
    mails = dict(
        demo_hpos.rows("SELECT status, email_address FROM wp_fc_campaign_emails WHERE subscriber_id = %s", (id_,))
    )
    moved = {status for status, address in mails.items() if address == "is@example.org"}
    assert moved == {"draft", "pending", "scheduled", "scheduling"}


def test_a_move_that_was_overtaken_moves_nothing(demo_hpos: ShopDatabase, make_writer: MakeWriter) -> None:
    """The address was edited in FluentCRM in between: neither the contact nor its waiting mail is changed."""
    writer = make_writer(demo_hpos)
    writer.write(Batch(new=[somebody(1, "was@example.org")]))
    id_ = id_of(demo_hpos, "was@example.org")
    execute(
        demo_hpos,
        "INSERT INTO wp_fc_campaign_emails (campaign_id, subscriber_id, email_address, status) VALUES (1, %s, 'edited@example.org', 'scheduled')",
        (id_,),
    )
    execute(demo_hpos, "UPDATE wp_fc_subscribers SET email = 'edited@example.org' WHERE id = %s", (id_,))
    writer.write(
        Batch(
            changes=[Change(person=1, patch=Patch(contact_id=id_), move_to="is@example.org", email="was@example.org")]
        )
    )
    assert demo_hpos.rows("SELECT email FROM wp_fc_subscribers WHERE id = %s", (id_,)) == [("edited@example.org",)]
    assert demo_hpos.rows("SELECT email_address FROM wp_fc_campaign_emails WHERE subscriber_id = %s", (id_,)) == [
        ("edited@example.org",)
    ]


def test_a_move_to_a_taken_address_is_refused_alone(demo_hpos: ShopDatabase, make_writer: MakeWriter) -> None:
    writer = make_writer(demo_hpos)
    writer.write(Batch(new=[somebody(n, f"m{n}@example.org") for n in range(3)]))
    ids = [id_of(demo_hpos, f"m{n}@example.org") for n in range(3)]
    changes = [
        Change(person=0, patch=Patch(contact_id=ids[0]), move_to="M1@example.org", email="m0@example.org"),
        Change(person=2, patch=Patch(contact_id=ids[2], columns={"city": ("", "Sofia")})),
    ]
    found = states(writer.write(Batch(changes=changes)))
    assert found[2] == "done" and found[0] != "done"
    assert contacts(demo_hpos)["m2@example.org"]["columns"]["city"] == "Sofia"


def test_erasing_removes_every_row(demo_hpos: ShopDatabase, make_writer: MakeWriter) -> None:
    """Pains 25, 47."""
    writer = make_writer(demo_hpos)
    writer.write(Batch(new=[somebody(1, "gone@example.org", fields={"f": "x"}, tags=[1], lists=[1])]))
    id_ = id_of(demo_hpos, "gone@example.org")
    writer.write(Batch(changes=[Change(person=1, patch=Patch(contact_id=id_, columns={"city": ("", "Oz")}))]))
    linked = [
        row[0]
        for row in demo_hpos.rows(
            "SELECT TABLE_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND COLUMN_NAME = 'subscriber_id'"
        )
    ]
    for table in linked:
        execute(demo_hpos, f"INSERT INTO {table} (subscriber_id) VALUES (%s)", (id_,))
    others = {
        table: demo_hpos.rows(f"SELECT COUNT(*) FROM {table} WHERE subscriber_id <> %s", (id_,)) for table in linked
    }
    assert states(writer.write(Batch(erase=[(1, id_)]))) == {1: "done"}
    assert len(linked) >= 6
    for table in linked:
        assert demo_hpos.rows(f"SELECT COUNT(*) FROM {table} WHERE subscriber_id = %s", (id_,)) == [(0,)], table
        assert demo_hpos.rows(f"SELECT COUNT(*) FROM {table} WHERE subscriber_id <> %s", (id_,)) == others[table]
    assert "gone@example.org" not in contacts(demo_hpos)
    assert demo_hpos.rows("SELECT COUNT(*) FROM wp_fcsc_undo WHERE object_id = %s", (id_,)) == [(0,)]


def test_hostile_texts_arrive_byte_for_byte(
    demo_hpos: ShopDatabase, make_writer: MakeWriter, config_for: ConfigFor
) -> None:
    writer = make_writer(demo_hpos)
    new = [
        somebody(
            n,
            f"h{n}@example.org",
            columns={"first_name": text, "city": text},
            fields={"text": text, text[:100]: "slug"},
        )
        for n, text in enumerate(HOSTILE)
    ]
    assert set(states(writer.write(Batch(new=new))).values()) == {"done"}
    with Reader(config_for(demo_hpos)) as reader:
        found = reading.read(reader, [f"h{n}@example.org" for n in range(len(HOSTILE))])
    changes = []
    for n, text in enumerate(HOSTILE):
        contact = found.by_identity[f"h{n}@example.org"]
        assert contact.columns["first_name"] == text
        assert contact.fields["text"].value == text
        other = HOSTILE[(n + 1) % len(HOSTILE)]
        # The old value is sent along as the guard: it must be understood as well as the new one.
        patch = Patch(
            contact_id=contact.id,
            columns={"first_name": (text, other)},
            fields={"text": (contact.fields["text"], other)},
        )
        changes.append(Change(person=n, patch=patch))
    writer.write(Batch(changes=changes))
    for n in range(len(HOSTILE)):
        other = HOSTILE[(n + 1) % len(HOSTILE)]
        row = demo_hpos.rows(
            "SELECT CAST(s.first_name AS BINARY), CAST(m.value AS BINARY) FROM wp_fc_subscribers s JOIN wp_fc_subscriber_meta m"
            " ON m.subscriber_id = s.id AND m.`key` = 'text' WHERE s.email = %s", (f"h{n}@example.org",),
        )[0]  # fmt: skip
        assert row == (other.encode(), other.encode())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), min_size=1, max_size=20))
def test_quoting_round_trips(demo_hpos: ShopDatabase, texts: list[str]) -> None:
    with closing(demo_hpos.connect()) as connection, connection.cursor() as cursor:
        connection.query(f"SELECT {', '.join(quote(text) for text in texts)}".encode())
        row = connection._result.rows[0]  # type: ignore[union-attr]
        assert list(row) == texts
        cursor.execute("SELECT 1")


def test_nothing_is_cut_in_silence(demo_hpos: ShopDatabase, make_writer: MakeWriter) -> None:
    """Even on a server whose own mode would cut and warn."""
    execute(demo_hpos, "SET GLOBAL sql_mode = 'NO_BACKSLASH_ESCAPES'")
    try:
        writer = make_writer(demo_hpos)
        found = states(
            writer.write(
                Batch(
                    new=[
                        somebody(1, "cut@example.org", columns={"city": "x" * 200}),
                        somebody(2, "slash@example.org", columns={"city": "a\\b'c"}),
                    ]
                )
            )
        )
        assert found == {1: "mysql_1406", 2: "done"}
        assert contacts(demo_hpos)["slash@example.org"]["columns"]["city"] == "a\\b'c"
    finally:
        execute(demo_hpos, "SET GLOBAL sql_mode = DEFAULT")


def test_a_lost_connection_is_opened_again(demo_hpos: ShopDatabase, make_writer: MakeWriter) -> None:
    writer = make_writer(demo_hpos)
    writer.write(Batch(new=[somebody(1, "one@example.org")]))
    execute(demo_hpos, f"KILL {writer.connection.thread_id()}")
    assert states(writer.write(Batch(new=[somebody(2, "two@example.org", fields={"f": "x"})]))) == {2: "done"}
    assert contacts(demo_hpos)["two@example.org"]["fields"] == {"f": ["x"]}


def test_a_locked_row_is_waited_for(demo_hpos: ShopDatabase, make_writer: MakeWriter) -> None:
    """FluentCRM itself is writing: a lock wait or deadlock is tried again, not reported as a bad row."""
    writer = make_writer(demo_hpos)
    writer.write(Batch(new=[somebody(1, "lock@example.org", columns={"city": "A"})]))
    id_ = id_of(demo_hpos, "lock@example.org")
    with writer.connection.cursor() as cursor:
        cursor.execute("SET SESSION innodb_lock_wait_timeout = 1")
    with closing(demo_hpos.connect(autocommit=False)) as other, other.cursor() as cursor:
        cursor.execute("UPDATE wp_fc_subscribers SET phone = '1' WHERE id = %s", (id_,))
        timer = threading.Timer(1.5, other.commit)
        timer.start()
        found = states(
            writer.write(Batch(changes=[Change(person=1, patch=Patch(contact_id=id_, columns={"city": ("A", "B")}))]))
        )
        timer.join()
    assert found == {1: "done"}
    columns = contacts(demo_hpos)["lock@example.org"]["columns"]
    assert (columns["city"], columns["phone"]) == ("B", "1")


def test_big_batches_go_in_several_statements(demo_hpos: ShopDatabase, make_writer: MakeWriter) -> None:
    """More text than the server takes in one packet."""
    execute(demo_hpos, "SET GLOBAL max_allowed_packet = 1048576")
    try:
        new = [
            somebody(n, f"big{n}@example.org", fields={"note": "é" * 20_000, "more": "x" * 9_000}) for n in range(60)
        ]
        assert set(states(make_writer(demo_hpos).write(Batch(new=new))).values()) == {"done"}
    finally:
        execute(demo_hpos, "SET GLOBAL max_allowed_packet = DEFAULT")
    rows = demo_hpos.rows("SELECT COUNT(*), MIN(CHAR_LENGTH(value)) FROM wp_fc_subscriber_meta WHERE `key` = 'note'")
    assert rows == [(60, 20_000)]


# --- definitions and terms -------------------------------------------------------------------------------

# As PHP may have written them: keys of ours and others, floats, booleans, nested lists, odd order of keys.
OTHERS = (
    'a:3:{i:0;a:4:{s:5:"label";s:12:"Żółty ☕";s:4:"slug";s:5:"zolty";s:4:"type";s:4:"text";s:9:"field_key";s:4:"text";}'
    'i:1;a:5:{s:9:"field_key";s:8:"checkbox";s:4:"type";s:8:"checkbox";s:5:"label";s:1:"B";s:4:"slug";s:1:"b";'
    's:7:"options";a:2:{i:0;s:2:"x\\";i:1;s:0:"";}}'
    'i:2;a:6:{s:4:"type";s:6:"number";s:4:"slug";s:3:"num";s:5:"label";s:1:"N";s:3:"min";d:0.5;s:8:"required";b:1;s:4:"none";N;}}'
)


def _definitions(shop: ShopDatabase, text: str | None) -> None:
    execute(shop, "DELETE FROM wp_fc_meta WHERE `key` = 'contact_custom_fields'")
    if text is not None:
        execute(
            shop,
            "INSERT INTO wp_fc_meta (object_type, `key`, value) VALUES ('option', 'contact_custom_fields', %s)",
            (text,),
        )


def _stored(shop: ShopDatabase) -> str:
    return str(shop.rows("SELECT value FROM wp_fc_meta WHERE `key` = 'contact_custom_fields'")[0][0])


def _fields(
    shop: ShopDatabase, config_for: ConfigFor, wanted: list[Definition], offer: dict[str, set[str]] | None = None
) -> None:
    config = config_for(shop)
    with closing(open_connection(config.shop.database, write=True)) as connection, Reader(config) as reader:
        tables.ensure(connection, "wp_")
        fields = Fields(reader, connection, 1, WALL)
        fields.ensure(wanted)
        if offer:
            fields.offer(offer)


def test_others_definitions_stay_byte_for_byte(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    _definitions(demo_hpos, OTHERS)
    ours = Definition(slug="woo_x", label='X\'s "☕"', type="select-one", key="single-select", options=("a", "b"))
    _fields(demo_hpos, config_for, [ours], {"woo_x": {"c"}, "b": {"not ours"}})
    text = _stored(demo_hpos)
    inside = OTHERS[len("a:3:{") : -1]
    assert text.startswith("a:4:{" + inside)
    assert php.loads(text)[3] == {
        "field_key": "single-select", "type": "select-one", "label": "X's \"☕\"", "slug": "woo_x", "options": ["a", "b", "c"],
    }  # fmt: skip
    _fields(demo_hpos, config_for, [ours])
    assert _stored(demo_hpos) == text, "the second time nothing is written"


@pytest.mark.parametrize("text", ['a:1:{i:0;s:3:"not', "not php", 's:3:"abc";', "a:1:{i:0;i:5;}"])
def test_definitions_that_cannot_be_read_are_not_touched(
    demo_hpos: ShopDatabase, config_for: ConfigFor, text: str
) -> None:
    _definitions(demo_hpos, text)
    with pytest.raises(CrmRefused):
        _fields(demo_hpos, config_for, [Definition(slug="woo_x", label="X", type="text", key="text")])
    assert _stored(demo_hpos) == text


@pytest.mark.parametrize("text", [None, "", "a:0:{}"])
def test_the_first_definitions_of_all(demo_hpos: ShopDatabase, config_for: ConfigFor, text: str | None) -> None:
    _definitions(demo_hpos, text)
    _fields(demo_hpos, config_for, [Definition(slug="woo_x", label="X", type="text", key="text")])
    assert [entry["slug"] for entry in php.loads(_stored(demo_hpos))] == ["woo_x"]


def test_a_field_of_another_kind_is_refused(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    _definitions(demo_hpos, OTHERS)
    with pytest.raises(CrmRefused, match="checkbox"):
        _fields(demo_hpos, config_for, [Definition(slug="b", label="B", type="text", key="text")])
    assert _stored(demo_hpos) == OTHERS


def test_tags_of_one_slug_are_not_made_again(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    """Neither slug nor title is unique: the lowest id is taken, and what people made is never ours."""
    execute(demo_hpos, "INSERT INTO wp_fc_tags (id, title, slug) VALUES (70, 'A', 'woo-vip'), (71, 'B', 'woo-vip')")
    config = config_for(demo_hpos)
    run(config)
    assert demo_hpos.rows("SELECT id FROM wp_fc_tags WHERE slug = 'woo-vip' ORDER BY id") == [(70,), (71,)]
    assert demo_hpos.rows(
        "SELECT COUNT(*) FROM wp_fc_subscriber_pivot WHERE object_id = 71 AND object_type = %s", (TAG,)
    ) == [(0,)]
    assert demo_hpos.rows(
        "SELECT COUNT(*) > 0 FROM wp_fc_subscriber_pivot WHERE object_id = 70 AND object_type = %s", (TAG,)
    ) == [(1,)]
    with closing(open_connection(config.shop.database, write=True)) as connection, Reader(config) as reader:
        terms = Terms(reader, connection, "tag", 1, WALL)
        assert 70 not in terms.owned
        new = terms.resolve({"woo-wide": "W" * 300, "woo-emoji": "☕'\\"})
        assert terms.resolve({"woo-wide": "other"}) == new[:1]
    assert demo_hpos.rows("SELECT title FROM wp_fc_tags WHERE id IN %s ORDER BY id", (new,)) == [
        ("W" * 192,),
        ("☕'\\",),
    ]
