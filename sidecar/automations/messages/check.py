"""What is looked at last, before a message goes out. Each problem refuses the message: better none than a broken one."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from sidecar.automations.messages import plain
from sidecar.automations.messages.model import Rendered
from sidecar.automations.model import ChannelName, Send

MOST_SUBJECT = 192  # FluentCRM's column
MOST_SHORT = 700  # ten SMS in Persian
MOST_HTML = 102_000  # Gmail cuts what is longer, and the unsubscribe with it
_MARKS = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|##")
_NONE = re.compile(r"(?:^|[\s(])(?:None|undefined|NaN)(?=\s*[,!?:<)]|\s*$)", re.MULTILINE)
_HELLO = (
    "hi|hello|hey|dear|cześć|witaj|szanowna|szanowny|dzień dobry,?|drogi|droga|здравей|здравейте,?|скъпи|скъпа|уважаеми|"
    "سلام|hallo|liebe|lieber|bonjour|cher|chère|ciao|hola"
)
# "Hello ," and "Hello !": the name is missing. A word alone ("Hello,") is a greeting as good as any.
_EMPTY_GREETING = re.compile(rf"^\s*(?:{_HELLO})[ \u00a0]+[,،!.:]", re.IGNORECASE | re.MULTILINE)
_NOBODY_DEAR = re.compile(r"^\s*عزیز\b", re.MULTILINE)
_HTML_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_ACTIVE = re.compile(r"<\s*(script|iframe|form|object|embed|svg)\b|\son[a-z]+\s*=", re.IGNORECASE)
_SCHEMES = frozenset({"http", "https", "mailto", "tel"})
_LOCAL = re.compile(r"localhost|.*\.(?:localhost|local|test|invalid|example)|127(?:\.\d+){3}|0\.0\.0\.0|10(?:\.\d+){3}|192\.168(?:\.\d+){2}|\[?::1\]?|172\.(?:1[6-9]|2\d|3[01])(?:\.\d+){2}|169\.254(?:\.\d+){2}", re.IGNORECASE)  # fmt: skip
_BARE_LINK = re.compile(r"https?://[^\s<>()\"']+", re.IGNORECASE)


def problems(
    rendered: Rendered, send: Send, *, channel: ChannelName | None = None, needs_unsubscribe: bool = False
) -> list[str]:
    """Why the message must not go out, in plain words and without what it says; empty when it may.

    `channel`: the one it goes by (None: all that the step has a text for). `needs_unsubscribe`: nobody else adds a way to
    unsubscribe, so a marketing e-mail must have it.
    """
    found = list(rendered.problems)
    if found:
        # What could not be written cannot be looked at.
        return found
    channels = send.channels if channel is None else (channel,)
    if "email" in channels:
        found += _email(rendered, send, needs_unsubscribe=needs_unsubscribe)
    if any(other != "email" for other in channels):
        found += _short(rendered)
    return list(dict.fromkeys(found))


def _email(rendered: Rendered, send: Send, *, needs_unsubscribe: bool) -> list[str]:
    found = _subject(rendered.subject)
    if not rendered.html or not rendered.text.strip():
        return [*found, "the e-mail has no body"]
    if len(rendered.html.encode("utf-8", "replace")) > MOST_HTML:
        found.append(f"the e-mail is larger than {MOST_HTML // 1000} kB: mail programs cut it")
    found += _words(rendered.text, "the e-mail") + _words(rendered.preheader, "the preheader")
    if _MARKS.search(rendered.html) and not any("merge tag" in one for one in found):
        found.append("a broken merge tag is left in the e-mail's HTML ({{, {%, ## …)")
    if _ACTIVE.search(rendered.html):
        found.append("the e-mail has scripts, forms or frames in it: mail programs take that for an attack")
    read = plain.read(rendered.html)
    for link in read.links:
        found += _link(link, rendered.home)
    if not all(read.images):
        found.append("a picture has no alt text")
    if needs_unsubscribe and send.purpose == "marketing" and not any(_unsubscribes(link) for link in read.links):
        found.append("a marketing e-mail without a way to unsubscribe")
    return found


def _subject(subject: str) -> list[str]:
    if not subject.strip():
        return ["the subject is empty"]
    found = _words(subject, "the subject")
    if len(subject) > MOST_SUBJECT:
        found.append(f"the subject has {len(subject)} characters, at most {MOST_SUBJECT}")
    if any(ord(character) < 32 for character in subject):
        found.append("the subject has a line break or a control character in it")
    letters = [character for character in subject if character.isupper() or character.islower()]
    if len(letters) >= 8 and all(character.isupper() for character in letters):
        found.append("the subject is all in capitals: spam filters count that")
    if subject.count("!") > 2 or "!!" in subject:
        found.append("the subject has too many exclamation marks")
    return found


def _short(rendered: Rendered) -> list[str]:
    if not rendered.short.strip():
        return ["there is no short text for this channel"]
    found = _words(rendered.short, "the short text")
    if len(rendered.short) > MOST_SHORT:
        found.append(f"the short text has {len(rendered.short)} characters, at most {MOST_SHORT}")
    if _HTML_TAG.search(rendered.short):
        found.append("the short text has HTML in it")
    for link in _BARE_LINK.findall(rendered.short):
        found += _link(link, rendered.home)
    return found


def _words(text: str, what: str) -> list[str]:
    found = []
    if _MARKS.search(text):
        found.append(f"a broken merge tag is left in {what} ({{{{, {{%, ## …)")
    if _NONE.search(text):
        found.append(f'{what} says "None" where something is missing')
    if _EMPTY_GREETING.search(text) or _NOBODY_DEAR.search(text):
        found.append(f"{what} greets nobody: the name is missing")
    return found


def _link(link: str, home: str) -> list[str]:
    if link.startswith("#"):
        return []
    try:
        parts = urlsplit(link)
        host = parts.hostname or ""
    except ValueError:
        return ["a link is no address"]
    if parts.scheme.lower() not in _SCHEMES:
        return [f"a link has no address that begins with https:// ({_shown(link)})"]
    if parts.scheme.lower() in ("mailto", "tel"):
        return [] if parts.path else ["a mailto: or tel: link leads to nobody"]
    if not host:
        return [f"a link has no host ({_shown(link)})"]
    if _LOCAL.fullmatch(host) and host != _host(home):
        return [f"a link leads to {host}, which nobody outside can open"]
    if "." not in host and ":" not in host and host != _host(home):
        return [f"a link leads to {host}, which is no host"]
    return []


def _unsubscribes(link: str) -> bool:
    return "?fcsc=u." in link or "?fcsc=p." in link or ("fluentcrm=1" in link and "route=unsubscribe" in link)


def _host(home: str) -> str:
    try:
        return urlsplit(home).hostname or ""
    except ValueError:
        return ""


def _shown(link: str) -> str:
    """Enough of a link to find it: what follows ? or : may be somebody's secret."""
    return re.split(r"[?:](?!//)", link)[0][:60]
