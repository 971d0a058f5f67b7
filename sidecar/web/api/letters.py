"""`/api/v1/letters`: what could not be brought over, and another try."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from sidecar.state.dead_letters import DeadLetter
from sidecar.web.api.sync import JobView, view
from sidecar.web.context import runtime, tasks
from sidecar.web.routes import Noun, Page, Paging

noun = Noun("letters")


class Retry(msgspec.Struct, forbid_unknown_fields=True):
    """The letters to try again; all when none is named."""

    letters: Annotated[list[Annotated[int, Meta(ge=1, le=2**53)]], Meta(max_length=1000)] = []


@noun.get_("", may="see", answers=list[DeadLetter], query=Paging, paged=True)
def letters(query: Paging) -> Page[list[DeadLetter]]:
    """Dead letters by id, the highest first. Rows are named by ids (`order:17`), never by an address."""
    found = runtime().letters_page(query.after, query.limit)
    return Page(data=found, next=found[-1].id if len(found) == query.limit else None)


@noun.post_("/retry", may="sync", body=Retry, answers=JobView)
def retry(body: Retry) -> JobView | None:
    """Look again at what they are about, in a run of changes. 409 while other work has not ended."""
    return view(tasks().start("retry", {"letters": body.letters}))
