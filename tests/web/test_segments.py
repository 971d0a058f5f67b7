"""The pages and the API of segments: what they show, what may be saved, that whatever is wrong is told, and nobody is named."""

from __future__ import annotations

import re
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fragments import EVIL, PERSIAN, Checked
from shopkeeper import Shopkeeper
from signer import ACTORS, ADMIN, Signer
from support import ShopDatabase

from sidecar.errors import Conflict
from sidecar.mapping.file import RulesText
from sidecar.runtime import Runtime
from sidecar.segments import document
from sidecar.segments import file as built_in
from sidecar.segments.figures import Bar, Chart, daily, round_up
from sidecar.segments.model import All, Grouping, Segment
from sidecar.state import jobs
from sidecar.sync.session import Choices
from sidecar.tasks import Tasks
from sidecar.toml_text import value
from sidecar.values.masking import mask_email
from sidecar.web.dashboard import charts

REPEAT = '[[segment]]\nslug = "repeat-buyers"\nname = "Repeat"\nrule = { field = "orders_count", at_least = %d }\n'


@pytest.fixture
def book(synced: Signer, runtime: Runtime) -> Signer:
    """A shop whose segments were refreshed."""
    runtime.refresh_segments()
    return synced


def page(bridge: Signer, query: str = "", who: str = ADMIN) -> str:
    html = bridge.page(f"segments{query}", who=who)
    return re.sub(r"\s+", " ", Checked(html).text)


def form(bridge: Signer, query: str, who: str = ADMIN, **fields: str) -> Any:
    return bridge.form(f"segments{query}", who=who, **fields)


def base_of(bridge: Signer) -> str:
    return str(bridge.data("/api/v1/segment-rules")["digest"])


@pytest.mark.parametrize("who", [ADMIN, PERSIAN, ACTORS["support"]])
def test_before_anything_happened(bridge: Signer, who: str) -> None:
    for query in ("", "?q=vip", "?segment=vip", "?edit=vip", "?edit=%2B", "?edit=%2A", "?edit=vip&remove=1"):
        page(bridge, query, who)


def test_the_list(book: Signer, runtime: Runtime) -> None:
    said = page(book)
    sizes = runtime.segments.sizes()
    assert sizes["repeat-buyers"] > 0
    assert f"Repeat buyers Two orders or more. {sizes['repeat-buyers']} " in said
    assert "Last refreshed: " in said and "Nobody was looked at" not in said
    found = page(book, "?q=REPEAT+two")
    assert "Repeat buyers" in found and "First-time buyers" not in found
    assert "No segment has these words." in page(book, "?q=zebra")
    assert 'class="fcsc-spark"' in book.page("segments")
    listed = book.data("/api/v1/segments")
    assert {row["slug"]: row["size"] for row in listed["segments"] if row["size"]} == sizes
    assert listed["refreshed"] == runtime.segments.looked()


def test_one_segment(book: Signer, runtime: Runtime, demo_hpos: ShopDatabase) -> None:
    said = page(book, "?segment=repeat-buyers")
    found = book.data("/api/v1/segments/repeat-buyers")
    state, size = runtime.state, runtime.segments.sizes()["repeat-buyers"]
    people = "FROM trait WHERE person_id IN (SELECT person_id FROM membership WHERE segment = 'repeat-buyers')"
    assert found["figures"]["line"]["size"] == size
    assert found["figures"]["ltv"] == round(state.rows(f"SELECT AVG(ltv) {people}")[0][0])
    assert found["rule"] == {"text": "orders_count at least 2", "of": []}
    for chart in found["figures"]["charts"]:
        assert sum(bar["count"] for bar in chart["bars"]) == size, chart["of"]
    by_of = {chart["of"]: chart["bars"] for chart in found["figures"]["charts"]}
    assert {"orders", "ltv", "last_order", "country"} <= set(by_of)
    assert [bar["count"] for bar in by_of["orders"]][:2] == [0, 0]
    for low, high, count in ((bar["low"], bar["high"], bar["count"]) for bar in by_of["ltv"] if bar["low"] is not None):
        wanted = state.rows(f"SELECT COUNT(*) {people} AND ltv >= ? AND ltv < ?", (low, high or 2**62))[0][0]
        assert count == wanted, (low, high)
    overlap = {row["slug"]: row["both"] for row in found["figures"]["overlaps"]}
    assert "repeat-buyers" not in overlap
    assert (
        overlap["vip"]
        == state.rows(
            f"SELECT COUNT(*) {people} AND person_id IN (SELECT person_id FROM membership WHERE segment = 'vip')"
        )[0][0]
        > 0
    )
    assert "orders_count at least 2" in said and "Also in" in said and "came" in said
    emails = [row[0] for row in demo_hpos.rows("SELECT email FROM wp_fc_subscribers")]
    whole = book.page("segments?segment=repeat-buyers") + book.get("/api/v1/segments/repeat-buyers/people").text
    assert len(emails) > 10 and not [email for email in emails if email in whole]
    contact, email = demo_hpos.rows(
        "SELECT id, email FROM wp_fc_subscribers WHERE id = %s",
        (
            state.rows(
                "SELECT contact_id FROM person WHERE id IN (SELECT person_id FROM membership WHERE segment = 'vip')"
            )[0][0],
        ),
    )[0]
    assert f"#{contact} {mask_email(email)}" in page(book, "?segment=vip")
    assert f"view=contact%2F{contact}" in book.page("segments?segment=vip")
    nobody = {"slug": "nobody", "text": REPEAT % 2}
    assert book.post("/api/v1/segment-rules/preview", nobody).status_code == 404
    for target in (
        "/ui/segments?segment=nobody",
        "/ui/segments?edit=nobody",
        "/api/v1/segments/nobody",
        "/api/v1/segments/nobody/people",
    ):
        assert book.get(target).status_code == 404


def test_the_status_in_fluentcrm_is_shown_where_it_is_known(book: Signer, runtime: Runtime) -> None:
    def charts_of() -> dict[str, Any]:
        return {one["of"]: one["bars"] for one in book.data("/api/v1/segments/repeat-buyers")["figures"]["charts"]}

    with runtime.state.transaction() as sql:
        sql.execute("DELETE FROM contact_trait")
    assert "status" not in charts_of()
    with runtime.state.transaction() as sql:
        sql.execute(
            "INSERT INTO contact_trait (person_id, contact_id, status) SELECT person_id, person_id, IIF(rowid % 3, 'subscribed', 'bounced') FROM trait"
        )
    bars = {bar["text"]: bar["count"] for bar in charts_of()["status"]}
    assert set(bars) == {"subscribed", "bounced"} and sum(bars.values()) == runtime.segments.sizes()["repeat-buyers"]
    assert "Bounced" in page(book, "?segment=repeat-buyers")


def test_groups_have_headings(book: Signer, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*_: object) -> list[Segment]:
        rfm = Grouping(slug="rfm", name=f"RFM {EVIL}", about="How recently, how often.")
        return [
            Segment(slug="a", name="Champions", rule=All(()), group=rfm),
            Segment(slug="b", name="Alone", rule=All(())),
            Segment(slug="c", name="Lost", rule=All(()), group=rfm),
        ]

    monkeypatch.setattr(built_in, "load", load)
    said = page(book)
    places = [said.index(word) for word in ("Alone", "RFM <img", "How recently, how often.", "Champions", "Lost")]
    assert places == sorted(places)
    assert "Lost" in page(book, "?q=rfm+lost") and "Alone" not in page(book, "?q=rfm+lost")


def test_people_come_by_pages(book: Signer, runtime: Runtime) -> None:
    size = runtime.segments.sizes()["repeat-buyers"]
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        answer = book.get(f"/api/v1/segments/repeat-buyers/people?limit=2&after={after}")
        assert answer.json
        seen += [row["id"] for row in answer.json["data"]]
        after = answer.json["next"]
    assert len(seen) == len(set(seen)) == size > 2 and seen == sorted(seen, reverse=True)


def test_the_sizes_of_a_month(book: Signer, runtime: Runtime) -> None:
    """What was known 30 days ago is compared; what was not is not guessed."""
    (line,) = [row for row in book.data("/api/v1/segments")["segments"] if row["slug"] == "vip"]
    assert line["change"] is None
    with runtime.state.transaction() as sql:
        sql.execute("INSERT INTO segment_size VALUES ('vip', '2001-01-01', 7)")
    (line,) = [row for row in book.data("/api/v1/segments")["segments"] if row["slug"] == "vip"]
    assert line["change"] == line["size"] - 7
    assert line["sizes"] == [7] * 59 + [line["size"]]


@pytest.mark.parametrize(
    ("trend", "wanted"),
    [
        ([], []),
        ([("2026-11-01", 5)], [5]),
        ([("2026-10-29", 5), ("2026-10-31", 6)], [5, 5, 6, 6]),
        ([("2026-10-01", 1), ("2026-10-02", 2), ("2026-10-31", 6)], [2, 2, 2, 6, 6]),
        ([("2026-11-02", 3)], [3]),
        ([("2026-10-31", 3), ("2026-11-02", 4)], [3, 4]),
    ],
)
def test_sizes_by_day(trend: list[tuple[str, int]], wanted: list[int]) -> None:
    assert daily(trend, "2026-11-01", 5) == wanted


def test_lines_and_labels(app: Any) -> None:
    assert charts.points([], 100, 20) == ""
    assert charts.points([3], 100, 20) == "0,10 100,10"
    assert charts.points([0, 10, 5], 100, 20) == "0,18 50,2 100,10"
    assert [round_up(number) for number in (1, 2, 3, 7, 10, 11, 999, 20_000_001)] == [
        1,
        2,
        5,
        10,
        10,
        20,
        1000,
        50_000_000,
    ]
    bars = [Bar(low=None, high=1, count=3), Bar(low=1, high=20_000_000, count=1), Bar(low=20_000_000, count=0)]
    with app.test_request_context():
        labels = [bar.label for bar in charts.bars(Chart(of="ltv", bars=bars))]
        assert labels == ["nothing", "0 to 20", "20 or more"]
        days = [Bar(low=None, high=8, count=1), Bar(low=8, high=31, count=1), Bar(low=366, count=1), Bar(count=1)]
        assert [bar.label for bar in charts.bars(Chart(of="last_order", bars=days))] == ["0 to 7", "8 to 30", "366 or more", "never"]  # fmt: skip
        places = [Bar(text="pl", count=2), Bar(text="x1", count=1), Bar(text="", count=1), Bar(other=True, count=1)]
        drawn = charts.bars(Chart(of="country", bars=places))
        assert [(bar.label, bar.length) for bar in drawn] == [
            ("Poland", 100),
            ("X1", 50),
            ("not known", 50),
            ("Others", 50),
        ]


@pytest.mark.parametrize("group", [True, False])
def test_hostile_names_stay_text(
    bridge: Signer, demo_hpos: ShopDatabase, runtime: Runtime, state_dir: Path, group: bool
) -> None:
    keeper = Shopkeeper(demo_hpos)
    keeper.order("evil@shop.example", billing={"first_name": EVIL, "country": "<b"})
    text = f'# {EVIL}\n[[segment]]\nslug = "evil"\nname = {value(EVIL)}\nabout = {value(EVIL)}\nno_offers = [{value(EVIL)}]\n'
    text += (
        f'rule = {{ any = [{{ field = "orders_count", at_least = 0 }}, {{ field = "device", is = {value(EVIL)} }}] }}\n'
    )
    (state_dir / "segments.toml").write_text(text, "utf-8")
    runtime.sync(Choices())
    runtime.refresh_segments()
    for query in ("", "?segment=evil", "?edit=evil", "?edit=%2A", "?q=" + "%3Cscript%3E"):
        html = bridge.page(f"segments{query}")
        Checked(html)
        assert "<img" not in html and "<script" not in html, query
        assert "&lt;img" in html or query.startswith("?q"), query
    answer = form(bridge, "?edit=evil", action="preview", text=text.replace("orders_count", EVIL.replace('"', "'")))
    Checked(answer.text)
    assert answer.status_code == 200 and "&lt;img" in answer.text and "<img" not in answer.text


def test_a_rule_is_tried_and_saved(book: Signer, runtime: Runtime, state_dir: Path) -> None:
    base = base_of(book)
    three = runtime.state.rows("SELECT COUNT(*) FROM trait WHERE orders_count >= 3")[0][0]
    tried = form(book, "?edit=repeat-buyers", action="preview", base=base, text=(REPEAT % 3).replace("\n", "\r\n"))
    assert tried.status_code == 200
    assert f"{three} of " in re.sub(r"\s+", " ", Checked(tried.text).text)
    assert not (state_dir / "segments.toml").exists(), "trying saved it"
    data = book.post("/api/v1/segment-rules/preview", {"slug": "repeat-buyers", "text": REPEAT % 3}).json["data"]
    assert (data["ok"], data["sheet"]["size"]) == (True, three)
    assert data["people"] and all("•••@" in row["email"] for row in data["people"])
    saved = form(book, "?edit=repeat-buyers", action="save", base=base, text=REPEAT % 3)
    assert (saved.status_code, saved.headers["Location"]) == (
        303,
        "/ui/segments?segment=repeat-buyers&notice=segment_saved",
    )
    written = (state_dir / "segments.toml").read_text("utf-8")
    text = built_in.default_text()
    assert written == text.replace(document.block(text, "repeat-buyers"), (REPEAT % 3).rstrip())
    runtime.refresh_segments()
    assert runtime.segments.sizes()["repeat-buyers"] == three
    # Who looked at the file before cannot save over it.
    late = form(
        book, "?edit=vip", action="save", base=base, text='[[segment]]\nslug = "vip"\nname = "V"\nrule = { all = [] }\n'
    )
    assert late.status_code == 409 and "changed meanwhile" in late.text and "rule = { all = [] }" in late.text
    assert (state_dir / "segments.toml").read_text("utf-8") == written


def test_every_problem_is_told_with_its_line(book: Signer, state_dir: Path) -> None:
    text = '\n[[segment]]\nslug = "vip"\nname = 5\nrule = { all = [\n  { field = "ltw", at_least = 1 },\n  { segment = "nobody" },\n] }\nx = 1\n'
    for action in ("preview", "save"):
        answer = form(book, "?edit=vip", action=action, base=base_of(book), text=text)
        assert answer.status_code == (422 if action == "save" else 200)
        said = re.sub(r"\s+", " ", Checked(answer.text).text)
        for line in (4, 6, 7, 9):
            assert f"Line {line}:" in said, (line, said)
        assert ("nothing was saved" in said) == (action == "save")
        assert "did you mean ltv?" in said and text.strip() in re.sub("&#34;", '"', answer.text)
    body = {"slug": "vip", "text": text, "base": base_of(book)}
    assert book.post("/api/v1/segment-rules/save", body).status_code == 422
    assert len(book.post("/api/v1/segment-rules/preview", {"slug": "vip", "text": text}).json["data"]["problems"]) >= 4
    assert not (state_dir / "segments.toml").exists()


def test_added_renamed_and_removed(book: Signer, state_dir: Path) -> None:
    new = REPEAT.replace("repeat-buyers", "fans") % 1
    assert (
        form(book, "?edit=%2B", action="save", base=base_of(book), text=new)
        .headers["Location"]
        .startswith("/ui/segments?segment=fans")
    )
    again = form(book, "?edit=%2B", action="save", base=base_of(book), text=new)
    assert again.status_code == 422 and "is there already" in again.text
    renamed = new.replace("fans", "big-fans")
    assert (
        "segment=big-fans"
        in form(book, "?edit=fans", action="save", base=base_of(book), text=renamed).headers["Location"]
    )
    asked = form(book, "?edit=big-fans", action="remove")
    assert asked.headers["Location"] == "/ui/segments?edit=big-fans&remove=1"
    assert "Remove the segment big-fans?" in page(book, "?edit=big-fans&remove=1")
    assert "big-fans" in (state_dir / "segments.toml").read_text("utf-8")
    gone = form(book, "?edit=big-fans", action="remove", sure="1", base=base_of(book))
    assert gone.headers["Location"] == "/ui/segments?notice=segment_removed"
    assert (state_dir / "segments.toml").read_text("utf-8").rstrip("\n") == built_in.default_text().rstrip("\n")
    whole = form(book, "?edit=%2A", action="save", base=base_of(book), text=REPEAT % 2)
    assert whole.headers["Location"] == "/ui/segments?notice=segment_saved"
    other = REPEAT % 2 + '[[segment]]\nslug = "b"\nname = "B"\nrule = { segment = "repeat-buyers" }\n'
    book.post("/api/v1/segment-rules/save", {"slug": "*", "text": other, "base": base_of(book)})
    asked_for = form(book, "?edit=repeat-buyers", action="remove", sure="1", base=base_of(book))
    assert asked_for.status_code == 422 and "repeat-buyers" in (state_dir / "segments.toml").read_text("utf-8")
    removed = book.post("/api/v1/segment-rules/remove", {"slug": "b", "base": base_of(book)}).json["data"]
    assert removed["text"] == REPEAT % 2


def test_a_broken_file_is_shown_and_can_be_mended(bridge: Signer, state_dir: Path) -> None:
    (state_dir / "segments.toml").write_text('[[segment]]\nslug = "a"\nname = "A"\nrule = { field = "ltw" }\n')
    said = page(bridge)
    assert "not in order" in said and "Line 4" in said and "did you mean ltv?" in said
    assert bridge.get("/api/v1/segments").status_code == 422
    (state_dir / "segments.toml").write_text("[[segment]\n")
    said = page(bridge, "?edit=a")
    assert "All segments in one file" in said and "[[segment] " in said
    mended = form(bridge, "?edit=%2A", action="save", base=base_of(bridge), text=REPEAT % 2)
    assert mended.status_code == 303
    assert [row["slug"] for row in bridge.data("/api/v1/segments")["segments"]] == ["repeat-buyers"]


def test_a_refresh_from_the_page(synced: Signer, runtime: Runtime) -> None:
    assert form(synced, "", action="refresh").headers["Location"] == "/ui/segments?notice=refreshing"
    assert "being refreshed" in page(synced)
    assert form(synced, "", action="refresh").status_code == 409
    Tasks(runtime).runtime.work_waiting()
    job = jobs.latest(runtime.state)
    assert job is not None and (job.kind, job.state) == ("segments", "done")
    assert job.result["came"] == sum(runtime.segments.sizes().values()) > 0
    assert " came #" in page(synced, "?segment=repeat-buyers")
    assert f"{job.result['came']:,} came" in re.sub(r"\s+", " ", Checked(synced.page("sync")).text)


def test_two_cannot_save_at_once(book: Signer, runtime: Runtime) -> None:
    """Of ten who save at the same time one has looked at the file in force; nothing is lost or mixed."""
    base, done = base_of(book), []

    def save(number: int) -> None:
        with suppress(Conflict):
            runtime.segments.save("", REPEAT.replace("repeat-buyers", f"s{number}") % 1, base)
            done.append(number)
        runtime.state.close()

    threads = [threading.Thread(target=save, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    now: RulesText = runtime.segments.text()
    assert len(done) == 1
    assert [number for number in range(10) if f'slug = "s{number}"' in now.text] == done


@pytest.mark.parametrize(
    ("email", "wanted"),
    [("anna.nowak@mail.example.com", "a•••@m•••.com"), ("x@y.z", "x•••@y•••.z"), ("no address", "•••"), ("a@localhost", "a•••@l•••"), ("", "•••"), ("@x.y", "•••")],
)  # fmt: skip
def test_masks(email: str, wanted: str) -> None:
    assert mask_email(email) == wanted
