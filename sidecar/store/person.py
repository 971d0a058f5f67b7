"""Which orders are one person's, asked of the shop itself. For `explain`: the sync knows them from its ledger."""

from __future__ import annotations

from collections.abc import Sequence

from sidecar.mysql.connection import Reader
from sidecar.store.schema import Storage
from sidecar.values import email


def orders_of(shop: Reader, storage: Storage, identity: str, user_ids: Sequence[int]) -> list[int] | None:
    """Ids of the orders of an e-mail identity and of accounts. None where the storage has no index to ask: the
    legacy one keeps both in meta values, and only a walk over all orders could tell."""
    if storage != "hpos":
        return None
    found = {int(row[0]) for row in shop.rows("person_orders_hpos_by_user", ids=user_ids)} if user_ids else set()
    # The index knows the text as typed: blanks in front are the slip that the collation does not overlook.
    spellings = [identity, f" {identity}", f"  {identity}", f"\t{identity}", f"<{identity}>", f"mailto:{identity}"]
    rows = shop.rows("person_orders_hpos_by_email", emails=spellings)
    return sorted(found | {int(row[0]) for row in rows if email.identity(row[1]) == identity})


def refunds_of(shop: Reader, storage: Storage, order_ids: Sequence[int]) -> list[int]:
    """Ids of the refunds of orders."""
    if not order_ids:
        return []
    return sorted(int(row[0]) for row in shop.rows(f"person_refunds_{storage}", ids=order_ids))
