"""People's names: cleaned for FluentCRM, which prints contact values unescaped and parses smartcodes."""

from __future__ import annotations

import re
import unicodedata
from html import unescape

from sidecar.values.characters import BIDI

_PLAIN = re.compile(r"[A-Za-z0-9.'-]+(?: [A-Za-z0-9.'-]+)*")
# Nothing in it that `clean` would touch: the fast answer for nearly every name in any script.
_ORDINARY = re.compile(
    "(?! )[^\x00-\x1f\x7f-\xa0<>{}#\u061c\u115f\u1160\u1680\u180e\u2000-\u200b\u200e\u200f\u2028-\u202f"
    "\u205f-\u206f\u3000\u3164\ufeff\ufff9-\uffff\ud800-\udfff]+(?<! )"
)
_TAG = re.compile(r"<[/!?a-zA-Z][^<>]*>")
_SMARTCODE = re.compile(r"\{\{|\}\}|##")
# Control characters, direction marks, byte order marks and halves of broken surrogate pairs. The joiners
# U+200C and U+200D stay: Persian and Indic spelling needs them, and emoji are built with them.
_CONTROL = re.compile(
    f"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f{BIDI}\u115f\u1160\u180e\u200b\u2060-\u2064\u206a-\u206f\u3164"
    "\ufeff\ufff9-\uffff\ud800-\udfff]"
)
_BLANKS = re.compile(r"\s+")

_PARTICLE = re.compile(
    r"van|von|de|da|di|del|della|der|den|des|dos|du|la|le|ter|ten|op|zu|zum|zur|al|el|bin|ibn|ben|af|av"
)
_WORD = re.compile(r"[^\W\d_]+")
# A zero-width joiner, a combining mark or a variation selector belongs to the character before it.
_JOINER = "\u200d"


def clean(raw: str | None) -> str:
    """`raw` as one line that is only text: no control or direction characters, no HTML tags, no {{ }} ##.

    White space is trimmed and collapsed; the owner's spelling and case stay. clean(clean(x)) == clean(x).
    """
    if not raw:
        return ""
    if _PLAIN.fullmatch(raw) is not None:
        return raw
    if _ORDINARY.fullmatch(raw) is not None and "  " not in raw:
        return raw
    text = _BLANKS.sub(" ", _CONTROL.sub("", raw)).strip()
    while True:  # taking one thing out may join the halves of another: <b<b>>, {#{# }
        found = _SMARTCODE.sub("", _TAG.sub("", text))
        if found == text:
            return _BLANKS.sub(" ", text).strip()
        text = found


def shown(title: str) -> str:
    """What WordPress shows of a title or the name of a category: it keeps an & as &amp;, so that what is looked for by
    rules and filters would not be what the owner reads. Without an entity it stays as it is stored."""
    if "&" not in title or (plain := unescape(title)) == title:
        return title
    return clean(plain)


def safe_text(raw: str | None, limit: int) -> str:
    """`clean(raw)` cut to at most `limit` characters, not inside a joined sequence (emoji, accents)."""
    text = clean(raw)
    if len(text) <= limit:
        return text
    end = max(limit, 0)
    while end and (_belongs(text[end]) or text[end - 1] == _JOINER):
        end -= 1
    return clean(text[:end] if end else text[: max(limit, 0)])


def _belongs(character: str) -> bool:
    return (
        character == _JOINER
        or unicodedata.category(character) in ("Mn", "Me", "Mc")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


def proper(raw: str | None) -> str:
    """`clean(raw)` with capitals put right, only for a name typed all in capitals or all in small letters.

    ANNA NOWAK-KOWALSKA → Anna Nowak-Kowalska, o'neil → O'Neil, JAN VAN DER BERG → Jan van der Berg.
    McDonald is not guessed. Mixed case and scripts without case stay as they are.
    """
    text = clean(raw)
    if not text or not (text.isupper() or text.islower()):
        return text
    if sum(map(str.isalpha, text)) < 3:  # initials: "JP", "Al"
        return text
    words = text.split(" ")
    return " ".join(_cased(word, first=i == 0, last=i == len(words) - 1) for i, word in enumerate(words))


def _cased(word: str, first: bool, last: bool) -> str:
    lowered = word.lower()
    if _PARTICLE.fullmatch(lowered) and not first and not last:
        return lowered
    if word.isupper() and ("." in word or (len(word) <= 3 and word in ("II", "III", "IV"))):
        return word  # J.P., III
    return _WORD.sub(_capital, lowered)


def _capital(found: re.Match[str]) -> str:
    word = found[0]
    before = found.string[found.start() - 1 : found.start()]
    if before in ("'", "’") and len(word) < 2:  # possessive s, not a name
        return word
    return word[0].upper() + word[1:]


def split(full: str | None) -> tuple[str, str]:
    """(first, last) from a full name in one field; last is "" for a single word.

    The last word is the last name, with the particles before it ("Ludwig", "van Beethoven"). In Arabic
    script the first word is the first name: Persian last names have parts. "Nowak, Anna" is last, first.
    """
    text = clean(full)
    if text.count(",") == 1:
        last, _, first = (part.strip() for part in text.partition(","))
        if first and last:
            return first, last
    words = text.split(" ")
    if len(words) < 2:
        return text, ""
    if any("\u0600" <= c <= "\u06ff" for c in words[0]):
        return words[0], " ".join(words[1:])
    start = len(words) - 1
    while start > 1 and _PARTICLE.fullmatch(words[start - 1].lower()):
        start -= 1
    return " ".join(words[:start]), " ".join(words[start:])
