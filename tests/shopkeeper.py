"""A shop's owner at work: orders, refunds, accounts and products made and changed by SQL, in either order storage."""

from __future__ import annotations

from typing import Any

from support import ShopDatabase
from syncing import execute

_TOUCHED = "2026-11-01 11:59:00"
_COLUMN = {
    "_order_total": "total_amount", "_billing_email": "billing_email", "_customer_user": "customer_id",
    "_order_currency": "currency", "_payment_method": "payment_method",
}  # fmt: skip


class Shopkeeper:
    """`quiet=True` leaves the date of the last change as it was: what plugins and raw SQL do."""

    def __init__(self, shop: ShopDatabase) -> None:
        self.shop = shop
        self.hpos = shop.storage == "hpos"

    def do(self, sql: str, *arguments: object) -> int:
        return execute(self.shop, sql, arguments or None)

    def one(self, sql: str, *arguments: object) -> Any:
        rows = self.shop.rows(sql, arguments or None)
        return rows[0][0] if rows else None

    # --- orders ----------------------------------------------------------------------------------------

    def next_id(self) -> int:
        """A post id that neither storage has taken."""
        posts = self.one("SELECT MAX(ID) FROM wp_posts")
        orders = self.one("SELECT MAX(id) FROM wp_wc_orders") if self.hpos else 0
        return max(posts, orders) + 1

    def order(
        self, email: str, total: str = "100.00", *, at: str = "2026-10-30 10:00:00", status: str = "wc-completed",
        customer: int = 0, currency: str = "PLN", payment: str = "bacs", kind: str = "shop_order", parent: int = 0,
        billing: dict[str, str] | None = None, lines: tuple[tuple[int, int, str], ...] = (), meta: dict[str, str] | None = None,
    ) -> int:  # fmt: skip
        """A new order; `at` is UTC, `lines` are (product, quantity, name)."""
        id_ = self.next_id()
        post_type = "shop_order_placehold" if self.hpos else kind
        post_status = "draft" if self.hpos else status
        self.do(
            "INSERT INTO wp_posts (ID, post_type, post_status, post_date, post_date_gmt, post_modified, post_modified_gmt,"
            " post_parent, post_content, post_title, post_excerpt, to_ping, pinged, post_content_filtered)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, '', '', '', '', '', '')",
            id_, post_type, post_status, at, at, at, at, parent,
        )  # fmt: skip
        address = {"first_name": "Nowa", "last_name": "Osoba", "country": "PL", "phone": "501 700 800"}
        if billing is None:
            address |= {"address_1": "Piotrkowska 1", "city": "Łódź", "state": "LD", "postcode": "90-001"}
        address |= billing or {}
        if self.hpos:
            self.do(
                "INSERT INTO wp_wc_orders (id, status, currency, type, tax_amount, total_amount, customer_id, billing_email,"
                " date_created_gmt, date_updated_gmt, parent_order_id, payment_method)"
                " VALUES (%s, %s, %s, %s, 0, %s, %s, %s, %s, %s, %s, %s)",
                id_, status, currency, kind, total, customer, email, at, at, parent, payment,
            )  # fmt: skip
            names = ", ".join(address)
            self.do(
                f"INSERT INTO wp_wc_order_addresses (order_id, address_type, email, {names}) VALUES (%s, 'billing', %s{', %s' * len(address)})",
                id_, email, *address.values(),
            )  # fmt: skip
        else:
            self.meta(
                id_, _order_total=total, _billing_email=email, _customer_user=str(customer), _order_currency=currency
            )
            self.meta(id_, _payment_method=payment, **{f"_billing_{name}": value for name, value in address.items()})
        self.meta(id_, **(meta or {}))
        for product, quantity, name in lines:
            self.do(
                "INSERT INTO wp_woocommerce_order_items (order_item_name, order_item_type, order_id) VALUES (%s, 'line_item', %s)",
                name,
                id_,
            )
            item = self.one("SELECT MAX(order_item_id) FROM wp_woocommerce_order_items")
            for key, value in (("_product_id", product), ("_variation_id", 0), ("_qty", quantity)):
                self.do(
                    "INSERT INTO wp_woocommerce_order_itemmeta (order_item_id, meta_key, meta_value) VALUES (%s, %s, %s)",
                    item,
                    key,
                    str(value),
                )
        return id_

    def refund(self, order: int, amount: str, *, at: str = "2026-10-31 10:00:00", currency: str = "PLN") -> int:
        """A refund of an order, as a child with a negative total."""
        return self.order(
            "",
            f"-{amount}",
            at=at,
            status="wc-completed",
            kind="shop_order_refund",
            parent=order,
            payment="",
            currency=currency,
        )

    def meta(self, order: int, **values: str) -> None:
        """Meta rows of an order (columns of HPOS: see `set`)."""
        table, column = ("wp_wc_orders_meta", "order_id") if self.hpos else ("wp_postmeta", "post_id")
        for key, value in values.items():
            self.do(f"DELETE FROM {table} WHERE {column} = %s AND meta_key = %s", order, key)
            self.do(f"INSERT INTO {table} ({column}, meta_key, meta_value) VALUES (%s, %s, %s)", order, key, value)

    def set(self, order: int, *, quiet: bool = False, **values: str) -> None:
        """Change what HPOS has as columns, by the keys that posts have: `_order_total`, `_billing_email` …"""
        for key, value in values.items():
            if self.hpos:
                self.do(f"UPDATE wp_wc_orders SET {_COLUMN[key]} = %s WHERE id = %s", value, order)
            else:
                self.do(
                    "UPDATE wp_postmeta SET meta_value = %s WHERE post_id = %s AND meta_key = %s", value, order, key
                )
        # Legacy: only meta change, and post_modified stays (that is how it is in WooCommerce too).
        if self.hpos and not quiet:
            self.do("UPDATE wp_wc_orders SET date_updated_gmt = %s WHERE id = %s", _TOUCHED, order)

    def status(self, order: int, status: str) -> None:
        if self.hpos:
            self.do("UPDATE wp_wc_orders SET status = %s, date_updated_gmt = %s WHERE id = %s", status, _TOUCHED, order)
        else:
            self.do(
                "UPDATE wp_posts SET post_status = %s, post_modified_gmt = %s WHERE ID = %s", status, _TOUCHED, order
            )

    def delete_order(self, order: int) -> None:
        """For good, with all that hangs on it."""
        self.do(
            "DELETE m FROM wp_woocommerce_order_itemmeta m JOIN wp_woocommerce_order_items i USING (order_item_id) WHERE i.order_id = %s",
            order,
        )
        self.do("DELETE FROM wp_woocommerce_order_items WHERE order_id = %s", order)
        if self.hpos:
            for table, column in (
                ("wc_orders", "id"),
                ("wc_order_addresses", "order_id"),
                ("wc_orders_meta", "order_id"),
            ):
                self.do(f"DELETE FROM wp_{table} WHERE {column} = %s", order)
        self.do("DELETE FROM wp_postmeta WHERE post_id = %s", order)
        self.do("DELETE FROM wp_posts WHERE ID = %s", order)

    def orders_of(self, email: str) -> list[int]:
        """Ids of orders with this billing address, oldest first."""
        if self.hpos:
            sql = "SELECT id FROM wp_wc_orders WHERE LOWER(TRIM(billing_email)) = %s ORDER BY date_created_gmt, id"
        else:
            sql = (
                "SELECT p.ID FROM wp_posts p JOIN wp_postmeta m ON m.post_id = p.ID AND m.meta_key = '_billing_email'"
                " WHERE LOWER(TRIM(m.meta_value)) = %s ORDER BY p.post_date_gmt, p.ID"
            )
        return [row[0] for row in self.shop.rows(sql, (email,))]

    def anonymise(self, order: int) -> None:
        """What WooCommerce's eraser does to an order."""
        self.set(order, _billing_email="deleted@site.invalid", _customer_user="0")
        self.meta(order, _anonymized="yes")
        if self.hpos:
            self.do(
                "UPDATE wp_wc_order_addresses SET first_name='[deleted]', last_name='[deleted]', phone='', email='deleted@site.invalid' WHERE order_id = %s",
                order,
            )
        else:
            self.meta(order, _billing_first_name="[deleted]", _billing_last_name="[deleted]", _billing_phone="")

    # --- accounts --------------------------------------------------------------------------------------

    def account(self, email: str, *, role: str = "customer", **meta: str) -> int:
        """Somebody registers."""
        self.do(
            "INSERT INTO wp_users (user_login, user_pass, user_nicename, user_email, user_registered, display_name)"
            " VALUES (%s, '', %s, %s, '2026-10-29 08:00:00', 'New One')",
            email[:60], email[:50], email,
        )  # fmt: skip
        user = int(self.one("SELECT MAX(ID) FROM wp_users"))
        self.user_meta(user, wp_capabilities=f'a:1:{{s:{len(role)}:"{role}";b:1;}}', **meta)
        return user

    def user_of(self, email: str) -> int:
        return int(self.one("SELECT ID FROM wp_users WHERE LOWER(user_email) = %s", email))

    def user_meta(self, user: int, **values: str) -> None:
        for key, value in values.items():
            self.do("DELETE FROM wp_usermeta WHERE user_id = %s AND meta_key = %s", user, key)
            self.do("INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (%s, %s, %s)", user, key, value)

    def delete_account(self, user: int) -> None:
        self.do("DELETE FROM wp_usermeta WHERE user_id = %s", user)
        self.do("DELETE FROM wp_users WHERE ID = %s", user)
