"""What our database account may do: enough, and not more."""

from __future__ import annotations

from collections.abc import Iterable

from sidecar.doctor import grants, needs
from sidecar.doctor.model import Facts, Verdict
from sidecar.doctor.registry import check

INIT = "give the account the GRANTs that `sidecar init` prints"


def _lacking(facts: Facts, privileges: Iterable[str], tables: dict[str, tuple[str, ...]]) -> list[str]:
    rights = grants.parse(facts.shop.grants)
    database = facts.config.shop.database.name
    return [
        f"{privilege} on {table}"
        for table, columns in tables.items()
        for privilege in privileges
        if not rights.may(privilege, database, table, columns if privilege == "SELECT" else ())
    ]


def _judge(facts: Facts, lacking: list[str], good: str, bad: str) -> Verdict:
    if not lacking:
        return Verdict("ok", good)
    if grants.parse(facts.shop.grants).roles:
        return Verdict("info", "the account has rights through a role, which cannot be looked into", "", lacking)
    return Verdict("error", bad, "", lacking)


@check("account.E001", "Reading the shop", INIT)
def reads(facts: Facts) -> Verdict:
    tables = needs.shop_tables(facts.config, hpos=facts.shop.hpos)
    lacking = _lacking(facts, ["SELECT"], tables)
    return _judge(facts, lacking, "the account may read the shop", "the account may not read all of the shop")


@check("account.E002", "Writing contacts", INIT)
def writes(facts: Facts) -> Verdict:
    tables = needs.crm_tables(facts.config)
    lacking = _lacking(facts, grants.WRITE, tables)
    good, bad = (
        "the account may write FluentCRM's tables",
        "the account may not write all of FluentCRM's tables",
    )
    return _judge(facts, lacking, good, bad)


@check("account.E003", "The sidecar's own tables", INIT)
def own(facts: Facts) -> Verdict:
    tables: dict[str, tuple[str, ...]] = {facts.prefix + name: () for name in needs.OWN}
    lacking = _lacking(facts, [*grants.WRITE, "CREATE"], tables)
    good, bad = (
        "the account may make the sidecar's own tables",
        "the account may not make the sidecar's own tables",
    )
    return _judge(facts, lacking, good, bad)


@check(
    "account.W004",
    "No more rights than needed",
    "make an own account: `sidecar init` prints the GRANTs, which leave the shop's tables read-only",
)
def modest(facts: Facts) -> Verdict:
    rights = grants.parse(facts.shop.grants)
    database = facts.config.shop.database.name
    users = needs.users_table(facts.config)
    name = facts.shop.account.partition("@")[0]
    if rights.everything or name == "root":
        return Verdict("warning", f"the account {name} administers the whole server")
    spare = [
        f"{privilege} on {table}"
        for table in (f"{facts.prefix}posts", users, f"{facts.prefix}wc_orders", f"{facts.prefix}options")
        for privilege in ("INSERT", "UPDATE", "DELETE")
        if rights.may(privilege, database, table)
    ]
    if rights.may("SELECT", database, users, ["user_pass"]):
        spare.append(f"SELECT of the password hashes in {users}")
    if spare:
        return Verdict("warning", "the account may do what the sidecar never does", "", spare)
    return Verdict("ok", "the account may do no more than the sidecar needs")
