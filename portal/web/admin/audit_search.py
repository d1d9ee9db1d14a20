"""Searching the audit by names: what people did, and what was done to customers, subscriptions and rooms.

The lines themselves hold no names. So the things are found first, each kind by its own index, then their lines.
"""

from uuid import UUID

import sqlalchemy as sa

from portal.audit.models import AuditEvent
from portal.customers.models import Customer
from portal.customers.search import matches as customer_matches
from portal.people.emails import canonical_email
from portal.people.models import User, user_platform_roles
from portal.resources.columns import words_begin
from portal.rooms.models import Room
from portal.rooms.search import matches as room_matches
from portal.subscriptions.models import Subscription
from portal.subscriptions.search import own_words_match

MOST = 100
"""How many things of a kind are looked at: a search that more of them fit says too little to be answered."""


def ways_to_match(text: str) -> list[sa.Select[UUID]]:
    """The uuids of lines: by staff of that name or anybody with that address, and about each kind of thing."""
    customers = sa.select(Customer.uuid).where(customer_matches(text))
    subscriptions = sa.select(Subscription.uuid).where(own_words_match(text))
    rooms = sa.select(Room.uuid).where(room_matches(text))
    return [
        _lines(AuditEvent.actor_uuid, _staff_named(text)),
        _lines(AuditEvent.actor_uuid, sa.select(User.uuid).where(User.email == (canonical_email(text) or ""))),
        _lines(AuditEvent.on_behalf_of_uuid, customers),
        _lines(AuditEvent.thing_uuid, customers),
        _lines(AuditEvent.thing_uuid, subscriptions),
        _lines(AuditEvent.room_uuid, rooms),
    ]


def _staff_named(text: str) -> sa.Select[UUID]:
    """Only staff, who are few: the names of all people have no index."""
    held = user_platform_roles.c.user_uuid
    named = sa.or_(words_begin(User.name, text), words_begin(User.email, text))
    return sa.select(User.uuid).join(user_platform_roles, held == User.uuid).where(named)


def _lines(column: sa.orm.InstrumentedAttribute[UUID | None], things: sa.Select[UUID]) -> sa.Select[UUID]:
    found = things.limit(sa.literal_column(str(MOST))).subquery()
    return sa.select(AuditEvent.uuid).where(column.in_(sa.select(found)))
