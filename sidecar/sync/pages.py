"""Reading ahead: pages are loaded by threads with their own connections and handed over in order."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from itertools import islice
from typing import TypeVar

from sidecar.mysql.connection import Reader

Page = TypeVar("Page")
Result = TypeVar("Result")


class Ahead(Iterator[tuple[Page, Result]]):
    """See `ahead`, which also closes it. `start` sends the first pages to the threads and does not wait for them."""

    def __init__(
        self, reader: Reader, pages: Iterable[Page], load: Callable[[Reader, Page], Result], *, threads: int, depth: int
    ) -> None:
        self._reader = reader
        self._pages = iter(pages)
        self._load = load
        self._depth = depth
        self._local = threading.local()
        self._opened: list[Reader] = []
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="reader")
        self._waiting: deque[tuple[Page, Future[Result]]] = deque()

    def start(self) -> None:
        """As many pages on their way as there may be."""
        for page in islice(self._pages, self._depth - len(self._waiting)):
            self._waiting.append((page, self._pool.submit(self._job, page)))

    def __next__(self) -> tuple[Page, Result]:
        self.start()
        if not self._waiting:
            raise StopIteration
        page, future = self._waiting.popleft()
        return page, future.result()

    def close(self) -> None:
        """End the reading, wherever it is. May be called twice."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        opened, self._opened = self._opened, []
        for other in opened:
            self._reader.longest = max(self._reader.longest, other.longest)
            self._reader.queries += other.queries
            other.close()

    def _job(self, page: Page) -> Result:
        if not hasattr(self._local, "reader"):
            self._local.reader = self._reader.another()
            self._opened.append(self._local.reader)
        return self._load(self._local.reader, page)


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
    with closing(Ahead(reader, pages, load, threads=threads, depth=depth)) as found:
        yield from found
