"""The ready-made automations and the owner's: which is in force, editing, and that a broken one stops nobody else."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest

from sidecar import config_file
from sidecar.automations import library
from sidecar.automations.library import Library
from sidecar.config import Automations, Config, State
from sidecar.errors import AutomationError, ConfigError, Conflict, NotFound
from sidecar.segments import file as segments_file

OWN = 'title = "Own"\n[trigger]\non = "hand"\n[[step]]\nid = "a"\ndo = "stop"\n'


@pytest.fixture
def shelf(tmp_path: Path) -> Library:
    return Library(Config(state=State(dir=str(tmp_path))), UTC, segments_file.load(None, UTC))


def put(tmp_path: Path, name: str, text: str) -> Path:
    target = tmp_path / "automations" / f"{name}.toml"
    target.parent.mkdir(exist_ok=True)
    target.write_text(text, encoding="utf-8")
    return target


def test_the_owners_file_wins(shelf: Library, tmp_path: Path) -> None:
    assert shelf.names() == list(library.ready())
    assert shelf.text("welcome").file == ""
    target = put(tmp_path, "welcome", OWN)
    put(tmp_path, "mine", OWN)
    assert (shelf.get("welcome").title, shelf.get("mine").name) == ("Own", "mine")
    assert shelf.text("welcome").file == str(target)
    assert shelf.own("welcome")
    assert shelf.names() == sorted([*library.ready(), "mine"])
    target.unlink()
    assert shelf.get("welcome").title != "Own"


def test_a_broken_file_stops_nobody_else(shelf: Library, tmp_path: Path) -> None:
    put(tmp_path, "broken", "title = ")
    put(tmp_path, "Upper", OWN)
    put(tmp_path, "unreadable", OWN).write_bytes(b"\xff")
    put(tmp_path, "starts", OWN.replace('do = "stop"', 'do = "start"\nautomation = "nobody"'))
    put(tmp_path, "mine", OWN)
    assert set(shelf.faults()) == {"broken", "Upper", "unreadable", "starts"}
    assert set(shelf.all()) == {*library.ready(), "mine"}
    with pytest.raises(AutomationError) as caught:
        shelf.get("starts")
    assert "nobody" in str(caught.value.problems[0])
    put(tmp_path, "nobody", OWN)
    assert shelf.get("starts").name == "starts"
    with pytest.raises(NotFound):
        shelf.get("../welcome")


def test_saving_checks_first_and_keeps_backups(shelf: Library, tmp_path: Path) -> None:
    before = shelf.text("welcome")
    own = before.text.replace("title = ", "# changed\ntitle = ", 1)
    saved = shelf.save("welcome", own, before.digest)
    assert shelf.text("welcome") == saved
    assert saved.file == str(tmp_path / "automations" / "welcome.toml")
    assert Path(saved.file).stat().st_mode & 0o777 == 0o600
    with pytest.raises(Conflict):
        shelf.save("welcome", own, before.digest)
    with pytest.raises(AutomationError):
        shelf.save("welcome", "title = 1", saved.digest)
    for name in ("../x", "/tmp/x", "a/b", "", "..", "x\0y", "X"):
        with pytest.raises(NotFound):
            shelf.save(name, OWN, "")
    assert shelf.save("mine", OWN, "").text == OWN
    with pytest.raises(Conflict):
        shelf.save("mine", OWN, "")
    assert shelf.reset("welcome") == before
    assert [path.name[:14] for path in (tmp_path / "automations").glob("welcome.toml.*Z")] == ["welcome.toml.2"]
    assert set(shelf.names()) == {*library.ready(), "mine"}
    for name in ("mine", "nobody"):
        with pytest.raises(NotFound):
            shelf.reset(name)


def test_a_copy_is_a_new_one(shelf: Library, tmp_path: Path) -> None:
    made = shelf.copy("win-back-30", "spring-sale", 'Весна "50 %"\\')
    source = shelf.get("win-back-30")
    found = shelf.get("spring-sale")
    assert found.title == 'Весна "50 %"\\' and found.steps == source.steps and found.trigger == source.trigger
    assert made.text.startswith("# Begun as a copy of win-back-30.") and "automations on win-back-30" not in made.text
    assert made.file == str(tmp_path / "automations" / "spring-sale.toml") and shelf.own("spring-sale")
    shelf.copy("spring-sale", "summer-sale")
    assert shelf.get("summer-sale").title == found.title
    for taken in ("spring-sale", "welcome"):
        with pytest.raises(Conflict):
            shelf.copy("win-back-30", taken)
    for source_name, name in (("nobody", "x"), ("welcome", "../x"), ("welcome", ""), ("welcome", "Ä")):
        with pytest.raises(NotFound):
            shelf.copy(source_name, name)
    assert not shelf.own("welcome")


def test_one_of_the_owners_is_taken_away(shelf: Library, tmp_path: Path) -> None:
    shelf.copy("welcome", "mine")
    shelf.save("other", OWN.replace('do = "stop"', 'do = "start"\nautomation = "mine"'), "")
    with pytest.raises(Conflict, match="other starts mine"):
        shelf.remove("mine")
    shelf.remove("other")
    shelf.remove("mine")
    assert set(shelf.names()) == set(library.ready())
    assert len(list((tmp_path / "automations").glob("mine.toml.2*Z"))) == 1
    with pytest.raises(Conflict, match="ready-made"):
        shelf.remove("welcome")
    with pytest.raises(NotFound):
        shelf.remove("mine")


def test_a_place_that_cannot_be_written(shelf: Library, tmp_path: Path) -> None:
    (tmp_path / "automations").write_text("a file")
    with pytest.raises(ConfigError):
        shelf.save("mine", OWN, "")
    assert set(shelf.all()) == set(library.ready())


def test_where_the_directory_is(tmp_path: Path) -> None:
    here = tmp_path / "etc"
    here.mkdir()
    config = Config(state=State(dir="state"))

    def found(config: Config) -> str:
        shop = {"SIDECAR_SHOP__DATABASE__HOST": "x"}
        done = config_file.complete(_reachable(config), here / "sidecar.toml", shop)
        return str(library.directory(done))

    assert found(config) == str(here / "state" / "automations")
    (here / "automations").mkdir()
    assert found(config) == str(here / "automations")
    assert found(Config(state=State(dir="state"), automations=Automations(dir="mine"))) == str(here / "mine")


def _reachable(config: Config) -> Config:
    from msgspec.structs import replace

    from sidecar.config import Database, Shop

    database = Database(host="x", name="x", user="x", password="x")
    return replace(config, shop=Shop(database=database, table_prefix="wp_", users_table="wp_users"))
