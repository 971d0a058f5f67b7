"""Parts of an e-mail that a body may call for: HTML that mail programs show the same. Everything is escaped here.

Each stands between blank lines, so that `layout` makes it a block of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from jinja2 import Undefined, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from markupsafe import Markup

from sidecar.automations.messages import formats
from sidecar.automations.messages import language as languages
from sidecar.automations.messages.view import Look, Shown

_MOST_PRODUCTS = 12
_TABLE = Markup(
    '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="margin:16px 0">'
)
_BUTTON = Markup(
    '\n\n<table role="presentation" cellpadding="0" cellspacing="0" border="0" align="center"'
    ' style="margin:24px auto"><tr><td align="center" bgcolor="#1f5fbf"'
    ' style="border-radius:6px;background-color:#1f5fbf"><a href="{url}" style="display:inline-block;padding:14px 28px;'
    "border:1px solid #1f5fbf;border-radius:6px;background-color:#1f5fbf;color:#ffffff;font-weight:bold;"
    'text-decoration:none">{label}</a></td></tr></table>\n\n'
)
_IMAGE = Markup(
    '<img src="{src}" alt="{alt}" width="{width}" style="display:block;width:{width}px;max-width:100%;height:auto;border:0">'
)
_LINK = Markup('<a href="{url}" style="color:inherit">{name}</a>')
_OLD = Markup(' <span style="text-decoration:line-through;opacity:.7">{price}</span>')


@pass_context
def button(context: Context, label: Any, url: Any) -> Markup:
    """A button that leads to `url`."""
    return _BUTTON.format(label=label, url=_url(url))


@pass_context
def product_grid(context: Context, products: Any) -> Markup:
    """Products two by two, with image, name, price and what others think of them."""
    look = _look(context)
    cells = [_product(product, look) for product in _several(products)[:_MOST_PRODUCTS]]
    if not cells:
        return Markup("")
    rows = [cells[place : place + 2] for place in range(0, len(cells), 2)]
    body = Markup("").join(Markup("<tr>{}</tr>").format(Markup("").join(row)) for row in rows)
    return Markup("\n\n{}{}</table>\n\n").format(_TABLE, body)


@pass_context
def cart_table(context: Context, cart: Any) -> Markup:
    """What is in a cart or an order, line by line, with the total."""
    if not isinstance(cart, Shown):
        return Markup("")
    words = _words(context)
    rows = [_line(line, _look(context)) for line in _several(cart.field("items"))]
    if not rows:
        return Markup("")
    total = cart.field("total")
    if not isinstance(total, Undefined):
        rows.append(
            Markup(
                '<tr><td colspan="2" style="padding:12px 8px;font-weight:bold">{}</td>'
                '<td align="{}" style="padding:12px 8px;font-weight:bold;white-space:nowrap">{}</td></tr>'
            ).format(words["total"], _end(_look(context)), total)
        )
    return Markup("\n\n{}{}</table>\n\n").format(_TABLE, Markup("").join(rows))


@pass_context
def coupon_box(context: Context, coupon: Any) -> Markup:
    """A coupon's code, in a frame, with until when and from which amount it holds. Nothing when there is no coupon."""
    if not isinstance(coupon, Shown):
        return Markup("")
    words = _words(context)
    lines = [
        Markup('<strong style="font-size:22px;letter-spacing:2px" dir="ltr">{}</strong>').format(coupon.field("code"))
    ]
    for name, place, word in (("expires", "day", "until"), ("minimum", "amount", "minimum")):
        value = coupon.field(name)
        if not isinstance(value, Undefined):
            lines.append(Markup("{}").format(words[word].format(**{place: value})))
    if coupon.field("free_shipping") is True:
        lines.append(Markup("{}").format(words["free_shipping"]))
    return Markup(
        '\n\n{}<tr><td align="center" style="padding:16px;border:2px dashed #1f5fbf;border-radius:6px">{}<br>{}</td></tr>'
        "</table>\n\n"
    ).format(
        _TABLE, words["code"], Markup("<br>").join(lines)
    )  # fmt: skip


def _product(product: Shown, look: Look) -> Markup:
    name, price, old = product.field("name"), product.field("price"), product.field("regular_price")
    parts = [_picture(product, 260), _linked(product, name), _options(product)]
    if not isinstance(price, Undefined):
        sale = product.field("on_sale") is True and not isinstance(old, Undefined)
        parts.append(Markup("<strong>{}</strong>{}").format(price, _OLD.format(price=old) if sale else ""))
    rating = product.field("rating")
    if not isinstance(rating, Undefined):
        reviews = formats.digits(product.field("reviews"), look.language)
        parts.append(
            Markup("★ {} ({} {})").format(
                formats.digits(rating, look.language), reviews, languages.words(look.language)["reviews"]
            )
        )
    return Markup('<td width="50%" valign="top" style="padding:8px">{}</td>').format(
        Markup("<br>").join(part for part in parts if part)
    )


def _line(line: Shown, look: Look) -> Markup:
    total = line.field("total")
    return Markup(
        '<tr><td width="80" valign="top" style="padding:8px">{}</td><td valign="top" style="padding:8px">{}{}{} × {}</td>'
        '<td align="{}" valign="top" style="padding:8px;white-space:nowrap">{}</td></tr>'
    ).format(
        _picture(line, 64), _linked(line, line.field("name")), Markup("<br>") if _options(line) else "", _options(line),
        formats.digits(line.field("quantity"), look.language), _end(look), "" if isinstance(total, Undefined) else total,
    )  # fmt: skip


def _picture(product: Shown, width: int) -> Markup:
    image, url = product.field("image"), product.field("url")
    if isinstance(image, Undefined):
        return Markup("")
    picture = _IMAGE.format(src=image, alt=product.field("name"), width=width)
    return picture if isinstance(url, Undefined) else _LINK.format(url=url, name=picture)


def _linked(product: Shown, name: Any) -> Markup:
    url = product.field("url")
    return Markup("{}").format(name) if isinstance(url, Undefined) else _LINK.format(url=url, name=name)


def _options(product: Shown) -> Markup:
    options = product.field("options")
    return Markup("") if isinstance(options, Undefined) else Markup("<small>{}</small>").format(options)


def _several(value: Any) -> list[Shown]:
    if isinstance(value, Shown):
        return [value]
    if isinstance(value, Undefined) or not isinstance(value, Iterable) or isinstance(value, str):
        return []
    return [one for one in value if isinstance(one, Shown)]


def _url(url: Any) -> str:
    text = str(url)
    if not text.lower().startswith(("https://", "http://", "mailto:", "tel:")):
        raise SecurityError("a button leads to an address that begins with https://")
    return text


def _look(context: Context) -> Look:
    look: Look = context["look_"]
    return look


def _words(context: Context) -> dict[str, str]:
    return languages.words(_look(context).language)


def _end(look: Look) -> str:
    return "left" if languages.rtl(look.language) else "right"


MACROS: dict[str, Callable[..., Markup]] = {
    "button": button,
    "cart_table": cart_table,
    "coupon_box": coupon_box,
    "product_grid": product_grid,
}
