"""Limits on what participants do: a burst at once, then so much a second; and nobody is remembered for ever."""

import pytest

from portal.conference.signal_rate import Rate, take
from portal.errors import Throttled


def test_a_burst_is_allowed_at_once_and_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("portal.conference.signal_rate.time.monotonic", lambda: clock[0])
    rate = Rate(per_second=2, burst=4)
    for _ in range(4):
        take(rate, "ann")
    with pytest.raises(Throttled):
        take(rate, "ann")
    take(rate, "gus")  # each for himself
    clock[0] += 1
    take(rate, "ann", amount=2)
    with pytest.raises(Throttled):
        take(rate, "ann")


def test_who_is_silent_is_forgotten_when_somebody_new_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr("portal.conference.signal_rate.time.monotonic", lambda: clock[0])
    rate = Rate(per_second=2, burst=4)
    take(rate, "ann")
    clock[0] += 1.5
    take(rate, "gus")
    assert set(rate.left) == {"ann", "gus"}
    clock[0] += 1
    take(rate, "mo")
    assert set(rate.left) == {"gus", "mo"}
