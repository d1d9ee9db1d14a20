"""The OpenAPI 3.1 document of the API, built from the routes and from what `endpoint` and `takes` set on the views.

Pydantic makes the schemas; this module walks over the routes.
"""

import inspect
import json
import re
from enum import StrEnum
from functools import lru_cache
from typing import Any

from flask import Flask
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from portal.api.v1 import response_schemas, webhook_docs
from portal.api.v1.core.endpoint import DESCRIPTION, TAKES, Description, Taken
from portal.api.v1.core.idempotency import HEADER
from portal.api.v1.core.query_params import EVERYTHING, FARTHEST_PAGE, LIMIT, LONGEST, MOST, Listing
from portal.edge.guard import STAMP
from portal.permissions.permission import Permission
from portal.scopes import Scope
from portal.webhooks.events import Event
from portal.webhooks.models import PauseReason

REFUSALS = {
    400: "Malformed JSON, or a request that makes no sense.",
    401: "No credential, or none that counts (any more).",
    403: "Known, but not allowed: the permission or the scope is missing.",
    404: "Not there, or not yours to know of.",
    409: "The state of things forbids it: a quota is used up, or something ended.",
    412: "It has changed since it was read (`If-Match`).",
    413: "The body is larger than 1 MB.",
    414: "The address is longer than 8190 characters; the server below says so, in HTML.",
    415: "The body is no JSON.",
    422: "The given data was invalid: see `errors`.",
    429: "Too many requests, or too many tries: see `Retry-After`.",
    503: "The portal cannot answer right now: see `Retry-After`.",
}
MEANINGS: dict[type[StrEnum], str] = {Event: "words", PauseReason: "words", Permission: "label"}
"""Enums whose members the document explains → the attribute of a member that has the explanation."""


@lru_cache(maxsize=4)
def openapi_document(app: Flask) -> dict[str, Any]:
    """The OpenAPI document of this app's API, built once for each app."""
    operations = [
        (rule, app.view_functions[rule.endpoint])
        for rule in app.url_map.iter_rules()
        if hasattr(app.view_functions[rule.endpoint], DESCRIPTION)
    ]
    names, schemas = _schemas([view for _, view in operations])
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


def _schemas(views: list[Any]) -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:
    models: dict[tuple[Any, str], None] = {
        (model, "serialization"): None
        for model in (
            response_schemas.ProblemSchema,
            response_schemas.Meta,
            response_schemas.ListMeta,
            *sorted(webhook_docs.MODELS, key=str),
        )
    }
    for view in views:
        description: Description = getattr(view, DESCRIPTION)
        taken: Taken | None = getattr(view, TAKES, None)
        if description.returns is not None:
            models[(description.returns, "serialization")] = None
        if taken is not None and taken.model is not None:
            models[(taken.model, "validation")] = None
    mapping, definitions = _public(
        models_json_schema(
            list(models),  # type: ignore[arg-type]
            ref_template="#/components/schemas/{model}",
        )
    )
    components = definitions.get("$defs", {})
    for kind, attribute in MEANINGS.items():
        components[kind.__name__]["x-enumDescriptions"] = {one.value: str(getattr(one, attribute)) for one in kind}
    for component in components.values():
        component["description"] = component.get("description", "").partition("; see *")[0]
        for one in component.get("properties", {}).values():
            one.pop("default", None)  # of a change, what is left out stays as it is
            one.pop("title", None)
    return {model: schema for (model, _), schema in mapping.items()}, components


def _public(made: tuple[Any, Any]) -> tuple[dict[Any, Any], dict[str, Any]]:
    """Name schemas as programs know them: `RoomSchema`, the schema of the model `Room`, is `Room` in the document."""
    mapping, definitions = made
    text = json.dumps([list(mapping.values()), definitions])
    references, public = json.loads(re.sub(r"\b(\w+?)Schema(?=\b|_)", r"\1", text))
    return dict(zip(mapping, references, strict=True)), public


def _operation(rule: Rule, method: str, view: Any, names: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    description: Description = getattr(view, DESCRIPTION)
    taken: Taken | None = getattr(view, TAKES, None)
    summary, _, rest = inspect.cleandoc(view.__doc__ or "").partition("\n\n")
    permission = description.permission or getattr(view, STAMP, "").partition("requires ")[2]
    if permission:
        rest = f"{rest}\n\nNeeds the permission `{permission}`.".strip()
    operation: dict[str, Any] = {
        "operationId": rule.endpoint.removeprefix("api.").replace(".", "_"),
        "tags": [description.tag],
        "summary": " ".join(summary.split()),
        "security": [{"oauth": [description.scope.value] if description.scope else []}],
        "parameters": [
            *_path_parameters(rule),
            *_query_parameters(description),
            *_header_parameters(rule, method, taken),
        ],
        "responses": {str(description.status): _success(description, names)}
        | {str(status): {"$ref": f"#/components/responses/{status}"} for status in _refusals(rule, method, view)},
    }
    if rest:
        operation["description"] = " ".join(rest.split())
    if taken is not None and taken.model is not None:
        content: dict[str, Any] = {"schema": names[taken.model]}
        content["examples"] = {name: {"value": value} for name, value in taken.examples.items()}
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    return operation


def _refusals(rule: Rule, method: str, view: Any) -> list[int]:
    description: Description = getattr(view, DESCRIPTION)
    taken: Taken | None = getattr(view, TAKES, None)
    statuses = {401, 414, 422, 429, 503, *description.refusals}
    if description.scope is not None:
        statuses.add(403)
    if rule.arguments:
        statuses.add(404)
    if taken is not None:
        statuses |= {400, 413} if taken.model is None else {400, 413, 415}
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


def _path_parameters(rule: Rule) -> list[dict[str, Any]]:
    schema = {"type": "string", "minLength": 10, "maxLength": 36, "examples": ["u6Yh3DpQ2x"]}
    return [
        {"name": name, "in": "path", "required": True, "description": "An id, uuid or ulid.", "schema": schema}
        for name in re.findall(r"<(?:\w+:)?(\w+)>", rule.rule)
    ]


def _header_parameters(rule: Rule, method: str, taken: Taken | None) -> list[dict[str, Any]]:
    if method == "POST" and taken is not None:
        text = "Any text of your own; sent again with the same body, it gets the first answer again."
        schema = {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[ -~]+$"}
        return [{"name": HEADER, "in": "header", "required": False, "description": text, "schema": schema}]
    if method in {"PATCH", "DELETE"} and rule.arguments:
        text = "Act only if it is still as it was when this ETag was read."
        return [
            {"name": "If-Match", "in": "header", "required": False, "description": text, "schema": {"type": "string"}}
        ]
    return []


def _query_parameters(description: Description) -> list[dict[str, Any]]:
    listing = description.listing
    if listing is None:
        return []
    inner = [f"{relation}.{name}" for relation, names in listing.inner.items() for name in sorted(names)]
    found = [_choice("filter", "Fields to answer; `id` always.", [*sorted(listing.fields), *inner])]
    if listing.includes:
        found.append(_choice("include", "Relations to answer with it.", list(listing.includes)))
    found += [_parameter(name, **schema) for name, schema in sorted(listing.extra.items())]
    return found + (_list_parameters(listing) if description.many and listing.columns else [])


def _list_parameters(listing: Listing) -> list[dict[str, Any]]:
    texts = [name for name, column in listing.columns.items() if column.kind == "text"]
    fields = "|".join(f"{name}:=" for name in listing.columns) + "".join(f"|{one}:like" for one in listing.searchable)
    plain = r"[^:;\x00-\x1f]*"
    words = f"{plain}|" if listing.searchable else ""
    return [
        _parameter("orderBy", f"The field to sort by; without it {listing.order}.", enum=sorted(listing.columns)),
        _parameter("sortedBy", "The direction.", enum=["asc", "desc"]),
        _parameter(
            "page",
            "Which page, from 1. The last one's `next` goes on by cursor.",
            type="integer",
            minimum=1,
            maximum=FARTHEST_PAGE,
        ),
        _parameter(
            "limit",
            f"Rows on a page, {LIMIT} by default; 0 for everything up to {EVERYTHING} rows.",
            type="integer",
            minimum=0,
            maximum=MOST,
        ),
        _parameter(
            "cursor",
            "Empty to begin a walk through a long list, whose cost does not grow with depth; then "
            "`meta.pagination.cursor.next`. Instead of `page`.",
        ),
        _parameter(
            "search",
            "`words`, or `field:value;field:value`." if words else "`field:value;field:value`.",
            maxLength=LONGEST,
            pattern=f"^({words}({'|'.join(texts)}):{plain})$",
            examples=["board" if words else f"{texts[0]}:board"],
        ),
        _parameter(
            "searchFields",
            "`field:like;field:=`: how fields are compared, and in which of them words without a field are sought.",
            maxLength=LONGEST,
            pattern=f"^(({fields})(;({fields}))*)?$",
            examples=["id:="],
        ),
        _parameter("searchJoin", "Whether one or all of the conditions must hold.", enum=["and", "or"]),
    ]


def _choice(name: str, description: str, values: list[str]) -> dict[str, Any]:
    """A query parameter with several of these values, separated by commas.

    The values are a pattern and no enum, because tools would send each value of an enum by itself only.
    """
    schema = {"type": "array", "items": {"type": "string", "pattern": f"^({'|'.join(map(re.escape, values))})$"}}
    return _parameter(name, description) | {"schema": schema, "style": "form", "explode": False}


def _parameter(name: str, description: str, **schema: Any) -> dict[str, Any]:
    schema.setdefault("type", "string")
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
