"""What is kept apart is there, and goes to one worker."""

from pathlib import Path

from tests.side_by_side import MEETINGS, OneMeetingAtATime

ROOT = Path(__file__).parents[1]


def test_meetings_are_one_group_and_others_none() -> None:
    assert [name for name in sorted(MEETINGS) if not (ROOT / name).is_file()] == []
    scheduler = object.__new__(OneMeetingAtATime)
    split = scheduler._split_scope
    assert {split(f"{name}::test_one[1@2]") for name in MEETINGS} == {"meetings"}
    assert split("tests/web/test_join.py::test_one[a@b]") == "tests/web/test_join.py::test_one[a@b]"
