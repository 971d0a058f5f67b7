"""Text from the shop as it may stand in a message: one line, no HTML, no template codes of ours, Jinja's or FluentCRM's.

FluentCRM reads `{{…}}` and `##…##` in a body again when it sends (facts: fluentcrm.md §3.3), so values must not bring any.
"""

from __future__ import annotations

import re

from sidecar.values.names import safe_text

_CODES = re.compile(r"\{[{%#]|[}%#]\}|##")


def text(raw: str | None, limit: int) -> str:
    """`raw` cleaned, and cut to at most `limit` characters."""
    found = safe_text(raw, limit)
    while _CODES.search(found):  # taking one out may join the halves of another
        found = safe_text(_CODES.sub("", found), limit)
    return found
