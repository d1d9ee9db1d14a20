"""The request is the transaction: an answer below 400 commits, any other rolls back.

The body is read before the first statement, so that no slow client holds a transaction open. GET and
HEAD promise not to write. Streams hold no session: they look things up in short transactions of their own.
"""

from contextlib import ExitStack
from http import HTTPStatus

from flask import Flask, Response, g, request
from sqlalchemy.exc import OperationalError

from portal.db import reading, session
from portal.errors import Unavailable

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def install(app: Flask) -> None:
    """Put transactions around the requests of this app."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_close)


def _begin() -> None:
    g.transaction = ExitStack()
    if request.method in SAFE_METHODS:
        g.transaction.enter_context(reading())
    else:
        _ = request.form if request.mimetype != "application/json" else request.get_data(cache=True)


def _end(response: Response) -> Response:
    if response.status_code < HTTPStatus.BAD_REQUEST:
        try:
            session.commit()
        except OperationalError as error:
            session.rollback()
            raise Unavailable from error
    else:
        session.rollback()
    return response


def _close(_error: BaseException | None) -> None:
    session.remove()
    opened: ExitStack | None = g.pop("transaction", None)
    if opened is not None:
        opened.close()
