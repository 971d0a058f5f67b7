"""docs/mapping.md says what the code does, and config/mapping.toml is the default."""

from __future__ import annotations

from support import ROOT

from sidecar.mapping import compile as rules
from sidecar.mapping import document, sources, transforms


def test_the_page_is_current() -> None:
    page = (ROOT / "docs" / "mapping.md").read_text(encoding="utf-8")
    assert page == document.markdown(), "run: python -m sidecar.mapping.document > docs/mapping.md"


def test_the_page_names_everything() -> None:
    page = document.markdown()
    names = [*transforms.NAMED, *rules.COLUMNS, *(name for name in sources.names_of() if not name.endswith("."))]
    assert [name for name in names if f"`{name}`" not in page] == []


def test_the_examples_compile() -> None:
    blocks = document.markdown().split("```toml\n")[1:]
    assert len(blocks) >= 3
    for block in blocks:
        rules.compile_text(block.partition("```")[0], "docs/mapping.md")


def test_the_example_file_is_the_default() -> None:
    assert (ROOT / "config" / "mapping.toml").read_text(encoding="utf-8") == rules.default_text()
