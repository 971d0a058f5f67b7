"""What kind of values a meta key holds, told from samples, and how to show one without giving it away. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal, get_args

from sidecar.values import dates, email, phone, php, places
from sidecar.values.masking import mask_text

Kind = Literal[
    "empty", "flag", "number", "money", "date", "jalali_date", "date_time", "unix_time", "phone", "email", "url",
    "country", "slug", "text", "long_text", "html", "json", "php_list", "php_array", "php_object", "ids", "secret",
    "mixed",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)

_LONG = 120
_MOST = 0.8  # the share of samples that settles the kind
_FLAGS = frozenset({"yes", "no", "true", "false", "on", "off", "1", "0", "tak", "nie", "да", "не", "بله", "خیر"})
_SECRET_KEY = re.compile(
    r"(?:^|[_\-])(?:session_tokens?|tokens?|secret|password|passwd|pass|pwd|nonce|api_?key|private_?key|order_key|cart_hash"
    r"|auth|otp|pin|card|cvv|iban|last4|fingerprint|application_passwords)(?:[_\-]|$)",
    re.IGNORECASE,
)
_INTEGER = re.compile(r"-?\d{1,18}")
_DECIMAL = re.compile(r"-?\d{1,15}[.,]\d{1,8}")
_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})|(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
_DATE_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?")
_IDS = re.compile(r"\d{1,10}(?:\s*[,;|]\s*\d{1,10})+")
_URL = re.compile(r"(?:https?:)?//[^\s]+", re.IGNORECASE)
_HTML = re.compile(r"<(?:/?[a-z][a-z0-9]*[\s>/]|!--)", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9+/_$.:=-]{20,}")
_HEX = re.compile(
    r"(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}|[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12})", re.IGNORECASE
)
_PREFIXED = re.compile(
    r"(?:wc_order|cus|pm|pi|src|ch|sk|pk|tok|whsec|seti)_[A-Za-z0-9_]{8,}|\$P\$.{20,}|\$(?:2y|wp)\$.{20,}"
)
_SLUG = re.compile(r"#?[a-z0-9]+(?:[-_.:][a-z0-9]+)*", re.IGNORECASE)
_PHONE = re.compile(r"[+(]?[\d\s().\-/]{7,22}")
_PHONE_KEY = re.compile(r"phone|mobile|tel(?:$|_)|telefon|komork|sms|whatsapp|موبایل", re.IGNORECASE)
_MONEY_KEY = re.compile(
    r"total|price|amount|cost|fee|tax|discount|spent|balance|subtotal|revenue|refund", re.IGNORECASE
)
_PERSONAL_KEY = re.compile(
    r"name|city|town|street|address|postcode|zip|mail|phone|mobile|login|user|customer|company|note|birth|dob|nip|vat|tax_?id"
    r"|pesel|ip$|_ip_|agent|order_?id|account|iban|gender|locale|comment|message|gift|_id$",
    re.IGNORECASE,
)
_CODE = re.compile(r"(?!.*@)(?=.*[A-Za-z(])[A-Za-z0-9_()./:-]{1,30}|\d{1,2}")
_MOST_CODES = 25
_FEWEST_OWNERS = 5
_TIME_KEY = re.compile(r"time|date|last_|_at$|updated|active|expires|created|_on$|timestamp", re.IGNORECASE)
_COUNTRY_KEY = re.compile(r"country|kraj|държава|region$", re.IGNORECASE)


def is_secret_key(key: str) -> bool:
    """Whether the name alone says that no value of it may be shown (session tokens, order keys, card numbers …)."""
    return _SECRET_KEY.search(key) is not None


def of_value(text: str, key: str = "") -> Kind:
    """The kind of one value. Numbers are told apart by the key's name where the value alone cannot."""
    value = text.strip()
    if not value:
        return "empty"
    found = _structure(value)
    if found is not None:
        return found
    plain = places.digits(value)
    if value.lower() in _FLAGS:
        return "flag"
    if "@" in value and email.problem(value.lower()) is None:
        return "email"
    if _URL.fullmatch(value):
        return "url"
    for test in (_time, _numeric):
        found = test(plain, key)
        if found is not None:
            return found
    if _PREFIXED.fullmatch(value) or _HEX.fullmatch(value) or (_TOKEN.fullmatch(value) and _is_random(value)):
        return "secret"
    if _HTML.search(value):
        return "html"
    if len(value) > _LONG:
        return "long_text"
    if len(value) == 2 and value.isupper() and places.country(value):
        return "country"
    if _COUNTRY_KEY.search(key) and places.country(value):
        return "country"
    return "slug" if _SLUG.fullmatch(value) and len(value) <= 60 and not value[:1].isupper() else "text"


def _structure(value: str) -> Kind | None:
    head = value[:2]
    if head in ("a:", "O:", "C:") and re.match(r'(?:a:\d+:\{|[OC]:\d+:")', value):
        if head != "a:":
            return "php_object"
        try:
            loaded = php.loads(value)
        except php.PhpError:
            return "php_array"  # cut short or damaged: still no text to put into a field
        plain = isinstance(loaded, list) and all(isinstance(item, str | int | float | bool) for item in loaded)
        return "php_list" if plain else "php_array"
    if head in ("s:", "b:", "i:", "d:") and php.looks_serialized(value):
        return "php_array"
    if value[0] in "[{" and value[-1] in "]}":
        try:
            json.loads(value)
        except ValueError:
            return None
        return "json"
    return "json" if value[0] in "[{" and re.match(r'[\[{]\s*"', value) and len(value) >= 400 else None


def _time(plain: str, key: str) -> Kind | None:
    if _DATE_TIME.fullmatch(plain):
        return "date_time"
    found = _DATE.fullmatch(plain)
    if found is None:
        return None
    year = int(found[1] or found[6])
    if 1250 <= year <= 1500 and dates.birthday(plain, True):
        return "jalali_date"
    return "date" if 1850 <= year <= 2200 or plain.startswith("0000") else None


def _numeric(plain: str, key: str) -> Kind | None:
    if _IDS.fullmatch(plain) and not _DECIMAL.fullmatch(plain):
        return "ids"
    if _DECIMAL.fullmatch(plain):
        return "money" if _MONEY_KEY.search(key) or re.fullmatch(r"-?\d+[.,]\d\d", plain) else "number"
    if _INTEGER.fullmatch(plain):
        if re.fullmatch(r"1[0-9]{9}(?:\d{3})?", plain) and _TIME_KEY.search(key):
            return "unix_time"
        if _PHONE_KEY.search(key) and 7 <= len(plain) <= 15:
            return "phone"
        if re.fullmatch(r"(?:19|20)\d{6}", plain) and "birth" in key.lower():
            return "date"
        return "money" if _MONEY_KEY.search(key) and not key.lower().endswith("_count") else "number"
    if _PHONE.fullmatch(plain):
        digits = sum(map(str.isdigit, plain))
        if 7 <= digits <= 15 and (plain[0] in "+(" or _PHONE_KEY.search(key) or digits >= 9):
            return "phone"
    return None


def _is_random(value: str) -> bool:
    """Whether a long word looks like a key: letters of both cases mixed with digits, or few vowels."""
    digits = sum(map(str.isdigit, value))
    return digits >= 4 and any(c.isupper() for c in value) and any(c.islower() for c in value)


_WIDER: tuple[tuple[frozenset[Kind], Kind], ...] = (
    (frozenset({"flag", "number"}), "number"),
    (frozenset({"flag", "number", "money"}), "money"),
    (frozenset({"number", "ids"}), "ids"),
    (frozenset({"date", "jalali_date"}), "date"),
    (frozenset({"date", "jalali_date", "date_time"}), "date"),
    (frozenset({"phone", "number"}), "phone"),
    (frozenset({"php_list", "php_array"}), "php_array"),
    (frozenset({"slug", "text", "country", "flag", "number"}), "text"),
    (frozenset({"slug", "text", "long_text", "html"}), "long_text"),
)


def of_samples(samples: Sequence[str], key: str = "") -> Kind:
    """The kind that at least four fifths of the samples share, else a wider one that holds them, else `mixed`."""
    if is_secret_key(key):
        return "secret"
    counts = Counter(of_value(sample, key) for sample in samples)
    del counts["empty"]
    total = counts.total()
    if not total:
        return "empty"
    kind, most = counts.most_common(1)[0]
    # One secret among many texts is enough to hide them all.
    if counts["secret"] * 5 > total:
        return "secret"
    if kind == "flag" and {sample.strip() for sample in samples} <= {"0", ""}:
        kind = "number"  # an amount or id that nobody has yet
    if most >= _MOST * total:
        return kind
    for group, wider in _WIDER:
        if sum(counts[one] for one in group) >= _MOST * total:
            return wider
    return "mixed"


def masked(text: str, kind: Kind) -> str:
    """A value as it may be shown: its shape, never what it says. Codes that name no person stay readable."""
    value = " ".join(text.split())
    if kind == "secret":
        return "(hidden)"
    own = of_value(text)
    if own == "email" or kind == "email":
        return email.mask(value)
    if kind == "phone" or own == "phone":
        return phone.mask(value) if re.fullmatch(r"\+\d+", value) else mask_text(value)
    if own == "secret":
        return "(hidden)"
    if own == kind and kind in ("flag", "country"):
        return value
    if kind == "url":
        return mask_text(value.partition("//")[0]) + "//" + mask_text(value.partition("//")[2])
    head = re.match(r"[aOC]:\d{1,9}:", value)
    if own in ("php_list", "php_array", "php_object") and head:
        return f"{head[0]}{{…}}"  # only how many: keys and strings inside may say anything
    return mask_text(value)


def codes(samples: Sequence[str], kind: Kind, key: str = "") -> list[str]:
    """Values that are no text of one person but a word of the shop's (a gateway, a device, a source): short, shared
    by at least five owners, under a key that is not about a person. They may be shown as they are."""
    if kind not in ("slug", "text", "number", "flag") or _PERSONAL_KEY.search(key):
        return []
    counts = Counter(sample.strip() for sample in samples)
    if len(counts) > _MOST_CODES or len(samples) < _FEWEST_OWNERS:
        return []
    return [value for value, seen in counts.most_common() if seen >= _FEWEST_OWNERS and _CODE.fullmatch(value)]


def shown(samples: Sequence[str], kind: Kind, key: str = "", most: int = 3) -> list[str]:
    """A few samples, masked; different ones first."""
    if kind == "secret":
        return ["(hidden)"] if samples else []
    known = codes(samples, kind, key)
    if known:
        return known[:most]
    return list(dict.fromkeys(masked(sample, kind) for sample in samples))[:most]
