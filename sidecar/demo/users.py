"""Accounts as WordPress holds them: users and usermeta."""

from __future__ import annotations

from sidecar.demo.dates import utc
from sidecar.demo.people import locale_of
from sidecar.demo.phptext import dump
from sidecar.demo.plan import Person, Plan
from sidecar.demo.rows import Rows

FIXED = {
    "description": "", "rich_editing": "true", "syntax_highlighting": "true", "comment_shortcuts": "false",
    "admin_color": "fresh", "use_ssl": "0", "show_admin_bar_front": "true",
}  # fmt: skip


def write_users(plan: Plan, rows: Rows) -> None:
    """Every account."""
    user = rows.into(
        "users", "ID,user_login,user_pass,user_nicename,user_email,user_registered,user_status,display_name"
    )
    meta = rows.into("usermeta", "user_id,meta_key,meta_value")
    buyers = {order.customer_id for order in plan.orders if order.status in ("wc-processing", "wc-completed")}
    for person in plan.people:
        number = person.user_id
        if not number:
            continue
        login = "admin" if number == 1 else f"u{number}"
        a = person.address
        shown = f"{a.first} {a.last}".strip()[:250] or login
        user((number, login, "", login, person.email, utc(person.registered), 0, shown))
        for name, value in _metas(person, rows.prefix, login).items():
            meta((number, name, value))
        if number in buyers:
            meta((number, "paying_customer", "1"))
            meta((number, "last_update", str(plan.now - number)))
            meta((number, "wc_last_active", str(plan.now - number % 400 * 86_400)))


def _metas(person: Person, prefix: str, login: str) -> dict[str, str]:
    a = person.address
    metas = {
        "nickname": login,
        "first_name": a.first,
        "last_name": a.last,
        **FIXED,
        "locale": locale_of(person),
    }
    if person.roles:
        metas[f"{prefix}capabilities"] = dump(dict.fromkeys(person.roles, True))
        metas[f"{prefix}user_level"] = "10" if "administrator" in person.roles else "0"
    if person.profile is not None:
        metas |= {f"billing_{name}": value for name, value in person.profile.parts()}
        metas["billing_email"] = person.profile_email or person.email
    return metas | {name.replace("{p}", prefix): value for name, value in person.meta.items()}
