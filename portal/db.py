"""The database: engine, session, moments in UTC, and the discipline that SQLite needs.

Tried, and the reason for the discipline: under gevent any yield inside a write transaction on SQLite
freezes the whole worker for the busy timeout, and a plain BEGIN overbooks or fails under races. So a
transaction that may write says BEGIN IMMEDIATE, waits for its turn by sleeping in small steps (which
yields), and one that only reads says BEGIN. On PostgreSQL rows are locked where something is counted.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NoReturn
from uuid import UUID

import sqlalchemy as sa
import structlog
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, registry
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from portal.clock import now
from portal.errors import NotFound
from portal.identifiers import ID_LENGTH, IdentifierMixin, matches_identifier

log = structlog.get_logger()

WRITER_TIMEOUT = 5.0  # seconds that a transaction waits for SQLite's one writer before it is "locked"
TRUSTED_SECONDS = 1.0  # so long after its last use is a connection to PostgreSQL taken for alive
_WRONG_TABLES = ("no such table", "no such column", "has no column")  # SQLite calls them operational, too

_reading: ContextVar[bool] = ContextVar("reading", default=False)


class UTCDateTime(sa.TypeDecorator[datetime]):
    """An instant. Aware in Python, UTC in the database, microseconds kept; a naive one is a bug."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def enum_type(words: type[StrEnum]) -> sa.Enum:
    """A column that holds one of these words, stored as the word itself."""
    return sa.Enum(words, native_enum=False, length=32, values_callable=lambda kind: [w.value for w in kind])


class json_rows(GenericFunction[Any]):  # noqa: N801  (functions are called as the database calls them)
    """Some columns of all rows of a group, as one JSON list of lists: instead of a join that repeats the rest."""

    type = sa.JSON()
    inherit_cache = True


@compiles(json_rows, "sqlite")
def _json_rows_on_sqlite(element: json_rows, compiler: SQLCompiler, **more: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **more)}))"


@compiles(json_rows, "postgresql")
def _json_rows_on_postgresql(element: json_rows, compiler: SQLCompiler, **more: Any) -> str:
    return f"json_agg(json_build_array({compiler.process(element.clauses, **more)}))"


class Base(DeclarativeBase):
    """What every table has in common: named constraints and typed moments."""

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
        type_annotation_map={datetime: UTCDateTime, UUID: sa.Uuid, list[str]: sa.JSON, dict[str, Any]: sa.JSON},
    )


db = SQLAlchemy(model_class=Base, disable_autonaming=True, session_options={"expire_on_commit": False, "info": {}})
session = db.session


@sa.event.listens_for(session, "after_commit")
def _run_on_commit(committed: Session) -> None:
    """What is committed stays committed: an act that fails is logged, and keeps no other from happening.

    The end of a savepoint commits nothing yet.
    """
    if committed.in_nested_transaction():
        return
    committed.info.pop("held", None)
    for act in committed.info.pop("afterwards", []):
        try:
            act()
        except Exception as error:
            log.error("what should follow a commit failed", error=type(error).__name__, exc_info=error)


@sa.event.listens_for(session, "after_rollback")
def _forget(rolled_back: Session) -> None:
    rolled_back.info.pop("held", None)  # locks go with a savepoint, too
    if not rolled_back.in_nested_transaction():
        rolled_back.info.pop("afterwards", None)


def short_id(model: type[IdentifierMixin], text: str) -> str | None:
    """The public id of the row whose id, uuid or ulid this is; a short id is not looked up."""
    return (
        text if len(text) == ID_LENGTH else session.scalar(sa.select(model.id).where(matches_identifier(model, text)))
    )


def literal_limit(number: int) -> sa.ColumnElement[int]:
    """So many rows, for `limit`: said in the statement itself, so that PostgreSQL plans for few.

    Of a parameter it takes a tenth of all rows for granted.
    """
    return sa.bindparam(None, number, type_=sa.Integer(), literal_execute=True)


class TimestampMixin:
    """A row that knows when it was made and last changed."""

    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


def lock(thing: IdentifierMixin) -> None:
    """Lock the thing's row until the end of the transaction, and read it anew: what it was is no ground to act on.

    Rows that refer to it may be written meanwhile. One that this transaction took before is as it left it: an
    entrance may take what its operation takes again. Raises `NotFound` if somebody deleted it.
    """
    if ("taken", thing.uuid) in locked_rows():
        return
    try:
        session.refresh(thing, with_for_update={"of": type(thing), "key_share": True})
    except sa.exc.InvalidRequestError:
        raise NotFound from None
    locked_rows().add(("taken", thing.uuid))


def locked_rows() -> set[tuple[str, UUID]]:
    """Which rows this transaction has locked, each with the way in which it did: nobody else changes them.

    What promised not to write holds nothing.
    """
    rows: set[tuple[str, UUID]] = set() if _reading.get() else session.info.setdefault("held", set())
    return rows


@contextmanager
def reading() -> Iterator[None]:
    """Transactions begun in here promise not to write, so SQLite lets them run beside a writer."""
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


@contextmanager
def writing() -> Iterator[None]:
    """The other way round: transactions begun in here write, though the request around them promised not to.

    Ends a reading transaction that is open, because SQLite cannot turn one into the other.
    """
    session.commit()
    token = _reading.set(False)
    try:
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        _reading.reset(token)


def revision() -> str | None:
    """The migration that the database stands at, after making sure that it takes writes. Changes nothing.

    SQLite's one writer is taken and given back; PostgreSQL is asked whether it is a standby. Raises what
    the database raises if it is locked, full, away or without tables, and `ReadOnly` for a standby.
    """
    token = _reading.set(False)
    try:
        session.rollback()
        if session.get_bind().dialect.name == "postgresql" and session.scalar(sa.select(sa.func.pg_is_in_recovery())):
            raise ReadOnly
        present: str | None = session.scalar(sa.text("SELECT version_num FROM alembic_version"))
        return present
    finally:
        session.rollback()
        _reading.reset(token)


class ReadOnly(Exception):
    """The database is a standby, which takes no writes."""


@contextmanager
def transaction() -> Iterator[None]:
    """A transaction of its own for jobs, the command line and event streams. Needs an app context.

    Commits on success, rolls back on any exception, and gives the connection back either way.
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
    """A step that is committed by itself, for what must survive a later refusal (a counted try).

    Ends the surrounding transaction, which must not have written yet, and lets the next statement
    begin a new one: there are never two connections at once, because SQLite has one writer.
    """
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("a step apart inside a transaction that has already written")
    session.commit()
    try:
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise


@contextmanager
def nothing_held() -> Iterator[None]:
    """While somebody outside is asked: no transaction is open, so no lock and no connection is held.

    Ends the surrounding transaction, which must not have written. What runs inside must not use the database.
    """
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("somebody outside is asked inside a transaction that has already written")
    session.commit()
    yield


def on_commit(act: Callable[[], None]) -> None:
    """Do this once the transaction has been committed; never, if it is rolled back. Savepoints are not asked."""
    session.info.setdefault("afterwards", []).append(act)


def engine_options(url: str) -> dict[str, Any]:
    """What `create_engine` gets, by kind of database."""
    quiet = {"hide_parameters": True}  # addresses and codes reach no log by an error
    if url.startswith("sqlite"):
        return {"connect_args": {"timeout": 0, "check_same_thread": False}, "pool_size": 8, "max_overflow": 32, **quiet}
    return {"pool_size": 8, "max_overflow": 4, "pool_timeout": 5, **quiet}


def configure_engine(engine: sa.Engine) -> None:
    """Teach an engine to begin as this module's docstring says.

    PostgreSQL reads without a transaction: each statement sees what is committed either way, and a page
    saves two ways to the server.
    """
    if engine.dialect.name == "postgresql":
        sa.event.listen(engine, "connect", _use_generic_plans)
        sa.event.listen(engine, "begin", _begin_on_postgresql)
        sa.event.listen(engine, "checkin", _remember_use)
        sa.event.listen(engine, "checkout", _ping_after_pause)
    else:
        sa.event.listen(engine, "connect", _set_pragmas)
        sa.event.listen(engine, "begin", _begin_on_sqlite)


def is_unavailable(error: sa.exc.SQLAlchemyError) -> bool:
    """Whether the database is away or busy, which is worth a 503 and a later try; wrong tables are not."""
    if isinstance(error, sa.exc.TimeoutError) or (
        isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated
    ):
        return True
    return isinstance(error, sa.exc.OperationalError) and not any(words in str(error.orig) for words in _WRONG_TABLES)


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the begin event speaks, not the driver
    for pragma in (
        "journal_mode=WAL",
        "foreign_keys=ON",
        "recursive_triggers=ON",
        "synchronous=NORMAL",
    ):
        _execute_when_free(connection, f"PRAGMA {pragma}")


def _use_generic_plans(connection: Any, _record: object) -> None:
    """One plan of a statement for all values: making one for each took longer than finding the rows.

    That asks for statements that have an index for each of their parts, and say their limits (`literal_limit`). A range
    counts as a third of the table then, which makes it look worth compiling or sharing out: neither ever is here.
    """
    connection.execute("SET plan_cache_mode = force_generic_plan")
    connection.execute("SET jit = off")
    connection.execute("SET max_parallel_workers_per_gather = 0")
    connection.commit()


def _begin_on_postgresql(connection: sa.Connection) -> None:
    driver: Any = connection.connection.driver_connection
    if driver.autocommit is not _reading.get() and "isolation_level" not in connection.get_execution_options():
        driver.autocommit = _reading.get()


def _remember_use(_connection: Any, record: sa.pool.ConnectionPoolEntry) -> None:
    record.info["used_at"] = time.monotonic()


def _ping_after_pause(connection: Any, record: sa.pool.ConnectionPoolEntry, _fairy: object) -> None:
    """The pool's own ping asks each time, which is a way to the server for each page; this one after a pause."""
    if time.monotonic() - record.info.get("used_at", time.monotonic()) < TRUSTED_SECONDS:
        return
    try:
        connection.execute("SELECT 1")
        if not connection.autocommit:
            connection.rollback()
    except connection.Error as error:
        raise sa.exc.DisconnectionError from error


def _begin_on_sqlite(connection: sa.Connection) -> None:
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    _execute_when_free(driver, "BEGIN" if _reading.get() else "BEGIN IMMEDIATE")


def _execute_when_free(connection: sqlite3.Connection, statement: str) -> None:
    deadline = time.monotonic() + WRITER_TIMEOUT
    while True:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) and "busy" not in str(error):
                raise
            if time.monotonic() > deadline:
                _give_up(statement, error)
            time.sleep(0.005)
        else:
            return


def _give_up(statement: str, error: sqlite3.OperationalError) -> NoReturn:
    raise sa.exc.OperationalError(statement, None, error) from error
