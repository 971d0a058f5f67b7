"""Slugs as WordPress makes them, so that a tag made by the sidecar is the tag WordPress would have made."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote_from_bytes

from sidecar.values.characters import encode

_LIMIT = 200  # bytes: wp_terms.slug and wp_posts.post_name are varchar(200)

# remove_accents() in wp-includes/formatting.php maps Latin letters by table; most of the table is Unicode
# decomposition, these are not. (Locale-specific rows, such as German ä → ae, need the site's locale: not
# here.)
_LATIN = str.maketrans(
    "ªºÐðØøĐđĦħıĸŁłŊŋŦŧſ€",
    "aoDdOoDdHhikLlNnTtsE",
    "£",
) | str.maketrans(
    {
        "Æ": "AE",
        "æ": "ae",
        "Þ": "TH",
        "þ": "th",
        "ß": "s",
        "Œ": "OE",
        "œ": "oe",
        "Ĳ": "IJ",
        "ĳ": "ij",
        "ŉ": "n",
    }
)
# sanitize_title_with_dashes(), context "save": these become hyphens, × becomes x, and the rest vanishes: ¡
# ¿ and
# quotation marks, bullets, ©®°…™, lone accents, zero-width and direction marks.
_SPECIAL = {
    **dict.fromkeys("\u00a0\u2010\u2011\u2013\u2014\u2028\u2029\u202f", "-"),
    **dict.fromkeys(map(chr, range(0x2000, 0x200B)), "-"),
    "×": "x",
    **dict.fromkeys("¡¿«»‹›‘’“”‚‛„‟•©®°…™´ˊ", ""),
    **dict.fromkeys("\u00ad\u0300\u0301\u0304\u030c\u0341\ufeff\ufff9\ufffa\ufffb\ufffc", ""),
    **dict.fromkeys(map(chr, (*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070))), ""),
}
_TAG = re.compile(r"<[^>]*>")
_ENTITY = re.compile(r"&[^;\s&]{1,30};")
_PERCENT = re.compile(r"%([0-9a-fA-F]{2})")
_OTHER = re.compile(r"[^%a-z0-9 _-]")
_HYPHENS = re.compile(r"[\s-]+")


def slugify(text: str, limit: int = _LIMIT) -> str:
    """sanitize_title($text) for a locale without rules of its own; ASCII, at most `limit` bytes.

    Latin letters lose their accents; every other letter becomes percent-encoded UTF-8, lower case, never
    cut in the middle of a character. "" when nothing is left. Never raises.
    """
    if not text.isascii():
        text = _unaccented_latin(text)
    text = _TAG.sub("", text)
    if "%" in text:  # keep octets that are already encoded, drop stray percent signs
        text = _PERCENT.sub("\ue000\\1", text).replace("%", "").replace("\ue000", "%")
    slug = _encoded(text.lower(), limit).lower()
    slug = _ENTITY.sub("", slug).replace(".", "-").replace("/", "-")
    slug = _HYPHENS.sub("-", _OTHER.sub("", slug))
    return cut(slug.strip("-"), limit).strip("-")


def _unaccented_latin(text: str) -> str:
    out = []
    for character in unicodedata.normalize("NFC", text).translate(_LATIN):
        if "\u00c0" <= character <= "\u024f" or "\u1e00" <= character <= "\u1eff":
            base = unicodedata.normalize("NFD", character)[0]
            out.append(base if base.isascii() else character)
        else:
            out.append(character)
    return "".join(out)


def _encoded(text: str, limit: int) -> str:
    """utf8_uri_encode(): non-ASCII characters as %xx while they fit into `limit` bytes."""
    if text.isascii():
        return text[:limit]
    out: list[str] = []
    size = 0
    for character in text:
        piece = character if character.isascii() else quote_from_bytes(encode(character))
        size += len(piece)
        if size > limit:
            break
        out.append(_SPECIAL.get(character, piece))
    return "".join(out)


def cut(slug: str, limit: int) -> str:
    """At most `limit` bytes, without half a percent-encoded character at the end."""
    if len(slug) <= limit:
        return slug
    pieces = re.findall(r"%[c-f][0-9a-f](?:%[89ab][0-9a-f])*|%[0-9a-f]{2}|.", slug, re.DOTALL)
    size = 0
    for i, piece in enumerate(pieces):
        size += len(piece)
        if size > limit:
            return "".join(pieces[:i])
    return slug
