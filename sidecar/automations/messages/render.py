"""A step's text and a context become a message."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import UTC
from typing import Any

import msgspec
from jinja2 import TemplateError

from sidecar.automations.messages import language as languages
from sidecar.automations.messages import layout, plain, sandbox, short
from sidecar.automations.messages.links import Links
from sidecar.automations.messages.model import Context, Line, Product, Rendered
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
    and a footer of its own (FluentCRM). `parts`: email (subject, preheader and body), subject, short.
    """
    text = send.texts.get(language, _NOTHING)
    problems: list[str] = []
    if language not in send.texts:
        problems.append(f"there is no text in {language!r}")
    written: dict[str, str] = {}
    if "email" in parts or "subject" in parts:
        values = _Values(context, language, links, through=links.whole)
        written["subject"] = _one_line(_part("text", text.subject, values, "subject", problems))
    if "email" in parts:
        written["preheader"] = _one_line(_part("text", text.preheader, values, "preheader", problems))
        written["body"] = _part("html", text.body, values, "body", problems)
    if "short" in parts:
        values = _Values(context, language, links, through=True, consent=links.consent)
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
    return _part("text", source, _Values(context, language, links), "text", problems), tuple(problems)


def _part(part: sandbox.Part, source: str, values: _Values, name: str, problems: list[str]) -> str:
    if not source.strip():
        return ""
    try:
        return sandbox.run(part, source, values.of(source))
    except TemplateError as error:
        problems.append(f"{name}: {error.message or type(error).__name__}")
        return ""


class _Values:
    """The names of templates for one message. `through`: products are reached through the plugin, which counts the click;
    `consent`: what the unsubscribe link takes back. Each is made when a text uses it."""

    def __init__(
        self, context: Context, language: str, links: Links, *, through: bool = False, consent: str = "email"
    ) -> None:
        self._context = context
        self._look = Look(language, context.zone or UTC)
        self._links = links
        self._through = through
        self._consent = consent

    def of(self, source: str) -> dict[str, Any]:
        """Those that a text uses."""
        values = {name: show(self._made(name), self._look, name) for name in sandbox.used(source)}
        return {**values, "look_": self._look, "shop_": self._context.shop}

    def _made(self, name: str) -> Any:
        context, links = self._context, self._links
        if name == "person":
            return msgspec.structs.replace(context.person, greeting=_greeting(context, self._look.language))
        if name == "shop":
            url = links.go(0, context.shop.url) if self._through else context.shop.url
            return msgspec.structs.replace(context.shop, url=url)
        if name == "cart" and context.cart:
            code = links.code or (context.coupon.code if context.coupon else "")
            own = msgspec.structs.replace(links, cart=links.cart or context.cart.id, code=code)
            lines = self._lines(context.cart.items)
            return msgspec.structs.replace(context.cart, link=own.cart_link, items=lines)
        if name == "order" and context.order:
            return msgspec.structs.replace(context.order, items=self._lines(context.order.items))
        if name == "reorder" and context.reorder:
            return msgspec.structs.replace(context.reorder, product=self._product(context.reorder.product))
        if name in ("products", "cross_sells"):
            return tuple(self._product(product) for product in getattr(context, name))
        if name == "language":
            return self._look.language
        if name in _LINKS:
            return _LINKS[name](links, self._consent)
        return getattr(context, name)

    def _product(self, product: Product) -> Product:
        if not self._through:
            return product
        url = self._links.go(product.variation_id or product.id, product.url)
        return msgspec.structs.replace(product, url=url)

    def _lines(self, lines: tuple[Line, ...]) -> tuple[Line, ...]:
        if not self._through:
            return lines
        return tuple(
            msgspec.structs.replace(line, url=self._links.go(line.variation_id or line.product_id, line.url))
            if line.url
            else line
            for line in lines
        )


_LINKS: dict[str, Callable[[Links, str], str]] = {
    "preferences_link": lambda links, _: links.preferences,
    "unsubscribe_link": lambda links, consent: links.unsubscribe(consent),
    "survey_link": lambda links, _: links.survey,
}


def _greeting(context: Context, language: str) -> str:
    words = languages.words(language)
    name = context.person.first_name
    return words["greeting"].format(name=name) if name else words["greeting_nobody"]


def _one_line(text: str) -> str:
    return " ".join(text.split())
