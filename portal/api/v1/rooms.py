"""The API's routes for rooms."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import Field

from portal.accounts.permission import AccountPermission
from portal.accounts.room_account import RoomAccount
from portal.api.v1 import includes
from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.page_query import VisibleRows
from portal.api.v1.core.query_params import FieldSelection, listing_of
from portal.api.v1.core.request_body import AnId, RequestBody
from portal.clock import now
from portal.edge import actor
from portal.edge.editing_guard import edits_room
from portal.edge.guard import bearer_only, requires
from portal.edge.reading_guard import reads
from portal.errors import Invalid, Message
from portal.identifiers import identifies
from portal.people.actor import Actor
from portal.permissions.creatable_accounts import creatable_account, only_creatable_account
from portal.permissions.permission import Permission
from portal.permissions.room_creation import create_room_for_maker
from portal.permissions.room_reading import as_room, rooms_read
from portal.permissions.rules import acting_on, rights
from portal.permissions.visibility import (
    NEVER,
    AccessScope,
    access_scope_of,
    all_seen,
    visible_uuids,
)
from portal.resources.rooms import RoomSchema, serialize_room
from portal.rooms.models import ROOM_NAME_LENGTH, SLUG_LENGTH, Room, RoomStatusWord
from portal.rooms.room_read import AnyRoom, EditableRoom, RoomRead
from portal.scopes import Scope
from portal.status.room_lifecycle import change_room, delete_room
from portal.subscriptions.provider_models import ServiceType

bp = Blueprint("rooms", __name__)

TAG = "Rooms"
LISTING = listing_of(
    RoomSchema,
    Room,
    includes=tuple(includes.RELATIONS),
    order="room_name",  # as on the page, and by the indexes that there are
    inner=includes.FIELDS,
)

RoomName = Annotated[str, Field(min_length=1, max_length=ROOM_NAME_LENGTH)]
Slug = Annotated[str, Field(max_length=SLUG_LENGTH)]
Features = Annotated[
    dict[str, Any],
    Field(description="Feature code → value; merged with what is stored; null follows the plan again."),
]
Settings = Annotated[
    dict[str, Any], Field(description="Setting → value; merged with what is stored; null removes a key.")
]
Metadata = Annotated[dict[str, Any], Field(description="Replaces the whole; at most one level deep, 16 KB.")]


class RoomChange(RequestBody):
    """The fields of a room that can be changed."""

    resource = RoomSchema

    room_name: RoomName = ""
    slug: Slug = ""
    status: RoomStatusWord = RoomStatusWord.ACTIVE
    is_public: bool = False
    room_features: Features = Field(default_factory=dict)
    room_settings: Settings = Field(default_factory=dict)
    room_metadata: Metadata = Field(default_factory=dict)


class NewRoom(RoomChange):
    """A room of an account; customer and subscription follow from it."""

    room_name: RoomName
    account_id: AnId | None = None
    customer_id: AnId | None = None
    subscription_id: AnId | None = None
    room_type: Annotated[ServiceType, Field(description="Follows from the account; the same is accepted.")] = (
        ServiceType.MEET
    )


def represent(rooms: Sequence[AnyRoom], somebody: Actor, selection: FieldSelection) -> list[dict[str, Any]]:
    """Serialize rooms, with the caller's permissions as `actions` and the relations that were asked for."""
    related = includes.load(rooms, somebody, selection)
    at = now()
    return [serialize_room(room, rights(somebody, room, at)) | related[room.uuid] for room in rooms]


@lru_cache(maxsize=256)
def _seen(access_scope: AccessScope) -> VisibleRows:
    """The visible rooms for the template of an access scope. Cached, because many callers have the same template."""
    return VisibleRows(
        needed=lambda page: visible_uuids(access_scope, NEVER, page),
        everything=all_seen(access_scope, NEVER),
        rows=rooms_read,
    )


def _one(room: AnyRoom, selection: FieldSelection) -> dict[str, Any]:
    return represent([room], actor.someone(), selection)[0]


@bp.get("/rooms")
@endpoint(TAG, scope=Scope.ROOMS_READ, returns=RoomSchema, many=True, listing=LISTING)
@bearer_only
def index() -> Response:
    """List the rooms that the caller may see."""
    somebody, asked, at = actor.someone(), query_params.list_query(LISTING), now()
    access_scope = access_scope_of(somebody)
    params = access_scope.params(at) | {"reader": somebody.uuid}
    rows, page = pagination.rows_of(asked, _seen(access_scope.template), params=params)
    rooms = [as_room(somebody, row) for row in rows]
    return responses.listing(represent(rooms, somebody, asked.selection), asked.selection, page)


@bp.post("/rooms")
@endpoint(
    TAG,
    scope=Scope.ROOMS_WRITE,
    returns=RoomSchema,
    status=201,
    refusals=(403, 409),
    listing=LISTING,
    permission="rooms:create",
)
@bearer_only
@takes(
    NewRoom,
    minimal={"room_name": "Business Meeting"},
    full={
        "room_name": "Board meeting",
        "account_id": "u6Yh3DpQ2x",
        "is_public": False,
        "room_features": {"max_participants": 50},
        "room_settings": {"description": "Once a quarter."},
        "room_metadata": {"crm": {"number": "4711"}},
    },
)
def create(body: NewRoom) -> Response:
    """Create a room in an account. `account_id` can be left out by who can create rooms in one account only."""
    selection = query_params.field_selection(LISTING)
    account = _account_of(body, actor.someone())
    given = body.given()
    room = create_room_for_maker(
        account=account,
        by=acting_on(actor.someone(), AccountPermission.ROOMS_CREATE, account),
        room_name=body.room_name,
        slug=given.get("slug"),
        status=given.get("status", RoomStatusWord.ACTIVE),
        is_public=given.get("is_public", False),
        room_type=given.get("room_type"),
        features=given.get("room_features"),
        settings=given.get("room_settings"),
        metadata=given.get("room_metadata"),
    )
    return responses.created(
        _one(room, selection), selection, at=f"/api/v1/rooms/{room.id}", tag=responses.etag_of(room)
    )


def _account_of(body: NewRoom, somebody: Actor) -> RoomAccount:
    """The account named in the body, or the only possible one. Raises `Invalid`.

    An account that the caller may not use looks like one that does not exist.
    """
    if body.account_id is None:
        account = only_creatable_account(somebody)
        if account is None:
            raise Invalid(account_id=Message("Say in which account: you can create rooms in several, or in none."))
    else:
        account = creatable_account(somebody, body.account_id)
        if account is None:
            raise Invalid(account_id=Message("There is no such account in which you can create rooms."))
    above = {
        "customer_id": (account.customer_id, account.customer_uuid),
        "subscription_id": (account.subscription_id, account.subscription_uuid),
    }
    for name, identifiers in above.items():
        given = getattr(body, name)
        if given is not None and not identifies(given, *identifiers):
            raise Invalid(**{name: Message("This follows from the account, and is another one there.")})
    return account


@bp.get("/rooms/<anyid:room_id>")
@endpoint(TAG, scope=Scope.ROOMS_READ, returns=RoomSchema, listing=LISTING)
@reads(Permission.ROOM_VIEW)
def show_one(room: RoomRead) -> Response:
    """Read a room."""
    selection = query_params.field_selection(LISTING)
    return responses.single(_one(room, selection), selection, tag=responses.etag_of(room))


@bp.patch("/rooms/<anyid:room_id>")
@endpoint(TAG, scope=Scope.ROOMS_WRITE, returns=RoomSchema, listing=LISTING)
@edits_room
@takes(RoomChange, example={"room_name": "Supervisory board", "room_settings": {"description": None}})
def change(room: EditableRoom, body: RoomChange) -> Response:
    """Change a room. Settings and features are merged key by key, metadata is replaced."""
    selection = query_params.field_selection(LISTING)
    responses.check_if_match(room)
    given = body.given()
    if given:
        room = change_room(
            room,
            by=actor.someone(),
            room_name=given.get("room_name"),
            slug=given.get("slug"),
            status=given.get("status"),
            is_public=given.get("is_public"),
            features=given.get("room_features"),
            settings=given.get("room_settings"),
            metadata=given.get("room_metadata"),
        )
    return responses.single(_one(room, selection), selection, tag=responses.etag_of(room))


@bp.delete("/rooms/<anyid:room_id>")
@endpoint(TAG, scope=Scope.ROOMS_WRITE, status=204)
@requires(Permission.ROOM_DELETE)
@takes(None)
def delete(room: Room) -> Response:
    """Delete a room. Everybody inside is sent out; its owner can take it out of the trash for 30 days."""
    responses.check_if_match(room)
    delete_room(room, by=actor.someone())
    return responses.no_content()
