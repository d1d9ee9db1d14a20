"""The parameters of operations in the OpenAPI document: in the address, in the query and in headers."""

import re
from typing import Any

from werkzeug.routing import Rule

from portal.api.v1.core.endpoint import Description, Taken
from portal.api.v1.core.idempotency import HEADER
from portal.api.v1.core.query_params import EVERYTHING, FARTHEST_PAGE, LIMIT, LONGEST, MOST, Listing
from portal.api.v1.core.search import searchable
from portal.subscriptions.feature_catalog import FEATURES


def parameters_of(rule: Rule, method: str, description: Description, taken: Taken | None) -> list[dict[str, Any]]:
    """All parameters of one operation."""
    return [*_path_parameters(rule), *_query_parameters(description), *_header_parameters(rule, method, taken)]


def _path_parameters(rule: Rule) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, **_PARTS[converter]}
        for converter, name in re.findall(r"<(\w+):(\w+)>", rule.rule)
    ]


_PARTS: dict[str, dict[str, Any]] = {
    "anyid": {
        "description": "An id, uuid or ulid.",
        "schema": {"type": "string", "minLength": 10, "maxLength": 36, "examples": ["u6Yh3DpQ2x"]},
    },
    "feature": {"description": "The code of a feature.", "schema": {"type": "string", "enum": [*FEATURES]}},
}
"""What stands in an address, by the name of its converter."""


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
    worded = searchable(listing.columns)
    fields = "|".join(f"{name}:=" for name in listing.columns) + "".join(f"|{one}:like" for one in worded)
    plain = r"[^:;\x00-\x1f]*"
    words = f"{plain}|" if worded else ""
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

    The values are a pattern and no enum, because tools would send each value of an enum by itself only. What is empty
    between commas is left out.
    """
    schema = {"type": "array", "items": {"type": "string", "pattern": f"^({'|'.join(map(re.escape, values))})?$"}}
    return _parameter(name, description) | {"schema": schema, "style": "form", "explode": False}


def _parameter(name: str, description: str, **schema: Any) -> dict[str, Any]:
    schema.setdefault("type", "string")
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
