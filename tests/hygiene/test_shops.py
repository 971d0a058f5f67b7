"""`sidecar hygiene` on the demo shop, whose oddities are known, and on the real stores."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from support import ShopDatabase

from sidecar.cli import cli
from sidecar.config import Config
from sidecar.mapping import compile as rules
from sidecar.people.oddities import Finding
from sidecar.sync.hygiene import examine


def findings(config: Config, *only: str) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(config, rules.load(None), only=only)}


def refs(shop: ShopDatabase, config: Config, check: str, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Every record that a check tells of, not only five."""
    monkeypatch.setattr("sidecar.people.hygiene.MOST_EXAMPLES", 10_000)
    return {example.ref for example in findings(config, check)[check].examples}


def test_planted_cases(demo: ShopDatabase, config_for: Callable[..., Config], monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_for(demo)
    assert demo.truth is not None
    cases = demo.truth.cases
    owners = {email.lower(): f"user:{id_}" for id_, email in demo.rows("SELECT ID, user_email FROM wp_users")}

    table = "SELECT id, billing_email FROM wp_wc_orders WHERE type = 'shop_order'"
    if demo.storage == "posts":
        table = "SELECT post_id, meta_value FROM wp_postmeta WHERE meta_key = '_billing_email'"
    addresses = {f"order:{id_}": (email or "").strip().lower() for id_, email in demo.rows(table)}
    addresses |= {ref: email for email, ref in owners.items()}

    def told(check: str) -> set[str]:
        return refs(demo, config, check, monkeypatch)

    def of(*names: str) -> set[str]:
        """An account's record, else the order's."""
        found = set()
        for name in names:
            order, email = cases.get(f"order.{name}", ()), cases.get(f"email.{name}", ())
            known = {owners[str(one)] for one in email if str(one) in owners}
            found |= known or {f"order:{one}" for one in order}
        return found

    assert told("no_email") == {f"order:{id_}" for id_ in cases["order.no_email"]} | {
        f"order:{id_}" for id_ in cases["order.dead_user_without_email"]
    }
    emails = findings(config, "bad_email")["bad_email"]
    bad = {person.email for person in demo.truth.people.values() if person.email_problem}
    assert emails.count == len(bad)
    assert told("bad_phone") >= of("phone_junk", "phone_too_short")
    assert not told("bad_phone") & of("phone_polish", "phone_persian_digits", "phone_bulgarian", "phone_british")
    assert told("phone_spelling") >= of("phone_polish", "phone_polish_00", "phone_persian_digits", "phone_bulgarian")
    assert told("phone_country")
    assert told("full_name") >= of("name_one_field")
    assert told("missing_name") >= of("name_missing")
    assert told("unsafe_name") >= of("name_html") | of("name_smartcode")
    assert told("email_spelling") >= of("account_and_guest") & {*owners.values()}
    shared = {str(email) for email in cases["email.two_names"]}
    assert {addresses.get(ref, "") for ref in told("two_names")} >= shared
    # Whoever comes first under a number is not reported; the others are.
    same = {str(email) for email in cases["email.same_mobile"]}
    assert len(same & {addresses.get(ref, "") for ref in told("duplicate_mobile")}) >= len(same) - 1


def test_planted_by_the_test(
    demo: ShopDatabase, config_for: Callable[..., Config], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the demo shop does not have: written into it by hand."""
    config = config_for(demo)
    with demo.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SET SESSION sql_mode=''")
        sql = "INSERT INTO wp_users (ID, user_login, user_email, user_registered) VALUES (%s, %s, %s, '2026-01-01')"
        mails = ("twice@wp.pl", "TWICE@wp.pl", "jan.nowy+x@gmial.com", "jannowy@gmail.com", "")
        cursor.executemany(sql, [(910_001 + number, f"u{number}", mail) for number, mail in enumerate(mails)])
        metas = [
            (910_001, "billing_first_name", "JAN"),
            (910_001, "billing_last_name", "NOWAK"),
            (910_001, "billing_city", "Wrocław 50-123"),
            (910_001, "billing_country", "Atlantis"),
            (910_003, "billing_state", "DS"),
            (910_003, "billing_city", "София"),
            (910_003, "billing_address_1", "Długa 1"),
            (910_004, "billing_country", "PL"),
            (910_004, "billing_postcode", "1"),
            (910_001, "_money_spent", "12.5"),
            (910_001, "_transient_abc_1", "x"),
        ]
        cursor.executemany("INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (%s, %s, %s)", metas)
    expected = {
        "same_email_accounts": {"user:910002"},
        "name_case": {"user:910001"},
        "city": {"user:910001", "user:910003"},
        "country_unknown": {"user:910001", "user:910003"},
        "state_without_country": {"user:910003"},
        "postcode": {"user:910004"},
        "email_typo": {"user:910003"},
        "duplicate_spelling": {"user:910004"},
        "unreachable": {"user:910005"},
        "stale_meta": {"users:_money_spent", "users:_transient_abc_1"},
    }
    for check, ids in expected.items():
        assert refs(demo, config, check, monkeypatch) >= ids, check


@pytest.mark.stores
def test_stale_keys_of_plugins(real: ShopDatabase, config_for: Callable[..., Config]) -> None:
    """Real WooCommerce's list of active plugins is there: shipment tracking is not on it."""
    stale = findings(config_for(real), "stale_meta")["stale_meta"]
    assert [example.ref for example in stale.examples if "shipment_tracking" in example.ref]
    assert stale.count > 1000


@pytest.mark.stores
def test_real_stores(real: ShopDatabase, config_for: Callable[..., Config]) -> None:
    found = findings(config_for(real))
    assert found["phone_spelling"].count > 100
    shown = " ".join(example.value for finding in found.values() for example in finding.examples)
    names = real.rows(
        "SELECT DISTINCT meta_value FROM wp_usermeta WHERE meta_key = 'last_name' AND LENGTH(meta_value) > 4"
    )
    assert len(names) > 3
    assert [name for (name,) in names if name in shown] == []


def test_the_command_changes_nothing(
    demo_hpos: ShopDatabase, config_for: Callable[..., Config], tmp_path: Path
) -> None:
    config = config_for(demo_hpos)
    file = tmp_path / "sidecar.toml"
    database = config.shop.database
    file.write_text(f'[shop]\ntable_prefix = "wp_"\n[shop.database]\nunix_socket = "{database.unix_socket}"\n'
                    f'user = "root"\nname = "{database.name}"\n[state]\ndir = "{config.state.dir}"\n')  # fmt: skip
    file.chmod(0o600)
    tables = ", ".join(f"`{row[0]}`" for row in demo_hpos.rows("SHOW TABLES"))
    before = demo_hpos.rows(f"CHECKSUM TABLE {tables}")
    found = CliRunner().invoke(cli, ["hygiene", "--config", str(file)])
    assert found.exit_code == 0, found.output
    assert "[bad_phone, 000-15]" in found.stdout
    assert "sync: " in found.stdout
    said = json.loads(
        CliRunner().invoke(cli, ["hygiene", "--config", str(file), "--json", "--only", "bad_email"]).stdout
    )
    assert [one["name"] for one in said["findings"]] == ["bad_email"]
    assert CliRunner().invoke(cli, ["hygiene", "--config", str(file), "--only", "nothing"]).exit_code == 2
    assert demo_hpos.rows(f"CHECKSUM TABLE {tables}") == before
