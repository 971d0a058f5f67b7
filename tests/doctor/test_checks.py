"""The checks say what is wrong with a shop, and find nothing wrong with a good one."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support import ROOT, ShopDatabase

from sidecar.config import Config, Database, People, Service, Shop, State
from sidecar.doctor import gather
from sidecar.doctor.examine import examine, judge, select
from sidecar.doctor.model import Check, Facts, Finding, Verdict, numbers
from sidecar.doctor.registry import all_checks
from sidecar.errors import UsageError

ConfigFor = Callable[..., Config]


def found(config: Config, *only: str, file: Path | None = None) -> dict[str, Finding]:
    return {finding.id: finding for finding in examine(config, file, only=only, env={})}


def change(shop: ShopDatabase, *statements: str) -> None:
    for statement in statements:
        shop.rows(statement)


def option(name: str, value: str) -> str:
    return f"REPLACE INTO wp_options (option_name, option_value) VALUES ('{name}', '{value}')"


def test_every_check_is_documented_as_it_is() -> None:
    text = (ROOT / "docs" / "doctor.md").read_text()
    headings = dict(re.findall(r"^### ([a-z]+\.[EWI]\d{3}): (.+)$", text, re.MULTILINE))
    checks = all_checks()
    assert headings == {check.id: check.title for check in checks}
    for check in checks:
        section = text.split(f"### {check.id}: ")[1].split("\n##")[0]
        assert f"*What to do:* {check.hint}" in section
        assert len(section.split("*What to do:*")[0].split("\n\n")[1]) > 30, f"{check.id} is not explained"


def test_every_check_has_an_id_a_title_and_a_hint() -> None:
    for check in all_checks():
        assert re.fullmatch(r"[a-z]+\.[EWI]\d{3}", check.id)
        assert check.title
        assert check.hint
        assert (
            check.hint[0].islower()
            or not check.hint[0].isalpha()
            or check.hint.startswith(("FluentCRM", "WooCommerce"))
        )
    assert len({check.id for check in all_checks()}) == len(all_checks()) > 40


@pytest.mark.stores
def test_the_real_stores_are_in_order(real: ShopDatabase, config_for: ConfigFor) -> None:
    findings = found(config_for(real))
    assert {one.id for one in findings.values()} == {check.id for check in all_checks()}
    bad = {one.id for one in findings.values() if one.level in ("warning", "error")}
    assert bad == {"account.W004", "wordpress.W004"}
    for one in findings.values():
        assert one.sentence
        assert bool(one.hint) == (one.level != "ok")
        order = ["ok", "info", "warning", "error"]
        assert order.index(one.level) <= order.index({"I": "info", "W": "warning", "E": "error"}[one.id[-4]])
    assert "WordPress about 6.9" in findings["wordpress.E001"].sentence
    assert findings["store.E001"].sentence == "WooCommerce 10.9.1"
    assert ("HPOS" in findings["store.I005"].sentence) == (real.storage == "hpos")


def test_a_demo_shop_has_no_errors(demo: ShopDatabase, config_for: ConfigFor) -> None:
    assert [one for one in found(config_for(demo)).values() if one.level == "error"] == []


def test_nothing_is_written(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    before = demo_hpos.rows("SHOW GLOBAL STATUS WHERE Variable_name IN ('Handler_write','Com_insert','Com_update')")
    found(config_for(demo_hpos))
    after = demo_hpos.rows("SHOW GLOBAL STATUS WHERE Variable_name IN ('Com_insert','Com_update')")
    assert set(after) <= set(before)


Case = tuple[str, str, str, str]

# One shop in which all of this is wrong at once: statement, check, level, what must be named.
BROKEN: list[Case] = [
    ("DROP TABLE wp_fc_tags", "crm.E003", "error", "table wp_fc_tags"),
    (
        "ALTER TABLE wp_fc_subscribers DROP COLUMN phone",
        "crm.E003",
        "error",
        "column wp_fc_subscribers.phone",
    ),
    ("ALTER TABLE wp_fc_subscribers DROP INDEX email", "crm.W007", "warning", "unique key on email"),
    ("ALTER TABLE wp_fc_campaign_emails DROP INDEX wp_fc_cam__updated_at", "crm.W007", "warning", "(updated_at)"),
    ("ALTER TABLE wp_fc_campaign_url_metrics DROP INDEX subscriber_id", "crm.W007", "warning", "(subscriber_id)"),
    (
        "ALTER TABLE wp_fc_subscriber_pivot DROP INDEX subscriber_object_type_unique",
        "crm.I005",
        "info",
        "no unique key",
    ),
    (
        "DROP TABLE wp_woocommerce_order_itemmeta",
        "store.E003",
        "error",
        "table wp_woocommerce_order_itemmeta",
    ),
    ("DROP TABLE wp_wc_order_addresses", "store.E004", "error", "table wp_wc_order_addresses"),
    (
        "ALTER TABLE wp_wc_orders_meta DROP COLUMN meta_value",
        "store.E004",
        "error",
        "wp_wc_orders_meta.meta_value",
    ),
    (
        "ALTER TABLE wp_fc_lists CONVERT TO CHARACTER SET latin1",
        "store.W006",
        "warning",
        "wp_fc_lists is latin1",
    ),
    ("ALTER TABLE wp_terms ENGINE=MyISAM", "store.W007", "warning", "wp_terms is MyISAM"),
    ("ALTER TABLE wp_postmeta DROP INDEX post_id", "store.W008", "warning", "wp_postmeta (post_id)"),
    ("ALTER TABLE wp_users DROP INDEX user_email", "store.W008", "warning", "wp_users (user_email)"),
    (
        "UPDATE wp_wc_orders SET status = 'wc-boxed' WHERE type = 'shop_order' LIMIT 3",
        "store.W010",
        "warning",
        "wc-boxed: 3",
    ),
    (
        "UPDATE wp_wc_orders SET currency = 'JPY' WHERE type = 'shop_order' LIMIT 2",
        "store.W011",
        "warning",
        "JPY: 2",
    ),
]
NO_PLUGINS = option("active_plugins", "a:0:{}")
MAIL_PLUGINS = 'a:2:{i:0;s:21:"mailpoet/mailpoet.php";i:3;s:19:"klaviyo/klaviyo.php";}'
FIREWALL = 'a:1:{i:7;s:23:"wordfence/wordfence.php";}'
PRO = 'a:1:{i:0;s:41:"fluentcampaign-pro/fluentcampaign-pro.php";}'
HPOS = "woocommerce_custom_orders_table_enabled"
# Each of these alone, in one shop whose options are put back.
OPTIONS: list[Case] = [
    (NO_PLUGINS, "crm.E002", "error", "not active"),
    (NO_PLUGINS, "store.E002", "error", "not active"),
    (option("active_plugins", "garbage"), "crm.E002", "error", "not active"),
    (option("active_plugins", MAIL_PLUGINS), "plugins.W001", "warning", "Klaviyo MailPoet"),
    *[
        (statement, "plugins.W001", "warning", text)
        for statement, text in (
            (option("woocommerce_customer_stock_notifications_allow_signups", "yes"), "back-in-stock"),
            (option("_fluentcrm_experimental_settings", 'a:1:{s:14:"abandoned_cart";s:3:"yes";}'), "abandoned carts"),
            (
                option(
                    "woocommerce_feature_customer_review_request_enabled', 'yes'),"
                    " ('woocommerce_customer_review_request_settings",
                    'a:1:{s:7:"enabled";s:3:"yes";}',
                ),
                "review request",
            ),
        )
    ],
    (option("active_plugins", FIREWALL), "plugins.I002", "info", "Wordfence"),
    (option("active_plugins", PRO), "crm.I006", "info", "Pro"),
    (option("_fluentcrm_db_version", "2.9.50"), "crm.I004", "info", "2.9"),
    ("DELETE FROM wp_options WHERE option_name = '_fluentcrm_db_version'", "crm.E001", "error", "option"),
    (option("woocommerce_version", "7.9.0"), "store.E001", "error", "7.9.0"),
    (
        "DELETE FROM wp_options WHERE option_name = 'woocommerce_version'",
        "store.E001",
        "error",
        "no WooCommerce",
    ),
    (option(HPOS, "no"), "store.I005", "info", "ignored"),
    (f"DELETE FROM wp_options WHERE option_name = '{HPOS}'", "store.I005", "info", "no option"),
    (option("woocommerce_feature_order_attribution_enabled", "no"), "store.I012", "info", "does not record"),
    (option("db_version", "51917"), "wordpress.E001", "error", "5.9 or older"),
    (option("timezone_string", ""), "wordpress.W003", "info", "UTC"),
    (option("timezone_string', ''), ('gmt_offset", "5.5"), "wordpress.W003", "warning", "5.5"),
    (option("permalink_structure", ""), "wordpress.W004", "warning", "Plain"),
    (option("siteurl", "http://shop.pl"), "wordpress.W005", "warning", "siteurl"),
    (option("siteurl", "https://staging2.shop.pl"), "wordpress.I006", "info", "staging2.shop.pl"),
]


def says(finding: Finding, level: str, text: str) -> None:
    assert finding.level == level, finding
    assert text in " ".join([finding.sentence, *finding.details])
    assert finding.hint


def test_all_that_is_broken_is_found_at_once(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    change(demo_hpos, *(statement for statement, *_ in BROKEN))
    findings = found(config_for(demo_hpos))
    for _, id_, level, text in BROKEN:
        says(findings[id_], level, text)
    assert "could not be checked" not in " ".join(finding.sentence for finding in findings.values())
    change(demo_hpos, "DROP TABLE wp_options", "DROP TABLE wp_fc_subscribers", "DROP TABLE wp_wc_orders")
    findings = found(config_for(demo_hpos))
    says(findings["wordpress.E001"], "error", "no WordPress")
    says(findings["store.E001"], "error", "no WooCommerce")
    says(findings["crm.E001"], "error", "wp_fc_subscribers")


def test_what_options_tell(demo_hpos: ShopDatabase, config_for: ConfigFor) -> None:
    """Pain 46: among them plugins.W001, every other plugin that writes to the same customers."""
    change(demo_hpos, "CREATE TABLE kept AS SELECT * FROM wp_options")
    config = config_for(demo_hpos)
    for statement, id_, level, text in OPTIONS:
        change(demo_hpos, statement)
        says(found(config, id_)[id_], level, text)
        change(demo_hpos, "DELETE FROM wp_options", "INSERT INTO wp_options SELECT * FROM kept")


def test_different_collations_are_only_a_note(demo_posts: ShopDatabase, config_for: ConfigFor) -> None:
    change(demo_posts, "ALTER TABLE wp_terms COLLATE utf8mb4_general_ci")
    says(found(config_for(demo_posts), "store")["store.W006"], "info", "utf8mb4_general_ci: 1")


def test_statuses_and_currencies_of_posts(demo_posts: ShopDatabase, config_for: ConfigFor) -> None:
    change(
        demo_posts,
        "UPDATE wp_posts SET post_status = 'wc-boxed' WHERE post_type = 'shop_order' LIMIT 3",
        "UPDATE wp_postmeta SET meta_value = 'JPY' WHERE meta_key = '_order_currency' LIMIT 2",
    )
    findings = found(config_for(demo_posts), "store")
    assert "wc-boxed: 3" in findings["store.W010"].details
    assert "JPY: 2" in findings["store.W011"].details
    others = {line.partition(":")[0].removeprefix("wc-") for line in findings["store.W010"].details}
    rates = {line.partition(":")[0]: "1.00" for line in findings["store.W011"].details}
    people = People(paid_statuses=tuple(others), currency_rates=rates)
    findings = found(config_for(demo_posts, people=people), "store")
    assert findings["store.W010"].level == findings["store.W011"].level == "ok"


def test_without_a_database_the_rest_is_still_checked(tmp_path: Path) -> None:
    shop = Shop(table_prefix="wp_", database=Database(host="127.0.0.1", port=1, user="x", name="x"))
    findings = found(Config(shop=shop, state=State(dir=str(tmp_path))))
    assert findings["server.E001"].level == "error"
    assert findings["server.E001"].hint
    assert "store.E001" not in findings
    assert findings["host.E001"].level == "ok"


def test_the_host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state, file = tmp_path / "state", tmp_path / "sidecar.toml"
    file.touch(0o644)
    shop = Shop(table_prefix="wp_", database=Database(host="127.0.0.1", port=1))
    config = Config(shop=shop, state=State(dir=str(state)))
    findings = found(config, "host", file=file)
    assert (findings["host.E001"].level, findings["host.W004"].level) == ("info", "warning")
    state.mkdir(0o755)
    file.chmod(0o600)
    findings = found(config, "host", file=file)
    assert (findings["host.W002"].level, findings["host.W004"].level) == ("warning", "ok")
    state.chmod(0o700)
    assert found(config, "host.W002")["host.W002"].level == "ok"
    monkeypatch.setattr("shutil.disk_usage", lambda _: os.statvfs_result and type("U", (), {"free": 10 << 20})())
    assert found(config, "host.E003")["host.E003"].level == "error"
    monkeypatch.setattr("os.access", lambda *_: False)
    assert found(config, "host.E001")["host.E001"].level == "error"


@pytest.mark.parametrize(
    ("service", "level"),
    [
        (Service(), "ok"), (Service(host="::1"), "ok"), (Service(host="localhost"), "ok"),
        (Service(host="0.0.0.0", unix_socket="/run/x"), "ok"), (Service(host="0.0.0.0"), "warning"),
        (Service(host="::"), "warning"), (Service(host="10.0.0.7"), "warning"), (Service(host="shop.example"), "warning"),
    ],
)  # fmt: skip
def test_a_service_that_the_network_reaches_is_told(service: Service, level: str) -> None:
    shop = Shop(table_prefix="wp_", database=Database(host="127.0.0.1", port=1))
    assert found(Config(shop=shop, service=service), "host.W005")["host.W005"].level == level


def test_wp_config_findings(tmp_path: Path) -> None:
    wp = tmp_path / "wp"
    (wp / "wp-content").mkdir(parents=True)
    (wp / "wp-content" / "db.php").touch()
    (wp / "wp-includes").mkdir()
    (wp / "wp-includes" / "version.php").write_text("<?php\n/** x */\n$wp_version = '6.4.3';\n")
    (wp / "wp-config.php").write_text(
        "<?php define('DB_NAME', f()); define('MULTISITE', true); define('DISABLE_WP_CRON', true);"
    )
    shop = Shop(wp_path=str(wp), table_prefix="wp_2_", database=Database(host="127.0.0.1", port=1))
    config = Config(shop=shop, state=State(dir=str(wp / "state")))
    findings = found(config)
    levels = {
        id_: findings[id_].level
        for id_ in ("wordpress.W007", "wordpress.W008", "wordpress.I009", "wordpress.I010", "host.W002")
    }
    assert levels == {
        "wordpress.W007": "info",
        "wordpress.W008": "warning",
        "wordpress.I009": "info",
        "wordpress.I010": "info",
        "host.W002": "warning",
    }
    assert gather.gather(config, None, {}).wp_version == "6.4.3"
    (wp / "wp-config.php").write_text("<?php define('DB_NAME', 'a'); define('DB_NAME', 'b');")
    assert "more than once" in found(config, "wordpress.W007")["wordpress.W007"].sentence
    (wp / "wp-config.php").unlink()
    assert found(config, "wordpress.W007")["wordpress.W007"].level == "warning"


@pytest.fixture
def facts(demo_hpos: ShopDatabase, config_for: ConfigFor) -> Facts:
    return gather.gather(config_for(demo_hpos), None, {})


def _with(facts: Facts, **changes: Any) -> Facts:
    import dataclasses

    return dataclasses.replace(facts, database=dataclasses.replace(facts.shop, **changes))


def test_the_server(facts: Facts, monkeypatch: pytest.MonkeyPatch) -> None:
    def level(id_: str, **changes: Any) -> str:
        (finding,) = judge(_with(facts, **changes), select((id_,)))
        return finding.level

    assert level("server.W002", server="10.1.48-MariaDB") == "warning"
    assert level("server.W002", server="5.5.5-10.5.8-MariaDB-log") == "info"
    assert level("server.W002", server="8.0.36") == "ok"
    assert level("server.W002", server="5.6.51") == "warning"
    variables = dict(facts.shop.variables)
    assert level("server.W005", variables=variables | {"max_allowed_packet": str(1 << 20)}) == "warning"
    assert level("server.W006", variables=variables | {"sql_mode": "ANSI_QUOTES,STRICT_TRANS_TABLES"}) == "warning"
    assert level("server.W004", summer_offset=timedelta(hours=2), winter_offset=timedelta(hours=1)) == "warning"
    assert level("server.W004", summer_offset=timedelta(hours=2), winter_offset=timedelta(hours=2)) == "info"
    late = facts.shop.our_time + timedelta(seconds=90)
    assert level("server.W003", server_time=late) == "ok"
    monkeypatch.delenv("SIDECAR_NOW")
    assert level("server.W003", server_time=late) == "warning"
    assert level("server.W003", server_time=facts.shop.our_time) == "ok"


def test_a_check_that_fails_is_a_finding(facts: Facts, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Facts) -> Verdict:
        raise KeyError("anna@example.com")

    (finding,) = judge(facts, [Check("x.E001", "Something", "ask for help", broken)])
    assert (finding.level, finding.hint) == ("warning", "ask for help")
    assert "KeyError" in finding.sentence
    assert "anna" not in finding.sentence


def test_only_names_checks_and_areas() -> None:
    assert [check.id for check in select(("store.E003", "plugins"))] == [
        "store.E003",
        "plugins.W001",
        "plugins.I002",
    ]
    with pytest.raises(UsageError) as caught:
        select(("stor.E003",))
    assert caught.value.hint == "did you mean store.E003?"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10.11.6-MariaDB-0+deb12u1", (10, 11, 6)),
        ("5.5.5-10.2.3-MariaDB", (10, 2, 3)),
        ("8.0", (8, 0)),
        ("", ()),
    ],
)
def test_versions(text: str, expected: tuple[int, ...]) -> None:
    assert numbers(text) == expected


@pytest.fixture
def command(demo_hpos: ShopDatabase, tmp_path: Path) -> Iterator[Callable[..., subprocess.CompletedProcess[str]]]:
    file = tmp_path / "sidecar.toml"
    file.write_text(
        f'[shop]\ntable_prefix = "wp_"\n[shop.database]\nunix_socket = "{demo_hpos.socket}"\n'
        f'user = "root"\nname = "{demo_hpos.database}"\n[state]\ndir = "{tmp_path}/state"\n'
    )
    file.chmod(0o600)

    def run(*args: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "sidecar", "doctor", "--config", str(file), *args]
        return subprocess.run(line, capture_output=True, text=True, check=False)

    yield run


def test_the_command(demo_hpos: ShopDatabase, command: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    good = command()
    assert good.returncode == 0, good.stdout
    assert "server.E001" in good.stdout
    assert "account.W004" not in command("--only", "server").stdout
    assert command("--only", "nonsense").returncode == 2
    with closing(demo_hpos.connect()) as connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE wp_fc_tags")
    bad = command("--json")
    assert bad.returncode == 1
    said = msgspec.json.decode(bad.stdout)
    assert said["ok"] is False
    assert said["counts"]["error"] >= 1
    assert any(one["id"] == "crm.E003" and one["level"] == "error" for one in said["findings"])
    assert bad.stdout.count("\n") == 1
    assert "table wp_fc_tags" in command().stdout
