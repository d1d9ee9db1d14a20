"""The header `Idempotency-Key` of POST requests: a repeated request gets the first answer and does not act again.

A key that comes with another body or path is refused.
"""

import hashlib
from collections.abc import Callable

from flask import Response, make_response, request
from flask.typing import ResponseReturnValue

from portal.db import session
from portal.edge import actor, bearer
from portal.errors import Conflict, Invalid, Message
from portal.idempotency import api_requests

HEADER = "Idempotency-Key"
LONGEST = 255
KEPT_HEADERS = ("Content-Type", "Location", "ETag")


def once(act: Callable[[], ResponseReturnValue]) -> ResponseReturnValue:
    """Return what `act` answers; or the stored answer, if this caller has sent this request with this key before.

    Raises `Invalid` for a malformed key or another request with a known key, and `Conflict` while the first request
    has no answer.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method != "POST":
        return act()
    if not 1 <= len(key) <= LONGEST or not key.isascii() or not key.isprintable():
        raise Invalid(**{HEADER: Message("Use 1 to %(most)d printable ASCII characters.", most=LONGEST)})
    key_of_caller = (
        f"{bearer.caller()} {actor.someone().uuid} {request.path} {key}"  # one client may act for many people
    )
    asked = f"{request.full_path} {hashlib.sha256(request.get_data(cache=True)).hexdigest()}"
    known = api_requests.reserve_key(key_of_caller, asked)
    if known is not None:
        if not api_requests.is_same_request(known, asked):
            raise Invalid(**{HEADER: Message("This key was used for another request.")})
        if not known.answer:  # the first one was cut off after a part of it had been committed, or still runs
            raise Conflict(Message("The first request with this key has no answer yet. Use a new key."))
        return _replayed(known)
    try:
        response = make_response(act())
    except Exception:  # an operation that asks a service commits the key on its way: what failed may be sent again
        session.rollback()
        api_requests.release_key(key_of_caller)
        session.commit()
        raise
    api_requests.store_answer(
        key_of_caller,
        {
            "status": response.status_code,
            "body": response.get_data(as_text=True),
            "headers": {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers},
        },
    )
    return response


def _replayed(known: api_requests.IdempotentRequest) -> Response:
    answer = api_requests.stored_answer(known)
    response = Response(answer["body"], status=answer["status"], headers=answer["headers"])
    response.headers["Idempotent-Replayed"] = "true"
    return response
