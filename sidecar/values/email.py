"""E-mail addresses: the identity of a person, and whether WordPress and FluentCRM can use it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from sidecar.values.characters import INVISIBLE, digits, trim, unaccented

MAX_LENGTH = 190  # fc_subscribers.email is varchar(190)

Problem = Literal["no_at", "bad_domain", "bad_local", "too_long", "site_invalid", "not_wordpress"]

# WordPress wp-includes/formatting.php, is_email(): what it allows in the local part and in a label of the
# domain.
_LOCAL = re.compile(r"[a-zA-Z0-9!#$%&'*+/=?^_`{|}~.-]+")
# Addresses as nearly all are: allowed by is_email(), RFC 5321 and every mailbox provider.
_ORDINARY = re.compile(
    r"[a-z0-9_+-]{1,40}(?:\.[a-z0-9_+-]{1,40}){0,6}@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,5}[a-z]{2,18}",
    re.IGNORECASE,
)
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.IGNORECASE)


def identity(raw: str | None) -> str | None:
    """The key of a person: `raw` without surrounding white space, invisible characters, "mailto:" and <>,
    lower-cased.

    None when nothing is left. Whether it is a usable address is `problem`'s business. Lower-casing is
    Python's, not SQL's; identity(identity(x)) == identity(x).
    """
    if not raw:
        return None
    text = trim(raw).lower()
    if text[:1] == "<" or text[-1:] == ">" or text[:7] == "mailto:":
        text = _unwrapped(text)
    elif text and not text.isascii():
        text = trim(text)  # lower-casing may have bared a mark (İ → i + dot above), never a blank; cheap certainty
    return text or None


def _unwrapped(text: str) -> str:
    while True:
        before = text
        text = trim(text.removeprefix("mailto:"))
        if text[:1] == "<":
            text = trim(text[1:])
        if text[-1:] == ">":
            text = trim(text[:-1])
        if text == before:
            return text


def problem(address: str) -> Problem | None:
    """None for an address that is usable as far as its form can tell, else a short stable code.

    "no_at", "bad_local", "bad_domain": no address. "too_long": for FluentCRM's column. "site_invalid": the
    reserved domain .invalid, which anonymising tools use. "not_wordpress": an address, but is_email()
    refuses it (letters outside ASCII). Looks nothing up. Never raises.
    """
    if len(address) <= MAX_LENGTH and _ORDINARY.fullmatch(address) is not None:
        if address[-8:].lower() == ".invalid":
            return "site_invalid"
        # the pattern bounds the parts; their sum is for RFC 5321's 64 octets of local part
        return "bad_local" if address.index("@") > 64 else None
    return _problem(address)


def _problem(address: str) -> Problem | None:
    local, at, domain = address.rpartition("@")
    if not at:
        return "no_at"
    if len(address) > MAX_LENGTH:
        return "too_long"
    lowered = domain.lower()
    if lowered == "invalid" or lowered.endswith(".invalid"):
        return "site_invalid"
    if not local or len(local) > 64 or local[0] == "." or local[-1] == "." or ".." in local:
        return "bad_local"
    if not domain.isascii():
        # Only these need IDNA tables: an address perhaps, but not one for is_email().
        return "not_wordpress" if _international_domain(domain) else "bad_domain"
    labels = domain.split(".")
    if len(labels) < 2 or len(domain) > 253 or not all(map(_LABEL.fullmatch, labels)):
        return "bad_domain"
    if len(labels[-1]) < 2 or labels[-1].isdigit():
        return "bad_domain"
    if _LOCAL.fullmatch(local) is None:
        return "not_wordpress" if not local.isascii() and _international_local(local) else "bad_local"
    return None


@lru_cache(maxsize=512)
def _international_domain(domain: str) -> bool:
    return _validates(f"a@{domain}")


@lru_cache(maxsize=512)
def _international_local(local: str) -> bool:
    return _validates(f"{local}@wordpress.org")


def _validates(address: str) -> bool:
    from email_validator import EmailNotValidError, validate_email

    try:
        validate_email(address, check_deliverability=False)
    except (EmailNotValidError, ValueError):  # idna's own errors are ValueErrors
        return False
    return True


def anonymised(address: str) -> bool:
    """True for what WooCommerce's eraser leaves: deleted@site.invalid and all other *@site.invalid."""
    return address[-13:].lower() == "@site.invalid"


# Slips of the finger that hygiene reports; the right-hand side is never written to a contact by itself.
_TYPOS = {
    "gmail.com": "gmial.com gmai.com gmal.com gamil.com gmaill.com gmil.com gnail.com gmailc.om gmail.co "
    "gmail.cm gmail.om gimail.com gemail.com googlemail.com ggmail.com",
    "hotmail.com": "hotnail.com hotmial.com hotmal.com hotmai.com hotmil.com hotamil.com htmail.com "
    "hotmaill.com hotmail.co hotmail.cm",
    "yahoo.com": "yaho.com yahooo.com yhoo.com yahho.com yaoo.com yahoo.co yahoo.cm",
    "outlook.com": "outlok.com outloook.com outlook.co outlook.cm otlook.com outllok.com",
    "icloud.com": "iclod.com icoud.com icloud.co iclou.com icloud.cm",
    "abv.bg": "avb.bg abv.bh abv.gb abv.com",
    "wp.pl": "wp.lp",
    "onet.pl": "onet.lp onte.pl",
    "interia.pl": "interia.lp intreia.pl",
}
_RIGHT = {typo: right for right, typos in _TYPOS.items() for typo in typos.split()}
_ENDINGS = {
    ".con": ".com",
    ".cmo": ".com",
    ".ocm": ".com",
    ".comm": ".com",
    ".vom": ".com",
    ".cpm": ".com",
    ".nte": ".net",
}
_DOTLESS = frozenset({"gmail.com"})


def spelling_key(address: str) -> str:
    """A key under which likely spellings of one mailbox meet: for reports of duplicates, not for merging.

    Drops +tags, Gmail's dots, and undoes common slips in the domain. Idempotent for addresses with an @.
    """
    local, at, domain = (identity(address) or "").rpartition("@")
    if not at:
        return domain
    for wrong, right in _ENDINGS.items():
        if domain.endswith(wrong):
            domain = domain[: -len(wrong)] + right
            break
    domain = _RIGHT.get(domain, domain)
    plain = local.partition("+")[0] or local
    if domain in _DOTLESS:
        plain = plain.replace(".", "") or plain
    return f"{plain}@{domain}"


def mask(address: str | None) -> str:
    """'anna@example.com' → 'a***@e***.com': for logs and screens. Without an @ → '***'."""
    local, at, domain = (address or "").rpartition("@")
    if not at:
        return "***"
    name, dot, ending = domain.rpartition(".")
    # An ending past 12 characters is no top level domain but somebody's text.
    tail = f".{ending}" if dot and len(ending) <= 12 else ""
    return f"{local[:1]}***@{name[:1] if dot else domain[:1]}***{tail}"


# Letters that UCA 5.2 weighs like others although they do not decompose, and what it does not weigh at all.
# Checked against MariaDB 10.11 for all Latin, Greek and Cyrillic letters.
_FOLDED = {ord(c): None for c in INVISIBLE} | dict.fromkeys((*range(9), *range(14, 32), *range(127, 160)))
_FOLDED |= str.maketrans("łøđðħŧςґ\u037aŀ", "loddhtσгιl") | {ord("æ"): "ae", ord("œ"): "oe"}


def fold(text: str) -> str:
    """Approximates equality under utf8mb4_unicode_520_ci: case, accents and trailing spaces do not count.

    For grouping before the server is asked: letters that its unique key calls equal fold equal. Some that it
    tells apart do too (Cyrillic й and и). fold(fold(x)) == fold(x).
    """
    if text.isascii() and text.isprintable():
        return text.lower().rstrip(" ")
    # Twice: lower-casing may lay bare what the table knows (Ð, Ŀ), decomposing what casefold does.
    for _ in range(2):
        text = unaccented(digits(text).casefold().translate(_FOLDED))
    return text.casefold().translate(_FOLDED).rstrip(" ")
