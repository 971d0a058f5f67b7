from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidecar.values.birthdays import is_jalali_leap, jalali
from sidecar.values.dates import birthday, from_local, local_day, local_text, site_zone, typed_moment, utc

ZONES = [
    ZoneInfo(n)
    for n in (
        "Asia/Tehran",
        "Europe/Sofia",
        "Europe/Warsaw",
        "America/New_York",
        "Australia/Lord_Howe",
        "Asia/Kathmandu",
    )
] + [timezone(timedelta(hours=5, minutes=45)), UTC]


@pytest.mark.parametrize(
    ("name", "offset", "hours"),
    [
        ("", 5.5, 5.5), ("", "5.5", 5.5), ("", "+03:30", 3.5), ("", "-3.75", -3.75), (None, None, 0),
        ("Nowhere/City", 2, 2),
        ("+02:00", None, 2), ("UTC+3", 0, 3), ("", "junk", 0), ("../../etc/passwd", 1, 1),
        ("", float("nan"), 0), ("", 99, 0),
        ("\x00", "", 0), ("x" * 300, "1", 1), ("UTC", 5, 0),
    ],
)  # fmt: skip
def test_site_zone(name: str | None, offset: str | float | None, hours: float) -> None:
    assert site_zone(name, offset).utcoffset(datetime(2026, 1, 1)) == timedelta(hours=hours)


def test_site_zone_iana() -> None:
    assert site_zone("Europe/Warsaw", "9") is ZoneInfo("Europe/Warsaw")


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("1970-01-01 00:00:00", 0), ("2026-11-22 08:00:00", 1795334400),
        ("2026-11-22 08:00:00.999999", 1795334400),
        ("2026-11-22T08:00:00", 1795334400), ("0000-00-00 00:00:00", None), ("", None), (None, None),
        ("2026-11-22", None),
        ("2026-02-30 00:00:00", None), ("2026-11-22 24:00:00", None), ("2026-11-22 08:60:00", None),
        ("2026-11-22 08:00:00.", None),
        ("2026-11-22 08:00:00+", None), ("2026-11-22 08-00-00", None), ("２026-11-22 08:00:00", None),
        ("x" * 19, None),
        ("2026-1 -22 08:00:00", None), ("1969-12-31 23:59:59", -1), ("2026-11-22 08:00:00.12345678", None),
    ],
)  # fmt: skip
def test_utc(text: str | None, want: int | None) -> None:
    assert utc(text) == want


@given(st.text(max_size=26) | st.text("0123456789-: .T", min_size=19, max_size=26))
def test_hostile_text(text: str) -> None:
    utc(text)
    from_local(text, ZONES[0])
    site_zone(text, text)
    for dayfirst in (None, True, False):
        birthday(text, dayfirst)


@settings(max_examples=1500, deadline=None)
@given(st.integers(0, 4102444800), st.sampled_from(ZONES))
def test_local_against_zoneinfo(unix: int, tz: ZoneInfo) -> None:
    want = datetime.fromtimestamp(unix, tz)
    assert local_text(unix, tz) == want.strftime("%Y-%m-%d %H:%M:%S")
    assert local_day(unix, tz) == want.strftime("%Y-%m-%d")
    assert utc(datetime.fromtimestamp(unix, UTC).strftime("%Y-%m-%d %H:%M:%S")) == unix
    back = from_local(local_text(unix, tz), tz)
    assert back is not None
    assert back == unix or (back < unix and local_text(back, tz) == local_text(unix, tz))


def test_every_change_of_the_clock() -> None:
    for tz in ZONES[:5]:
        hours = range(0, 2_000_000_000, 3600)
        offsets = [datetime.fromtimestamp(u, tz).utcoffset() for u in hours[::24]]
        days = [hours[::24][i] for i in range(1, len(offsets)) if offsets[i] != offsets[i - 1]]
        for day in days:
            for unix in range(day - 90_000, day + 3600, 300):
                assert local_text(unix - 1, tz) == datetime.fromtimestamp(unix - 1, tz).strftime("%Y-%m-%d %H:%M:%S")


def test_from_local_gap_and_fold() -> None:
    warsaw = ZoneInfo("Europe/Warsaw")
    gap = from_local("2026-03-29 02:30:00", warsaw)
    assert gap is not None
    assert local_text(gap, warsaw) == "2026-03-29 03:30:00"
    assert from_local("2026-10-25 02:30:00", warsaw) == utc("2026-10-25 00:30:00")
    assert from_local("0000-00-00 00:00:00", warsaw) is None
    assert from_local("0001-01-01 00:00:00", warsaw) is None


def test_moments_outside_the_calendar() -> None:
    for unix in (10**15, -(10**15)):
        with pytest.raises(ValueError):
            local_text(unix, UTC)
        with pytest.raises(ValueError):
            local_day(unix, UTC)


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIDECAR_NOW", "2026-11-22T12:00:00Z")


@pytest.mark.usefixtures("today")
@pytest.mark.parametrize(
    ("raw", "dayfirst", "want"),
    [
        ("1990-04-03", None, "1990-04-03"), ("1990-04-03 00:00:00", None, "1990-04-03"),
        ("03.04.1990", None, "1990-04-03"),
        ("03/04/1990", None, "1990-04-03"), ("03/04/1990", False, "1990-03-04"),
        ("03/14/1990", None, "1990-03-14"),
        ("03/14/1990", True, None), ("14/03/1990", False, "1990-03-14"), ("19900403", None, "1990-04-03"),
        ("639100800", None, "1990-04-03"),
        ("۱۳۶۵/۰۴/۱۲", None, "1986-07-03"), ("1365/4/12", None, "1986-07-03"),
        ("۱۲/۰۴/۱۳۶۵", None, "1986-07-03"),
        ("1399-12-30", None, "2021-03-20"), ("1400-12-30", None, None),
        ("1403/01/01", None, "2024-03-20"), ("1990-02-30", None, None),
        ("2030-01-01", None, None), ("1899-12-31", None, None), ("", None, None), (None, None, None),
        ("junk", None, None),
        ("13650412", None, "1986-07-03"), ("1990.4.3", None, "1990-04-03"), ("0000-00-00", None, None),
        ("1990/04", None, None), ("12051990", None, "1990-05-12"), ("05121990", False, "1990-05-12"), ("22021369", None, "1990-05-12"),
        ("52012800", None, "1971-08-26"), ("120590", None, None), ("00000000", None, None), ("86400", None, None),
    ],
)  # fmt: skip
def test_birthday(raw: str | None, dayfirst: bool | None, want: str | None) -> None:
    assert birthday(raw, dayfirst) == want


def test_jalali_calendar_is_without_holes() -> None:
    """Known new year days, and every day follows the one before."""
    known = {
        1300: "1921-03-21",
        1348: "1969-03-21",
        1354: "1975-03-21",
        1375: "1996-03-20",
        1376: "1997-03-21",
        1400: "2021-03-21",
        1403: "2024-03-20",
        1404: "2025-03-21",
        1405: "2026-03-21",
        1408: "2029-03-20",
    }
    for year, want in known.items():
        assert str(jalali(year, 1, 1)) == want
    before = jalali(1250, 1, 1)
    assert before is not None
    for year in range(1250, 1451):
        for month in range(1, 13):
            length = 31 if month < 7 else 30 if month < 12 else 29 + is_jalali_leap(year)
            assert jalali(year, month, length + 1) is None
            for day in range(1, length + 1):
                found = jalali(year, month, day)
                assert found is not None
                assert (found - before).days == (0 if (year, month, day) == (1250, 1, 1) else 1)
                before = found


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        ("2027-05-01", "2027-05-01 00:00:00"), ("1890-01-01", "1890-01-01 00:00:00"), ("31.12.2026 7:05", "2026-12-31 07:05:00"),
        ("2026-05-01 10:00:07", "2026-05-01 10:00:07"), ("2026-05-01T10:00:07.123", "2026-05-01 10:00:07"),
        ("2026-05-01T22:30:00Z", "2026-05-02 00:30:00"), ("2026-05-01T10:00:00+03:30", "2026-05-01 08:30:00"),
        ("2026-05-01 10:00:00 -0500", "2026-05-01 17:00:00"), ("1623456789", "2021-06-12 02:13:09"), ("1623456789000", "2021-06-12 02:13:09"),
        ("1402-01-05 10:00:00", "2023-03-25 10:00:00"), ("۱۴۰۲/۰۱/۰۵ ۱۰:۰۰", "2023-03-25 10:00:00"),
        ("0000-00-00 00:00:00", None), ("2026-02-31 10:00:00", None), ("2026-05-01 25:61:00", None), ("soon", None), ("", None),
        ("99999999999", None), ("10:00", None),
    ],
)  # fmt: skip
def test_a_typed_moment(raw: str, want: str | None) -> None:
    assert typed_moment(raw, ZoneInfo("Europe/Warsaw")) == want
