"""Every ready-made text becomes a message that may go out, in each language, for people who have everything and nothing."""

from __future__ import annotations

import tomllib
from typing import Any

import msgspec
import pytest
from messaging import LINKS, made, step
from support import ROOT

from sidecar.automations.messages import check, sandbox
from sidecar.automations.messages.model import Person
from sidecar.automations.messages.render import render
from sidecar.automations.model import Text

FILES = sorted((ROOT / "sidecar" / "automations" / "ready").glob("*.toml"))


@pytest.mark.skipif(not FILES, reason="there are no ready-made automations yet")
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_its_texts(file: Any) -> None:
    for one in tomllib.loads(file.read_text("utf-8")).get("step", []):
        for language, parts in one.get("text", {}).items():
            for name, source in parts.items():
                assert sandbox.faults(source, "html" if name == "body" else "text") == [], (one["id"], language, name)
            if one["do"] != "send":
                continue
            send = step(
                {language: Text(**parts)}, channels=tuple(one["channels"]), purpose=one.get("purpose", "marketing")
            )
            everything = made(language)
            nothing = msgspec.structs.replace(
                everything, person=Person(email="a@example.com"), coupon=None, cross_sells=()
            )
            for about, survey in ((everything, "https://forms.example.com/x"), (nothing, "")):
                rendered = render(send, about, language, msgspec.structs.replace(LINKS, survey=survey))
                assert check.problems(rendered, send, needs_unsubscribe=True) == [], (one["id"], language)
