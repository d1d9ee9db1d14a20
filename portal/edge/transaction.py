"""One database transaction for each request: an answer below 400 commits it, any other rolls it back.

The body is read before the first statement, so that no slow client keeps a transaction open; that of an upload is read
by its door, `upload_guard`, between two transactions. GET, HEAD and OPTIONS requests only read: a statement of theirs
that writes raises `WriteWhileReading`. Except for what `db.writing` marks: what a reader finds to have happened
already, such as a right that has run out, and what services tell by callbacks, whose method they choose. Event streams
hold no session: they query in short transactions of their own.
"""

from collections.abc import Callable
from contextlib import ExitStack
from functools import wraps
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, g, make_response, request
from flask import session as cookie
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import BadRequest, HTTPException

from portal.db import reading, session
from portal.edge.uploads import STREAMS, leave_unread
from portal.turns import Turnstile, turn

NOTICES = "_flashes"
"""The key under which Flask keeps flashed messages in the session."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
RAW_BODIES = "/hooks/"
"""Below this path the body is kept as it came: signatures are made over bytes, which a parsed form has lost."""


def reading_only(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view that acts, but writes nothing to the database, or only within `db.writing`.

    So it does not wait for SQLite's one writer, or not before it knows that there is something to write.
    """
    view.reading_only = True  # type: ignore[attr-defined]
    return view


def in_turn(turnstile: Turnstile, patience: float) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Let requests that very many people make at once come a few at a time: see `portal.turns`.

    The turn is waited for before the door asks the database anything, and lasts until the answer is committed. After
    `patience` seconds the answer is a 503.
    """

    def wrap(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def in_its_turn(**address: Any) -> Any:
            g.transaction.enter_context(turn(turnstile, patience))
            return view(**address)

        in_its_turn.turnstile = turnstile  # type: ignore[attr-defined]
        return in_its_turn

    return wrap


def install(app: Flask) -> None:
    """Begin a transaction with each request of this app, and close its session at the end."""
    app.before_request(_begin)
    app.teardown_request(_close)


def install_end(app: Flask) -> None:
    """Commit or roll back after each view.

    Flask runs `after_request` functions in reverse order: those that are registered after this one run before the
    commit, those before it see an answer that is final.
    """
    app.after_request(_end)


def _begin() -> None:
    g.transaction = ExitStack()
    view = current_app.view_functions.get(request.endpoint or "")
    raw = request.path.startswith(RAW_BODIES)
    acts = request.method not in SAFE_METHODS or (raw and request.method == "GET")
    if not acts or getattr(view, "reading_only", False):
        g.transaction.enter_context(reading())
    if getattr(view, STREAMS, False):
        leave_unread()
    elif acts:
        _read_body(raw=raw)


def _read_body(*, raw: bool) -> None:
    try:
        _ = request.get_data(cache=True) if raw or request.mimetype == "application/json" else request.form
    except HTTPException:
        raise
    except Exception as error:  # a body that breaks off, or whose chunks make no sense to the server below
        raise BadRequest from error


def _end(response: Response) -> Response:
    if response.status_code >= HTTPStatus.BAD_REQUEST:
        session.rollback()
        return response
    try:
        session.commit()
    except SQLAlchemyError as error:
        session.rollback()
        cookie.pop(NOTICES, None)  # "Saved." is not true
        return make_response(current_app.handle_user_exception(error))
    return response


def _close(_error: BaseException | None) -> None:
    opened: ExitStack = g.pop("transaction", None) or ExitStack()
    with opened:  # also if the connection is dead, which `remove` says by an error
        session.remove()
