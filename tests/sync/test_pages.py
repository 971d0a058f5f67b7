"""Reading ahead: in order, no further than it may, at once when asked to, and closed in the end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import cast

import pytest

from sidecar.mysql.connection import Reader
from sidecar.sync.pages import Ahead, ahead


class Stand:
    """Stands for a reader: only its other connections are asked for."""

    longest, queries = 0.0, 0

    def __init__(self) -> None:
        self.others: list[Stand] = []
        self.closed = 0

    def another(self) -> Stand:
        other = Stand()
        other.longest, other.queries = 0.5, 1
        self.others.append(other)
        return other

    def close(self) -> None:
        self.closed += 1


def test_pages_come_in_order_and_are_counted() -> None:
    reader = Stand()
    found = list(ahead(cast(Reader, reader), range(20), lambda _, page: page * 2, threads=2, depth=3))
    assert found == [(page, page * 2) for page in range(20)]
    assert reader.queries == len(reader.others) > 0
    assert reader.longest == 0.5
    assert [other.closed for other in reader.others] == [1] * len(reader.others)


def test_it_starts_at_once_and_goes_no_further_than_its_depth() -> None:
    reader, asked, go = Stand(), [], threading.Event()

    def pages() -> Iterator[int]:
        for number in range(9):
            asked.append(number)
            yield number

    def load(_: Reader, page: int) -> int:
        assert go.wait(10)
        return page

    work = Ahead(cast(Reader, reader), pages(), load, threads=2, depth=4)
    work.start()
    work.start()
    assert asked == [0, 1, 2, 3]
    go.set()
    assert next(work) == (0, 0)
    assert asked == [0, 1, 2, 3]
    assert list(work) == [(page, page) for page in range(1, 9)]
    work.close()
    work.close()
    assert [other.closed for other in reader.others] == [1] * len(reader.others)


def test_an_error_comes_where_its_page_would() -> None:
    def load(_: Reader, page: int) -> int:
        if page == 2:
            raise ValueError("page 2")
        return page

    work = ahead(cast(Reader, Stand()), range(5), load)
    assert [next(work)[0], next(work)[0]] == [0, 1]
    with pytest.raises(ValueError, match="page 2"):
        next(work)
    assert list(work) == []
