"""The routes of the API's documentation: the OpenAPI document for tools, and a page for people made from it."""

import re
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template, url_for
from limits import parse_many

from portal.api.v1 import webhook_docs
from portal.api.v1.core.openapi import openapi_document
from portal.api.v1.setting_docs import contradictions, setting_rows
from portal.api.v1.tutorial import CALLS, CREDENTIAL, EXPORTS, filled
from portal.credentials.models import GrantType
from portal.edge.guard import open_to_all
from portal.edge.i18n import DAY, HOUR, MINUTE
from portal.errors import Message
from portal.webhooks.deliveries import SCHEDULE

bp = Blueprint("document", __name__)


@bp.get("/openapi.json")
@open_to_all
def openapi() -> Response:
    """The OpenAPI document as JSON."""
    response = jsonify(openapi_document(current_app._get_current_object()))  # type: ignore[attr-defined]
    response.headers["Access-Control-Allow-Origin"] = "*"  # for tools that read documents; it holds no secret
    return response


@bp.get("/docs")
@open_to_all
def docs() -> str:
    """The documentation as a page, with a tutorial."""
    document = openapi_document(current_app._get_current_object())  # type: ignore[attr-defined]
    base = current_app.config["BASE_URL"]
    headers, body = webhook_docs.example()
    return render_template(
        "api/docs.html",
        document=document,
        shapes={name: one for name, one in document["components"]["schemas"].items() if not _wraps(one)},
        bodies=_bodies(document),
        tags=_by_tag(document),
        before=[{"words": step.words, "command": filled(step, base)} for step in (CREDENTIAL, EXPORTS)],
        steps=[{"words": step.words, "command": filled(step, base)} for step in CALLS],
        signing_in=_signing_in(base),
        limits=[(one.amount, _length(one.get_expiry())) for one in parse_many(current_app.config["API_RATE"])],
        settings=setting_rows(),
        contradictions=contradictions(),
        hooks=webhook_docs.receiver_rules(),
        waits=[_length(seconds) for seconds in SCHEDULE],
        message={"secret": webhook_docs.EXAMPLE_SECRET, "headers": headers, "body": body},
    )


def _wraps(schema: dict[str, Any]) -> bool:
    """Whether a schema is only the envelope of an included relation, which the page does not list by itself."""
    return str(schema.get("title", "")).startswith("Included[")


def _bodies(document: dict[str, Any]) -> set[str]:
    """The names of the schemas of request bodies. The page shows which of their fields may be left out."""
    operations = [about for methods in document["paths"].values() for about in methods.values()]
    bodies = [one["requestBody"]["content"] for one in operations if "requestBody" in one]
    sent = [body["application/json"]["schema"] for body in bodies if "application/json" in body]
    return {schema["$ref"].rpartition("/")[2] for schema in sent}


def _signing_in(base: str) -> dict[str, Any]:
    config = current_app.config
    return {
        "password": config["OAUTH_PASSWORD_GRANT"],
        "grants": {one.name: one.value for one in GrantType},
        "access": _length(config["ACCESS_TOKEN_LIFE"].total_seconds()),
        "refresh": _length(config["REFRESH_TOKEN_LIFE"].total_seconds()),
        "at": {
            name: base + url_for(endpoint)
            for name, endpoint in (
                ("token", "oauth.token"),
                ("authorize", "consent.authorize"),
                ("revoke", "oauth.revoke"),
                ("introspect", "oauth.introspect"),
                ("metadata", "oauth.describe"),
            )
        },
    }


def _length(seconds: float) -> Message:
    """A duration in the largest unit of which it is a whole number: "2 hours"."""
    n = int(seconds)
    if n % DAY == 0:
        return Message.plural("%(n)d day", "%(n)d days", n=n // DAY)
    if n % HOUR == 0:
        return Message.plural("%(n)d hour", "%(n)d hours", n=n // HOUR)
    if n % MINUTE == 0:
        return Message.plural("%(n)d minute", "%(n)d minutes", n=n // MINUTE)
    return Message.plural("%(n)d second", "%(n)d seconds", n=n)


def _by_tag(document: dict[str, Any]) -> list[dict[str, Any]]:
    tags: list[dict[str, Any]] = [
        {"name": tag["name"], "anchor": re.sub(r"\W+", "-", tag["name"].casefold()), "operations": []}
        for tag in document["tags"]
    ]
    for path, methods in document["paths"].items():
        for method, about in methods.items():
            found = next(tag for tag in tags if tag["name"] == about["tags"][0])
            found["operations"].append({"path": path, "method": method, "about": about})
    return tags
