"""Packed pages are the plain rows; every named query runs, says its columns and scans no big table."""

from __future__ import annotations

import gc
import itertools
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pymysql
import pytest
from bridging import install
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from messaging import FULFILLMENTS
from support import ROOT, ShopDatabase
from syncing import ConfigFor, execute, python_files, run
from triggering import SIGNUPS

from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.demo.shop import build
from sidecar.demo.truth import Truth
from sidecar.errors import StoreUnavailable
from sidecar.mysql import queries
from sidecar.mysql.connection import Reader
from sidecar.mysql.sqltext import Spans, filled, quote, quoted, spans

HOSTILE = [
    "",
    "'",
    '"',
    "\\",
    '\\\\"',
    "a\x00b",
    "\x01\x1f\x7f",
    "\n\r\t",
    "\u2028",
    "👩‍👩‍👧🦄",
    "\ufeff",
    "é",
    "İ",
    "[1]",
    "null",
    "{",
    "%s",
    "x" * 70_000,
]


def _both(reader: Reader, name: str, **params: Any) -> tuple[list[Any], list[Any]]:
    found = []
    for packs in (True, False):
        reader.value("users_last_id")  # opens the connection, which sets what it can
        reader._packs = packs
        found.append(sorted(reader.page(name, **params), key=repr))
    return found[0], found[1]


@pytest.mark.parametrize(
    "charset", ["utf8mb4 COLLATE utf8mb4_unicode_520_ci", "utf8mb3", "latin1", "utf8mb4 COLLATE utf8mb4_bin"]
)
def test_packed_is_plain(demo_hpos: ShopDatabase, config_for: ConfigFor, charset: str) -> None:
    execute(demo_hpos, f"ALTER TABLE wp_wc_orders_meta MODIFY meta_value LONGTEXT CHARACTER SET {charset}")
    for number, text in enumerate(HOSTILE):
        execute(
            demo_hpos,
            "INSERT IGNORE INTO wp_wc_orders_meta (order_id, meta_key, meta_value) VALUES (1001, %s, %s)",
            (f"k{number}", text),
        )
    execute(
        demo_hpos,
        "INSERT INTO wp_wc_orders_meta (order_id, meta_key, meta_value) VALUES (1001, 'k0', NULL), (1002, 'k1', 'x')",
    )
    with Reader(config_for(demo_hpos)) as reader:
        keys = [f"k{number}" for number in range(len(HOSTILE))]
        packed, plain = _both(reader, "orders_hpos_meta", ids=[1001, 1002], keys=keys)
    assert packed == plain
    assert len(packed) == len(HOSTILE) + 2
    if charset.startswith("utf8mb4"):
        assert [row[3] for row in sorted(packed)][: len(HOSTILE)] == [text[:65535] for text in HOSTILE]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), min_size=1, max_size=15))
def test_any_text_comes_back(demo_hpos: ShopDatabase, config_for: ConfigFor, texts: list[str]) -> None:
    execute(demo_hpos, "DELETE FROM wp_wc_orders_meta WHERE order_id = 1001")
    for text in texts:
        execute(
            demo_hpos, "INSERT INTO wp_wc_orders_meta (order_id, meta_key, meta_value) VALUES (1001, 'k', %s)", (text,)
        )
    with Reader(config_for(demo_hpos)) as reader:
        packed, plain = _both(reader, "orders_hpos_meta", ids=[1001], keys=["k"])
    assert packed == plain
    assert [row[3] for row in sorted(packed)] == texts


@given(st.lists(st.text(st.sampled_from("ab'\\\",éé\x00"), max_size=6), max_size=6))
def test_quoted_is_every_literal_quoted(values: list[str]) -> None:
    assert quoted(values) == ",".join(map(quote, values))


@pytest.mark.parametrize("name", ["orders_hpos_rows", "orders_hpos_addresses", "items_rows", "items_names"])
def test_numbers_dates_and_nulls_come_the_same_way(demo_hpos: ShopDatabase, config_for: ConfigFor, name: str) -> None:
    ids = [row[0] for row in demo_hpos.rows("SELECT id FROM wp_wc_orders")]
    with Reader(config_for(demo_hpos)) as reader:
        packed, plain = _both(reader, name, ids=ids)
    assert packed == plain
    assert len(packed) > 500
    assert {type(cell) for row in packed for cell in row} <= {int, str, type(None)}


@pytest.mark.parametrize("setting", ["SET SESSION group_concat_max_len = 1000", "SET SESSION group_concat_max_len = 4"])
def test_a_page_that_does_not_arrive_whole_is_read_plainly(
    demo_hpos: ShopDatabase, config_for: ConfigFor, setting: str, caplog: pytest.LogCaptureFixture
) -> None:
    ids = [row[0] for row in demo_hpos.rows("SELECT id FROM wp_wc_orders LIMIT 50")]
    with Reader(config_for(demo_hpos)) as reader, caplog.at_level(logging.INFO):
        whole = sorted(reader.page("orders_hpos_rows", ids=ids))
        with reader.connection.cursor() as cursor:
            cursor.execute(setting)
        assert sorted(reader.page("orders_hpos_rows", ids=ids)) == whole
        assert "did not arrive whole" in caplog.text


def test_a_page_above_the_packet_size_is_read_plainly(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    for number in range(40):
        execute(
            demo_hpos,
            "INSERT INTO wp_wc_orders_meta (order_id, meta_key, meta_value) VALUES (1001, 'k', %s)",
            (str(number) * 20_000,),
        )
    execute(demo_hpos, "SET GLOBAL max_allowed_packet = 262144")
    try:
        with Reader(config_for(demo_hpos)) as reader:
            assert len(reader.page("orders_hpos_meta", ids=[1001], keys=["k"])) == 40
    finally:
        execute(demo_hpos, "SET GLOBAL max_allowed_packet = DEFAULT")


def test_a_session_that_reads_cannot_write(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    with Reader(config_for(demo_hpos)) as reader, reader.connection.cursor() as cursor:
        for sql in ("UPDATE wp_posts SET post_title = ''", "DELETE FROM wp_fc_tags", "CREATE TABLE x (i INT)"):
            with pytest.raises(pymysql.err.MySQLError) as refused:
                cursor.execute(sql)
            assert refused.value.args[0] == 1792


def test_a_killed_connection_is_opened_again(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    with Reader(config_for(demo_hpos)) as reader:
        first = reader.page("users_page", after=0, limit=500)
        for _ in range(2):
            execute(demo_hpos, f"KILL {reader.connection.thread_id()}")
            assert sorted(reader.page("users_page", after=0, limit=500)) == sorted(first)
        with reader.connection.cursor() as cursor, pytest.raises(pymysql.err.MySQLError):
            cursor.execute("DELETE FROM wp_fc_tags")  # the new one is read-only too


# PyMySQL leaks its socket when nobody opens.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_database_that_stays_away_is_said_so(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    config = config_for(demo_hpos)
    reader = Reader(config)
    reader.value("users_last_id")
    with reader:
        execute(demo_hpos, f"KILL {reader.connection.thread_id()}")
        reader._config = type(config)(
            shop=type(config.shop)(
                table_prefix="wp_", database=type(config.shop.database)(unix_socket="/nonexistent/socket", user="root")
            )
        )
        with pytest.raises(StoreUnavailable):
            reader.value("users_last_id")
    gc.collect()


def test_documents_are_the_first_rows_of_each_key(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    execute(demo_hpos, "DELETE FROM wp_wc_orders_meta WHERE order_id IN (1001, 1002, 1003)")
    rows = [
        (1001, "k0", "second"),
        (1002, "k0", None),
        (1002, "k1", '"}],[{'),
        (1003, "k0", "one"),
        (1003, "k0", "two"),
    ]
    execute(
        demo_hpos,
        "INSERT INTO wp_wc_orders_meta (id, order_id, meta_key, meta_value) VALUES (9000002, 1001, 'k0', 'later')",
    )
    execute(
        demo_hpos,
        "INSERT INTO wp_wc_orders_meta (id, order_id, meta_key, meta_value) VALUES (9000001, 1001, 'k0', 'first')",
    )
    for owner, key, value in rows:
        execute(
            demo_hpos,
            "INSERT INTO wp_wc_orders_meta (order_id, meta_key, meta_value) VALUES (%s, %s, %s)",
            (owner, key, value),
        )
    expected = {1001: {"k0": "first"}, 1002: {"k0": "", "k1": '"}],[{'}, 1003: {"k0": "one"}}
    with Reader(config_for(demo_hpos)) as reader:
        reader.value("users_last_id")
        for packs in (True, False):
            reader._packs = packs
            for ids in ([1001, 1002, 1003], spans([1001, 1002, 1003])):
                found = reader.documents("orders_hpos_meta", ids=ids, keys=["k0", "k1"])
                assert {owner: meta for owner, (_, meta) in found.items()} == expected


def test_documents_of_hostile_text(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    for number, text in enumerate(HOSTILE):
        execute(
            demo_hpos,
            "INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (2, %s, %s)",
            (f"k{number}", text),
        )
    keys = [f"k{number}" for number in range(len(HOSTILE))]
    with Reader(config_for(demo_hpos)) as reader:
        reader.value("users_last_id")
        packed = reader.documents("users_meta", ids=[2], keys=keys)
        reader._packs = False
        assert packed == reader.documents("users_meta", ids=[2], keys=keys)
    assert packed[2][1] == {key: text[:65535] for key, text in zip(keys, HOSTILE, strict=True)}
    assert packed[2][0] > 0


@given(st.sets(st.integers(1, 400), max_size=120), st.integers(1, 9))
def test_spans_hold_every_id_and_no_wide_hole(ids: set[int], gap: int) -> None:
    found = spans(ids, gap)
    if not isinstance(found, Spans):
        assert found == sorted(ids)
        return
    covered = {id_ for low, high in found for id_ in range(low, high + 1)}
    assert ids <= covered
    assert {low for low, _ in found} | {high for _, high in found} <= ids
    for (_, high), (low, _) in itertools.pairwise(found):
        assert low - high > gap
    sql = filled("SELECT a FROM t WHERE t.id IN %(ids)s AND k IN %(keys)s", {"ids": found, "keys": ["x"]})
    assert sql == f"SELECT a FROM t WHERE ({' OR '.join(f't.id BETWEEN {a} AND {b}' for a, b in found)}) AND k IN ('x')"


# --- the named queries -----------------------------------------------------------------------------------

BIG = ("wc_orders", "wc_orders_meta", "wc_order_addresses", "postmeta", "posts", "users", "usermeta", "fc_subscribers", "fc_subscriber_meta", "fc_subscriber_pivot",
       "woocommerce_order_items", "woocommerce_order_itemmeta")  # fmt: skip
# Queries that may read a table from end to end, and why.
SCANS = {
    "contacts_any": "MAX of the primary key",
    "verify_hpos_orphans": "the recount looks at every refund, once, when asked",
    "verify_posts_orphans": "the same",
}


@pytest.fixture(scope="module")
def big(mariadb: PrivateMariaDB) -> Iterator[Callable[[str], ShopDatabase]]:
    """A shop large enough that the optimizer would rather use an index: 1,200 customers, 3,600 orders."""
    made: dict[str, ShopDatabase] = {}

    def get(storage: Any) -> ShopDatabase:
        if storage not in made:
            name = f"big_{storage}"
            mariadb.create_database(name)
            with closing(mariadb.connect(name)) as connection:
                truth: Truth = build(connection, storage=storage, customers=1200, orders=3600)
            made[storage] = ShopDatabase(mariadb, name, storage, truth)
        return made[storage]

    yield get
    for shop in made.values():
        mariadb.drop_database(shop.database)


@pytest.fixture(scope="module", params=["hpos", "posts"])
def big_synced(
    request: pytest.FixtureRequest, big: Callable[[str], ShopDatabase], tmp_path_factory: pytest.TempPathFactory
) -> tuple[ShopDatabase, Any]:
    from sidecar import config as parts

    shop = big(request.param)
    config = parts.Config(
        shop=parts.Shop(
            table_prefix="wp_", database=parts.Database(unix_socket=shop.socket, user="root", name=shop.database)
        ),
        state=parts.State(dir=str(tmp_path_factory.mktemp("state"))),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIDECAR_NOW", "2026-11-01T12:00:00Z")
        run(config)
    install(shop)
    execute(shop, SIGNUPS)
    for statement in FULFILLMENTS:
        execute(shop, statement)
    for table in [row[0] for row in shop.rows("SHOW TABLES")]:
        shop.rows(f"ANALYZE TABLE `{table}`")
    return shop, config


def _parameters(shop: ShopDatabase, query: queries.Query) -> dict[str, Any]:
    """Sensible values for the parameters of a query, of the size of a page."""
    if query.name.startswith(("users", "meta_users", "verify_users")):
        ids = [row[0] for row in shop.rows("SELECT ID FROM wp_users ORDER BY ID LIMIT 40")]
    elif query.name.startswith("meta_items"):
        ids = [row[0] for row in shop.rows("SELECT order_item_id FROM wp_woocommerce_order_items ORDER BY 1 LIMIT 40")]
    elif query.name.startswith(("products", "contacts", "messages_p", "messages_options")):
        ids = list(range(10, 50))
    else:
        ids = list(range(1200, 1240))
    after = ids[0]
    emails = [row[0] for row in shop.rows("SELECT email FROM wp_fc_subscribers LIMIT 40")]
    return {
        "ids": ids, "after": after, "upto": after + 200, "low": after, "high": after + 200, "limit": 50, "at": "2026-10-31 00:00:00",
        "keys": ["_billing_email", "_order_total", "wp_capabilities", "locale", "_customer_user"], "key": "locale", "emails": emails,
        "email": emails[0], "names": ["siteurl", "gmt_offset"], "tables": ["wp_posts", "wp_users"], "pivot": "wp_fc_subscriber_pivot",
        "types": ["FluentCrm\\App\\Models\\Tag"], "type": "shop_order", "run": 1, "runs": [1], "capabilities": "wp_capabilities", "slug": "woo_ltv",
        "slugs": ["woo_ltv", "woo_aov"], "tags": [4, 5, 6], "objects": [4, 5, 6], "now": 1_793_534_400_000,
        "since": "2026-10-31 00:00:00", "until": "2026-11-01 11:30:00", "held": '%"variation_id":9,%',
        "users": ids, "visitors": ["a" * 32],
    }  # fmt: skip


def _of_other_storage(query: queries.Query, storage: str) -> bool:
    return storage == "posts" and "hpos" in query.name


@pytest.mark.parametrize("name", sorted(queries.all_queries()))
def test_a_named_query(name: str, big_synced: tuple[ShopDatabase, Any]) -> None:
    """Pains 3, 32."""
    shop, config = big_synced
    query = queries.get(name)
    if _of_other_storage(query, shop.storage):
        pytest.skip("the tables of the other storage are not there")
    assert query.about, "says what it is for"
    wanted = set(re.findall(r"%\((\w+)\)s", query.sql))
    params = {key: value for key, value in _parameters(shop, query).items() if key in wanted}
    assert params.keys() == wanted, "the test has no value for a parameter"
    with Reader(config) as reader:
        sql = reader.tables.fill(query.sql)
        with reader.connection.cursor() as cursor:
            cursor.execute(sql, params or None)
            real = [column[0] for column in cursor.description]
            if query.columns:
                assert tuple(real) == query.columns, "the comment says other columns than the query has"
            plan: list[dict[str, Any]] = []
            if not sql.startswith("SHOW "):
                cursor.execute(f"EXPLAIN {sql}", params or None)
                heads = [column[0] for column in cursor.description]
                plan = [dict(zip(heads, row, strict=True)) for row in cursor.fetchall()]
        if query.columns:
            packed, plain = _both(reader, name, **params)
            # GROUP BY and decimals: both ways give the same, in whatever order.
            assert packed == plain
    named = {alias: table for table, alias in re.findall(r"(?:FROM|JOIN)\s+`?(wp_\w+)`?\s+(?:AS\s+)?(\w+)", sql)}
    for step in plan:
        table = str(named.get(str(step["table"]), step["table"])).removeprefix("wp_")
        if step["type"] == "ALL" and table in BIG:
            assert name in SCANS, f"reads all of {table}: {step}"


def test_statistics_that_lag_behind_an_import_change_no_plan(big_synced: tuple[ShopDatabase, Any]) -> None:
    """What a page of people costs is asked of the index: statistics would guess it, and be wrong after an import."""
    shop, config = big_synced
    with Reader(config) as reader, reader.connection.cursor() as cursor:
        wanted = [row[0] for row in shop.rows("SELECT id FROM wp_fc_subscribers ORDER BY 1 LIMIT 60")]
        sql = filled(reader.tables.fill(queries.get("contacts_fields").sql), {"ids": wanted})

        def estimate() -> int:
            cursor.execute(f"EXPLAIN {sql}")
            return int(dict(zip([column[0] for column in cursor.description], cursor.fetchone(), strict=True))["rows"])

        cursor.execute(sql)
        real = len(cursor.fetchall())
        assert abs(estimate() - real) < real / 20
        cursor.execute("SET SESSION eq_range_index_dive_limit = 10")
        assert abs(estimate() - real) > real / 20, "the server asks the index anyway: this test shows nothing"


def test_every_query_is_used() -> None:
    """A name that no code says is dead SQL. Names made from parts (`terms_{kind}s`, `meta_{source}_keys`) count."""
    code = "\n".join(path.read_text("utf-8") for path in python_files(ROOT / "sidecar"))
    patterns = [re.sub(r"\{[^}]*\}", r"\\w+", text) for text in re.findall(r"f\"(\w*\{\w+\}[\w{}]*)\"", code)]
    unused = [
        name for name in queries.all_queries()
        if f'"{name}"' not in code and not any(re.fullmatch(pattern, name) for pattern in patterns if len(pattern) > 6)
    ]  # fmt: skip
    assert unused == []


def test_no_sql_hides_elsewhere() -> None:
    """Reading the shop goes through named queries; only writers of our own tables build text."""
    allowed = {"crm", "demo", "state", "mysql", "sync", "people", "cli", "doctor"}
    for path in python_files(ROOT / "sidecar"):
        folder = path.relative_to(ROOT / "sidecar").parts[0]
        if folder not in allowed:
            assert not re.search(r"\bSELECT\b[^\n]*\bFROM\b[^\n]*(wp_|\{p\}|prefix)", path.read_text("utf-8")), path
