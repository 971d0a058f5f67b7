"""Moments as the meta of orders has them."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest
from automating import unix

from sidecar.automations import moments

WARSAW = ZoneInfo("Europe/Warsaw")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-07-01 12:00", "2026-07-01 10:00"),
        ("2026-07-01T12:00:00", "2026-07-01 10:00"),
        # Plugins of bookings store what JavaScript and REST write: with an offset, and with parts of seconds.
        ("2026-07-01T12:00:00Z", "2026-07-01 12:00"),
        ("2026-07-01T12:00:00.000Z", "2026-07-01 12:00"),
        ("2026-07-01T12:00:00+02:00", "2026-07-01 10:00"),
        ("2026-07-01T12:00+0330", "2026-07-01 08:30"),
        ("2026-07-01T12:00:00-05:00", "2026-07-01 17:00"),
    ],
)
def test_moments_as_they_are_written(text: str, moment: str) -> None:
    assert moments.written(text, WARSAW) == unix(moment)


@pytest.mark.parametrize(
    "text", ["", "soon", "2026-07-01T12:00:00 Europe/Warsaw", "2026-07-01Z", "2026-13-01T12:00:00Z"]
)
def test_what_is_no_moment(text: str) -> None:
    assert moments.written(text, WARSAW) is None
