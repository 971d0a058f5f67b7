"""FluentCRM."""

from __future__ import annotations

from sidecar.doctor import needs
from sidecar.doctor.checks.store import missing, unindexed
from sidecar.doctor.model import Facts, Verdict, numbers
from sidecar.doctor.registry import check

PRO = "fluentcampaign-pro"
SINCE_3 = (2, 10)  # FluentCRM 2.9.84 stores 2.9.50, 3.1.10 stores 2.10.10


@check(
    "crm.E001",
    "FluentCRM is there",
    "install FluentCRM (free) and open it once in wp-admin, then run this again",
)
def there(facts: Facts) -> Verdict:
    table = f"{facts.prefix}fc_subscribers"
    if table not in facts.shop.columns:
        return Verdict("error", f"there is no table {table}, or the account may not read it")
    found = facts.shop.options.get("_fluentcrm_db_version")
    if not found:
        return Verdict("error", "FluentCRM's tables are there, but not its option _fluentcrm_db_version")
    return Verdict("ok", f"FluentCRM {_generation(found)} (database {found})")


def _generation(version: str) -> str:
    return "3" if numbers(version) >= SINCE_3 else "2.9"


@check("crm.E002", "FluentCRM is active", "activate FluentCRM in wp-admin → Plugins: no e-mail leaves without it")
def active(facts: Facts) -> Verdict:
    if facts.shop.active("fluent-crm"):
        return Verdict("ok", "FluentCRM is active")
    return Verdict("error", "FluentCRM is not active")


@check(
    "crm.E003",
    "Tables and columns of FluentCRM",
    "deactivate and activate FluentCRM, which makes its tables anew; check the account's GRANTs",
)
def tables(facts: Facts) -> Verdict:
    lost = missing(facts, needs.crm_tables(facts.config))
    if lost:
        return Verdict("error", "FluentCRM's tables are not all there, or the account may not read them", "", lost)
    return Verdict("ok", "FluentCRM's tables and columns are there")


@check("crm.I004", "Version of FluentCRM", "update FluentCRM to 3: it queues and counts more reliably")
def version(facts: Facts) -> Verdict:
    found = facts.shop.options.get("_fluentcrm_db_version", "")
    if found and _generation(found) != "3":
        return Verdict("info", "FluentCRM is of the 2.9 series, which the sidecar supports")
    return Verdict("ok", "FluentCRM is of a current series" if found else "FluentCRM's version is not known")


@check(
    "crm.I005",
    "Unique key of tags and lists",
    "nothing to do: the sidecar looks before it writes; FluentCRM 3 makes the key when there are no doubles",
)
def pivot(facts: Facts) -> Verdict:
    table = f"{facts.prefix}fc_subscriber_pivot"
    wanted = {"subscriber_id", "object_id", "object_type"}
    indexes = facts.shop.indexes.get(table, ())
    if table in facts.shop.tables and not any(i.unique and set(i.columns) == wanted for i in indexes):
        return Verdict("info", f"{table} has no unique key, as in FluentCRM 2.9")
    return Verdict("ok", "a contact can have each tag once only")


@check(
    "crm.I006",
    "FluentCRM Pro",
    "nothing to do; if Pro's own WooCommerce sync is on, its fields and the sidecar's stand side by side",
)
def pro(facts: Facts) -> Verdict:
    if facts.shop.active(PRO):
        return Verdict("info", "FluentCRM Pro is active")
    return Verdict("ok", "FluentCRM Pro is not active, and not needed")


@check(
    "crm.W007",
    "Indexes of FluentCRM's tables",
    "open FluentCRM in wp-admin, which mends its indexes, or deactivate and activate it",
)
def indexes(facts: Facts) -> Verdict:
    lost = unindexed(facts, needs.CRM_INDEXED)
    email = facts.shop.indexes.get(f"{facts.prefix}fc_subscribers", ())
    if email and not any(index.unique and index.columns == ("email",) for index in email):
        lost.append(f"{facts.prefix}fc_subscribers: the unique key on email")
    if lost:
        return Verdict("warning", "FluentCRM's tables lack indexes", "", lost)
    return Verdict("ok", "FluentCRM's indexes are there")
