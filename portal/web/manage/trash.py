"""The list of deleted rooms; `rooms.restore` takes one out of the trash within 30 days."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.accounts.models import Account
from portal.clock import now
from portal.customers.creating import why_nothing_new
from portal.customers.models import Customer, display_name
from portal.db import literal_limit, session
from portal.edge import actor, cursors
from portal.edge.guard import signed_in
from portal.errors import Message
from portal.keyset import Key, keyset, split
from portal.people.actor import Actor
from portal.people.models import User
from portal.people.staff import StaffPermission
from portal.permissions.permission import Permission
from portal.permissions.visibility import access_scope_of, relations
from portal.rooms.models import Room
from portal.rooms.purging import TRASH_DAYS
from portal.rooms.search import matches
from portal.web.forms import query_word
from portal.word_search import LONGEST_SEARCH

bp = Blueprint("trash", __name__, url_prefix="/manage/rooms/trash")

PAGE = 25
RETENTION = timedelta(days=TRASH_DAYS)
LAST_DELETED_FIRST = Key(Room.trashed_at, descending=True), Key(Room.uuid, descending=True)


@dataclass(frozen=True)
class Trashed:
    """A deleted room, when it was deleted, and until when it can be restored. `owner` is "" for the reader's own."""

    id: str
    room_name: str
    customer: str
    account: str
    owner: str
    why_not_now: Message | None
    """Why it cannot be restored now."""
    trashed_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class TrashPage:
    """One page of deleted rooms, and the cursor of the next page ("" if there is none)."""

    rooms: list[Trashed]
    search: str
    first: bool
    next: str


@bp.get("")
@signed_in
def index() -> ResponseReturnValue:
    """Show the deleted rooms that the actor may restore, the last deleted first."""
    search = " ".join(query_word("search").split())[:LONGEST_SEARCH]
    trash = page_of_trash(actor.someone(), search=search, after=query_word("after", longest=cursors.LONGEST))
    return render_template("manage/trash/index.html", trash=trash, days=TRASH_DAYS)


def page_of_trash(somebody: Actor, *, search: str = "", after: str = "") -> TrashPage:
    """The page of deleted rooms after the cursor `after`. Whoever may delete a room may restore it.

    Rooms whose 30 days are over are left out, even if housekeeping has not deleted them yet.
    """
    at, position = now(), cursors.position_in(after, of="trash", keys=LAST_DELETED_FIRST)
    deletes = StaffPermission.ROOMS_DELETE in somebody.staff
    access_scope = access_scope_of(somebody)
    right = Permission.ROOM_VIEW if deletes else Permission.ROOM_DELETE  # staff lacks only the sight of a room
    query = (
        sa.select(
            Room.uuid,
            Room.id,
            Room.room_name,
            Room.owner_uuid,
            Room.trashed_at,
            Account.account_name,
            Customer.company_name,
            Customer.first_name,
            Customer.last_name,
            Customer.email,
            Customer.status,
            User.name.label("owner_name"),
        )
        .join(Account, Account.uuid == Room.account_uuid)
        .join(Customer, Customer.uuid == Room.customer_uuid)
        .join(User, User.uuid == Room.owner_uuid)
        .where(
            Room.trashed_at > at - RETENTION,
            sa.or_(*relations(replace(access_scope, everything=access_scope.everything and deletes), at, right)),
            matches(search),
        )
    )
    query = keyset(query, LAST_DELETED_FIRST, position).limit(literal_limit(PAGE + 1))
    rooms, last = split(session.execute(query).all(), PAGE)
    return TrashPage(
        rooms=[
            Trashed(
                id=row.id,
                room_name=row.room_name,
                customer=display_name(row.company_name, row.first_name, row.last_name, row.email),
                account=row.account_name,
                owner="" if row.owner_uuid == somebody.uuid else row.owner_name,
                why_not_now=why_nothing_new(row.status),
                trashed_at=row.trashed_at,
                ends_at=row.trashed_at + RETENTION,
            )
            for row in rooms
        ],
        search=search,
        first=position is None,
        next=cursors.encode((last.trashed_at, last.uuid), of="trash") if last is not None else "",
    )
