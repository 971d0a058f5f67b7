"""A TOML file is read into a struct, and every fault of it is reported at once, with its line."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from sidecar import toml_file, toml_lines
from sidecar.config import Config
from sidecar.errors import ConfigError, MappingError

ELEVEN = """\
# eleven mistakes
[shop]
wp_pth = "/var/www"
table_prefix = 7

[shop.database]
port = "3306"
host = true
wp_path = "x"

[people]
vip = { percent = 500, min_ordrs = 2 }
vanished = "kep"
paid_statuses = ["processing",
  5,
]

[[consent.email]]
source = "newsletter"
yes = "1"

[[consent.email]]
wording = "I agree"

[log]
level = "warning"
"""


class Move(msgspec.Struct, tag="move", tag_field="do"):
    to: str


class Drop(msgspec.Struct, tag="drop", tag_field="do"):
    why: str = ""


class Rules(msgspec.Struct):
    rule: list[Move | Drop] = []
    names: Annotated[list[str], Meta(max_length=2)] = []
    kind: Literal["big", "small"] | None = None


def test_eleven_mistakes_are_eleven_problems_with_their_lines() -> None:
    value, found = toml_file.problems(ELEVEN, Config, "sidecar.toml")
    assert value is None
    assert [(p.line, p.key) for p in found] == [
        (3, "shop.wp_pth"),
        (9, "shop.database.wp_path"),
        (12, "people.vip.min_ordrs"),
        (4, "shop.table_prefix"),
        (7, "shop.database.port"),
        (8, "shop.database.host"),
        (12, "people.vip.percent"),
        (13, "people.vanished"),
        (15, "people.paid_statuses[2]"),
        (20, "consent.email[1].yes"),
        (22, "consent.email[2].source"),
    ]
    by_key = {p.key: p for p in found}
    assert by_key["shop.wp_pth"].hint == "did you mean wp_path?"
    assert by_key["shop.database.wp_path"].hint == "did you mean shop.wp_path?"
    assert by_key["people.vanished"].hint == "did you mean keep?"
    assert by_key["shop.table_prefix"].hint == "put the value in quotes"
    assert by_key["shop.database.port"].message == "expected a whole number, got text in quotes"
    assert by_key["consent.email[2].source"].message == "is missing"
    assert {p.file for p in found} == {"sidecar.toml"}


def test_a_good_file_is_the_struct(tmp_path: Path) -> None:
    file = tmp_path / "good.toml"
    file.write_bytes(b'\xef\xbb\xbf[shop]\r\nwp_path = "/srv/wp"\r\n')
    assert toml_file.load(file, Config).shop.wp_path == "/srv/wp"


def test_syntax_errors_name_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text('[shop]\nwp_path = "a"\nuser = = 1\n')
    with pytest.raises(MappingError) as caught:
        toml_file.load(file, Config, raise_as=MappingError)
    (problem,) = caught.value.problems
    assert problem.line == 3
    assert "column 8" in problem.message
    _, found = toml_file.problems('[shop]\nwp_path = "a', Config, "x")
    assert found[0].line == 2


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml cannot be read: No such file"):
        toml_file.load(tmp_path / "none.toml", Config)
    file = tmp_path / "latin.toml"
    file.write_bytes(b"[shop]\nwp_path = '\xe9'\n")
    with pytest.raises(ConfigError, match="not UTF-8") as caught:
        toml_file.load(file, Config)
    assert caught.value.problems[0].line == 2


def test_tagged_unions_limits_and_choices() -> None:
    text = """
kind = "bg"
names = ["a", "b", "c"]
[[rule]]
do = "move"
too = "x"
[[rule]]
do = "drop"
why = 3
[[rule]]
do = "burn"
"""
    _, found = toml_file.problems(text, Rules, "rules.toml")
    assert [(p.line, p.key) for p in found] == [
        (6, "rule[1].too"),
        (2, "kind"),
        (3, "names"),
        (4, "rule[1].to"),
        (9, "rule[2].why"),
        (11, "rule[3].do"),
    ]
    value, found = toml_file.problems('[[rule]]\ndo = "move"\nto = "x"', Rules, "rules.toml")
    assert found == []
    assert value == Rules(rule=[Move(to="x")])


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 1),
        (("b", "c.d"), 2),
        (("b", "e", "f"), 3),
        (("list", 0), 5),
        (("list", 1, "x"), 6),
        (("list", 2, 1), 9),
        (("t", "u", 0, "v"), 13),
        (("t", "u", 1), 15),
        (("t", "u", 1, "w", "y"), 18),
        (("t", "u", 1, "nothing"), 15),
        (("absent",), None),
    ],
)
def test_line_of(path: toml_lines.Path, line: int | None) -> None:
    text = """a = 1 # [x]
"b"."c.d" = 'it # is'
b.e = { f = "}", "g" = [1, 2] }
list = [
  "]",
  { x = 1 },
  [ '#',
    # a comment, with ]
    2 ],
]

[[t.u]]
v = \"\"\"one
\\"\"\" two\"\"\"
[[t.u]]
v = '''it's'''
[t.u.w]
y = 1979-05-27T07:32:00Z
"""
    tomllib.loads(text)
    assert toml_file.line_of(text, path) == line


_keys = st.text("abc", min_size=1, max_size=3)
_words = st.text("a]}#,=\"'\\\n é", max_size=6)
_values = st.recursive(
    st.one_of(st.integers(), st.booleans(), _words),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_keys, inner, max_size=3).map(dict)),
    max_leaves=8,
)


def _write(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return msgspec.json.encode(value).decode()
    if isinstance(value, list):
        return "[" + ",\n".join(_write(item) for item in value) + "\n]"
    return "{" + ", ".join(f"{key} = {_write(item)}" for key, item in value.items()) + "}"


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(_keys, _values, max_size=4), st.lists(st.dictionaries(_keys, _values), max_size=3))
def test_every_key_has_the_line_where_it_stands(top: dict[str, Any], tables: list[dict[str, Any]]) -> None:
    text = "".join(f"\n{key} = {_write(value)}\n" for key, value in top.items())
    for table in tables:
        text += "[[zz]] # table\n" + "".join(f"{key} = {_write(value)}\n" for key, value in table.items())
    data = tomllib.loads(text)
    lines = toml_lines.lines_of(text)
    split = text.split("\n")
    for path in _paths(data):
        line = split[lines[path] - 1]
        last = path[-1]
        assert str(last) in line if isinstance(last, str) else True
    assert set(lines) == set(_paths(data))


def _paths(data: Any, path: toml_lines.Path = ()) -> list[toml_lines.Path]:
    found = [path] if path else []
    if isinstance(data, dict):
        for key, value in data.items():
            found += _paths(value, (*path, key))
    elif isinstance(data, list):
        for at, value in enumerate(data):
            found += _paths(value, (*path, at))
    return found
