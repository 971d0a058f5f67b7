"""The account that `sidecar init` proposes can do what is needed, and nothing that hurts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count

import msgspec
import pymysql
import pytest
from support import ShopDatabase

from sidecar.cli.init import account_sql
from sidecar.config import Config, Database, Shop
from sidecar.doctor import gather, grants
from sidecar.doctor.examine import examine
from sidecar.mysql.connection import open_connection

ConfigFor = Callable[..., Config]
numbers = count(1)


@pytest.fixture
def account(demo_hpos: ShopDatabase, config_for: ConfigFor) -> Iterator[Config]:
    """A configuration that uses an account made with exactly the proposed GRANTs."""
    config = config_for(demo_hpos)
    with closing(open_connection(config.shop.database)) as connection:
        sql = account_sql(config, gather.read_shop(connection, config))
    name = f"{grants.ACCOUNT}{next(numbers)}"
    for statement in sql:
        demo_hpos.rows(statement.replace(f"'{grants.ACCOUNT}'", f"'{name}'"))
    database = Database(unix_socket=demo_hpos.socket, user=name, password=grants.PLACEHOLDER, name=demo_hpos.database)
    yield msgspec.structs.replace(config, shop=Shop(table_prefix="wp_", database=database))
    demo_hpos.rows(f"DROP USER '{name}'@'localhost'")


ALLOWED = [
    "SELECT ID, user_email, display_name FROM wp_users LIMIT 1",
    "SELECT * FROM wp_wc_orders LIMIT 1",
    "SELECT * FROM wp_wc_order_addresses LIMIT 1",
    "SELECT * FROM wp_postmeta LIMIT 1",
    "SELECT * FROM wp_options LIMIT 1",
    "INSERT INTO wp_fc_subscribers (email, status) VALUES ('grant@example.com', 'transactional')",
    "UPDATE wp_fc_subscribers SET first_name = 'G' WHERE email = 'grant@example.com'",
    "INSERT INTO wp_fc_subscriber_meta (subscriber_id, created_by, `key`, value) VALUES (1, 0, 'k', 'v')",
    "INSERT IGNORE INTO wp_fc_subscriber_pivot (subscriber_id, object_id, object_type) VALUES (1, 1, 'x')",
    "DELETE FROM wp_fc_subscriber_pivot WHERE object_type = 'x'",
    "INSERT INTO wp_fc_tags (title, slug) VALUES ('t', 't')",
    "INSERT INTO wp_fc_lists (title, slug) VALUES ('t', 't')",
    "UPDATE wp_fc_meta SET value = value WHERE id = 0",
    "DELETE FROM wp_fc_campaign_emails WHERE id = 0",
    "DELETE FROM wp_fc_subscriber_notes WHERE id = 0",
    "DELETE FROM wp_fc_funnel_subscribers WHERE id = 0",
    "DELETE FROM wp_fc_subscribers WHERE email = 'grant@example.com'",
    "CREATE TABLE wp_fcsc_undo (id INT)",
    "CREATE TABLE IF NOT EXISTS wp_fcsc_owned (id INT)",
    "CREATE TABLE wp_fcsc_outbox (id INT)",
    "INSERT INTO wp_fcsc_outbox VALUES (1)",
    "ALTER TABLE wp_fcsc_outbox ADD COLUMN x INT",
    "CREATE INDEX x ON wp_fcsc_outbox (x)",
    "DROP TABLE wp_fcsc_outbox",
]
REFUSED = [
    "SELECT user_pass FROM wp_users LIMIT 1",
    "SELECT * FROM wp_users LIMIT 1",
    "SELECT user_activation_key FROM wp_users LIMIT 1",
    "UPDATE wp_users SET user_email = 'x' WHERE ID = 1",
    "UPDATE wp_posts SET post_title = 'x' WHERE ID = 1",
    "INSERT INTO wp_posts (post_content, post_title) VALUES ('', '')",
    "DELETE FROM wp_posts WHERE ID = 1",
    "UPDATE wp_wc_orders SET status = 'wc-completed' WHERE id = 0",
    "UPDATE wp_options SET option_value = '' WHERE option_id = 1",
    "INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (1, 'wp_capabilities', 'x')",
    "CREATE TABLE wp_other (id INT)",
    "DROP TABLE wp_fc_subscribers",
    "SELECT * FROM wp_woocommerce_api_keys",
    "SELECT * FROM mysql.user",
]


def test_the_account_can_do_what_is_needed_and_no_more(account: Config) -> None:
    with (
        closing(open_connection(account.shop.database, write=True)) as connection,
        connection.cursor() as cursor,
    ):
        for sql in ALLOWED:
            cursor.execute(sql)
        for sql in REFUSED:
            with pytest.raises(pymysql.err.MySQLError) as caught:
                cursor.execute(sql)
            assert caught.value.args[0] in (1142, 1143, 1044, 1227), sql
        connection.commit()


def test_the_doctor_is_content_with_the_account(account: Config) -> None:
    findings = {finding.id: finding for finding in examine(account, env={})}
    for id_ in (
        "account.E001",
        "account.E002",
        "account.E003",
        "account.W004",
        "store.E003",
        "crm.E003",
        "store.E004",
    ):
        assert findings[id_].level == "ok", findings[id_]
    assert [one for one in findings.values() if one.level == "error"] == []


def test_the_doctor_names_what_an_account_lacks(account: Config, demo_hpos: ShopDatabase) -> None:
    who = f"'{account.shop.database.user}'@'localhost'"
    demo_hpos.rows(f"REVOKE INSERT ON wp_fc_tags FROM {who}")
    demo_hpos.rows(f"REVOKE SELECT ON wp_postmeta FROM {who}")
    demo_hpos.rows(f"REVOKE CREATE ON wp_fcsc_undo FROM {who}")
    demo_hpos.rows(f"GRANT UPDATE ON wp_posts TO {who}")
    demo_hpos.rows(f"GRANT SELECT ON wp_users TO {who}")
    findings = {finding.id: finding for finding in examine(account, only=("account", "store.E003"), env={})}
    assert findings["account.E001"].details == ("SELECT on wp_postmeta",)
    assert findings["account.E002"].details == ("INSERT on wp_fc_tags",)
    assert findings["account.E003"].details == ("CREATE on wp_fcsc_undo",)
    assert findings["store.E003"].details == ("table wp_postmeta",)
    assert findings["account.W004"].details == (
        "UPDATE on wp_posts",
        "SELECT of the password hashes in wp_users",
    )
    assert {findings[f"account.E00{n}"].level for n in (1, 2, 3)} == {"error"}


def test_grants_as_servers_print_them() -> None:
    rights = grants.parse(
        [
            "GRANT USAGE ON *.* TO `u`@`%` IDENTIFIED BY PASSWORD '*ABC'",
            "GRANT ALL PRIVILEGES ON `shop\\_live`.* TO `u`@`%` WITH GRANT OPTION",
            "GRANT SELECT, UPDATE ON `a_b`.* TO 'u'@'%'",
            "GRANT SELECT (`ID`, `user_email`), INSERT ON `x`.`we``ird` TO `u`@`%`",
        ]
    )
    assert rights.may("DELETE", "shop_live", "wp_posts")
    assert not rights.may("DELETE", "shopXlive", "wp_posts")
    assert rights.may("UPDATE", "aXb", "t")
    assert not rights.may("DELETE", "a_b", "t")
    assert rights.may("SELECT", "x", "we`ird", ["ID"])
    assert not rights.may("SELECT", "x", "we`ird", ["ID", "user_pass"])
    assert not rights.may("SELECT", "x", "we`ird")
    assert rights.may("INSERT", "x", "we`ird")
    assert not rights.roles
    assert not rights.everything
    assert grants.parse(["GRANT `writer`@`%` TO `u`@`%`"]).roles
    assert grants.parse(["GRANT `writer` TO `u`@`%`"]).roles
    assert grants.parse(["GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost`"]).everything
    mysql8 = "GRANT SELECT, INSERT, SUPER, CREATE USER ON *.* TO `root`@`localhost` WITH GRANT OPTION"
    assert grants.parse([mysql8]).everything
    assert not grants.parse(["GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION"]).roles
