"""What a transaction holds, and what follows it: rows are taken once, and a savepoint is not the end."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from portal.audit.models import AuditEvent
from portal.audit.operations import record_event
from portal.core_writes import update_row
from portal.db import committed_step, db, lock, locked_rows, on_commit, reading, session, transaction
from portal.errors import NotFound
from portal.people.actor import actor_of
from portal.people.models import user_platform_roles
from portal.permissions.room_reading import lock_editable_room
from portal.rooms.models import Room
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


def test_a_row_that_is_locked_without_its_relations_has_the_columns_of_now(cast: Cast) -> None:
    room = cast.room()
    session.execute(sa.update(Room.__table__).values(slug="another"))  # type: ignore[arg-type]
    assert room.slug != "another"
    lock(room, relations=False)
    assert (room.slug, room in session.dirty) == ("another", False)
    session.execute(sa.delete(Room.__table__))  # type: ignore[arg-type]
    locked_rows().clear()
    with pytest.raises(NotFound):
        lock(room, relations=False)


def test_who_needs_the_relations_of_a_row_reads_them_anew_though_its_columns_are_locked(cast: Cast) -> None:
    ada = cast.user("admin")
    assert ada.platform_roles
    session.execute(sa.delete(user_platform_roles))
    lock(ada, relations=False)
    assert ada.platform_roles, "it asked for no more than the columns"
    lock(ada)
    assert ada.platform_roles == []
    with statements(db.engine) as seen:
        lock(ada)
        lock(ada, relations=False)
    assert seen == []


def test_of_a_row_only_what_has_another_value_is_written_and_the_row_knows_it(cast: Cast) -> None:
    room = cast.room()
    update_row(room, room_settings={"x_one": 1})
    before = room.updated_at
    with statements(db.engine) as seen:
        update_row(room, slug=room.slug, room_settings={"x_one": 1})
        assert (seen, room.updated_at) == ([], before)
        update_row(room, slug=room.slug, room_settings={"x_one": True})
    assert len(seen) == 1
    assert "slug=" not in seen[0]
    assert room.updated_at > before
    assert room not in session.dirty
    session.expire(room)
    assert room.room_settings["x_one"] is True


def test_holding_a_room_is_not_reading_it(cast: Cast) -> None:
    room = cast.room()
    with statements(db.engine) as seen:
        assert lock_room(room.uuid) is room
        assert lock_room(room.uuid) is room
    assert len(seen) == (0 if db.engine.dialect.name == "sqlite" else 1)
    with statements(db.engine) as seen:
        lock(room)
    assert len(seen) == 1


def test_a_room_is_read_and_held_by_one_statement_by_who_changes_it(cast: Cast) -> None:
    alice = actor_of(cast.user("alice"))
    with statements(db.engine) as seen:
        room = lock_editable_room(alice, cast.board)
        assert room is not None
        lock(room)
    assert len(seen) == 1
    assert ("FOR NO KEY UPDATE OF rooms" in seen[0]) is (db.engine.dialect.name == "postgresql")


def test_a_stranger_holds_no_room(cast: Cast) -> None:
    stranger, uuid = actor_of(cast.user("charlie")), cast.room().uuid
    session.commit()
    assert lock_editable_room(stranger, cast.board) is None
    assert locked_rows() == set()
    if db.engine.dialect.name == "postgresql":
        taking = sa.select(Room.uuid).where(Room.uuid == uuid).with_for_update(nowait=True)
        with db.engine.connect() as another:
            assert another.execute(taking).all() == [(uuid,)]


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


def test_lines_of_the_audit_are_inserted_together_at_the_commit_with_the_time_of_what_they_tell(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, noon = cast.room(), datetime(2026, 3, 1, 12, tzinfo=UTC)
    session.commit()
    with statements(db.engine) as seen:
        for minutes in range(3):
            monkeypatch.setattr("portal.audit.operations.now", lambda at=noon + timedelta(minutes=minutes): at)
            record_event(f"test.{minutes}", room, by=None)
        assert seen == []
        session.commit()
    assert len(seen) == 1
    assert noted() == {f"test.{minutes}": noon + timedelta(minutes=minutes) for minutes in range(3)}


def test_lines_of_the_audit_go_with_the_savepoint_or_the_transaction_in_which_they_were_noted(cast: Cast) -> None:
    room = cast.room()
    record_event("test.before", room, by=None)
    with session.begin_nested():
        record_event("test.kept", room, by=None)
    savepoint = session.begin_nested()
    record_event("test.dropped", room, by=None)
    with session.begin_nested():
        record_event("test.dropped too", room, by=None)
    savepoint.rollback()
    record_event("test.after", room, by=None)
    session.commit()
    assert noted().keys() == {"test.before", "test.kept", "test.after"}
    record_event("test.rolled back", room, by=None)
    session.rollback()
    session.commit()
    assert "test.rolled back" not in noted()


def test_a_noted_line_is_a_change_that_no_committed_step_may_come_after(cast: Cast) -> None:
    record_event("test.noted", cast.room(), by=None)
    with pytest.raises(RuntimeError), committed_step():
        pass


def noted() -> dict[str, datetime]:
    """The times of this test's lines of the audit, by their action."""
    lines = sa.select(AuditEvent.action, AuditEvent.at).where(AuditEvent.action.startswith("test."))
    return dict(session.execute(lines).all())
