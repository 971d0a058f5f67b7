"""WordPress accounts and their meta."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sidecar.mysql.connection import Reader
from sidecar.mysql.sqltext import spans
from sidecar.store.model import Account
from sidecar.store.orders import Sums, moment


class Customers:
    """Accounts by primary key. A user's role is in `{prefix}capabilities`: see `capabilities_key`."""

    def __init__(self, shop: Reader) -> None:
        self._shop = shop

    @property
    def capabilities_key(self) -> str:
        """The usermeta key that holds the roles on this blog (it carries the blog's prefix)."""
        return f"{self._shop.tables.prefix}capabilities"

    def page(self, after: int, limit: int) -> list[tuple[int, str]]:
        """The next (id, e-mail as stored) after an id, ascending."""
        return sorted((row[0], row[1] or "") for row in self._shop.page("users_page", after=after, limit=limit))

    def load(self, ids: Sequence[int], keys: Collection[str]) -> dict[int, Account]:
        """Those accounts with the wanted meta; ids that are gone are missing."""
        if not ids:
            return {}
        page = spans(ids)
        rows = self._shop.page("users_rows", ids=page)
        metas = self._shop.documents("users_meta", ids=page, keys=sorted(keys)) if keys else {}
        nothing: tuple[int, dict[str, str]] = (0, {})
        wanted = frozenset(ids)
        return {
            id_: Account(
                id=id_,
                email=email or "",
                registered=moment(registered),
                display_name=display_name or "",
                crc=crc + metas.get(id_, nothing)[0],
                meta=metas.get(id_, nothing)[1],
            )
            for id_, email, registered, display_name, crc in rows
            if id_ in wanted
        }

    def last_id(self) -> int:
        """No account has a higher id."""
        return int(self._shop.value("users_last_id") or 0)

    def sums(self, after: int, upto: int) -> Sums:
        """{bucket of 256 ids: (accounts, sum of crc)} of the accounts' rows alone."""
        return {bucket: (count, crc) for bucket, count, crc in self._shop.page("users_sums", after=after, upto=upto)}

    def last_meta_id(self) -> int:
        """No account meta has a higher id."""
        return int(self._shop.value("users_meta_last_id") or 0)

    def meta_sums(self, after: int, upto: int, keys: Collection[str]) -> dict[int, int]:
        """{bucket: sum of crc} of the wanted meta with these meta ids; to be added to the rows' sums."""
        return dict(self._shop.page("users_meta_sums", after=after, upto=upto, keys=sorted(keys)))

    def ids_by_email(self, email: str) -> list[int]:
        """Accounts whose e-mail the collation calls equal; compare exactly afterwards."""
        return [int(row[0]) for row in self._shop.rows("users_by_email", email=email)]
