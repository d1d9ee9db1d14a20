"""What a transaction holds, and what follows it: rows are taken once, and a savepoint is not the end."""

import pytest

from portal.db import db, lock, locked_rows, on_commit, reading, session, transaction
from portal.status.locking import lock_room
from tests.cast import Cast
from tests.conftest import BOTH
from tests.statements import statements

pytestmark = [BOTH, pytest.mark.usefixtures("in_app")]


def test_a_row_is_read_anew_by_who_takes_it_first_and_stays_what_it_is(cast: Cast) -> None:
    room = cast.room()
    with statements(db.engine) as seen:
        lock(room)
        lock(room)
    assert len(seen) == 1
    session.commit()
    with statements(db.engine) as seen:
        lock(room)
    assert len(seen) == 1, "another transaction may have changed it"


def test_holding_a_room_is_not_reading_it(cast: Cast) -> None:
    room = cast.room()
    with statements(db.engine) as seen:
        assert lock_room(room.uuid) is room
        assert lock_room(room.uuid) is room
    assert len(seen) == (0 if db.engine.dialect.name == "sqlite" else 1)
    with statements(db.engine) as seen:
        lock(room)
    assert len(seen) == 1


def test_what_only_reads_holds_nothing(cast: Cast) -> None:
    room = cast.room()
    session.commit()
    with reading(), statements(db.engine) as seen:
        lock(room)
        lock(room)
    assert len(seen) == 2
    session.rollback()


def test_locks_go_with_a_savepoint_that_is_rolled_back_and_stay_with_one_that_is_not(cast: Cast) -> None:
    room = cast.room()
    with session.begin_nested():
        lock(room)
    assert locked_rows()
    with pytest.raises(ZeroDivisionError), session.begin_nested():
        _ = 1 / 0
    assert not locked_rows()
    lock(room)
    session.rollback()
    assert not locked_rows()


def test_what_follows_a_commit_does_not_follow_a_savepoint(cast: Cast) -> None:
    done: list[str] = []
    with transaction():
        cast.room()
        on_commit(lambda: done.append("told"))
        with session.begin_nested():
            cast.room()
        with pytest.raises(ZeroDivisionError), session.begin_nested():
            _ = 1 / 0
        assert not done
    assert done == ["told"]
