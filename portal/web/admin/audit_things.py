"""The things that lines of the audit are about: by which words people know them, and where their pages are."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import current_app, url_for

from portal.accounts.models import Account, AccountMember
from portal.admission.models import AccessCode, LobbyAnswer, RoomToken
from portal.audit.models import FEW, AuditEvent
from portal.credentials.models import OAuthClient
from portal.customers.models import Customer, CustomerMember, display_name_column
from portal.errors import Message
from portal.media.models import Recording
from portal.people.models import ROLE_TITLE, PlatformRole, User
from portal.permissions.members import RoomMember
from portal.rooms.models import Room
from portal.status.models import Participation
from portal.subscriptions.models import Subscription
from portal.subscriptions.package_models import ServicePackage
from portal.subscriptions.provider_models import ServiceProvider
from portal.videos.models import RoomVideo
from portal.webhooks.models import WebhookEndpoint


@dataclass(frozen=True)
class KindOfThing:
    """One kind: its noun, the column by which people know such a thing, and the endpoint of its page with its id."""

    label: Message
    model: Any = None
    name: Any = None
    endpoint: str = ""
    parameter: str = ""


def _member_name(member: type[AccountMember | CustomerMember | RoomMember]) -> Any:
    return sa.select(User.name).where(User.uuid == member.user_uuid).scalar_subquery()


KINDS_OF_THINGS = {
    "customers": KindOfThing(
        Message("Customer"), Customer, display_name_column(),
        "admin_customer.show", "customer_id",
    ),
    "subscriptions": KindOfThing(
        Message("Subscription"), Subscription, Subscription.name, "admin_subscription.show", "subscription_id"
    ),
    "accounts": KindOfThing(
        Message("Account"), Account, Account.account_name, "admin_account.show", "account_id"
    ),
    "service_packages": KindOfThing(
        Message("Package"), ServicePackage, ServicePackage.name, "admin_packages.show", "package_id"
    ),
    "service_providers": KindOfThing(
        Message("Service"), ServiceProvider, ServiceProvider.provider_name, "admin_services.show", "service_id"
    ),
    "rooms": KindOfThing(Message("Room"), Room, Room.room_name, "rooms.show", "room_id"),
    "room_tokens": KindOfThing(Message("Link"), RoomToken, RoomToken.label),
    "access_codes": KindOfThing(Message("Access code"), AccessCode, AccessCode.label),
    "room_members": KindOfThing(Message("Member of a room"), RoomMember, _member_name(RoomMember)),
    "account_members": KindOfThing(Message("Member of an account"), AccountMember, _member_name(AccountMember)),
    "customer_members": KindOfThing(Message("Member of a customer"), CustomerMember, _member_name(CustomerMember)),
    "recordings": KindOfThing(Message("Recording"), Recording, Recording.name),
    "room_videos": KindOfThing(Message("Video"), RoomVideo, RoomVideo.name),
    "room_sessions": KindOfThing(Message("Session")),
    "participations": KindOfThing(Message("Participant"), Participation, Participation.name),
    "lobby_answers": KindOfThing(Message("Guest in the lobby"), LobbyAnswer, LobbyAnswer.name),
    "users": KindOfThing(Message("Person"), User, User.name),
    "platform_roles": KindOfThing(Message("Role"), PlatformRole, ROLE_TITLE),
    "oauth_clients": KindOfThing(Message("Program"), OAuthClient, OAuthClient.name),
    "oauth_grants": KindOfThing(Message("Program's access")),
    "access_tokens": KindOfThing(Message("Access token")),
    "webhook_endpoints": KindOfThing(
        Message("Webhook"), WebhookEndpoint, sa.func.nullif(WebhookEndpoint.description, "")
    ),
    "webhook_deliveries": KindOfThing(Message("Webhook delivery")),
    "tasks": KindOfThing(Message("Task")),
}  # fmt: skip
"""Table → what its rows are called. Rows that are gone keep their lines, without a name."""


def name_of_thing() -> sa.ColumnElement[str | None]:
    """The name of what an `AuditEvent` is about; null if it has none, or is gone."""
    return _of_each(lambda kind: kind.name)


def id_of_thing() -> sa.ColumnElement[str | None]:
    """The public id of what an `AuditEvent` is about; null if it has none, or is gone."""
    return _of_each(lambda kind: kind.model.id)


def _of_each(column: Any) -> sa.ColumnElement[str | None]:
    """Per kind a subquery by primary key, of which the database runs for each line only its own."""
    found = {
        table: sa.select(column(kind))
        .where(kind.model.uuid == AuditEvent.thing_uuid)
        .correlate(AuditEvent)
        .scalar_subquery()
        for table, kind in KINDS_OF_THINGS.items()
        if kind.model is not None
    }
    return sa.case(found, value=AuditEvent.thing, else_=None)


def path_of_thing(table: str, thing_id: str | None) -> str:
    """The path of its page; "" if there is none."""
    kind = KINDS_OF_THINGS.get(table)
    if kind is None or not thing_id or kind.endpoint not in current_app.view_functions:
        return ""
    params: dict[str, Any] = {kind.parameter: thing_id}
    return url_for(kind.endpoint, **params)


_TOLD_ON_ITS_PAGE = ("customers", "customer_members", "subscriptions", "accounts", "account_members", "rooms")


def on_page_of_customer(customer_uuid: UUID) -> sa.ColumnElement[bool]:
    """The condition that an `AuditEvent` is told on a customer's page.

    Those are lines about the customer itself, its rooms and what is above them, and of what staff did on its behalf;
    not of who comes and goes in its rooms. They are read in their order by the index of few kinds.
    """
    return sa.and_(
        AuditEvent.customer_uuid == customer_uuid,
        sa.text(FEW),
        sa.or_(AuditEvent.thing.in_(_TOLD_ON_ITS_PAGE), AuditEvent.on_behalf_of_uuid.is_not(None)),
    )
