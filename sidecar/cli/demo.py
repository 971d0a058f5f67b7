"""`sidecar demo`: an invented shop in a private database, the main job on it, a recount, and nothing left behind."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from pathlib import Path

import click

from sidecar import runtime, toml_text
from sidecar.cli import sync_show
from sidecar.cli.context import Context, pass_run
from sidecar.cli.steps import Steps
from sidecar.config import Config, Database, Shop, State
from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.demo.schema import Storage
from sidecar.demo.shop import NOW, build
from sidecar.errors import SidecarError
from sidecar.new_file import write_private
from sidecar.runtime import Runtime
from sidecar.sync.engine import Report
from sidecar.sync.verify import Verdict

NAME = "demo_shop"
# What the shop itself would say: paid orders less their refunds, foreign ones at the rate they keep, in one statement.
_NET = """SELECT COUNT(*), SUM((t.total + t.back) / t.rate) FROM (SELECT x.total, x.back,
 CASE WHEN x.currency = 'PLN' THEN 1 WHEN x.wcpay > 0 AND x.wcpay_base = 'PLN' THEN x.wcpay
 WHEN x.woocs > 0 AND x.woocs_base = 'PLN' THEN x.woocs WHEN x.aelia > 0 THEN x.total / x.aelia END AS rate
 FROM (SELECT {columns}, {metas} FROM {tables}) x) t WHERE t.rate IS NOT NULL"""
_METAS = {
    "wcpay": "_wcpay_multi_currency_order_exchange_rate", "wcpay_base": "_wcpay_multi_currency_order_default_currency",
    "woocs": "_woocs_order_rate", "woocs_base": "_woocs_order_base_currency", "aelia": "_order_total_base_currency",
}  # fmt: skip


def _sql(storage: Storage) -> str:
    if storage == "hpos":
        columns = """o.currency, o.total_amount AS total, (SELECT COALESCE(SUM(r.total_amount), 0) FROM wp_wc_orders r
 WHERE r.parent_order_id = o.id AND r.type = 'shop_order_refund') AS back"""
        tables = "wp_wc_orders o WHERE o.type = 'shop_order' AND o.status IN ('wc-processing', 'wc-completed')"
        meta = (
            "(SELECT meta_value FROM wp_wc_orders_meta WHERE order_id = o.id AND meta_key = '{key}' LIMIT 1) AS {name}"
        )
    else:
        columns = """(SELECT meta_value FROM wp_postmeta WHERE post_id = o.ID AND meta_key = '_order_currency' LIMIT 1)
 AS currency,
 (SELECT CAST(meta_value AS DECIMAL(26,8)) FROM wp_postmeta
 WHERE post_id = o.ID AND meta_key = '_order_total' LIMIT 1) AS total,
 (SELECT COALESCE(SUM(CAST(m.meta_value AS DECIMAL(26,8))), 0) FROM wp_posts r JOIN wp_postmeta m ON m.post_id = r.ID
 AND m.meta_key = '_order_total' WHERE r.post_parent = o.ID AND r.post_type = 'shop_order_refund') AS back"""
        tables = "wp_posts o WHERE o.post_type = 'shop_order' AND o.post_status IN ('wc-processing', 'wc-completed')"
        meta = "(SELECT meta_value FROM wp_postmeta WHERE post_id = o.ID AND meta_key = '{key}' LIMIT 1) AS {name}"
    metas = ", ".join(
        meta.format(key=key, name=name)
        if name.endswith("_base")
        else meta.format(key=key, name=name).replace("meta_value", "CAST(meta_value AS DECIMAL(26,8))", 1)
        for name, key in _METAS.items()
    )
    return _NET.format(columns=columns, metas=metas, tables=tables)


@click.command()
@click.option(
    "--customers", default=2000, show_default=True, type=click.IntRange(20, 100_000), help="People in the shop."
)
@click.option("--orders", default=6000, show_default=True, type=click.IntRange(0, 500_000), help="Orders in the shop.")
@click.option(
    "--storage", type=click.Choice(["hpos", "posts"]), default="hpos", show_default=True,
    help="WooCommerce's order tables, or posts as in older shops.",
)  # fmt: skip
@click.option("--keep", is_flag=True, help="Keep the shop until Ctrl-C, to try other commands on it.")
@pass_run
def demo(run: Context, customers: int, orders: int, storage: Storage, keep: bool) -> None:
    """See the main job at work on an invented shop.

    Starts a private MariaDB (own directory and socket, no network), builds a shop full of oddities in it, runs
    `sync`, counts everything again by another path, syncs once more, and stops and removes all that it started.
    Needs MariaDB's server program (Debian, Ubuntu: mariadb-server); touches no other database.
    """
    out = run.output
    with _fixed_clock(), _folder() as folder, PrivateMariaDB() as server:
        out.say(f"A private MariaDB is up. Building a shop of {customers:,} customers and {orders:,} orders …")
        server.create_database(NAME)
        with closing(server.connect(NAME)) as connection:
            build(connection, storage=storage, customers=customers, orders=orders)
        config = _config(server, folder)
        with runtime.build(config) as shop:
            with Steps(out) as steps:
                first = shop.sync(progress=steps)
                verdict = shop.verify(steps)
            again = shop.sync()
            _show(run, shop, server, first, verdict, again)
        if keep:
            _wait(run, config, folder)
    out.say("Everything that was started is stopped and removed.")
    if not verdict.ok or again.counts.writes:
        raise SidecarError(
            "the demo did not come out as it should", hint="please report it with the output of `sidecar demo --json`"
        )


@contextmanager
def _fixed_clock() -> Iterator[None]:
    """The demo's shop lives on one certain day."""
    before = os.environ.get("SIDECAR_NOW")
    os.environ["SIDECAR_NOW"] = NOW.isoformat()
    try:
        yield
    finally:
        if before is None:
            del os.environ["SIDECAR_NOW"]
        else:
            os.environ["SIDECAR_NOW"] = before


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder for the state that goes away, also when we are told to end (SIGTERM)."""
    folder = Path(tempfile.mkdtemp(prefix="sidecar-demo-"))
    mine = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, _interrupt) if mine else None
    try:
        yield folder
    finally:
        if mine:
            signal.signal(signal.SIGTERM, before)
        shutil.rmtree(folder, ignore_errors=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _config(server: PrivateMariaDB, folder: Path) -> Config:
    database = Database(unix_socket=server.socket, user="root", name=NAME)
    return Config(
        shop=Shop(table_prefix="wp_", users_table="wp_users", usermeta_table="wp_usermeta", database=database),
        state=State(dir=str(folder / "state")),
    )


def _show(run: Context, shop: Runtime, server: PrivateMariaDB, first: Report, verdict: Verdict, again: Report) -> None:
    out = run.output
    counts = first.counts
    own = _total(server, verdict.storage)
    speed = round(counts.orders_read / counts.seconds) if counts.seconds else 0
    standing = shop.status(1)
    out.result({
        "counts": counts, "orders_per_second": speed, "storage": first.storage, "currency": first.currency,
        "ltv_contacts": verdict.ltv_crm, "shop_total": own[1],
        "verify_ok": verdict.ok, "second_run_writes": again.counts.writes, "lines": verdict.lines,
        "custom_statuses": standing.custom_statuses,
    })  # fmt: skip
    out.say()
    rows = sync_show.rows_of(counts)
    rows += [("seconds", counts.seconds), ("orders a second", speed)]
    out.table([(name, f"{value:,}" if isinstance(value, int) else value) for name, value in rows], ["the run", ""])
    out.say()
    _money(run, verdict, own)
    out.say()
    out.raw(click.style("Every row of the shop, and where it is:", bold=True))
    sync_show.account(out, verdict.lines)
    out.say()
    if verdict.ok:
        out.say(
            f"Counted again by another path: shop and FluentCRM agree to the cent, each person ({verdict.seconds} s)."
        )
    else:
        sync_show.verdict(out, verdict, 20)
    out.say(f"A second sync wrote {again.counts.writes} values ({again.counts.seconds} s).")


def _money(run: Context, verdict: Verdict, own: tuple[int, Decimal]) -> None:
    """From the contacts' LTV to the shop's own total, and every step between."""
    currency = verdict.currency
    rows = [("LTV of all contacts in FluentCRM", sync_show.amount(verdict.ltv_crm))]
    rows += [
        (f"+ {line.rows} orders: {sync_show.why(line.reason)}", sync_show.amount(line.worth))
        for line in verdict.lines
        if line.kind == "order" and line.place != "in" and line.worth
    ]
    total = verdict.ltv_crm + sum(
        (line.worth for line in verdict.lines if line.kind == "order" and line.place != "in"), Decimal(0)
    )
    rows.append(("= all paid orders less refunds", sync_show.amount(total)))
    rows.append((f"the shop's own total, by one statement of SQL over {own[0]:,} orders", sync_show.amount(own[1])))
    if abs(total - own[1]) >= Decimal("0.01"):
        run.output.warn("these two should be the same")
    width = max(len(value) for _, value in rows)
    run.output.table([(name, value.rjust(width)) for name, value in rows], [f"money ({currency})", ""])


def _total(server: PrivateMariaDB, storage: Storage) -> tuple[int, Decimal]:
    """(orders, net in the shop's currency) of the shop's paid orders."""
    with closing(server.connect(NAME)) as connection, connection.cursor() as cursor:
        cursor.execute(_sql(storage))
        count, net = cursor.fetchall()[0]
        return int(count), Decimal(str(net or 0)).quantize(Decimal("0.01"))


def _wait(run: Context, config: Config, folder: Path) -> None:
    """Leave the shop up until Ctrl-C."""
    import msgspec

    file = folder / "sidecar.toml"
    shop = {"table_prefix": "wp_", "users_table": "wp_users", "usermeta_table": "wp_usermeta"}
    database = {key: value for key, value in msgspec.to_builtins(config.shop.database).items() if value}
    write_private(
        file,
        toml_text.dumps({"shop": {**shop, "database": database}, "state": {"dir": config.state.dir}}),
        replace=False,
    )
    run.output.raw("The shop stays until Ctrl-C. In another terminal:")
    run.output.raw(f"  export SIDECAR_CONFIG={file} SIDECAR_NOW={NOW.isoformat()}")
    run.output.raw("  sidecar sync status; sidecar sync verify; sidecar mapping explain anna.wielka@example.org")
    run.output.raw(f"  mariadb --socket={config.shop.database.unix_socket} -uroot {NAME}")
    try:
        signal.pause()
    except KeyboardInterrupt:
        run.output.say()
