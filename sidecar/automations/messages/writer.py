"""What the engine asks for words (`place.Writer`): contexts in bulk, a language for each, rendering, and the last look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from sidecar import clock
from sidecar.automations.messages import check, context, language, links, render, sandbox
from sidecar.automations.messages.links import Links
from sidecar.automations.messages.model import Context, Rendered
from sidecar.automations.model import ChannelName, Send, Text
from sidecar.automations.place import Item, Reach, Written
from sidecar.config import Config
from sidecar.mysql.connection import Reader
from sidecar.state.database import State

# These put an e-mail into a page of their own, with a way to unsubscribe, and count its clicks.
_OWN_PAGE = frozenset({"fluentcrm"})
# The consent that each channel needs, as the plugin's page calls it.
_CONSENT: dict[ChannelName, str] = {
    "email": "email", "sms": "sms", "telegram": "messaging", "whatsapp": "messaging", "push": "push",
}  # fmt: skip
# What a message tells of when its subject is of a kind.
_TOLD = {"cart": {"cart"}, "order": {"order"}, "product": {"products", "reorder"}}


class MessageWriter:
    """Writes messages for one shop. What it needs of a place it has itself; the shop is asked anew for each batch."""

    def __init__(self, config: Config, state: State, reader: Reader, zone: tzinfo, reach: Reach) -> None:
        self.config = config
        self.state = state
        self.reader = reader
        self.zone = zone
        self._reach = reach

    @property
    def now(self) -> int:
        """Unix seconds UTC."""
        return int(clock.now().timestamp())

    def messages(self, wanted: Sequence[tuple[Item, Send, ChannelName]]) -> list[Written]:
        """Each message by its channel, in the order asked."""
        if not wanted:
            return []
        names = {name for _, send, channel in wanted for name in _used(send, channel)}
        contexts = context.load(self, [item for item, _, _ in wanted], names)
        key = links.key_of(self.reader)
        own_page = self._reach.providers().get("email") in _OWN_PAGE
        return [self._message(item, send, channel, contexts[item.id], key, own_page) for item, send, channel in wanted]

    def texts(self, wanted: Sequence[tuple[Item, str]]) -> list[str | None]:
        """Single templates, in the shop's language (the owner reads them); None for one that is broken."""
        if not wanted:
            return []
        names = {name for _, source in wanted for name in sandbox.used(source)}
        contexts = context.load(self, [item for item, _ in wanted], names)
        found: list[str | None] = []
        for item, source in wanted:
            about = contexts[item.id]
            spoken = language.choose(tuple(language.WORDS), about.shop_locale)
            text, problems = render.fill(source, about, spoken, Links(home=about.shop.url, contact=item.contact_id))
            found.append(None if problems else text)
        return found

    def _message(
        self, item: Item, send: Send, channel: ChannelName, about: Context, key: str, own_page: bool
    ) -> Written:
        subject = context.subject_of(item.subject)
        if about.gone and _TOLD[subject.kind] & _used(send, channel):
            return Written(problems=(f"gone: the {subject.kind} that it is about is not there any more",))
        spoken = language.choose(_languages(send, channel), about.locale, about.shop_locale)
        email = channel == "email"
        way = Links(
            home=about.shop.url, key=key, now=self.now, message=item.message, contact=item.contact_id,
            cart=about.cart.id if about.cart else 0, code=about.coupon.code if about.coupon else "",
            survey=self.config.automations.survey_url, whole=email and not own_page, consent=_CONSENT[channel],
        )  # fmt: skip
        rendered = render.render(
            send, about, spoken, way, standalone=not own_page,
            parts=("email",) if email else ("subject", "short") if channel == "push" else ("short",),
        )  # fmt: skip
        problems = check.problems(rendered, send, channel=channel, needs_unsubscribe=email and not own_page)
        if problems:
            return Written(language=spoken, problems=tuple(problems))
        if email:
            return Written(
                language=spoken, subject=rendered.subject, preheader=rendered.preheader, html=rendered.html,
                text=rendered.text, unsubscribe=way.unsubscribe() if send.purpose == "marketing" else "",
            )  # fmt: skip
        return self._short(send, channel, about, way, rendered)

    def _short(self, send: Send, channel: ChannelName, about: Context, way: Links, rendered: Rendered) -> Written:
        if channel == "whatsapp":
            # An approved template with one variable, which takes neither line ends nor many blanks.
            template = send.whatsapp.get(rendered.language, "")
            words = " ".join(rendered.short.split())
            if not template:
                return Written(language=rendered.language, problems=("there is no approved template of WhatsApp",))
            return Written(language=rendered.language, text=words, template=template, parameters=(words,))
        return Written(
            language=rendered.language, subject=rendered.subject or about.shop.name, text=rendered.short,
            link=_tap(about, way) if channel == "push" else "",
        )  # fmt: skip


def _tap(about: Context, way: Links) -> str:
    """Where a tap on a push leads: what it is about."""
    if about.cart:
        return way.cart_link or about.shop.url
    if about.order:
        return about.order.pay_link or about.order.link or about.shop.url
    if about.products:
        product = about.products[0]
        return way.go(product.variation_id or product.id, product.url)
    return way.go(0, about.shop.url)


def _part(text: Text, channel: ChannelName) -> str:
    return text.body if channel == "email" else text.short


def _languages(send: Send, channel: ChannelName) -> list[str]:
    """Those in which there is something to say by the channel; all, when there is nothing in any."""
    written = [code for code, text in send.texts.items() if _part(text, channel).strip()]
    if channel == "whatsapp" and send.whatsapp:
        written = [code for code in written if code in send.whatsapp]
    return written or list(send.texts)


def _used(send: Send, channel: ChannelName) -> set[str]:
    """The names that its texts use; a push leads to what it is about besides."""
    found = {"cart", "order", "products"} if channel == "push" else set()
    for text in send.texts.values():
        parts = (text.subject, text.preheader, text.body) if channel == "email" else (text.subject, text.short)
        for source in parts:
            if source:
                found |= sandbox.used(source)
    return found
