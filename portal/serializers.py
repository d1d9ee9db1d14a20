"""Rows as JSON for programs: one function for each kind of thing, used by the API's answers and by webhooks.

They build plain dictionaries by hand, because a list calls them hundreds of times. The API's document describes
them by the models in `api/v1/response_schemas.py`; a test compares the two.
"""

from datetime import datetime
from typing import Any

from portal.accounts.models import Account
from portal.admission.models import AccessCode, RoomToken
from portal.admission.participations import ParticipationDetails
from portal.customers.models import Customer
from portal.db import TimestampMixin
from portal.identifiers import IdentifierMixin
from portal.moments import iso_datetime, iso_seconds
from portal.people.actor import Actor
from portal.people.models import User
from portal.permissions.members import RoomMember
from portal.permissions.rules import grantable_roles
from portal.providers.base import FieldKind, LiveState
from portal.public_url import public_url
from portal.rooms.features import EffectiveFeature
from portal.rooms.kinds import kind_of
from portal.rooms.models import Room
from portal.status.models import RoomSession, RoomStatus
from portal.subscriptions.feature_catalog import FEATURES, Feature, api_value
from portal.subscriptions.models import ServiceProvider, Subscription
from portal.subscriptions.services import adapter_of


def _identifiers(kind: str, thing: IdentifierMixin) -> dict[str, Any]:
    return {"object": kind, "id": thing.id, "uuid": str(thing.uuid), "ulid": thing.ulid}


def _timestamps(thing: TimestampMixin) -> dict[str, Any]:
    return {"created_at": iso_datetime(thing.created_at), "updated_at": iso_datetime(thing.updated_at)}


def room_url(room: Room) -> str:
    """The complete address of the room's page."""
    return public_url(room.path)


def token_url(room: Room, token: RoomToken) -> str:
    """The complete link of a token, as people are sent it. It holds the secret."""
    return f"{room_url(room)}?token={token.token}"


def join_ticket_url(room: Room, secret: str) -> str:
    """The complete address that redeems the join ticket with this secret: it lets one person in once."""
    return public_url(f"/rooms/{room.id}/-/join-tickets/{secret}")


def room(room: Room) -> dict[str, Any]:
    """A room. Its account, customer, subscription and owner should be loaded, or each costs a query."""
    return {
        **_identifiers("Room", room),
        "customer_id": room.customer.id,
        "account_id": room.account.id,
        "subscription_id": room.subscription.id,
        "owner_id": room.owner.id,
        "room_name": room.room_name,
        "status": room.status.value,
        "is_public": room.is_public,
        "room_type": room.room_type.value,
        "slug": room.slug,
        "url": room_url(room),
        "room_features": room.room_features,
        "room_settings": room.room_settings,
        "room_metadata": room.room_metadata,
        **_timestamps(room),
    }


def effective_feature(row: EffectiveFeature) -> dict[str, Any]:
    """One row of the table of limits: what the plan says, what the room says, what counts, and why."""
    return row.as_api() | {"reason": str(row.reason)}


def token(token: RoomToken, room: Room, *, reader: Actor | None = None) -> dict[str, Any]:
    """A room token. The secret and the link are included only if `reader` may hand out tokens of this role.

    Webhooks have no reader, so they never include them.
    """
    may_hand_out = reader is not None and token.role in grantable_roles(reader, room)
    secret = {"token": token.token, "url": token_url(room, token)} if may_hand_out else {}
    return {
        **_identifiers("RoomToken", token),
        "room_id": room.id,
        **secret,
        "role": token.role.value,
        "expires_at": iso_seconds(token.expires_at),
        "last_usage": iso_seconds(token.last_usage),
        "label": token.label,
        "person": token.person,
        "not_before": iso_datetime(token.not_before),
        "max_uses": token.max_uses,
        "use_count": token.use_count,
        "paused": token.paused_at is not None,
        "automatic": token.automatic,
        "created_by": token.created_by.id if token.created_by else None,
        **_timestamps(token),
    }


def access_code(code: AccessCode, room: Room, *, secret: bool = True) -> dict[str, Any]:
    """An access code of a room. Without `secret` the code itself is left out."""
    return {
        **_identifiers("RoomAccessCode", code),
        "room_id": room.id,
        **({"code": code.code} if secret else {}),
        "role": code.role.value,
        "expires_at": iso_seconds(code.expires_at),
        "last_usage": iso_seconds(code.last_usage),
        "label": code.label,
        "use_count": code.use_count,
        "created_by": code.created_by.id if code.created_by else None,
        **_timestamps(code),
    }


def room_user(member: RoomMember, room: Room) -> dict[str, Any]:
    """A member of a room, with the permissions granted to him in it. Its id is the user's."""
    return {
        **user(member.user),
        "object": "RoomUser",
        "room_id": room.id,
        "owner": False,
        "permissions": sorted(member.permissions),
        "until": iso_datetime(member.until),
        **_timestamps(member),
    }


def room_owner(room: Room, permissions: list[str]) -> dict[str, Any]:
    """The owner of a room as a `RoomUser` with these permissions, which are all there are."""
    return {
        **user(room.owner),
        "object": "RoomUser",
        "room_id": room.id,
        "owner": True,
        "permissions": sorted(permissions),
        "until": None,
        **_timestamps(room.owner),
    }


def user(user: User) -> dict[str, Any]:
    """A person who signs in."""
    return {**_identifiers("User", user), "name": user.name, "email": user.email, **_timestamps(user)}


_API_STATUS = {LiveState.LIVE: "active", LiveState.ENDING: "active"}


def room_status(room: Room, status: RoomStatus | None) -> dict[str, Any]:
    """The stored snapshot of a room's status. A room that was never used has none: it is idle since its creation."""
    counts = dict(status.counts) if status else {}
    return {
        "object": "RoomStatus",
        "id": room.id,
        "uuid": str(room.uuid),
        "ulid": room.ulid,
        "status": _API_STATUS.get(status.state, "inactive") if status else "inactive",
        "state": status.state.value if status else LiveState.IDLE.value,
        "since": iso_datetime(status.since) if status else None,
        "stale": status.stale if status else False,
        "source": status.source.value if status else "engine",
        "counts": dict.fromkeys(kind_of(room).counts, 0) | counts,
        "labels": dict(status.labels) if status else {},
        "names": list(status.names) if status else [],
        "last_live_at": iso_datetime(status.last_live_at) if status else None,
        "checked_at": iso_datetime(status.checked_at if status else room.created_at),
        "created_at": iso_datetime(room.created_at),
        "updated_at": iso_datetime(status.checked_at if status else room.created_at),
    }


def session(run: RoomSession, room: Room) -> dict[str, Any]:
    """One run of a room."""
    return {
        **_identifiers("RoomSession", run),
        "room_id": room.id,
        "started_at": iso_datetime(run.started_at),
        "ended_at": iso_datetime(run.ended_at),
        "most": run.most,
        "created_at": iso_datetime(run.started_at),
        "updated_at": iso_datetime(run.ended_at or run.started_at),
    }


def participation(details: ParticipationDetails) -> dict[str, Any]:
    """One person's time in a run. The device is left out, because it is private."""
    return {
        "object": "Participation",
        "id": details.id,
        "name": details.name,
        "role": details.role.value,
        "token_id": details.link_id,
        "token_label": details.link,
        "member": details.member,
        "entered_at": iso_datetime(details.entered_at),
        "left_at": iso_datetime(details.left_at),
        "ending": details.ending.value if details.ending else None,
    }


def customer(customer: Customer) -> dict[str, Any]:
    """A customer: the company or person who pays."""
    return {
        **_identifiers("Customer", customer),
        "customer_type": customer.customer_type.value,
        "company_name": customer.company_name,
        "first_name": customer.first_name,
        "last_name": customer.last_name,
        "email": customer.email,
        "status": customer.status.value,
        "owner_id": customer.owner.id,
        **_timestamps(customer),
    }


def account(account: Account) -> dict[str, Any]:
    """An account: an instance of a service that a customer bought."""
    return {
        **_identifiers("Account", account),
        "account_name": account.account_name,
        "status": account.status.value,
        "customer_id": account.customer.id,
        "subscription_id": account.subscription.id,
        "owner_id": account.owner.id,
        **_timestamps(account),
    }


def subscription(subscription: Subscription, at: datetime) -> dict[str, Any]:
    """A subscription with its features; an unlimited number is written `true`. `is_active` is computed for `at`."""
    return {
        **_identifiers("Subscription", subscription),
        "name": subscription.name,
        "customer_id": subscription.customer.id,
        "service_type": subscription.service_type.value,
        "status": subscription.status.value,
        "is_active": subscription.is_active(at),
        "starts_at": iso_datetime(subscription.starts_at),
        "ends_at": iso_datetime(subscription.ends_at),
        "cancels_at": iso_datetime(subscription.cancels_at),
        "features": {code: api_value(FEATURES[code], value) for code, value in subscription.values.items()},
        **_timestamps(subscription),
    }


def feature(feature: Feature) -> dict[str, Any]:
    """One feature of the fixed catalogue."""
    return {
        "object": "Feature",
        "id": feature.code,
        "code": feature.code,
        "label": str(feature.label),
        "type": "number" if feature.numeric else "boolean",
        "unit": feature.unit or None,
        "room_types": sorted(kind.value for kind in feature.fits),
        "narrowable": feature.narrowable,
    }


def provider_properties(provider: ServiceProvider) -> dict[str, Any]:
    """The properties of a provider's row, as its adapter declares them; null where nothing is set.

    A secret always reads null, and beside it `<name>_set` says whether there is one. What is stored and no longer
    declared is left out: it may have been a secret.
    """
    shown: dict[str, Any] = {}
    for declared in adapter_of(provider).properties:
        value = provider.properties.get(declared.name)
        if declared.kind is FieldKind.SECRET:
            shown |= {declared.name: None, f"{declared.name}_set": value is not None}
        else:
            shown[declared.name] = value
    return shown
