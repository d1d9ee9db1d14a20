"""The API's responses: the envelope `data` and `meta`, entity tags, and conditional requests.

Every response with content takes the `FieldSelection` that was asked for, so that no view can forget `filter`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from flask import Response, current_app, request
from werkzeug.exceptions import PreconditionFailed

from portal.api.v1.core.query_params import FieldSelection
from portal.db import lock


class Stamped(Protocol):
    """A row, or a value that was read from it, that says when it was last changed."""

    @property
    def uuid(self) -> UUID: ...
    @property
    def updated_at(self) -> datetime: ...


def single(
    representation: Mapping[str, Any], selection: FieldSelection, *, status: int = 200, tag: str = ""
) -> Response:
    """A single resource, with an entity tag made from `tag`; 304 if the client has this version already."""
    response = _json({"data": selection.select(representation), "meta": _meta(selection)}, status)
    if tag and status == 200:  # noqa: PLR2004
        response.set_etag(f"{tag}.{_digest(response.get_data())}")
        response.make_conditional(request)
    return response


def listing(
    representations: Iterable[Mapping[str, Any]], selection: FieldSelection, pagination: Mapping[str, Any]
) -> Response:
    """A page of a list, with `meta.pagination`."""
    data = [selection.select(one) for one in representations]
    return _json({"data": data, "meta": {**_meta(selection), "pagination": pagination}}, 200)


def one_page(number: int) -> dict[str, Any]:
    """The `meta.pagination` of a fixed list of so many things, which has one page."""
    return {
        "total": number, "count": number, "per_page": number, "current_page": 1, "total_pages": 1,
        "links": {"previous": None, "next": None},
    }  # fmt: skip


def created(representation: Mapping[str, Any], selection: FieldSelection, *, at: str, tag: str) -> Response:
    """A 201 with the new resource, and its address `at` (a path) in `Location`."""
    response = single(representation, selection, status=201)
    response.headers["Location"] = f"{current_app.config['BASE_URL']}{at}"
    response.set_etag(f"{tag}.{_digest(response.get_data())}")
    return response


def no_content() -> Response:
    """A 204, after something was deleted."""
    return Response(status=204)


def etag_of(thing: Stamped) -> str:
    """The first half of a thing's entity tag, which changes with its `updated_at`."""
    return _digest(f"{thing.uuid} {thing.updated_at.isoformat()}".encode())


def check_if_match(thing: Stamped) -> None:
    """Raise a 412 if the request has `If-Match` and the thing has changed since, or the header is malformed.

    Locks the thing's row until the transaction ends.
    """
    if "If-Match" not in request.headers:
        return
    lock(thing, relations=False)
    # Proxies that compress make strong tags weak; ours says the same about the state either way.
    known = {(tag or "").strip('W/"').partition(".")[0] for tag in request.if_match.as_set(include_weak=True)}
    if not request.if_match.star_tag and etag_of(thing) not in known:
        raise PreconditionFailed("This has changed since you read it. Read it again.")


def _meta(selection: FieldSelection) -> dict[str, Any]:
    return {"include": list(selection.offered), "custom": []}


def _json(content: Mapping[str, Any], status: int) -> Response:
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    return Response(text, status=status, mimetype="application/json")


def _digest(data: bytes) -> str:
    return hashlib.blake2s(data, digest_size=8).hexdigest()
