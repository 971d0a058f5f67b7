"""Chromium for the tests: the distribution's own, driven by playwright, which downloads nothing here.

`Tab` is a page that remembers what went wrong in it (console errors, exceptions, dialogs), and knows how to look at it as
a person would: does something overflow, is every control reachable by the keyboard, can one see where the focus is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

WIDE, NARROW = (1280, 900), (390, 844)

# What is wider than the window and cannot be scrolled to in a box of its own: [selector, right or left edge].
OVERFLOW = """([root, whole]) => {
  const wide = document.documentElement.clientWidth, found = [];
  const held = node => { for (let up = node.parentElement; up; up = up.parentElement) {
    if (['auto', 'scroll', 'hidden', 'clip'].includes(getComputedStyle(up).overflowX)) return true; } return false; };
  for (const node of document.querySelectorAll(root + ' *')) {
    const box = node.getBoundingClientRect();
    if (!box.width || !box.height || held(node) || getComputedStyle(node).clipPath !== 'none') continue;
    if (box.right > wide + 1 || box.left < -1) found.push([node.tagName + '.' + node.className, box.left, box.right]);
  }
  if (whole && document.documentElement.scrollWidth > wide + 1) found.push(['document', 0, document.documentElement.scrollWidth]);
  return found;
}"""

# Every control that can be used, as outerHTML cut short, in the order of the document; marked with a number.
CONTROLS = """root => [...document.querySelectorAll(root)].flatMap(top => [...top.querySelectorAll(
    'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]')])
  .filter(node => !node.disabled && node.getClientRects().length && getComputedStyle(node).visibility !== 'hidden')
  .map((node, index) => { node.dataset.walk = index; return node.outerHTML.slice(0, 120); })"""

# The number of what has the focus and whether one can see that it has it: [number or null, visible, outerHTML].
FOCUSED = """() => {
  const node = document.activeElement, style = getComputedStyle(node), box = node.getBoundingClientRect();
  const ring = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
  const inside = box.bottom > 0 && box.top < innerHeight;
  return [node.dataset.walk ?? null, (ring || style.boxShadow !== 'none') && inside, node.outerHTML.slice(0, 120)];
}"""

# Text whose contrast with what is behind it is below 4.5 to 1 (WCAG AA): [text, ratio].
CONTRAST = """root => {
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const found = [];
  for (const node of document.querySelectorAll(root + ' *')) {
    if (![...node.childNodes].some(child => child.nodeType === 3 && child.data.trim()) || !node.getClientRects().length || node.closest(':disabled')) continue;
    let back = [255, 255, 255];
    for (let up = node; up; up = up.parentElement) { const c = parse(getComputedStyle(up).backgroundColor); if (c.length === 3 || c[3] === 1) { back = c; break; } }
    const [a, b] = [light(parse(getComputedStyle(node).color)), light(back)].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) found.push([node.textContent.trim().slice(0, 40), Math.round(ratio * 100) / 100]);
  }
  return found;
}"""


@contextmanager
def chromium() -> Iterator[Any]:
    """A running browser. Skips, with the reason, where playwright or chromium is missing (in CI: fails)."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    missing = "" if program else "there is no chromium"
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        missing = missing or "there is no playwright"
    if missing:
        if os.environ.get("REQUIRE_CHROMIUM") == "1":
            raise AssertionError(missing)
        pytest.skip(missing)
    with sync_playwright() as driver:
        # The sandbox needs rights that containers do not give; all that is opened here is ours.
        browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"])
        try:
            yield browser
        finally:
            browser.close()


# One transparent pixel.
PIXEL = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")


def _nothing(route: Any) -> None:
    route.fulfill(body=PIXEL, content_type="image/gif") if route.request.resource_type == "image" else route.fulfill(
        body=""
    )


class Tab:
    """One page of a browser context. `trouble` is what must stay empty."""

    def __init__(self, browser: Any, shots: Path, *, state: Any = None, size: tuple[int, int] = WIDE) -> None:
        self.shots = shots
        self.trouble: list[str] = []
        self.context = browser.new_context(
            storage_state=state, viewport={"width": size[0], "height": size[1]}, reduced_motion="reduce"
        )
        self.context.set_default_timeout(30_000)
        # Nothing leaves this machine; an empty answer, so that a missing avatar is no error of the page.
        self.context.route(lambda url: urlsplit(url).hostname != "127.0.0.1", _nothing)
        self.page = self.context.new_page()
        self.page.on("pageerror", lambda error: self.trouble.append(f"exception: {error}"))
        self.page.on("console", self._console)
        self.page.on("dialog", self._dialog)

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self.trouble.append(f"console: {message.text} {message.location.get('url', '')}")

    def _dialog(self, dialog: Any) -> None:
        # Leaving a page with unsaved text is asked by the browser itself and is no alert().
        if dialog.type != "beforeunload":
            self.trouble.append(f"{dialog.type}: {dialog.message}")
        dialog.accept()

    def close(self) -> None:
        self.context.close()

    def resize(self, size: tuple[int, int]) -> None:
        self.page.set_viewport_size({"width": size[0], "height": size[1]})

    def shot(self, name: str, *, full: bool = True) -> None:
        """A picture for the eye, as NAME.png in the folder of this run."""
        self.page.screenshot(path=str(self.shots / f"{name}.png"), full_page=full)

    def text(self, selector: str) -> str:
        return " ".join(self.page.inner_text(selector).split())

    def overflow(self, root: str, *, whole: bool = True) -> list[Any]:
        """What sticks out below `root`; `whole`: of the document too, where all of it is ours."""
        found: list[Any] = self.page.evaluate(OVERFLOW, [root, whole])
        return found

    def pale(self, root: str) -> list[Any]:
        found: list[Any] = self.page.evaluate(CONTRAST, root)
        return found

    def walk(self, root: str) -> tuple[list[str], list[str]]:
        """Press Tab through everything below `root`: (controls never reached, reached with no visible focus)."""
        controls: list[str] = self.page.evaluate(CONTROLS, root)
        assert controls, f"no control below {root}"
        reached: set[int] = set()
        dark: list[str] = []
        self.page.focus('[data-walk="0"]')
        self.page.keyboard.press("Shift+Tab")
        for _ in range(len(controls) + 5):
            self.page.keyboard.press("Tab")
            number, visible, html = self.page.evaluate(FOCUSED)
            if number is None:
                continue
            reached.add(int(number))
            if not visible:
                dark.append(html)
            if len(reached) == len(controls):
                break
        # Of radio buttons with one name Tab reaches one, the arrows the others.
        groups = {self.page.get_attribute(f'[data-walk="{n}"]', "name") or "" for n in reached
                  if self.page.get_attribute(f'[data-walk="{n}"]', "type") == "radio"}  # fmt: skip
        left = [
            html for number, html in enumerate(controls)
            if number not in reached and not any(f'name="{name}"' in html and 'type="radio"' in html for name in groups)
        ]  # fmt: skip
        return left, dark
