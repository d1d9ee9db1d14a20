"""How answers are dressed: the envelope, entity tags, and what conditional requests get.

Nothing is answered without the `Shape` in which it was asked for, so that no operation can forget `filter`.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response, current_app, request
from werkzeug.exceptions import PreconditionFailed

from portal.api.v1.core.query_params import FieldSelection
from portal.db import TimestampMixin, lock
from portal.identifiers import IdentifierMixin


def single(
    representation: Mapping[str, Any], selection: FieldSelection, *, status: int = 200, tag: str = ""
) -> Response:
    """A single resource, with an entity tag; 304 if the reader has it already."""
    response = _json({"data": selection.select(representation), "meta": _meta(selection)}, status)
    if tag and status == 200:  # noqa: PLR2004
        response.set_etag(f"{tag}.{_digest(response.get_data())}")
        response.make_conditional(request)
    return response


def listing(
    representations: Iterable[Mapping[str, Any]], selection: FieldSelection, pagination: Mapping[str, Any]
) -> Response:
    """A list, with where it stands in the whole."""
    data = [selection.select(one) for one in representations]
    return _json({"data": data, "meta": {**_meta(selection), "pagination": pagination}}, 200)


def created(representation: Mapping[str, Any], selection: FieldSelection, *, at: str, tag: str) -> Response:
    """201, with the address of what was made."""
    response = single(representation, selection, status=201)
    response.headers["Location"] = f"{current_app.config['BASE_URL']}{at}"
    response.set_etag(f"{tag}.{_digest(response.get_data())}")
    return response


def no_content() -> Response:
    """204: it is deleted, and there is nothing to say."""
    return Response(status=204)


def etag_of(thing: IdentifierMixin) -> str:
    """The first half of a thing's entity tag: what it was when it was last changed."""
    changed = thing.updated_at.isoformat() if isinstance(thing, TimestampMixin) else ""
    return _digest(f"{thing.uuid} {changed}".encode())


def check_if_match(thing: IdentifierMixin) -> None:
    """Honour `If-Match`: 412 if the thing has changed since it was read. Holds the row until the end.

    What cannot be read as tags names no state that the thing could still be in: 412 as well.
    """
    if "If-Match" not in request.headers:
        return
    lock(thing)
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
