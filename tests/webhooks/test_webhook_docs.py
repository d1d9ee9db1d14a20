"""What is sent is what the API's document says that receivers get."""

import json
from datetime import timedelta
from typing import Any

import jsonschema_rs
from flask import Flask

from portal.accounts.operations import change_account, sell_package
from portal.admission.codes import create_code, delete_code
from portal.admission.tokens import revoke_token
from portal.api.v1.core.openapi import openapi_document
from portal.audit.operations import record_event
from portal.clock import now
from portal.customers.models import CustomerStatus
from portal.customers.operations import change_customer, create_customer
from portal.db import session, transaction
from portal.people.actor import actor_of
from portal.permissions.operations import add_member, change_member, remove_member
from portal.permissions.permission import Permission
from portal.rooms.models import Role
from portal.status.account_lifecycle import delete_account
from portal.status.customer_lifecycle import change_customer_status, delete_customer
from portal.status.room_lifecycle import change_room, delete_room
from portal.status.subscription_lifecycle import delete_subscription
from portal.subscriptions.cancellation import cancel
from portal.subscriptions.changing import change_subscription
from portal.subscriptions.endings import mark_ended, warn_of_endings
from portal.subscriptions.renewal import renew
from portal.subscriptions.terms import Length, PeriodUnit
from portal.videos.models import RoomVideo
from portal.webhooks.events import STAFF_EVENTS, Event
from portal.webhooks.operations import create_endpoint
from portal.webhooks.operations import test_endpoint as send_test
from tests.cast import Cast, editable, new_link, new_recording, new_room
from tests.subscriptions.test_packages import a_package
from tests.webhooks.conftest import Listen, endpoint_of, messages


def happen_all(app: Flask, cast: Cast, endpoint_id: str) -> None:
    """Everything that programs can be told of, at least once."""
    attendee = cast.join(Role.ATTENDEE, name="Jun")
    player = f"/rooms/{cast.board}/-/conference"
    attendee.post(f"{player}/departure", data={"csrf_token": attendee.token(player)})
    with app.app_context(), transaction():
        room, alice = cast.room(), cast.user("alice")
        by = actor_of(alice)
        revoke_token(new_link(room=room, role=Role.GUEST, by=by), by=actor_of(alice))
        delete_code(create_code(room=room, role=Role.GUEST, by=by, code="secret-code-7"), room=room, by=by)
        member = add_member(room=room, email="charlie@demo.example", permissions=[Permission.STATUS_VIEW], by=by)
        change_member(member, room=room, permissions=[Permission.TOKENS_VIEW], by=by)
        remove_member(member, room=room, by=by)
        record_event("participant.refused", room, by=None, room=room.uuid, reason="code wrong", role="guest")
        ready = new_recording(room=room)
        record_event("recording.ready", ready, by=None, room=room.uuid)
        film = RoomVideo(room=room, name="Film")
        session.add(film)
        session.flush()
        for what in ("video.ready", "video.failed", "video.deleted"):
            record_event(what, film, by=None, room=room.uuid)
        made = new_room(account=room.account, room_name="New", by=actor_of(alice))
        change_room(editable(made, by), by=by, room_name="Newer")
        delete_room(made, by=actor_of(alice))
        send_test(endpoint_of(endpoint_id), by=by)


def happen_all_to_a_customer(app: Flask, cast: Cast) -> None:
    """Everything that staff's programs can be told of, at least once."""
    with app.app_context(), transaction():
        customer = create_customer(owner=cast.user("bob"), company_name="Initech")
        package = a_package(period=Length(1, PeriodUnit.MONTH), features={"max_rooms": 3})
        account = sell_package(customer=customer, package=package)
        change_customer(customer, company_name="Initrode")
        change_account(account, account_name="Events")
        subscription = account.subscription
        change_subscription(subscription, name="Renamed")
        renew(subscription)
        cancel(subscription)
        subscription.cancels_at = now() + timedelta(days=1)
        warn_of_endings()
        subscription.cancels_at = now() - timedelta(days=1)
        mark_ended()
        change_customer_status(customer, CustomerStatus.TERMINATED)
        delete_account(account)
        delete_subscription(subscription)
        delete_customer(customer)


def test_every_message_is_as_the_document_says(app: Flask, cast: Cast, listen: Listen) -> None:
    with app.app_context(), transaction():
        ada = actor_of(cast.user("admin"))
        create_endpoint(customer=None, url="https://hooks.example/", events=STAFF_EVENTS, by=ada)
    happen_all(app, cast, listen(everywhere=True))
    happen_all_to_a_customer(app, cast)
    document = openapi_document(app)
    with app.app_context():
        sent: list[dict[str, Any]] = [json.loads(one.payload) for one in messages()]
    assert {one["type"] for one in sent} == {*(event.value for event in Event), "webhook.test"}
    for one in sent:
        described = document["webhooks"][one["type"]]["post"]["requestBody"]["content"]["application/json"]["schema"]
        schema = {**described, "components": document["components"], "additionalProperties": False}
        jsonschema_rs.Draft202012Validator(schema).validate(one)
