"""The plain-text twin of an e-mail: what the HTML says, with every link's address."""

from __future__ import annotations

import re
from functools import lru_cache
from html.parser import HTMLParser

_BLOCKS = frozenset({
    "p", "div", "table", "tr", "ul", "ol", "li", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "hr", "pre", "section",
    "article", "center", "body",
})  # fmt: skip
_SILENT = frozenset({"head", "style", "script", "title", "template", "noscript"})
_VOID = frozenset(
    {"br", "hr", "img", "meta", "input", "link", "area", "base", "col", "embed", "source", "track", "wbr"}
)
_BLANKS = re.compile(r"[ \t\r\n\f]+")
_LINES = re.compile(r"\n{3,}")
_HIDDEN = re.compile(r"display\s*:\s*none", re.IGNORECASE)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.out: list[str] = []
        self.links: list[str] = []
        self.images: list[bool] = []
        self._silent = 0
        self._open: list[tuple[str, bool]] = []
        self._link: list[tuple[str, int]] = []
        self._cells: list[int] = []
        self._before = ("", "", 0)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        hides = tag in _SILENT or bool(_HIDDEN.search(found.get("style", "")))
        if tag not in _VOID:
            self._open.append((tag, hides))
            self._silent += hides
        if tag == "img":
            self.images.append("alt" in found)
            # A picture says something only as the whole of a link.
            if self._link and found.get("alt"):
                self._say(found["alt"])
        if self._silent:
            return
        if tag in _BLOCKS:
            self._break(2 if tag in ("p", "table", "ul", "ol", "blockquote") or tag[0] == "h" else 1)
        if tag == "br":
            self.out.append("\n")
        elif tag == "li":
            self.out.append("- ")
        elif tag == "tr":
            self._cells.append(0)
        elif tag in ("td", "th") and self._cells:
            self._cells[-1] += 1
            if self._cells[-1] > 1:
                self.out.append("  ")
        elif tag == "a":
            self._link.append((found.get("href", ""), len(self.out)))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._link:
            self._close_link()
        for place in range(len(self._open) - 1, -1, -1):
            if self._open[place][0] == tag:
                for _, hides in self._open[place:]:
                    self._silent -= hides
                del self._open[place:]
                break
        if tag == "tr" and self._cells:
            self._cells.pop()
        if tag in _BLOCKS and not self._silent:
            self._break(2 if tag in ("p", "table", "ul", "ol", "blockquote") or tag[0] == "h" else 1)

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self._say(data)

    def close(self) -> None:
        super().close()
        while self._link:
            self._close_link()

    def _close_link(self) -> None:
        href, start = self._link.pop()
        address = "".join(href.split())
        if not address:
            return
        self.links.append(address)
        said = "".join(self.out[start:]).strip()
        if self._before[:2] == (said, address) and not "".join(self.out[self._before[2] : start]).strip():
            # A picture and the name below it lead to the same place: once is enough.
            del self.out[start:]
            return
        if said != address:
            self.out.append(f" ( {address} )" if said else address)
        self._before = (said, address, len(self.out))

    def _say(self, data: str) -> None:
        text = _BLANKS.sub(" ", data)
        if text == " " and (not self.out or self.out[-1].endswith(("\n", " "))):
            return
        if self.out and self.out[-1].endswith("\n"):
            text = text.lstrip(" ")
        if text:
            self.out.append(text)

    def _break(self, lines: int) -> None:
        """At least so many line ends before what follows."""
        for piece in reversed(self.out):
            lines -= len(piece) - len(piece.rstrip("\n"))
            if piece.strip("\n"):
                break
        if self.out and lines > 0:
            self.out.append("\n" * lines)


# What was just written is looked at next.
@lru_cache(maxsize=2)
def read(html: str) -> _Reader:
    """The HTML read once: its text is `text_of`, its links and pictures are there too. Never raises."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader


def text_of(reader: _Reader) -> str:
    """What was read, as lines."""
    lines = [line.strip(" ") for line in "".join(reader.out).split("\n")]
    return _LINES.sub("\n\n", "\n".join(lines)).strip()


def text(html: str) -> str:
    """The twin of an HTML text."""
    return text_of(read(html))
