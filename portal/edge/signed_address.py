"""The door of files that services fetch: the address is the proof, and nobody's cookie counts."""

from functools import wraps
from typing import Any

from flask import request

from portal.clock import now
from portal.edge.guard import View, stamp
from portal.rooms.presentations import fetched


def signed_address(view: View) -> View:
    """Replace `presentation_id` by the `presentation`, if the query has its signature and is not over; else 404."""

    @wraps(view)
    def guarded(presentation_id: str, **address: Any) -> Any:
        expires, signature = (request.args.get(name, "") for name in ("expires", "signature"))
        found = fetched(presentation_id, expires=expires, signature=signature, at=now())
        return view(presentation=found, **address)

    return stamp(guarded, "signed_address")
