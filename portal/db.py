"""The database: engine, session, base class of the models, and how a transaction begins, locks and ends.

SQLite under gevent needs rules of its own, which were found by trying: any yield inside a write transaction
freezes the whole worker for the busy timeout, and a plain BEGIN overbooks or fails under races. So a
transaction that may write says BEGIN IMMEDIATE, waits for its turn by sleeping in small steps (which
yields), and one that only reads says BEGIN. On PostgreSQL rows are locked where something is counted.
"""

import json
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
from sqlalchemy.engine.default import DefaultExecutionContext
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


class WriteWhileReading(sa.exc.InvalidRequestError):
    """A statement that writes, in a transaction that promised to read only. It is a fault of the code."""


class UTCDateTime(sa.TypeDecorator[datetime]):
    """A column for a date and time: aware in Python, UTC in the database, with microseconds.

    Binding a naive datetime raises `ValueError`, since it does not say which instant it means.
    """

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    @property
    def python_type(self) -> type[datetime]:
        """The type of the column's values in Python."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class UTCSeconds(UTCDateTime):
    """A column for a date and time in whole seconds, as the API writes it, so that what was read is found again."""

    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        return super().process_bind_param(value.replace(microsecond=0) if value is not None else None, dialect)


def exact_json(value: object) -> str:
    """`value` as JSON text, as JSON columns store it. Raises `ValueError` for a number that JSON does not know."""
    return json.dumps(value, allow_nan=False)


class ExactJSON(sa.JSON):
    """The type of all JSON columns: a value is written unless its text is the one that is stored.

    SQLAlchemy compares by `==`, for which true, 1 and 1.0 are one value, as are false, 0 and -0.0, and objects whose
    names stand in another order. It would not write such a change, though it was confirmed.
    """

    def compare_values(self, x: Any, y: Any) -> bool:
        return exact_json(x) == exact_json(y)


def enum_type(choices: type[StrEnum]) -> sa.Enum:
    """The type of a column that holds one member of a `StrEnum`, stored as the member's text."""
    return sa.Enum(choices, native_enum=False, length=32, values_callable=lambda kind: [one.value for one in kind])


class json_rows(GenericFunction[Any]):  # noqa: N801  (functions are called as the database calls them)
    """An SQL aggregate: the given columns of all rows of a group, as one JSON list of lists.

    It reads a one-to-many relation in one column, where a join would repeat the columns of the "one" in each row.
    """

    type = sa.JSON()
    inherit_cache = True


@compiles(json_rows, "sqlite")
def _json_rows_on_sqlite(element: json_rows, compiler: SQLCompiler, **more: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **more)}))"


@compiles(json_rows, "postgresql")
def _json_rows_on_postgresql(element: json_rows, compiler: SQLCompiler, **more: Any) -> str:
    return f"json_agg(json_build_array({compiler.process(element.clauses, **more)}))"


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
    It chooses a better plan for a small number that it can see.
    """
    return sa.bindparam(None, number, type_=sa.Integer(), literal_execute=True)


class TimestampMixin:
    """The columns `created_at` and `updated_at`, which fill themselves."""

    created_at: Mapped[datetime] = mapped_column(default=now)
    updated_at: Mapped[datetime] = mapped_column(default=now, onupdate=now)


def lock(thing: IdentifierMixin) -> None:
    """Lock the row of `thing` until the transaction ends, and reload it: another transaction may have changed it.

    Other rows that refer to it can be written meanwhile (`FOR NO KEY UPDATE`). A second call in the same
    transaction does nothing, so a view may lock what its operation locks as well. Raises `NotFound` if the
    row is gone.
    """
    if ("row", thing.uuid) in locked_rows():
        return
    try:
        session.refresh(thing, with_for_update={"of": type(thing), "key_share": True})
    except sa.exc.InvalidRequestError:
        raise NotFound from None
    locked_rows().add(("row", thing.uuid))


def locked_rows() -> set[tuple[str, UUID]]:
    """The rows that this transaction has locked, as pairs of the kind of lock and the row's uuid.

    A transaction begun within `reading` locks nothing; it gets an empty set that nobody keeps.
    """
    rows: set[tuple[str, UUID]] = set() if _reading.get() else session.info.setdefault("locked_rows", set())
    return rows


@contextmanager
def reading() -> Iterator[None]:
    """Begin the block's transactions for reading only, so that SQLite runs them beside a writer.

    A statement that writes raises `WriteWhileReading`, so that no request that promised to change nothing does.
    """
    token = _reading.set(True)
    try:
        yield
    finally:
        _reading.reset(token)


@contextmanager
def writing() -> Iterator[None]:
    """Run the block in a transaction that may write, within a request whose transactions only read.

    The open reading transaction is ended first, because SQLite cannot turn it into a writing one. Commits when
    the block ends, rolls back if it raises.
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
    """The database's migration number, after checking that the database can be written to. Changes nothing.

    On SQLite the check begins a writing transaction and rolls it back; PostgreSQL is asked whether it is a
    standby. Raises `ReadOnly` for a standby, and the database's own error if it is locked, full, away or
    without tables.
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
    if session.new or session.dirty or session.deleted:
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
    if session.new or session.dirty or session.deleted:
        raise RuntimeError("a service is called in the middle of changes")
    session.commit()
    yield


def on_commit(callback: Callable[[], None]) -> None:
    """Call `callback` after the transaction is committed, and never if it is rolled back.

    Rolling back a savepoint does not unregister it.
    """
    session.info.setdefault("on_commit", []).append(callback)


def engine_options(url: str) -> dict[str, Any]:
    """The arguments of `create_engine` for the database at this address."""
    shared = {
        "hide_parameters": True,  # addresses and codes reach no log by an error
        "json_serializer": exact_json,
    }
    if url.startswith("sqlite"):
        return {
            "connect_args": {"timeout": 0, "check_same_thread": False},
            "pool_size": 8,
            "max_overflow": 32,
            **shared,
        }
    return {"pool_size": 8, "max_overflow": 4, "pool_timeout": 5, **shared}


def configure_engine(engine: sa.Engine) -> None:
    """Install the listeners that begin transactions on this engine as the head of this module describes.

    On PostgreSQL a reading request runs in autocommit: each statement sees what is committed with or without
    a transaction, and a page saves the round trips of BEGIN and COMMIT.
    """
    sa.event.listen(engine, "before_cursor_execute", _refuse_writes_while_reading)
    if engine.dialect.name == "postgresql":
        sa.event.listen(engine, "connect", _use_generic_plans)
        sa.event.listen(engine, "begin", _begin_on_postgresql)
        sa.event.listen(engine, "checkin", _remember_use)
        sa.event.listen(engine, "checkout", _ping_after_pause)
    else:
        sa.event.listen(engine, "connect", _set_pragmas)
        sa.event.listen(engine, "begin", _begin_on_sqlite)


def _refuse_writes_while_reading(
    _connection: sa.Connection,
    _cursor: object,
    _statement: str,
    _parameters: object,
    context: DefaultExecutionContext,
    _many: bool,
) -> None:
    if _reading.get() and (context.isinsert or context.isupdate or context.isdelete):
        raise WriteWhileReading("a request that promised to change nothing tried to write")


def is_unavailable(error: sa.exc.SQLAlchemyError) -> bool:
    """Whether the error says that the database is away or busy, so that trying later may help.

    Missing tables and columns do not count: they need a migration.
    """
    if isinstance(error, sa.exc.TimeoutError) or (
        isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated
    ):
        return True
    return isinstance(error, sa.exc.OperationalError) and not any(text in str(error.orig) for text in _WRONG_TABLES)


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
    """Make PostgreSQL plan each statement once for all values: planning took longer than finding the rows.

    Such a plan is good only if each condition has an index and the LIMIT is a literal (`literal_limit`). It
    assumes that a range covers a third of the table, which would make JIT compiling and parallel workers look
    worth their cost; both are switched off, because for the portal's statements they never are.
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
    """Ping a connection that was not used for `TRUSTED_SECONDS`.

    SQLAlchemy's `pool_pre_ping` would do so at each checkout: one more round trip for each page.
    """
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
