"""The page around an e-mail's body: tables and inline styles that every mail program shows, at most 600 pixels wide.

Colours are only set together with their background, so that dark modes can turn both. The unsubscribe line is here when nobody else
adds one (FluentCRM does).
"""

from __future__ import annotations

import re

from markupsafe import Markup

from sidecar.automations.messages import language as languages
from sidecar.automations.messages.model import Shop

_BLANK_LINES = re.compile(r"\n[ \t]*\n\s*")
_BLOCK = re.compile(
    r"\s*<(?:/|!--|(?:table|tr|td|div|p|h[1-6]|ul|ol|li|blockquote|hr|center|section|article|pre)\b)", re.IGNORECASE
)
_NOTHING = Markup("")
_BARE_P = re.compile(r"<p>", re.IGNORECASE)
_P = '<p style="margin:0 0 16px">'
_FONT = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,Tahoma,sans-serif;font-size:16px;line-height:1.6"
_FRAGMENT = Markup(
    '<div dir="{dir}" lang="{lang}" style="{font};text-align:{start}">'
    '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" align="center" style="max-width:600px;'
    'margin:0 auto;{font};text-align:{start}" dir="{dir}"><tr><td style="padding:24px">{head}{body}</td></tr></table></div>'
)
_DOCUMENT = Markup(
    '<!doctype html>\n<html lang="{lang}" dir="{dir}"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="color-scheme" content="light dark">'
    '<meta name="supported-color-schemes" content="light dark"><title>{title}</title>'
    # No %} and no }}: that is what a broken merge tag looks like.
    "<style>body{{margin:0;padding:0;}} img{{max-width:100%;}} "
    "@media (prefers-color-scheme:dark){{ .page{{background-color:#121212!important}} "
    ".card{{background-color:#1e1e1e!important;color:#f0f0f0!important}} }}</style></head>"
    '<body class="page" style="margin:0;padding:0;background-color:#f4f4f5">{preheader}'
    '<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" border="0"'
    ' style="background-color:#f4f4f5"><tr><td align="center" style="padding:24px 8px">'
    '<table role="presentation" class="card" width="600" cellpadding="0" cellspacing="0" border="0" style="width:100%;'
    'max-width:600px;background-color:#ffffff;color:#222222;border-radius:8px"><tr><td>{inside}</td></tr>{footer}</table>'
    "</td></tr></table></body></html>\n"
)
_PREHEADER = Markup(
    '<div style="display:none;max-height:0;overflow:hidden;mso-hide:all;font-size:1px;line-height:1px;opacity:0">{}</div>'
)
_LOGO = Markup(
    '<p style="margin:0 0 24px"><img src="{src}" alt="{alt}" style="max-width:200px;max-height:80px;border:0"></p>'
)
_FOOTER = Markup(
    '<tr><td dir="{dir}" align="center" style="padding:16px 24px 24px;font-size:13px;line-height:1.6;font-family:Arial,Tahoma,'
    'sans-serif;border-top:1px solid #8888">{lines}</td></tr>'
)
_FOOTER_LINK = Markup('<a href="{url}" style="color:inherit">{label}</a>')


def paragraphs(body: str) -> Markup:
    """Text with blank lines as paragraphs. What is a block of its own (a table, a heading, a list) stays as it is."""
    pieces = [piece.strip() for piece in _BLANK_LINES.split(body.replace("\r\n", "\n")) if piece.strip()]
    done = [piece if _BLOCK.match(piece) else f"{_P}{piece}</p>" for piece in pieces]
    # The body has been through the sandbox with escaping on: what is HTML in it, its author wrote.
    return Markup(_BARE_P.sub(_P, "\n".join(done)))  # noqa: S704


def fragment(body: str, language: str, logo: Markup = _NOTHING) -> str:
    """For a sender that has a page and a footer of its own."""
    return str(
        _FRAGMENT.format(
            dir=_direction(language), lang=languages.tag(language), start="right" if languages.rtl(language) else "left",
            font=_FONT, head=logo, body=paragraphs(body),
        )
    )  # fmt: skip


def document(
    body: str, language: str, shop: Shop, *, subject: str, preheader: str, unsubscribe: str = "", preferences: str = ""
) -> str:
    """A whole page. `unsubscribe` and `preferences` are links, '' for none."""
    logo = _LOGO.format(src=shop.logo, alt=shop.name) if shop.logo else Markup("")
    return str(
        _DOCUMENT.format(
            lang=languages.tag(language), dir=_direction(language), title=subject,
            preheader=_PREHEADER.format(preheader) if preheader else "",
            inside=Markup(fragment(body, language, logo)),  # noqa: S704 - made above
            footer=_footer(language, shop, unsubscribe, preferences),
        )
    )  # fmt: skip


def _footer(language: str, shop: Shop, unsubscribe: str, preferences: str) -> Markup:
    words = languages.words(language)
    lines: list[Markup] = []
    if unsubscribe:
        lines.append(Markup("{}").format(words["why"].format(shop=shop.name)))
        links = [_FOOTER_LINK.format(url=unsubscribe, label=words["unsubscribe"])]
        if preferences:
            links.append(_FOOTER_LINK.format(url=preferences, label=words["preferences"]))
        lines.append(Markup(" · ").join(links))
    if shop.name or shop.address:
        lines.append(Markup("{}").format(", ".join(part for part in (shop.name, shop.address) if part)))
    return _FOOTER.format(dir=_direction(language), lines=Markup("<br>").join(lines)) if lines else Markup("")


def _direction(language: str) -> str:
    return "rtl" if languages.rtl(language) else "ltr"
