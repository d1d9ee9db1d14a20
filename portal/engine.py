"""The database's engine: how connections are set up, and how a transaction begins on each of the two databases.

SQLite under gevent needs rules of its own, which were found by trying: any yield inside a write transaction
freezes the whole worker for the busy timeout, and a plain BEGIN overbooks or fails under races. So a
transaction that may write says BEGIN IMMEDIATE, waits for its turn by sleeping in small steps (which
yields), and one that only reads says BEGIN.
"""

import sqlite3
import time
from contextvars import ContextVar
from typing import Any, NoReturn

import sqlalchemy as sa
from sqlalchemy.engine.default import DefaultExecutionContext

from portal.column_types import exact_json

WRITER_TIMEOUT = 5.0  # seconds that a transaction waits for SQLite's one writer before it is "locked"
TRUSTED_SECONDS = 1.0  # so long after its last use is a connection to PostgreSQL taken for alive
_WRONG_TABLES = ("no such table", "no such column", "has no column")  # SQLite calls them operational, too
_WRITING = ("INSERT", "UPDATE", "DELETE", "REPLACE", "TRUNCATE")

is_reading: ContextVar[bool] = ContextVar("reading", default=False)


class WriteWhileReading(sa.exc.InvalidRequestError):
    """A statement that writes, in a transaction that promised to read only. It is a fault of the code."""


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
    from portal.postgresql_driver import PlainCursor  # noqa: PLC0415  (a portal on SQLite need not load the driver)

    return {
        "connect_args": {"cursor_factory": PlainCursor},
        "pool_size": 8,
        "max_overflow": 4,
        "pool_timeout": 5,
        **shared,
    }


def configure_engine(engine: sa.Engine) -> None:
    """Install the listeners that begin transactions on this engine as the head of this module describes.

    On PostgreSQL a reading request runs in autocommit: each statement sees what is committed with or without
    a transaction, and a page saves the round trips of BEGIN and COMMIT.
    """
    sa.event.listen(engine, "before_cursor_execute", _refuse_writes_while_reading)
    if engine.dialect.name == "postgresql":
        sa.event.listen(engine, "connect", _set_parameters)
        sa.event.listen(engine, "begin", _begin_on_postgresql)
        sa.event.listen(engine, "checkin", _remember_use)
        sa.event.listen(engine, "checkout", _ping_after_pause)
    else:
        sa.event.listen(engine, "connect", _set_pragmas)
        sa.event.listen(engine, "begin", _begin_on_sqlite)


def _refuse_writes_while_reading(
    _connection: sa.Connection,
    _cursor: object,
    statement: str,
    _parameters: object,
    context: DefaultExecutionContext,
    _many: bool,
) -> None:
    if not is_reading.get():
        return
    built = context.isinsert or context.isupdate or context.isdelete
    if built or statement.lstrip().upper().startswith(_WRITING):  # the second for what is written as text
        raise WriteWhileReading("a request that promised to change nothing tried to write")


def lacks_migration(error: sa.exc.DBAPIError) -> bool:
    """Whether the error says that a table or column is missing."""
    said = str(error.orig)
    if isinstance(error, sa.exc.ProgrammingError):  # PostgreSQL's
        return "does not exist" in said
    return any(text in said for text in _WRONG_TABLES)


def is_unavailable(error: sa.exc.SQLAlchemyError) -> bool:
    """Whether the error says that the database is away or busy, so that trying later may help.

    Missing tables and columns do not count: they need a migration.
    """
    if isinstance(error, sa.exc.TimeoutError) or (
        isinstance(error, sa.exc.DBAPIError) and error.connection_invalidated
    ):
        return True
    return isinstance(error, sa.exc.OperationalError) and not lacks_migration(error)


def _set_pragmas(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # the begin event speaks, not the driver
    for pragma in (
        "journal_mode=WAL",
        "foreign_keys=ON",
        "recursive_triggers=ON",
        "synchronous=NORMAL",
    ):
        _execute_when_free(connection, f"PRAGMA {pragma}")


def _set_parameters(connection: Any, _record: object) -> None:
    """Let PostgreSQL tell times in UTC, and plan each statement once for all values.

    Planning took longer than finding the rows. Such a plan is good only if each condition has an index and the LIMIT is
    a literal (`literal_limit`). It assumes that a range covers a third of the table, which would make JIT compiling and
    parallel workers look worth their cost; both are switched off, because for the portal's statements they never are.
    """
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET plan_cache_mode = force_generic_plan")
    connection.execute("SET jit = off")
    connection.execute("SET max_parallel_workers_per_gather = 0")
    connection.commit()


def _begin_on_postgresql(connection: sa.Connection) -> None:
    driver: Any = connection.connection.driver_connection
    if driver.autocommit is not is_reading.get() and "isolation_level" not in connection.get_execution_options():
        driver.autocommit = is_reading.get()


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
    _execute_when_free(driver, "BEGIN" if is_reading.get() else "BEGIN IMMEDIATE")


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
