"""A step's text and a context become a message."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC
from typing import Any

import msgspec
from jinja2 import TemplateError

from sidecar.automations.messages import language as languages
from sidecar.automations.messages import layout, plain, sandbox, short
from sidecar.automations.messages.links import Links
from sidecar.automations.messages.model import Context, Line, Product, Rendered
from sidecar.automations.messages.names import NAMES
from sidecar.automations.messages.view import Look, show
from sidecar.automations.model import Send, Text

_NOTHING = Text()
_NO_LINKS = Links()


def render(
    send: Send,
    context: Context,
    language: str,
    links: Links,
    *,
    standalone: bool = True,
    parts: Collection[str] = ("email", "short"),
) -> Rendered:
    """The message of a step in a language that it has a text in. Never raises: what is wrong stands in `problems`.

    `standalone`: `html` is a whole page with its own way to unsubscribe. Not: only what goes inside, for a sender that has a page
    and a footer of its own (FluentCRM). `parts`: email, short, or both.
    """
    text = send.texts.get(language, _NOTHING)
    problems: list[str] = []
    if language not in send.texts:
        problems.append(f"there is no text in {language!r}")
    look = Look(language, context.zone or UTC)
    written: dict[str, str] = {}
    if "email" in parts:
        values = _values(context, look, links, through=links.whole)
        for name in ("subject", "preheader"):
            written[name] = _one_line(_part("text", getattr(text, name), values, name, problems))
        written["body"] = _part("html", text.body, values, "body", problems)
    if "short" in parts:
        values = _values(context, look, links, through=True)
        written["short"] = short.tidy(_part("text", text.short, values, "short", problems))
    html = ""
    if written.get("body", "").strip():
        if standalone:
            html = layout.document(
                written["body"], language, context.shop, subject=written["subject"], preheader=written["preheader"],
                unsubscribe=links.unsubscribe() if send.purpose == "marketing" else "",
                preferences=links.preferences if send.purpose == "marketing" else "",
            )  # fmt: skip
        else:
            html = layout.fragment(written["body"], language)
    return Rendered(
        subject=written.get("subject", ""), preheader=written.get("preheader", ""), html=html,
        text=plain.text(html) if html else "", short=written.get("short", ""), problems=tuple(problems), language=language,
        home=context.shop.url,
    )  # fmt: skip


def fill(source: str, context: Context, language: str, links: Links = _NO_LINKS) -> tuple[str, tuple[str, ...]]:
    """A single text (a note, a ticket, a value of a field): what it says, and why it cannot be said."""
    problems: list[str] = []
    values = _values(context, Look(language, context.zone or UTC), links, through=False)
    return _part("text", source, values, "text", problems), tuple(problems)


def _part(part: sandbox.Part, source: str, values: Mapping[str, Any], name: str, problems: list[str]) -> str:
    if not source.strip():
        return ""
    try:
        return sandbox.run(part, source, values)
    except TemplateError as error:
        problems.append(f"{name}: {error.message or type(error).__name__}")
        return ""


def _values(context: Context, look: Look, links: Links, *, through: bool) -> dict[str, Any]:
    """The names of a template. `through`: products are reached through the plugin, which counts the click."""
    code = context.coupon.code if context.coupon else ""
    cart = context.cart
    if cart is not None:
        own = msgspec.structs.replace(links, cart=links.cart or cart.id, code=links.code or code)
        cart = msgspec.structs.replace(cart, link=own.cart_link, items=_lines(cart.items, links, through))
    order = context.order
    if order is not None and through:
        order = msgspec.structs.replace(order, items=_lines(order.items, links, through))
    reorder = context.reorder
    if reorder is not None and through:
        reorder = msgspec.structs.replace(reorder, product=_product(reorder.product, links))
    given: dict[str, Any] = {
        "person": msgspec.structs.replace(context.person, greeting=_greeting(context, look.language)),
        "shop": msgspec.structs.replace(context.shop, url=links.go(0, context.shop.url)) if through else context.shop,
        "order": order,
        "cart": cart,
        "coupon": context.coupon,
        "reorder": reorder,
        "products": _products(context.products, links, through),
        "cross_sells": _products(context.cross_sells, links, through),
        "language": look.language,
        "preferences_link": links.preferences,
        "unsubscribe_link": links.unsubscribe(),
        "survey_link": links.survey,
    }
    values = {name: show(given[name], look, name) for name in NAMES}
    return {**values, "look_": look, "shop_": context.shop}


def _greeting(context: Context, language: str) -> str:
    words = languages.words(language)
    name = context.person.first_name
    return words["greeting"].format(name=name) if name else words["greeting_nobody"]


def _products(products: tuple[Product, ...], links: Links, through: bool) -> tuple[Product, ...]:
    return tuple(_product(product, links) for product in products) if through else products


def _product(product: Product, links: Links) -> Product:
    return msgspec.structs.replace(product, url=links.go(product.variation_id or product.id, product.url))


def _lines(lines: tuple[Line, ...], links: Links, through: bool) -> tuple[Line, ...]:
    if not through:
        return lines
    return tuple(
        msgspec.structs.replace(line, url=links.go(line.variation_id or line.product_id, line.url))
        if line.url
        else line
        for line in lines
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())
