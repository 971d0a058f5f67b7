"""The shop's empty tables, in the shape that the wanted storage and FluentCRM version have."""

from __future__ import annotations

import re
from importlib.resources import files
from typing import Any, Literal

import pymysql

Storage = Literal["hpos", "posts"]
FluentCRM = Literal["3.1", "2.9"]

HPOS_TABLES = ("wc_orders", "wc_order_addresses", "wc_order_operational_data", "wc_orders_meta")

# FluentCRM 2.9 made these tables before it knew the unique keys and the index with the date.
OLDER = (
    ("UNIQUE KEY `subscriber_object_type_unique` (`subscriber_id`,`object_id`,`object_type`),\n", ""),
    ("UNIQUE KEY `funnel_seq_subscriber_unique` (`funnel_id`,`sequence_id`,`subscriber_id`),\n", ""),
    ("UNIQUE KEY `funnel_subscriber_idx` (`funnel_id`,`subscriber_id`),\n", ""),
    ("UNIQUE KEY `short` (`short`),\n", ""),
    ("KEY `subscriber_status_created_idx` (`status`,`created_at`)",
    "KEY `{p}fc_index__subscriber_status_idx` (`status`)"),
)  # fmt: skip


def statements(*, prefix: str, hpos_tables: bool, fluentcrm: FluentCRM) -> list[str]:
    """The CREATE TABLE statements, in the file's order."""
    text = files("sidecar.demo").joinpath("schema.sql").read_text("utf-8")
    if fluentcrm == "2.9":
        for new, old in OLDER:
            assert new in text, new
            text = text.replace(new, old)
    made = re.findall(r"^CREATE TABLE `\{p\}(\w+)` \(.*?;$", text, re.MULTILINE | re.DOTALL)
    bodies = re.split(r"(?=^CREATE TABLE )", text, flags=re.MULTILINE)[1:]
    return [
        body.replace("{p}", prefix)
        for name, body in zip(made, bodies, strict=True)
        if hpos_tables or name not in HPOS_TABLES
    ]


def create(connection: pymysql.Connection[Any], *, prefix: str, hpos_tables: bool, fluentcrm: FluentCRM) -> None:
    """Make the tables. None of them may exist."""
    with connection.cursor() as cursor:
        for statement in statements(prefix=prefix, hpos_tables=hpos_tables, fluentcrm=fluentcrm):
            cursor.execute(statement)
