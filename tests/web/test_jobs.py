"""Long work: one at a time, one hand on it, halted between two pages, taken up again, and truthful about itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from support import ShopDatabase
from syncing import execute

from sidecar.config import Config, Sync
from sidecar.errors import Conflict, NotFound
from sidecar.runtime import Runtime
from sidecar.state import jobs, runs
from sidecar.sync.session import Choices
from sidecar.tasks import Tasks


@pytest.fixture
def shop(demo_hpos: ShopDatabase, config_for: Callable[..., Config]) -> Iterator[Runtime]:
    with Runtime(config_for(demo_hpos, sync=Sync(page_people=20, page_orders=50))) as made:
        yield made


def never() -> bool:
    return False


def test_one_at_a_time(shop: Runtime) -> None:
    first = jobs.start(shop.state, "sync", {})
    with pytest.raises(Conflict):
        jobs.start(shop.state, "undo", {"run": 1})
    jobs.cancel(shop.state)
    assert jobs.get(shop.state, first.id).state == "cancelled"
    assert shop.work(first.id, never) is None, "what was given up is not worked on"
    assert jobs.start(shop.state, "sync", {}).id != first.id
    for act in (jobs.pause, jobs.resume, jobs.cancel):
        jobs.cancel(shop.state) if jobs.open_(shop.state) else None
        with pytest.raises(NotFound):
            act(shop.state)


def test_old_jobs_are_forgotten(shop: Runtime) -> None:
    """Pain 35: the state keeps the newest 200, and whatever is not over."""
    waiting = jobs.start(shop.state, "sync", {})
    for _ in range(300):
        shop.state.sql.execute(
            "INSERT INTO job (kind, state, created, updated, finished) VALUES ('sync', 'done', 0, 0, 1)"
        )
    last = jobs.latest(shop.state)
    assert jobs.prune(shop.state) == 100
    assert jobs.latest(shop.state) == last
    assert jobs.get(shop.state, waiting.id) == waiting
    assert jobs.prune(shop.state) == 0


def test_one_hand_on_it(shop: Runtime) -> None:
    job = jobs.start(shop.state, "sync", {})
    with jobs.hands_on(shop.state) as ours:
        assert ours
        assert shop.work(job.id, never) is None
    assert jobs.get(shop.state, job.id).state == "queued"


def test_a_stop_halts_between_two_pages_and_the_rest_is_done_later(shop: Runtime, demo_hpos: ShopDatabase) -> None:
    job = jobs.start(shop.state, "sync", {})
    asked = iter(range(10**9))
    halted = shop.work(job.id, lambda: next(asked) > 12)
    assert halted is not None and halted.state == "queued"
    assert runs.latest(shop.state, 1)[0].state == "interrupted"
    done = shop.work(job.id, never)
    assert done is not None and done.state == "done" and done.error == ""
    assert shop.verify().ok


def test_a_pause_comes_back_as_paused(shop: Runtime) -> None:
    job = jobs.start(shop.state, "sync", {})
    seen: list[str] = []

    def stopping() -> bool:
        now = jobs.get(shop.state, job.id)
        seen.append(now.step)
        if now.step == "orders" and not now.wish:
            jobs.pause(shop.state)
        return False

    halted = shop.work(job.id, stopping)
    assert halted is not None and (halted.state, halted.wish) == ("paused", "")
    assert jobs.waiting(shop.state) is None
    jobs.resume(shop.state)
    done = shop.work(job.id, never)
    assert done is not None and done.state == "done"


def test_what_a_dead_process_left_is_taken_up(shop: Runtime) -> None:
    """`kill -9`: the row says running, and nobody holds the lock."""
    job = jobs.start(shop.state, "sync", {})
    with jobs.hands_on(shop.state):
        assert jobs.claim(shop.state, job.id)
    waiting = jobs.waiting(shop.state)
    assert waiting is not None and waiting.state == "running"
    tasks = Tasks(shop)
    tasks.wake()
    assert tasks.huey.pending_count() == 1
    shop.work_waiting()
    assert jobs.get(shop.state, job.id).state == "done"


def test_a_lost_message_is_sent_again(shop: Runtime) -> None:
    tasks = Tasks(shop)
    tasks.start("sync", {})
    tasks.huey.flush()
    assert tasks.huey.pending_count() == 0
    tasks.wake()
    message = tasks.huey.dequeue()
    assert message is not None
    tasks.huey.execute(message)
    found = jobs.latest(shop.state)
    assert found is not None and found.state == "done"


def test_another_site_is_told_as_the_jobs_error(shop: Runtime, demo_hpos: ShopDatabase) -> None:
    shop.sync(Choices())
    execute(
        demo_hpos,
        "UPDATE wp_options SET option_value = 'https://staging.example' WHERE option_name IN ('home', 'siteurl')",
    )
    job = jobs.start(shop.state, "sync", {})
    found = shop.work(job.id, never)
    assert found is not None and found.state == "failed"
    assert "not the site" in found.error


def test_an_unforeseen_fault_keeps_its_text_to_itself(shop: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("anna@example.com broke it")

    monkeypatch.setattr(Runtime, "sync", broken)
    job = jobs.start(shop.state, "sync", {})
    found = shop.work(job.id, never)
    assert found is not None and (found.state, found.error) == ("failed", "unexpected: RuntimeError")


def test_the_time_that_is_left(shop: Runtime) -> None:
    job = jobs.start(shop.state, "sync", {})
    with jobs.hands_on(shop.state):
        claimed = jobs.claim(shop.state, job.id)
    assert claimed is not None
    jobs.progress(shop.state, claimed, "people", 100, 1100)
    assert claimed.eta is None, "nothing is known after one look"
    claimed.step_at -= 10
    jobs.progress(shop.state, claimed, "people", 200, 1100)
    assert claimed.eta == pytest.approx(90, abs=2) and claimed.percent == 18
    jobs.progress(shop.state, claimed, "orders", 0, 10)
    assert claimed.eta is None


def test_surveys_are_asked_for_once(shop: Runtime) -> None:
    tasks = Tasks(shop)
    assert tasks.explore("products") and not tasks.explore("products")
    shop.work_waiting()
    found = shop.explored("products")
    assert found.at is not None and not found.wanted and found.keys
    assert tasks.explore("products")
