"""Random hostile shops: what FluentCRM shows of everybody is what an oracle of its own says, and `verify` agrees."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import hostile_rows
import pytest
from hostile import Shop
from hostile_truth import cents, truth
from syncing import run

from sidecar.config import Config, Database
from sidecar.config import Shop as ShopSection
from sidecar.config import State as StateSection
from sidecar.demo.mariadb import PrivateMariaDB
from sidecar.mapping import compile as mapping_rules
from sidecar.state.database import State
from sidecar.sync.explain import explain
from sidecar.sync.verify import verify
from sidecar.values import php

names = count(1)
SLUGS = {
    "count": "woo_orders_count", "ltv": "woo_ltv", "aov": "woo_aov", "first": "woo_first_order", "last": "woo_last_order",
    "payment": "woo_payment_method", "shipping": "woo_shipping_method", "utm": "woo_utm_source", "device": "woo_device",
    "products": "woo_products", "categories": "woo_categories", "kinds": "woo_product_types", "status": "woo_customer_status",
}  # fmt: skip


def shown(connection: Any, prefix: str) -> dict[str, dict[str, Any]]:
    """{address: figures} as FluentCRM reads them: the first row of a field."""
    found: dict[str, dict[str, Any]] = {}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, email, status, first_name FROM {prefix}fc_subscribers")
        people = cursor.fetchall()
        cursor.execute(f"SELECT subscriber_id, `key`, value FROM {prefix}fc_subscriber_meta ORDER BY id DESC")
        values = {(id_, key): value for id_, key, value in cursor.fetchall()}
    for id_, email, status, first in people:
        mine = {name: values.get((id_, slug)) for name, slug in SLUGS.items()}
        for name in ("products", "categories", "kinds"):
            mine[name] = set(php.loads(mine[name])) if mine[name] else set()
        for name in ("payment", "shipping", "utm", "device"):
            mine[name] = mine[name] or ""
        assert email.lower() not in found
        assert status == ("unsubscribed" if first == "Kept" else "transactional")
        found[email.lower()] = mine
    return found


def compare(shop: Shop, connection: Any) -> None:
    wants, there = truth(shop), shown(connection, shop.prefix)
    wrong: dict[str, Any] = dict.fromkeys(wants.keys() - there.keys(), "no contact")
    for email, want in wants.items():
        got = there.get(email)
        if got is None:
            continue
        for name, value in want.items():
            if name in ("net", "aov"):
                text = got["ltv" if name == "net" else "aov"]
                if value is None:
                    ok = text is None
                else:
                    # Each order in another currency is rounded to its sixth decimal.
                    ok = text is not None and (text == cents(value) or abs(Decimal(text) - value) < Decimal("0.00501"))
            else:
                ok = got[name] == (str(value) if name == "count" else value)
            if not ok:
                wrong[f"{email} {name}"] = (got["ltv" if name == "net" else name], str(value))
    assert wrong == {}


def explained(shop: Shop, config: Config, state: State) -> None:
    """`mapping explain`, which reads the shop by another way, says the same of some of them."""
    for email, want in list(truth(shop).items())[::6]:
        found = explain(config, state, mapping_rules.load(None), email).facts
        assert found.orders_count == want["count"], email
        assert abs(Decimal(found.ltv) - want["net"]) < Decimal("0.00501"), email


@pytest.mark.parametrize("storage", ["hpos", "posts"])
@pytest.mark.parametrize("seed", range(1, 4))
def test_a_hostile_shop(mariadb: PrivateMariaDB, tmp_path: Path, storage: Any, seed: int) -> None:
    shop = Shop(seed, storage)
    name = f"hostile_{next(names)}"
    mariadb.create_database(name)
    with closing(mariadb.connect(name, autocommit=True)) as connection:
        hostile_rows.create(shop, connection)
        hostile_rows.write(shop, connection)
        hostile_rows.contacts(shop, connection)
        place = Database(unix_socket=mariadb.socket, user="root", name=name)
        config = Config(
            shop=ShopSection(table_prefix=shop.prefix, database=place), state=StateSection(dir=str(tmp_path))
        )
        for _ in range(3):
            run(config)
            compare(shop, connection)
            assert run(config).counts.writes == 0
            with State(config.state.dir) as state:
                verdict = verify(config, state, mapping_rules.load(None))
                explained(shop, config, state)
            assert (verdict.differences, verdict.faults, verdict.disagreements) == ([], [], [])
            shop.change()
            hostile_rows.write(shop, connection)
    mariadb.drop_database(name)
