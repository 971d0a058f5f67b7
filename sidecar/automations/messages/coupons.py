"""The coupons that automations gave, as WooCommerce has them now."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sidecar.automations.messages import clean
from sidecar.automations.messages.model import Coupon, Moment, Percent
from sidecar.automations.messages.site import Site
from sidecar.mysql.connection import Reader
from sidecar.state.database import State
from sidecar.store import products

_META = ("usage_count", "discount_type", "coupon_amount", "minimum_amount", "date_expires", "free_shipping")


def load(state: State, reader: Reader, site: Site, codes: Mapping[int, str], now: int) -> dict[int, Coupon]:
    """{enrolment: coupon} of `codes` ({enrolment: code}); one that is used, gone or over is missing, so that no message
    promises it. `now`: Unix seconds UTC."""
    if not codes:
        return {}
    wanted = msgspec.json.encode(sorted(codes)).decode()
    made = {
        (row[0], row[1]): row[2:]
        for row in state.rows(
            "SELECT enrolment_id, code, coupon_id, expires FROM coupon WHERE enrolment_id IN (SELECT value FROM json_each(?))"
            " AND code <> '' AND cleared = 0 AND order_id IS NULL",
            (wanted,),
        )
    }
    known = {key: made[key] for key in codes.items() if key in made}
    ids = sorted({int(row[0]) for row in known.values() if row[0]})
    metas = products.meta(reader, ids, _META)
    found = {}
    for (enrolment, code), (coupon_id, expires) in known.items():
        meta = metas.get(int(coupon_id or 0), {})
        ends = meta.get("date_expires", "")
        until = int(ends) if ends.isascii() and ends.isdigit() and len(ends) < 13 else int(expires)
        if (coupon_id and not meta) or until <= now or meta.get("usage_count", "0") not in ("0", ""):
            continue
        amount = meta.get("coupon_amount", "")
        free = meta.get("free_shipping") == "yes"
        minimum = site.money(meta.get("minimum_amount"))
        found[enrolment] = Coupon(
            code=clean.text(code, 60),
            amount=Percent(amount) if meta.get("discount_type") == "percent" and amount else site.money(amount),
            expires=Moment(until),
            minimum=minimum if minimum and minimum.micros > 0 else None,
            free_shipping=free,
        )
    return found
