"""What the audit tells of endpoints: all that was changed of one, and nothing that lets anybody send to it."""

import csv
import io
import json
from typing import Any

import sqlalchemy as sa
from flask import Flask

from portal.audit.models import AuditEvent
from portal.db import session, transaction
from portal.people.actor import actor_of
from portal.webhooks.events import Event
from portal.webhooks.models import EndpointStatus, PauseReason
from portal.webhooks.operations import change_endpoint, create_endpoint, delete_endpoint, rotate_secret
from tests.cast import Cast
from tests.conftest import BOTH
from tests.webhooks.conftest import endpoint_of, secret_of

HIDDEN = "T024BE7LH-whoever-knows-it-may-send"


def make(cast: Cast, description: str = "") -> str:
    """Alice's endpoint, of whose address the path has to be kept secret; its id."""
    with cast.app.app_context(), transaction():
        return create_endpoint(
            customer=cast.room().customer,
            url=f"https://hooks.example/{HIDDEN}",
            events=[Event.ROOM_CREATED],
            description=description,
            by=actor_of(cast.user("alice")),
        ).id


def lines(cast: Cast) -> list[tuple[str, dict[str, Any]]]:
    """The action and the details of each line about an endpoint, in their order."""
    with cast.app.app_context():
        query = sa.select(AuditEvent).where(AuditEvent.thing == "webhook_endpoints").order_by(AuditEvent.uuid)
        return [(line.action, line.details) for line in session.scalars(query)]


@BOTH
def test_the_audit_tells_what_was_changed_of_an_endpoint_and_no_secret(app: Flask, cast: Cast) -> None:
    endpoint_id = make(cast, "Billing")
    secrets = [HIDDEN, secret_of(app, endpoint_id)]
    with app.app_context():
        alice, ada = cast.user("alice"), cast.user("admin")
    changes: list[dict[str, Any]] = [
        {"url": f"https://other.example/hook?key={HIDDEN}", "events": [Event.ROOM_CREATED, Event.ROOM_ENDED]},
        {"url": f"https://other.example/hook?key={HIDDEN}-2"},
        {"description": "Invoices"},
        {"description": "Invoices"},
    ]
    for change in changes:
        with app.app_context(), transaction():
            change_endpoint(endpoint_of(endpoint_id), by=actor_of(alice), **change)
    with app.app_context(), transaction():
        change_endpoint(endpoint_of(endpoint_id), by=actor_of(ada), events=[Event.ROOM_ENDED])
        rotate_secret(endpoint_of(endpoint_id), by=actor_of(ada))
    secrets.append(secret_of(app, endpoint_id))
    with app.app_context(), transaction():
        delete_endpoint(endpoint_of(endpoint_id), by=actor_of(ada))
    hooks, other = "https://hooks.example", "https://other.example"
    created, both, ended = ["room.created"], ["room.created", "room.ended"], ["room.ended"]
    assert lines(cast) == [
        ("webhook.created", {"changes": {
            "url": [None, hooks], "events": [None, created], "description": [None, "Billing"], "owner": [None, alice.id],
        }}),
        ("webhook.changed", {"changes": {"url": [hooks, other], "events": [created, both]}}),
        ("webhook.changed", {"other_path": True}),
        ("webhook.changed", {"changes": {"description": ["Billing", "Invoices"]}}),
        ("webhook.changed", {"changes": {"events": [both, ended], "owner": [alice.id, ada.id]}}),
        ("webhook.rotated", {}),
        ("webhook.deleted", {"name": "Invoices", "changes": {
            "url": [other, None], "events": [ended, None], "description": ["Invoices", None], "owner": [ada.id, None],
        }}),
    ]  # fmt: skip
    assert not [secret for secret in secrets if secret in json.dumps(lines(cast))]
    export = cast.sign_in("admin").get("/admin/audit/export.csv?kind=webhook_endpoints").text
    rows = list(csv.reader(io.StringIO(export)))[1:]
    assert {row[1] for row in rows} == {"Invoices"}, (
        "all lines tell by what name it was known, also now that it is gone"
    )
    told = [row[-1] for row in rows]
    assert "Owner: Alice Moreau → Ada Admin" in told[2]
    assert told[4] == "Path or query of the address changed: yes"
    assert f"Address: {hooks} → {other}" in told[5]


def test_an_endpoint_without_a_description_is_known_by_where_it_led(app: Flask, cast: Cast) -> None:
    endpoint_id = make(cast)
    with app.app_context(), transaction():
        delete_endpoint(endpoint_of(endpoint_id), by=actor_of(cast.user("alice")))
    page = cast.sign_in("admin").get("/admin/audit?kind=webhook_endpoints").text
    assert page.count("<bdi>https://hooks.example</bdi>") == 2
    assert HIDDEN not in page


def test_saving_an_endpoint_that_had_lost_its_owner_tells_that_it_goes_on(app: Flask, cast: Cast) -> None:
    endpoint_id = make(cast)
    with app.app_context(), transaction():
        endpoint = endpoint_of(endpoint_id)
        endpoint.status, endpoint.paused_why = EndpointStatus.PAUSED, PauseReason.RIGHTS
    with app.app_context(), transaction():
        change_endpoint(endpoint_of(endpoint_id), by=actor_of(cast.user("alice")))
    assert [action for action, _ in lines(cast)] == ["webhook.created", "webhook.resumed"]
