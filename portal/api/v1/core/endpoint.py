"""The view decorators `endpoint` (scope, OpenAPI description) and `takes` (request body, idempotency).

`endpoint` requires the scope and describes the answer, the door loads what the address names, and `takes` parses the
body after the door, so that strangers learn nothing from how a body is refused. (The one door that lets strangers
in comes after `takes`, for the same reason.) The OpenAPI document is built from what the decorators set on the view.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from portal.api.v1.core import idempotency, query_params, request_body
from portal.api.v1.core.query_params import Listing
from portal.api.v1.core.request_body import RequestBody
from portal.edge import bearer
from portal.scopes import Scope

View = Callable[..., Any]
DESCRIPTION, TAKES = "api_description", "api_takes"


@dataclass(frozen=True, kw_only=True)
class Description:
    """What the OpenAPI document says about a view."""

    tag: str
    scope: Scope | None
    returns: Any
    status: int
    many: bool
    listing: Listing | None
    refusals: tuple[int, ...]
    permission: str


@dataclass(frozen=True)
class Taken:
    """The body that a view takes (None for none), with examples by name; or a form with a `file`."""

    model: type[RequestBody] | None
    examples: dict[str, Any]
    file: bool = False


def endpoint(
    tag: str,
    *,
    scope: Scope | None,
    returns: Any = None,
    status: int = 200,
    many: bool = False,
    listing: Listing | None = None,
    refusals: tuple[int, ...] = (),
    permission: str = "",
) -> Callable[[View], View]:
    """Describe a view, and call it only for tokens that have `scope`. Raises `ScopeMissing`.

    Without a `listing` the view takes no query parameters.
    """

    def wrap(view: View) -> View:
        @wraps(view)
        def scoped(**address: Any) -> Any:
            if scope is not None:
                bearer.require(scope)
            if listing is None:
                query_params.no_params()
            return view(**address)

        description = Description(
            tag=tag,
            scope=scope,
            returns=returns,
            status=status,
            many=many,
            listing=listing,
            refusals=refusals,
            permission=permission,
        )
        setattr(scoped, DESCRIPTION, description)
        return scoped

    return wrap


def takes(model: type[RequestBody] | None, **examples: Any) -> Callable[[View], View]:
    """Parse the request's body and pass it to the view as `body`. A POST with an `Idempotency-Key` acts once."""

    def wrap(view: View) -> View:
        @wraps(view)
        def parsed(**address: Any) -> Any:
            if model is None:
                request_body.no_body()
                return idempotency.once(lambda: view(**address))
            body = request_body.parse_body(model)
            return idempotency.once(lambda: view(body=body, **address))

        setattr(parsed, TAKES, Taken(model, examples))
        return parsed

    return wrap


def describes_file(view: View) -> View:
    """Say of a view that its body is a form with a file. Its door is one that reads that."""
    setattr(view, TAKES, Taken(None, {}, file=True))
    return view
