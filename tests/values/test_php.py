"""The parser against the real php binary, and against bytes that nobody serialized."""

from __future__ import annotations

import base64
import contextlib
import json
import math
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sidecar.values.characters import encode
from sidecar.values.php import PhpEnum, PhpError, PhpObject, dumps, loads, looks_serialized, maybe_unserialize

needs_php = pytest.mark.skipif(shutil.which("php") is None, reason="no php binary")

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
KEY = st.integers(-(2**63), 2**63 - 1) | TEXT
SCALAR = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXT | st.floats()
VALUE = st.recursive(SCALAR, lambda v: st.lists(v, max_size=4) | st.dictionaries(KEY, v, max_size=4), max_leaves=12)


def run_php(code: str, items: list[str]) -> list[str]:
    """One process for many values: base64 lines in, base64 lines out."""
    program = f"""
    foreach (json_decode(stream_get_contents(STDIN)) as $b64) {{
        $in = base64_decode($b64);
        {code}
        echo base64_encode($out), "\\n";
    }}"""
    packed = json.dumps([base64.b64encode(i.encode("utf-8", "surrogateescape")).decode() for i in items])
    done = subprocess.run(["php", "-r", program], input=packed, capture_output=True, text=True, check=True)
    return [base64.b64decode(x).decode("utf-8", "surrogateescape") for x in done.stdout.split("\n")[:-1]]


def same(a: object, b: object) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))
    if type(a) is not type(b):
        return False
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    return a == b


@needs_php
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(VALUE, min_size=60, max_size=120))
def test_php_reads_what_we_write_and_writes_the_same(values: list[object]) -> None:
    ours = [dumps(v) for v in values]
    theirs = run_php("$out = serialize(unserialize($in, ['allowed_classes' => false]));", ours)
    assert theirs == ours
    for text in ours:
        value = loads(text)
        assert dumps(value) == text
        assert same(loads(dumps(value)), value)


@needs_php
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.floats(allow_nan=False), min_size=100, max_size=200))
def test_floats_are_written_as_php_writes_them(values: list[float]) -> None:
    values = [*values, 1e15, 1e16, 1e17, 0.1, -0.0, 0.0001, 0.00001, 123456789012345678.0, 5e-324]
    assert run_php("$out = serialize(unserialize($in));", [f"d:{v!r};" for v in values if abs(v) < 1e300]) == [
        dumps(v) for v in values if abs(v) < 1e300
    ]


@needs_php
def test_objects_enums_references_and_custom_serializers_from_php_itself() -> None:
    code = r"""
    enum Suit: string { case Hearts = 'H'; }
    class A { public $a = 1; protected $b = [1, 2]; private $c = 'x'; public $s; }
    class C1 implements Serializable {
        public function serialize() { return 'i:5;{}'; } public function unserialize($d) {} }
    $a = new A; $shared = new stdClass; $shared->n = 7; $ref = 'r';
    foreach ([$a, Suit::Hearts, [$shared, $shared, 3, $shared], [1, &$ref, &$ref, [&$ref], 'z'], @new C1,
              [$shared, &$ref, $shared, &$ref, $shared]] as $v) echo base64_encode(serialize($v)), "\n";
    """
    done = subprocess.run(["php", "-d", "error_reporting=0", "-r", code], capture_output=True, text=True, check=True)
    found = [loads(base64.b64decode(line)) for line in done.stdout.split()]
    seven = PhpObject("stdClass", {"n": 7})
    assert found == [
        PhpObject("A", {"a": 1, "b": [1, 2], "c": "x", "s": None}),
        PhpEnum("Suit", "Hearts"),
        [seven, seven, 3, seven],
        [1, "r", "r", ["r"], "z"],
        PhpObject("C1", {}, "i:5;{}"),
        [seven, "r", seven, "r", seven],
    ]


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=60) | st.text(max_size=40))
def test_random_input_raises_nothing_but_php_error(data: bytes | str) -> None:
    try:
        loads(data)
    except PhpError as error:
        assert error.position >= 0


@settings(max_examples=400, deadline=None)
@given(VALUE, st.data())
def test_mutated_serializations_raise_nothing_but_php_error(value: object, data: st.DataObject) -> None:
    raw = bytearray(encode(dumps(value)))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw) - 1))
        raw[at] = data.draw(st.sampled_from(list(b'0123456789:;{}"aOsidbNrRCES\x00\xff-')))
    with contextlib.suppress(PhpError):
        loads(bytes(raw))


@needs_php
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(VALUE, st.integers(0, 10**6), st.sampled_from(list('019:;{}"aOsidbNrR-'))), min_size=80))
def test_what_php_refuses_we_refuse(cases: list[tuple[object, int, str]]) -> None:
    texts = []
    for value, at, mark in cases:
        text = dumps(value)
        texts.append(text[: at % len(text)] + mark + text[at % len(text) + 1 :])
    verdicts = run_php(
        "$v = @unserialize($in, ['allowed_classes' => false]);$out = ($v === false && $in !== 'b:0;') ? 'no' : 'yes';",
        texts,
    )
    for text, verdict in zip(texts, verdicts, strict=True):
        try:
            loads(text)
            read = True
        except PhpError:
            read = False
        assert not (read and verdict == "no"), text


@pytest.mark.parametrize(
    "bad",
    [
        "", "N", "i:1", "i:1;x", "i: 1;", "i:1_0;", "i:9223372036854775808;", 's:3:"ab";', 's:1:"ł";', "b:2;",
        "a:1:{i:0;}", "a:2:{i:0;i:1;}", "a:999999999:{}", "a:1:{d:1;i:1;}", "R:1;", "r:0;", "a:1:{i:0;R:1;}",
        'O:8:"stdClass":1:{i:0;r:1;}', "d:1e;", 'E:3:"Foo";', 'O:1:"1":0:{}', "a:1:{i:0;R:9;}",
    ],
)  # fmt: skip
def test_malformed(bad: str) -> None:
    with pytest.raises(PhpError):
        loads(bad)
    assert maybe_unserialize(bad) == bad


def test_limits() -> None:
    deep = "a:1:{i:0;" * 64 + "N;" + "}" * 64
    assert loads(deep) is not None
    for bad in ("a:1:{i:0;" * 65 + "N;" + "}" * 65, "a:1:{i:0;" * 100_000, "N;" + " " * (8 * 1024 * 1024)):
        with pytest.raises(PhpError):
            loads(bad)
    # every element refers to the one before twice: 2**60 elements if one walked over them
    bomb = "a:61:{i:0;a:1:{i:0;i:1;}"
    slot = 2
    for i in range(1, 61):
        bomb += f"i:{i};a:2:{{i:0;R:{slot};i:1;R:{slot};}}"
        slot = slot + (2 if i == 1 else 1)
    with pytest.raises(PhpError):
        loads(bomb + "}")
    value: list[object] = []
    value.append(value)
    with pytest.raises(PhpError):
        dumps(value)
    for odd in (object(), 2**63, {1.5: 1}, {True: 1}, b"x"):
        with pytest.raises(PhpError):
            dumps(odd)


def test_dumps_is_fluentcrm_form() -> None:
    assert dumps(["A", "B"]) == 'a:2:{i:0;s:1:"A";i:1;s:1:"B";}'
    assert dumps({"k": "Łódź", "5": 0.1}) == 'a:2:{s:1:"k";s:7:"Łódź";i:5;d:0.1;}'
    assert loads(b's:2:"\xff\xfe";') == "\udcff\udcfe"
    assert dumps("\udcff\udcfe\ud800").startswith("s:")


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("N;", True), (" N; ", True), ("b:1;", True), ("i:1;", True), ("i:x;", False), ("d:0.1E+5;", True),
        ('s:1:"a";', True), ("s:1:a;", False), ("a:0:{}", True), ("a:x:{}", False), ('O:1:"A":0:{}', True),
        ('E:1:"A:B";', True), ("", False), ("abc", False), ("a:1", False), ("x:1:;", False), ("i:1", False),
    ],
)  # fmt: skip
def test_looks_serialized(text: str, verdict: bool) -> None:
    assert looks_serialized(text) is verdict


def test_maybe_unserialize() -> None:
    assert maybe_unserialize("plain") == "plain"
    assert maybe_unserialize("") == ""
    assert maybe_unserialize("b:0;") is False
    assert maybe_unserialize(dumps(dumps(["a"]))) == ["a"]
    assert maybe_unserialize('a:1:{i:0;s:9:"x";}') == 'a:1:{i:0;s:9:"x";}'
    assert maybe_unserialize(" a:0:{}\n") == []
    assert maybe_unserialize("a: not serialized;") == "a: not serialized;"
