"""The database server."""

from __future__ import annotations

import os
from datetime import timedelta

from sidecar.doctor.model import Facts, Verdict, numbers
from sidecar.doctor.registry import check

CLOCK_SECONDS = 60
SMALL_PACKET, TINY_PACKET = 16 << 20, 4 << 20
ODD_MODES = ("ANSI_QUOTES", "ANSI", "NO_BACKSLASH_ESCAPES", "PAD_CHAR_TO_FULL_LENGTH", "PIPES_AS_CONCAT")


@check(
    "server.E001",
    "The database answers",
    "is the server up, and are [shop.database] host, user and password right?",
    needs_database=False,
)
def connection(facts: Facts) -> Verdict:
    if facts.database is None:
        return Verdict("error", facts.trouble or "the shop's database did not answer", facts.trouble_hint)
    return Verdict("ok", f"the database {facts.config.shop.database.name} answers")


@check("server.W002", "Version of the database server", "ask the host for MariaDB 10.6 or MySQL 8.0")
def version(facts: Facts) -> Verdict:
    shop = facts.shop
    name = "MariaDB" if shop.maria else "MySQL"
    needed, better = ((10, 2, 3), (10, 6)) if shop.maria else ((5, 7, 8), (8, 0))
    found = numbers(shop.server)
    shown = f"{name} {'.'.join(map(str, found))}"
    if found < needed:
        return Verdict("warning", f"{shown} is too old for fast reading: everything works, several times slower")
    if found < better:
        return Verdict("info", f"{shown} works; {'.'.join(map(str, better))} or newer is recommended")
    return Verdict("ok", f"{shown}")


@check(
    "server.W003",
    "Clocks of this host and of the database",
    "let NTP set both clocks (`timedatectl set-ntp true`)",
)
def clocks(facts: Facts) -> Verdict:
    if os.environ.get("SIDECAR_NOW"):
        return Verdict("ok", "SIDECAR_NOW fixes the time, so the clocks are not compared")
    apart = abs((facts.shop.server_time - facts.shop.our_time).total_seconds())
    if apart > CLOCK_SECONDS:
        return Verdict("warning", f"the database's clock and this host's are {apart:.0f} s apart")
    return Verdict("ok", "the database's clock and this host's agree")


@check(
    "server.W004",
    "Time zone of the database",
    "ask the host for a database in UTC: else FluentCRM's dates in the hour that spring skips are refused",
)
def zone(facts: Facts) -> Verdict:
    shop = facts.shop
    name = shop.variables.get("time_zone", "")
    name = shop.variables.get("system_time_zone", name) if name == "SYSTEM" else name
    if shop.winter_offset != shop.summer_offset:
        return Verdict("warning", f"the database's time zone ({name}) has daylight saving time")
    if shop.winter_offset == timedelta(0):
        return Verdict("ok", "the database runs in UTC")
    site = shop.our_time.astimezone(shop.zone).utcoffset()
    same = "the shop's present offset" if site == shop.winter_offset else "not the shop's offset"
    return Verdict(
        "info",
        f"the database's time zone is {name}, {same}",
        "nothing to do: the sidecar never changes the session's zone, so FluentCRM's dates stay as they are",
    )


@check("server.W005", "Largest packet", "set max_allowed_packet to 16M or more, or ask the host to")
def packet(facts: Facts) -> Verdict:
    size = int(facts.shop.variables.get("max_allowed_packet") or SMALL_PACKET)
    shown = f"max_allowed_packet is {size / (1 << 20):.0f} MiB"
    if size < TINY_PACKET:
        return Verdict("warning", f"{shown}: pages are read again piecemeal, which is slow")
    if size < SMALL_PACKET:
        return Verdict("info", f"{shown}; 16 MiB or more is better")
    return Verdict("ok", shown)


@check(
    "server.W006",
    "SQL mode",
    "take these modes out of the server's sql_mode; WordPress does not expect them either",
)
def sql_mode(facts: Facts) -> Verdict:
    modes = {mode for mode in facts.shop.variables.get("sql_mode", "").split(",") if mode}
    odd = sorted(modes.intersection(ODD_MODES))
    if odd:
        return Verdict("warning", f"the server's sql_mode has {', '.join(odd)}")
    return Verdict("ok", "the server's sql_mode is a usual one")
