"""Reading ahead: pages are loaded by threads with their own connections and handed over in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from sidecar.mysql.connection import Reader

Page = TypeVar("Page")
Result = TypeVar("Result")


def ahead(
    reader: Reader,
    pages: Iterable[Page],
    load: Callable[[Reader, Page], Result],
    *,
    threads: int = 2,
    depth: int = 3,
) -> Generator[tuple[Page, Result], None, None]:
    """(page, what `load` made of it) in the order of `pages`, at most `depth` pages ahead.

    While Python works on one page the server works on the next ones. Errors come out where their page would.
    """
    local = threading.local()
    opened: list[Reader] = []

    def job(page: Page) -> Result:
        if not hasattr(local, "reader"):
            local.reader = reader.another()
            opened.append(local.reader)
        return load(local.reader, page)

    def first() -> tuple[Page, Result]:
        # By a function, so that no variable of this one keeps a page while the next one is worked on.
        page, future = waiting.popleft()
        return page, future.result()

    pool = ThreadPoolExecutor(threads, thread_name_prefix="reader")
    waiting: deque[tuple[Page, Future[Result]]] = deque()
    try:
        for page in pages:
            waiting.append((page, pool.submit(job, page)))
            if len(waiting) >= depth:
                yield first()
        while waiting:
            yield first()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for other in opened:
            reader.longest = max(reader.longest, other.longest)
            reader.queries += other.queries
            other.close()
