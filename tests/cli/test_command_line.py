"""The command line as a whole: lazy imports, one JSON object, errors and exit codes, tables, logs."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from sidecar import logs
from sidecar.cli import cli, tables
from sidecar.cli.context import Context, pass_run
from sidecar.cli.lazy import Root
from sidecar.cli.output import Output
from sidecar.errors import ConfigError, Problem, StoreUnavailable

HEAVY = ["pymysql", "flask", "phonenumbers", "peewee", "huey", "requests", "cryptography"]


# Words of texts that follow "sidecar" and are no commands, and what stands for one.
NAMED = re.compile(r"`(?:\S*/)?sidecar ([a-z]+(?:-[a-z]+)*)(?: ([a-z]+(?:-[a-z]+)*)(?![\w.]))?")
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    "file",
    sorted(
        [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("sidecar/**/*.py"), *ROOT.glob("sidecar/**/*.toml")]
    ),
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_every_command_that_is_named_is_there(file: Path) -> None:
    context = click.Context(cli)
    for name, below in NAMED.findall(file.read_text("utf-8")):
        command = cli.get_command(context, name)
        assert command is not None, f"sidecar {name}"
        if below and isinstance(command, click.Group):
            assert command.get_command(context, below) is not None, f"sidecar {name} {below}"


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level
    logging.getLogger("sidecar").setLevel(logging.NOTSET)


@click.group()
def probe() -> None:
    """For the tests."""


@probe.command()
@click.argument("what")
@pass_run
def go(run: Context, what: str) -> None:
    """Do what is asked."""
    run.output.say("hello")
    run.output.table([["a", 1]], ["name", "count"])
    run.output.warn("careful")
    run.output.result({"count": 1, "total": Decimal("1.50")})
    with run.output.progress(40, "orders") as bar:
        for _ in range(40):
            bar.advance()
    doings: dict[str, Callable[[], object]] = {
        "work": lambda: None,
        "config": lambda: _raise(
            ConfigError("bad file", [Problem("f.toml", 3, "a.b", "is wrong", "fix it")], hint="mend")
        ),
        "store": lambda: _raise(StoreUnavailable("gone", hint="start it")),
        "crash": lambda: _raise(KeyError("anna@example.com")),
        "stop": lambda: _raise(KeyboardInterrupt()),
        "ask": lambda: click.confirm("Sure?", abort=True),
        "fail": lambda: click.get_current_context().exit(1),
    }
    doings[what]()


def _raise(error: BaseException) -> None:
    raise error


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    root = Root("sidecar", {"probe": ("nowhere:probe", "For the tests.")})
    module = type(sys)("nowhere")
    module.probe = probe  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "nowhere", module)
    return lambda *args: CliRunner().invoke(root, list(args))


def test_help_and_version_import_nothing_heavy() -> None:
    code = (
        "import sys\nfrom sidecar.cli import cli\n"
        "for args in (['--help'], ['--version']):\n"
        "    try: cli.main(args)\n"
        "    except SystemExit as e: assert e.code == 0\n"
        f"print([m for m in {HEAVY} if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"
    for name in cli.commands_at:
        assert f"\n  {name}" in run.stdout


def test_config_commands_do_not_import_the_database(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom sidecar.cli import cli\ntry: cli.main(['config', 'example', '--quiet'])\n"
        f"except SystemExit: pass\nprint([m for m in {HEAVY} if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines()[-1] == "[]"


def test_people_get_a_table_and_pipes_get_only_the_answer(runner: Callable[..., Result]) -> None:
    found = runner("probe", "go", "work")
    assert found.exit_code == 0
    assert found.stdout == "hello\nname  count\n----  -----\na         1\n"
    lines = found.stderr.splitlines()
    assert lines[0] == "warning: careful"
    assert len(lines) == 21
    assert lines[1] == "orders: 5 % (2 of 40)"
    assert lines[-1] == "orders: 100 % (40 of 40)"
    quiet = runner("probe", "go", "work", "--quiet")
    assert quiet.stdout == "name  count\n----  -----\na         1\n"
    assert quiet.stderr == "warning: careful\n"


@pytest.mark.parametrize("args", [["--json", "probe", "go", "work"], ["probe", "--json", "go", "work"]])
def test_json_is_exactly_one_object_wherever_the_option_stands(runner: Callable[..., Result], args: list[str]) -> None:
    for arguments in (args, ["probe", "go", "work", "--json"]):
        found = runner(*arguments)
        assert found.stdout.count("\n") == 1
        assert json.loads(found.stdout) == {"ok": True, "count": 1, "total": "1.50", "warnings": ["careful"]}
        assert found.stderr == ""


@pytest.mark.parametrize(
    ("what", "code", "name"),
    [
        ("config", 3, "config"),
        ("store", 4, "store_unavailable"),
        ("crash", 1, "unexpected"),
        ("stop", 130, "interrupted"),
    ],
)
def test_errors(runner: Callable[..., Result], what: str, code: int, name: str) -> None:
    found = runner("probe", "go", what, "--json")
    assert found.exit_code == code
    assert found.stdout.count("\n") == 1
    said = json.loads(found.stdout)
    assert said["ok"] is False
    assert set(said["error"]) == {"code", "message", "hint", "details"}
    assert said["error"]["code"] == name
    assert said["error"]["hint"]
    text = runner("probe", "go", what)
    assert text.exit_code == code
    assert "error: " in text.stderr
    assert "error: " not in text.stdout
    assert "hint: " in text.stderr
    assert "anna@" not in found.output + text.output


def test_who_says_no_is_not_told_to_go_on(runner: Callable[..., Result]) -> None:
    found = runner("probe", "go", "ask")
    assert found.exit_code == 130
    assert "error: not confirmed: nothing was done\n" in found.stderr
    assert "goes on" not in found.output


def test_a_fault_in_a_file_is_shown_with_its_place(runner: Callable[..., Result]) -> None:
    assert "  - f.toml:3: a.b: is wrong (fix it)\n" in runner("probe", "go", "config").stderr
    (problem,) = json.loads(runner("probe", "go", "config", "--json").stdout)["error"]["details"]
    assert problem == {"file": "f.toml", "line": 3, "key": "a.b", "message": "is wrong", "hint": "fix it"}


def test_a_trace_is_shown_only_on_request(runner: Callable[..., Result]) -> None:
    assert "Traceback" not in runner("probe", "go", "crash").stderr
    assert "Traceback" in runner("--debug", "probe", "go", "crash").stderr
    found = runner("probe", "go", "crash", "--json", "--debug")
    assert found.stdout.count("\n") == 1


def test_a_command_may_fail_with_a_result(runner: Callable[..., Result]) -> None:
    found = runner("probe", "go", "fail", "--json")
    assert found.exit_code == 1
    assert json.loads(found.stdout)["count"] == 1


@pytest.mark.parametrize("args", [["nope"], ["probe", "go"], ["probe", "go", "work", "--nope"]])
def test_wrong_usage_is_exit_2(runner: Callable[..., Result], args: list[str]) -> None:
    assert runner(*args).exit_code == 2
    found = runner(*args, "--json")
    assert found.exit_code == 2
    assert json.loads(found.stdout)["error"]["code"] == "usage"
    assert "--help" in json.loads(found.stdout)["error"]["hint"]


@pytest.mark.parametrize("args", [[], ["probe"]])
def test_a_group_alone_shows_what_is_in_it(runner: Callable[..., Result], args: list[str]) -> None:
    found = runner(*args)
    assert found.exit_code == 2
    assert found.stderr.startswith("Usage: ")
    assert ("probe" if not args else "go") in found.stderr
    assert "error" not in found.stderr
    asked = runner(*args, "--json")
    assert asked.exit_code == 2
    assert json.loads(asked.stdout)["error"]["message"] == "Missing command."


def test_a_reader_that_goes_away_is_no_news() -> None:
    command = f"{sys.executable} -m sidecar config example | head -c 10"
    env = os.environ | {"PYTHONUNBUFFERED": "1"}
    run = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False, env=env)
    assert run.stderr == ""


def test_tables_line_up_in_every_script() -> None:
    lines = tables.render(
        [["سارا", 5, Decimal("1.50")], ["李小龍", 12, None], ["e\u0301va\x1b[31m", 1, Decimal("10.00")]],
        ["name", "orders", "money"],
    )
    assert lines[1] == "--------  ------  -----"
    assert {tables.width(line) for line in lines} <= {len(lines[1]), len(lines[1]) - 7}
    assert "\x1b" not in "".join(lines)
    assert tables.width("👍") == 2
    assert tables.render([], ["a"]) == ["a", "-"]
    assert tables.render([["x", True]]) == ["x  yes"]


def test_no_total_gives_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with Output().progress(None, "people") as bar:
        bar.advance(3)
    assert capsys.readouterr().err == "people: 3\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mail to anna.nowak+x@example.com failed", "mail to <email> failed"),
        ("'josé@пример.рф' <a@b>", "'<email>' <<email>>"),
        ("call +48 600 700 800 or 600-700-800", "call <digits> or <digits>"),
        ("۰۹۱۲۳۴۵۶۷۸۹", "<digits>"),
        ("order 12345678 of 2026-11-01 12:00:00, 2026-11-01T12:00:00Z", None),
        ("rows=20000 in 1.25 s, 98 765 left", None),
        ("abc1234567890def", None),
    ],
)
def test_redaction(text: str, expected: str | None) -> None:
    assert logs.redact(text) == (text if expected is None else expected)


@pytest.mark.parametrize("format_", ["text", "json"])
def test_logs_carry_context_and_no_personal_data(capsys: pytest.CaptureFixture[str], format_: str) -> None:
    logs.setup("info", format_)  # type: ignore[arg-type]
    logger = logging.getLogger("sidecar.test")
    try:
        raise ValueError("Duplicate entry 'anna@example.com'")
    except ValueError:
        with logs.bind(run=7), logs.bind(person="ab12", nothing=None):
            logger.warning("failed for %s", "anna@example.com", extra={"rows": 5, "who": "ola@x.pl"}, exc_info=True)
    logger.debug("not shown")
    said = capsys.readouterr().err
    assert "@" not in said
    assert "not shown" not in said
    if format_ == "json":
        line = json.loads(said)
        assert line["message"] == "failed for <email>"
        assert (line["run"], line["person"], line["rows"], line["who"]) == ("7", "ab12", 5, "<email>")
        assert "ValueError" in line["trace"]
    else:
        assert "warning sidecar.test failed for <email> run=7 person=ab12 rows=5 who=<email>\nTraceback" in said
