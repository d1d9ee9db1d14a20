"""Searching the audit by names: what people did, and what was done to customers, subscriptions and rooms.

The lines themselves hold no names. So the things are found first, each kind by its own index, then their lines.
"""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from portal.audit.models import AuditEvent
from portal.customers.models import Customer
from portal.customers.search import matches as customer_matches
from portal.keyset import Way
from portal.people.emails import canonical_email
from portal.people.models import User, user_platform_roles
from portal.resources.columns import words_begin
from portal.rooms.models import Room
from portal.rooms.search import matches as room_matches
from portal.rows_of_each import RowsOfEach
from portal.subscriptions.models import Subscription
from portal.subscriptions.search import own_words_match

MOST = 100
"""How many things of a kind are looked at: a search that more of them fit says too little to be answered."""


def ways_to_match(text: str) -> list[Way]:
    """By staff of that name or anybody with that address; and about each kind of thing, and what is in it.

    Of a subscription few things are noted, so its lines need no index in their order.
    """
    subscriptions = _few(sa.select(Subscription.uuid).where(own_words_match(text)))
    return [
        _lines(AuditEvent.actor_uuid, _staff_named(text)),
        _lines(AuditEvent.actor_uuid, sa.select(User.uuid).where(User.email == (canonical_email(text) or ""))),
        _lines(AuditEvent.customer_uuid, sa.select(Customer.uuid).where(customer_matches(text))),
        _lines(AuditEvent.room_uuid, sa.select(Room.uuid).where(room_matches(text))),
        sa.select(AuditEvent.uuid).where(AuditEvent.thing_uuid.in_(sa.select(subscriptions.subquery()))),
    ]


def _staff_named(text: str) -> sa.Select[UUID]:
    """Only staff, who are few: the names of all people have no index."""
    held = user_platform_roles.c.user_uuid
    named = sa.or_(words_begin(User.name, text), words_begin(User.email, text))
    return sa.select(User.uuid).where(User.uuid.in_(sa.select(held)), named)


def _lines(column: InstrumentedAttribute[UUID | None], things: sa.Select[UUID]) -> RowsOfEach:
    return RowsOfEach(AuditEvent.uuid, column, _few(things))


def _few(things: sa.Select[UUID]) -> sa.Select[UUID]:
    return things.limit(sa.literal_column(str(MOST)))
