"""One segment of a file is edited: the rest of the file stays byte for byte, and says what it said."""

from __future__ import annotations

import tomllib
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.config import Config, State
from sidecar.errors import Conflict, NotFound, SegmentError
from sidecar.segments import document, file, rules
from sidecar.toml_text import value

SLUGS = ["a", "b", "vip", "x-1"]
# Hostile to whoever finds blocks by looking for brackets and hashes.
TEXTS = st.sampled_from(
    [
        "plain",
        "# no comment",
        "[[segment]]",
        'a "quoted" one',
        "\n[[segment]]\nslug = 'x'\n",
        "é • 👋",
        "'''",
        '"""',
        "\\",
    ]
) | st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12)
COMMENT = st.sampled_from(["", "# [[segment]]\n", "  # two\n# words\n", "\n", "\n# apart\n\n"])


@st.composite
def blocks(draw: st.DrawFn, slug: str) -> str:
    """A segment in one of the ways in which it can be written."""
    lines = [f"slug = {value(slug)}", f"name = {value(draw(TEXTS))}"]
    if draw(st.booleans()):
        text = draw(TEXTS).replace("\\", "/").replace('"""', "")
        lines.append(f'about = """{"x" + text + "y"}"""' if _fits(text) else "about = 'y'")
    lines += draw(st.sampled_from([
        ['rule = { field = "ltv", at_least = 5 } # why'], ["rule = { all = [", "  # nobody", "] }"],
        ["[segment.rule] # below", "none = []"], ["[segment.rule]", 'field = "ltv"', "at_most = 3"],
    ]))  # fmt: skip
    return draw(st.sampled_from(["[[segment]]", '[["segment"]]', " [[ segment ]]  # mine"])) + "\n" + "\n".join(lines)


def _fits(text: str) -> bool:
    try:
        tomllib.loads(f'about = """x{text}y"""')
    except tomllib.TOMLDecodeError:
        return False
    return True


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A file, and its slugs in its order."""
    slugs = draw(st.lists(st.sampled_from(SLUGS), unique=True, max_size=4))
    parts = [draw(st.sampled_from(["", "# The head.\n\n", "# Right above the first.\n"]))]
    for slug in slugs:
        parts.append(draw(COMMENT) + draw(blocks(slug)) + draw(st.sampled_from(["\n", "\n\n", "  \n\n\n"])))
    parts.append(draw(st.sampled_from(["", "# the end", "\n[[group]]\nslug = 'g' # last\n", "# the end\n"])))
    return "".join(parts), slugs


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, list[str], str, str]:
    text, slugs = draw(files())
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    chosen = draw(st.sampled_from(slugs)) if slugs else ""
    return text, slugs, chosen, draw(COMMENT) + draw(blocks("new"))


def rows(text: str) -> list[object]:
    return list(tomllib.loads(text).get("segment", []))


@given(edits())
def test_what_is_edited_and_nothing_else(given_: tuple[str, list[str], str, str]) -> None:
    text, slugs, chosen, new = given_
    # tomllib makes \n of \r\n in values itself.
    (wanted,) = rows(new)
    before = rows(text)
    if chosen:
        number = slugs.index(chosen)
        edit = document.replace(text, chosen, new)
        assert rows(edit.text) == [*before[:number], wanted, *before[number + 1 :]]
        assert edit.number == number
        start, end, _ = document._span(text, chosen)
        assert edit.text.startswith(text[:start]) and edit.text.endswith(text[end:])
        # What is read can be written back, and nothing has changed.
        assert document.replace(text, chosen, document.block(text, chosen)).text == text
        rest = document.remove(text, chosen)
        assert rows(rest) == before[:number] + before[number + 1 :]
        assert tomllib.loads(rest).get("group") == tomllib.loads(text).get("group")
        _left_alone(text, rest)
    edit = document.insert(text, new)
    assert rows(edit.text) == [*before, wanted]
    assert edit.text.startswith(text) and edit.number == len(slugs)
    written = edit.text.replace("\r\n", "\n").split("\n")[edit.line - 1 : edit.line - 1 + edit.lines]
    assert written == new.strip("\n").split("\n")


def _left_alone(text: str, rest: str) -> None:
    """`rest` is `text` without one piece."""
    head = next((n for n, (a, b) in enumerate(zip(text, rest, strict=False)) if a != b), len(rest))
    assert text[:head] + text[head + len(text) - len(rest) :] == rest


def test_comments_above_belong_to_it() -> None:
    text = "# The head.\n\n# Mine.\n[[segment]]\nslug = 'a' # last\n\n# Far.\n\n# Yours.\n[[segment]]\nslug = 'b'\n"
    assert document.block(text, "a") == "# Mine.\n[[segment]]\nslug = 'a' # last"
    assert document.remove(text, "a") == "# The head.\n\n# Far.\n\n# Yours.\n[[segment]]\nslug = 'b'\n"
    assert document.remove(text, "b") == text[: text.index("# Yours")]


def test_the_built_in_ones_can_all_be_edited_alone() -> None:
    text = file.default_text()
    for segment in file.load(None, UTC):
        typed = document.block(text, segment.slug)
        assert rows(typed)[0]["slug"] == segment.slug  # type: ignore[index]
        assert document.replace(text, segment.slug, typed).text == text


@pytest.mark.parametrize(
    ("text", "new", "line"),
    [
        ("", "rule = {", 1),
        ("", "\n\n[[segment]]\nslug = 'a\n", 4),
        ("", "[[segment]]\nslug = 'a'\n[[segment]]\nslug = 'b'\n", 3),
        ("", "x = 1\n[[segment]]\nslug = 'a'\n", 1),
        ("", "segment = [{ slug = 'a' }]", 1),
        ("", "[[segment]]\nslug = 'a'\n\n[[group]]\nslug = 'b'\n", 4),
        ("", "", 1),
        ("", "# nothing", 1),
        ("", "[segment]\nslug = 'a'", 1),
        ("segment = [{ slug = 'a' }]", "[[segment]]\nslug = 'b'", None),
    ],
)
def test_what_is_no_segment_is_refused(text: str, new: str, line: int | None) -> None:
    with pytest.raises(SegmentError) as raised:
        document.insert(text, new)
    assert [problem.line for problem in raised.value.problems] == [line]


@pytest.mark.parametrize(
    "text",
    [
        "segment = [{ slug = 'a' }]",
        "[[segment]]\nslug = 'a'\n[[group]]\nslug = 'g'\n[segment.rule]\nall = []\n",
        "[[segment]]\nslug = 'b'",
    ],
)
def test_what_cannot_be_taken_out_is_said(text: str) -> None:
    with pytest.raises(SegmentError, match="segment"):
        document.block(text, "a")


GOOD = '[[segment]]\nslug = "a"\nname = "A"\nrule = { field = "ltv", at_least = 5 }\n'
VIPS = '# Above.\n[[segment]]\nslug = "b"\nname = "B"\nrule = { segment = "a" }\n'


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return Config(state=State(dir=str(tmp_path / "state")))


def test_problems_have_their_line_where_it_was_typed() -> None:
    text = f"# head\n\n{GOOD}\n{VIPS}"
    with pytest.raises(SegmentError) as raised:
        rules.draft(text, "b", '\n\n[[segment]]\nslug = "b"\nname = "B"\nrule = { field = "ltw" }\n', UTC)
    (problem,) = raised.value.problems
    assert (problem.line, problem.key, problem.hint) == (6, "rule.field", "did you mean ltv?")
    with pytest.raises(SegmentError) as raised:
        rules.draft(text, "a", GOOD.replace('"a"', '"renamed"'), UTC)
    (problem,) = raised.value.problems
    assert problem.line is None and problem.message.endswith("(line 12 of the file)")
    renamed = rules.draft(text, "b", VIPS.replace('"b"', '"c"'), UTC)
    assert renamed.edited is not None and renamed.edited.slug == "c"
    assert [one.slug for one in renamed.segments] == ["a", "c"]


def test_saving(config: Config) -> None:
    """The built-in segments are copied with the first edit; later ones keep a backup, and never go over somebody's edit."""
    built_in = rules.read(config)
    assert built_in.file == "" == rules.in_force(config)
    saved = rules.save(config, built_in.digest, lambda text: rules.draft(text, "", GOOD, UTC).text)
    place = Path(config.state.dir) / "segments.toml"
    assert (saved.file, rules.in_force(config)) == (str(place), str(place))
    assert place.read_text("utf-8") == file.default_text() + "\n" + GOOD
    assert place.stat().st_mode & 0o777 == 0o600
    with pytest.raises(Conflict):
        rules.save(config, built_in.digest, lambda text: text)
    again = rules.save(config, saved.digest, lambda text: rules.without(text, "a", UTC))
    assert again.text.rstrip("\n") == file.default_text().rstrip("\n")
    (backup,) = place.parent.glob("segments.toml.2*Z")
    assert backup.read_text("utf-8") == saved.text
    with pytest.raises(NotFound):
        rules.save(config, again.digest, lambda text: rules.without(text, "zzz", UTC))
    with pytest.raises(SegmentError):
        rules.save(
            config, again.digest, lambda text: rules.without(text, "vip", UTC) + rules.draft(text, "*", "x", UTC).text
        )
    assert rules.read(config) == again


def test_a_broken_file_can_be_read_and_mended(config: Config) -> None:
    place = Path(config.state.dir) / "segments.toml"
    place.parent.mkdir(parents=True)
    place.write_text("[[segment]\n")
    broken = rules.read(config)
    with pytest.raises(SegmentError):
        rules.draft(broken.text, "a", GOOD, UTC)
    rules.save(config, broken.digest, lambda _: rules.draft("", "*", GOOD, UTC).text)
    assert place.read_text("utf-8") == GOOD
