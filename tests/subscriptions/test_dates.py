"""Arithmetic of periods: for all anchors, lengths and zones, not only for those that somebody thought of."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.errors import Invalid
from portal.subscriptions.dates import day_after, later_day, periods_between, renewed_end, starting_day
from portal.subscriptions.terms import Length, PeriodUnit, after, day_of, start_of

ZONES = ("UTC", "Europe/Berlin", "America/Sao_Paulo", "Pacific/Kiritimati", "Pacific/Niue", "Asia/Kathmandu")
DAYS = st.dates(date(2020, 1, 1), date(2050, 12, 31))
LENGTHS = st.builds(Length, st.integers(1, 4), st.sampled_from(PeriodUnit))
MONTH = Length(1, PeriodUnit.MONTH)


def test_the_day_of_the_month_comes_back_after_a_short_month() -> None:
    anchor, end, ends = date(2026, 1, 31), date(2026, 2, 28), []
    for _ in range(3):
        end = renewed_end(anchor, end, MONTH, 1)
        ends.append(end)
    assert ends == [date(2026, 3, 31), date(2026, 4, 30), date(2026, 5, 31)]


@given(DAYS, LENGTHS, st.integers(1, 12), st.integers(1, 12))
def test_renewing_counts_from_the_anchor(anchor: date, period: Length, passed: int, cycles: int) -> None:
    assert renewed_end(anchor, after(anchor, period, passed), period, cycles) == after(anchor, period, passed + cycles)


@given(DAYS, LENGTHS, st.integers(1, 12), st.integers(1, 6), st.integers(1, 6))
def test_renewing_twice_is_renewing_by_the_sum(anchor: date, period: Length, passed: int, one: int, two: int) -> None:
    end = after(anchor, period, passed)
    assert renewed_end(anchor, renewed_end(anchor, end, period, one), period, two) == renewed_end(
        anchor, end, period, one + two
    )


@given(DAYS, LENGTHS, st.integers(-400, 4000))
def test_an_end_that_no_period_has_is_where_the_next_ones_begin(anchor: date, period: Length, days: int) -> None:
    end = anchor + timedelta(days=days)
    passed = periods_between(anchor, end, period)
    if passed is None:
        assert renewed_end(anchor, end, period, 2) == after(end, period, 2)
    else:
        assert after(anchor, period, passed) == end


@given(DAYS, st.sampled_from(ZONES))
def test_a_day_begins_and_is_read_in_its_own_zone(day: date, zone: str) -> None:
    begins = start_of(day, zone).astimezone(UTC)
    assert day_of(begins, zone) == day
    assert starting_day(begins, zone) == day
    assert day_after(begins, zone) == day, "an end that was read and is written again stays where it is"
    assert day_after(day, zone) == day + timedelta(days=1), "a date means through that day"


@given(DAYS, st.sampled_from(ZONES), st.timedeltas(timedelta(minutes=1), timedelta(hours=22)))
def test_the_time_of_day_counts_for_nothing(day: date, zone: str, later: timedelta) -> None:
    moment = (start_of(day, zone).astimezone(UTC) + later).astimezone(ZoneInfo(zone))
    assert day_after(moment, zone) == day_after(day, zone)
    assert starting_day(moment, zone) == day


@pytest.mark.parametrize("times", [200, 12_000])
def test_what_leads_too_far_is_refused_beside_its_field(times: int) -> None:
    with pytest.raises(Invalid) as refused:
        later_day(datetime(2026, 1, 1, tzinfo=UTC).date(), Length(1, PeriodUnit.YEAR), times, field="cycles")
    assert set(refused.value.fields) == {"cycles"}
