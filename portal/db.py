"""The database: its session, the base class of the models, and how a transaction is locked and ended.

`engine` says how one begins. On PostgreSQL rows are locked where something is counted.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID
from weakref import WeakKeyDictionary

import sqlalchemy as sa
import structlog
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, SessionTransaction, mapped_column, registry
from sqlalchemy.orm.attributes import set_committed_value

from portal.clock import now
from portal.column_types import ExactJSON, UTCDateTime
from portal.engine import is_reading
from portal.errors import NotFound
from portal.identifiers import ID_LENGTH, Identified, IdentifierMixin, matches_identifier
from portal.row_locks import column_lock, loaded_collections
from portal.turns import turn_of_others

log = structlog.get_logger()


class Base(DeclarativeBase):
    """The base class of all models: names every constraint, and maps `datetime` to `UTCDateTime`."""

    registry = registry(
        metadata=sa.MetaData(
            naming_convention={
                "ix": "ix_%(table_name)s_%(column_0_N_name)s",
                "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                "ck": "ck_%(table_name)s_%(constraint_name)s",
                "fk": "fk_%(table_name)s_%(column_0_N_name)s",
                "pk": "pk_%(table_name)s",
            }
        ),
        type_annotation_map={datetime: UTCDateTime, UUID: sa.Uuid, list[str]: ExactJSON, dict[str, Any]: ExactJSON},
    )


db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"expire_on_commit": False, "info": {}})
session = db.session

LateRows = dict[sa.Insert, list[dict[str, Any]]]


def insert_at_commit(insert: sa.Insert, *rows: dict[str, Any]) -> None:
    """Insert these rows when the transaction is committed, all those of equal statements by one round trip.

    For rows that nothing reads before, such as lines of a log. Within a savepoint they are inserted when it is
    released; when it is rolled back they are dropped with it. `insert` is made once, and holds no row's values.
    """
    if rows:
        current = session()
        transaction = current.get_nested_transaction() or current.get_transaction() or current.begin()
        waiting: WeakKeyDictionary[SessionTransaction, LateRows] = current.info.setdefault("late", WeakKeyDictionary())
        waiting.setdefault(transaction, {}).setdefault(insert, []).extend(rows)


def _waiting_rows(current: Session) -> LateRows:
    """What waits to be inserted, of the innermost savepoint or else of the transaction. It ends with that."""
    transaction = current.get_nested_transaction() or current.get_transaction()
    return current.info.get("late", {}).get(transaction, {}) if transaction is not None else {}


@sa.event.listens_for(session, "before_commit")
def _insert_late(current: Session) -> None:
    current.flush()  # what listens to it may add rows, too
    for insert, rows in _waiting_rows(current).items():
        current.connection().execute(insert, rows if len(rows) > 1 else rows[0])


def _has_unwritten() -> bool:
    return bool(session.new or session.dirty or session.deleted or _waiting_rows(session()))


@sa.event.listens_for(session, "after_commit")
def _run_on_commit(committed: Session) -> None:
    """Call what `on_commit` registered. One call that fails is logged and does not keep the others from running.

    The end of a savepoint is no commit yet, so nothing is called then.
    """
    if committed.in_nested_transaction():
        return
    committed.info.pop("locked_rows", None)
    for callback in committed.info.pop("on_commit", []):
        try:
            callback()
        except Exception as error:
            log.error("what should follow a commit failed", error=type(error).__name__, exc_info=error)


@sa.event.listens_for(session, "after_rollback")
def _forget(rolled_back: Session) -> None:
    rolled_back.info.pop("locked_rows", None)  # the rollback of a savepoint releases locks, too
    if not rolled_back.in_nested_transaction():
        rolled_back.info.pop("on_commit", None)


def read(statement: sa.Executable, params: Mapping[str, Any] | None = None) -> sa.CursorResult[*tuple[Any, ...]]:
    """Execute a SELECT of columns, after flushing what has changed as the ORM would, past the ORM.

    The ORM would take each row in its hands once more to make entities of it, which costs a third of a short
    read. Columns are called as in their table; one whose attribute has another name is given that by a label.
    """
    if session.autoflush:
        session.flush()
    return session.connection().execute(statement, params)


def short_id(model: type[IdentifierMixin], text: str) -> str | None:
    """The public id of the row whose id, uuid or ulid is `text`; None if there is no such row.

    A text as long as a public id is returned as it is, without asking whether a row has it.
    """
    return (
        text if len(text) == ID_LENGTH else session.scalar(sa.select(model.id).where(matches_identifier(model, text)))
    )


def literal_limit(number: int) -> sa.ColumnElement[int]:
    """`number` for a LIMIT, written into the statement instead of being bound as a parameter.

    PostgreSQL makes one plan for all values of a parameter, and assumes for a bound LIMIT a tenth of all rows.
    SQLAlchemy's own `literal_execute` would write the number into the text of the statement anew each time.
    """
    return sa.literal_column(str(number), sa.Integer())


class TimestampMixin:
    """The columns `created_at` and `updated_at`, which fill themselves."""

    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


def lock(thing: Identified, *, relations: bool = True) -> None:
    """Lock the row of `thing` until the transaction ends, and reload it: another transaction may have changed it.

    With `relations=False` its related rows, which are loaded already, stay as they were read a moment ago. A later
    call without it reads those of its collections anew, which others may have changed.

    Other rows that refer to it can be written meanwhile (`FOR NO KEY UPDATE`). A second call in the same
    transaction does nothing, so a view may lock what its operation locks as well; nor does it for a value that was
    read under the lock. Raises `NotFound` if the row is gone.
    """
    stale_collections = ("stale collections", thing.uuid)
    if ("row", thing.uuid) in locked_rows():
        if relations and stale_collections in locked_rows():
            locked_rows().discard(stale_collections)
            if loaded := loaded_collections(thing):
                session.refresh(thing, loaded)
        return
    if not relations:
        _lock_columns(thing)
        locked_rows().add(stale_collections)
    else:
        try:
            session.refresh(thing, with_for_update={"of": type(thing), "key_share": True})
        except sa.exc.InvalidRequestError:
            raise NotFound from None
    locked_rows().add(("row", thing.uuid))


def _lock_columns(thing: Identified) -> None:
    names, statement = column_lock(type(thing))  # type: ignore[arg-type]  # mypy takes no class for hashable
    row = read(statement, {"own_uuid": thing.uuid}).first()
    if row is None:
        raise NotFound
    for name, value in zip(names, row, strict=True):
        set_committed_value(thing, name, value)


def locked_rows() -> set[tuple[str, UUID]]:
    """The rows that this transaction has locked, as pairs of the kind of lock and the row's uuid.

    "stale collections" is no lock, but marks a row of which only the columns were read under its lock.

    A transaction begun within `reading` locks nothing; it gets an empty set that nobody keeps.
    """
    rows: set[tuple[str, UUID]] = set() if is_reading.get() else session.info.setdefault("locked_rows", set())
    return rows


@contextmanager
def reading() -> Iterator[None]:
    """Begin the block's transactions for reading only, so that SQLite runs them beside a writer.

    A statement that writes raises `WriteWhileReading`, so that no request that promised to change nothing does.
    """
    token = is_reading.set(True)
    try:
        yield
    finally:
        is_reading.reset(token)


@contextmanager
def writing() -> Iterator[None]:
    """Run the block in a transaction that may write, within a request whose transactions only read.

    The open reading transaction is ended first, because SQLite cannot turn it into a writing one. Commits when
    the block ends, rolls back if it raises.
    """
    session.commit()
    token = is_reading.set(False)
    try:
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        is_reading.reset(token)


def revision() -> str | None:
    """The database's migration number, after checking that the database can be written to. Changes nothing.

    On SQLite the check begins a writing transaction and rolls it back; PostgreSQL is asked whether it is a
    standby. Raises `ReadOnly` for a standby, and the database's own error if it is locked, full, away or
    without tables.
    """
    token = is_reading.set(False)
    try:
        session.rollback()
        if session.get_bind().dialect.name == "postgresql" and session.scalar(sa.select(sa.func.pg_is_in_recovery())):
            raise ReadOnly
        present: str | None = session.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return present
    finally:
        session.rollback()
        is_reading.reset(token)


class ReadOnly(Exception):
    """The database is a standby, which takes no writes."""


@contextmanager
def transaction() -> Iterator[None]:
    """Run the block in one transaction: for jobs, the command line and event streams. Needs an app context.

    Commits on success, rolls back on any exception, and returns the connection to the pool either way.
    """
    try:
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.remove()


@contextmanager
def committed_step() -> Iterator[None]:
    """Commit the block by itself, for what must survive a later refusal (a counted try).

    Ends the surrounding transaction, which must not have written yet, and lets the next statement
    begin a new one: there are never two connections at once, because SQLite has one writer. Raises
    `RuntimeError` if the surrounding transaction has written.
    """
    if _has_unwritten():
        raise RuntimeError("a committed step inside a transaction that has already written")
    session.commit()
    try:
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise


@contextmanager
def without_transaction() -> Iterator[None]:
    """Run the block, which calls a service outside, without an open transaction: no lock, no connection.

    Commits the surrounding transaction, so the caller must not have written what may still have to be undone. The
    block must not use the database. Raises `RuntimeError` if there are changes that have not been flushed.
    """
    if _has_unwritten():
        raise RuntimeError("a service is called in the middle of changes")
    session.commit()
    with turn_of_others():
        yield


def on_commit(callback: Callable[[], None]) -> None:
    """Call `callback` after the transaction is committed, and never if it is rolled back.

    Rolling back a savepoint does not unregister it.
    """
    session.info.setdefault("on_commit", []).append(callback)
