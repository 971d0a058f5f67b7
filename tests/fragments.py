"""How fragments of pages are looked at: well formed, accessible, and without a script of anybody's."""

from __future__ import annotations

from html.parser import HTMLParser

PERSIAN = "9;administrator;fa_IR;rtl"
EVIL = "<img src=x onerror=alert(1)>\"'&<script>"
VOID = {"input", "br", "img", "meta", "link", "hr"}
ALLOWED = {
    "div", "h1", "h2", "h3", "nav", "a", "p", "ul", "li", "section", "article", "table", "thead", "tbody", "tr", "th", "td",
    "form", "input", "button", "fieldset", "legend", "label", "textarea", "details", "summary", "pre", "code", "dl", "dt",
    "dd", "span", "small", "strong", "time", "bdi", "progress", "br",
    "svg", "polyline", "rect", "polygon", "g", "text", "ol", "select", "option", "iframe",
}  # fmt: skip


class Checked(HTMLParser):
    """Well formed, only known elements, no scripts, labels for inputs, ids once, a nonce in each form."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.ids: list[str] = []
        self.named: list[str] = []
        self.forms = self.nonces = 0
        self.text = ""
        self.feed(html)
        self.close()
        assert not self.stack, self.stack
        assert len(set(self.ids)) == len(self.ids), "an id stands twice"
        assert set(self.named) <= set(self.ids), set(self.named) - set(self.ids)
        assert self.forms == self.nonces

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        assert tag in ALLOWED, tag
        assert not [name for name in given if name.startswith("on") or name == "style"], given
        for name in ("href", "action"):
            if name in given:
                assert (given[name] or "").startswith("?page=fluentcrm-sidecar&view="), given
        if tag == "iframe":
            # What a mail has in it can do nothing to the page around it.
            assert given.get("sandbox") == "" and "src" not in given and given.get("title"), given
        self.ids += [given["id"]] if given.get("id") else []
        for name in ("aria-labelledby", "aria-describedby", "for"):
            self.named += (given.get(name) or "").split()
        if tag in ("input", "select") and given.get("type") != "hidden":
            assert "label" in self.stack, given
        if tag == "th":
            assert given.get("scope") in ("col", "row"), given
        # A browser would end the paragraph before these, and leave an empty one behind.
        assert tag not in ("form", "ul", "p", "div", "table", "dl", "h2", "section") or "p" not in self.stack, tag
        # What only looks at something needs no nonce, and must not carry one into the URL.
        self.forms += tag == "form" and given.get("method") == "post"
        if tag not in VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.stack.pop() == tag, tag

    def handle_comment(self, data: str) -> None:
        assert data == "fcsc:nonce" and self.stack[-1] == "form", data
        self.nonces += 1

    def handle_data(self, data: str) -> None:
        self.text += f" {data}"
