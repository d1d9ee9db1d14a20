"""The OpenAPI 3.1 document of the API, built from the routes and from what `endpoint` and `takes` set on the views.

`openapi_schemas` and `openapi_parameters` make its parts; this module walks over the routes.
"""

import inspect
import re
from functools import lru_cache
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from portal.api.v1 import webhook_docs
from portal.api.v1.core.endpoint import DESCRIPTION, TAKES, Description, Taken
from portal.api.v1.core.openapi_parameters import parameters_of
from portal.api.v1.core.openapi_schemas import schemas_of
from portal.edge.guard import STAMP
from portal.edge.staff_guard import STAFF
from portal.edge.uploads import FIELD, MULTIPART
from portal.scopes import Scope

REFUSALS = {
    400: "Malformed JSON, or a request that makes no sense.",
    401: "No credential, or none that counts (any more).",
    403: "Known, but not allowed: the permission or the scope is missing.",
    404: "Not there, or not yours to know of.",
    409: "The state of things forbids it: a quota is used up, or something ended.",
    412: "It has changed since it was read (`If-Match`).",
    413: "The body is larger than 1 MB.",
    414: "The address is longer than 8190 characters; the server below says so, in HTML.",
    415: "The body is no JSON, or where a file is sent no form.",
    422: "The given data was invalid: see `errors`.",
    429: "Too many requests, or too many tries: see `Retry-After`.",
    503: "The portal cannot answer right now: see `Retry-After`.",
}


@lru_cache(maxsize=4)
def openapi_document(app: Flask) -> dict[str, Any]:
    """The OpenAPI document of this app's API, built once for each app."""
    operations = [
        (rule, app.view_functions[rule.endpoint])
        for rule in app.url_map.iter_rules()
        if hasattr(app.view_functions[rule.endpoint], DESCRIPTION)
    ]
    names, schemas = schemas_of([view for _, view in operations])
    paths: dict[str, dict[str, Any]] = {}
    for rule, view in sorted(operations, key=lambda pair: pair[0].rule):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            path = _path(rule)
            paths.setdefault(path, {})[method.lower()] = _operation(rule, method, view, names)
    _link(paths)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Foyer",
            "version": "1",
            "summary": "Rooms, links, codes, people, sessions and webhooks, for programs.",
            "description": inspect.cleandoc(_INTRODUCTION),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": app.config["BASE_URL"]}],
        "tags": [{"name": name} for name in sorted({getattr(view, DESCRIPTION).tag for _, view in operations})],
        "paths": paths,
        "webhooks": webhook_docs.webhooks_section(names),
        "components": {
            "schemas": schemas,
            "securitySchemes": {"oauth": _security(password=app.config["OAUTH_PASSWORD_GRANT"])},
            "responses": {str(status): _refusal(status, text) for status, text in REFUSALS.items()},
            "headers": {
                "X-RateLimit-Limit": _header("How many requests this token has in a window of time.", "integer"),
                "X-RateLimit-Remaining": _header("How many of them are left.", "integer"),
                "Retry-After": _header("After how many seconds to try again; with 429 and 503 only.", "string"),
                "ETag": _header("What the resource was like; send it as If-Match or If-None-Match.", "string"),
            },
        },
    }


def _path(rule: Rule) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)


def _link(paths: dict[str, dict[str, Any]]) -> None:
    """Add `links` to answers that create or list things: the operations whose address begins with the thing's."""
    for path, methods in paths.items():
        answers = {method: methods.get(method, {}).get("responses", {}) for method in ("post", "get")}
        known = [(answers["post"].get("201"), "id"), (answers["get"].get("200"), "0/id")]
        below = re.compile(rf"{re.escape(path)}/{{(\w+)}}(?:/\w[\w-]*)?$")
        for other, others in paths.items():
            if not (found := below.match(other)):
                continue
            for answer, pointer in known:
                if answer is None:
                    continue
                parameters = {name: f"$request.path.{name}" for name in re.findall(r"{(\w+)}", path)}
                parameters[found[1]] = f"$response.body#/data/{pointer}"
                for about in others.values():
                    links = answer.setdefault("links", {})
                    links[about["operationId"]] = {"operationId": about["operationId"], "parameters": parameters}


_INTRODUCTION = """
    Every answer is enveloped: `data`, and `meta` with what may be included and, for lists, where the page stands.
    Every thing has an `id`, a `uuid` and a `ulid`; each of the three is accepted in an address.
    Moments are ISO 8601 in UTC. A refusal says what is wrong with which field.
"""


def _security(*, password: bool) -> dict[str, Any]:
    flow = {"tokenUrl": "/oauth/token", "scopes": _scopes()}
    flows = {
        "clientCredentials": flow,
        "authorizationCode": {"authorizationUrl": "/oauth/authorize", "refreshUrl": "/oauth/token", **flow},
    }
    if password:
        flows["password"] = {"refreshUrl": "/oauth/token", **flow}
    return {"type": "oauth2", "description": "Send the token as `Authorization: Bearer …`.", "flows": flows}


def _scopes() -> dict[str, str]:
    return {scope.value: str(scope.label) for scope in Scope}


def _header(description: str, kind: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}}


def _refusal(status: int, description: str) -> dict[str, Any]:
    if status == 414:  # noqa: PLR2004
        return {"description": description, "content": {"text/html": {"schema": {"type": "string"}}}}
    headers: dict[str, Any] = {}
    if status == 401:  # noqa: PLR2004
        headers["WWW-Authenticate"] = _header("How to authenticate.", "string")
    if status in {429, 503}:
        headers["Retry-After"] = {"$ref": "#/components/headers/Retry-After"}
    example: dict[str, Any] = {"message": description.partition(":")[0].rstrip(".") + "."}
    if status == 422:  # noqa: PLR2004
        example = {
            "message": "The given data was invalid.",
            "errors": {"expires_at": ["Say the time zone: end it with Z, or with an offset like +01:00."]},
        }
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}}
    return {"description": description, "content": content} | ({"headers": headers} if headers else {})


def _operation(rule: Rule, method: str, view: Any, names: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    description: Description = getattr(view, DESCRIPTION)
    taken: Taken | None = getattr(view, TAKES, None)
    summary, _, rest = inspect.cleandoc(view.__doc__ or "").partition("\n\n")
    door = getattr(view, STAMP, "")
    of_staff = door.startswith(STAFF)
    permission = description.permission or door.partition("requires ")[2] or door.partition(STAFF)[2]
    if permission:
        rest = f"{rest}\n\nNeeds the permission `{permission}`.".strip()
    scopes = [scope.value for scope in (description.scope, Scope.ADMIN if of_staff else None) if scope]
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.removeprefix("api.").replace(".", "_"),
        "tags": [description.tag],
        "summary": " ".join(summary.split()),
        "security": [{"oauth": scopes}],
        "parameters": parameters_of(rule, method, description, taken),
        "responses": {str(description.status): _success(description, names)}
        | {str(status): {"$ref": f"#/components/responses/{status}"} for status in _refusals(rule, method, view)},
    }
    if rest:
        operation["description"] = " ".join(rest.split())
    if taken is not None and taken.model is not None:
        content: dict[str, Any] = {"schema": names[taken.model]}
        content["examples"] = {name: {"value": value} for name, value in taken.examples.items()}
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    if taken is not None and taken.file:
        operation["requestBody"] = {"required": True, "content": {MULTIPART: {"schema": _FILE_FORM}}}
    return operation


_FILE_FORM = {
    "type": "object",
    "required": [FIELD],
    "properties": {FIELD: {"type": "string", "format": "binary", "description": "The file, with its name."}},
}


def _refusals(rule: Rule, method: str, view: Any) -> list[int]:
    description: Description = getattr(view, DESCRIPTION)
    taken: Taken | None = getattr(view, TAKES, None)
    statuses = {401, 414, 422, 429, 503, *description.refusals}
    if description.scope is not None:
        statuses.add(403)
    if rule.arguments or getattr(view, STAMP, "").startswith(STAFF):
        statuses.add(404)
    if taken is not None:
        statuses |= {400, 413} if taken.model is None and not taken.file else {400, 413, 415}
    if method in {"PATCH", "DELETE"} and rule.arguments:
        statuses.add(412)
    if method in {"POST", "PATCH"}:
        statuses.add(409)
    return sorted(statuses)


def _success(description: Description, names: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    headers = {
        name: {"$ref": f"#/components/headers/{name}"} for name in ("X-RateLimit-Limit", "X-RateLimit-Remaining")
    }
    if description.returns is None:
        return {"description": "Done.", "headers": headers}
    item = names[description.returns]
    meta = {"$ref": "#/components/schemas/ListMeta" if description.many else "#/components/schemas/Meta"}
    schema = {
        "type": "object",
        "required": ["data", "meta"],
        "properties": {"data": {"type": "array", "items": item} if description.many else item, "meta": meta},
        "additionalProperties": False,
    }
    if not description.many:
        headers["ETag"] = {"$ref": "#/components/headers/ETag"}
    if description.status == 201:  # noqa: PLR2004
        headers["Location"] = _header("The address of what was made.", "string")
    return {"description": "As asked.", "headers": headers, "content": {"application/json": {"schema": schema}}}
