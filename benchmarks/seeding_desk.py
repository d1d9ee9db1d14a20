"""Filling the seeded database with as many customers as it has rooms, for the lists of the admin's pages.

Each room gives its identifiers, its name and its words to one customer, with its owner, one account, one subscription
and one line of the audit. So each table is filled by one statement, on both databases, and all of them in seconds.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import sqlalchemy as sa

from portal.accounts.models import Account, AccountStatus
from portal.audit.models import AuditEvent
from portal.clock import now
from portal.column_types import UTCDateTime
from portal.customers.defaults import defaults
from portal.customers.models import Customer, CustomerStatus, CustomerType
from portal.db import session
from portal.people.models import User
from portal.rooms.models import Room
from portal.subscriptions.models import Subscription, SubscriptionStatus

ENDING_IN = 10  # days
ENDING_BEFORE = "6"
"""Subscriptions whose id begins with a lesser character end soon: a twelfth."""


def fill_desk() -> None:
    """Make the customers from the rooms that are there, all with the package that was sold first."""
    soon = sa.literal(now() + timedelta(days=ENDING_IN), UTCDateTime())
    sold = session.scalars(sa.select(Subscription).order_by(Subscription.created_at).limit(1)).unique().one()
    own = {
        "uuid": Room.uuid,
        "id": Room.id,
        "created_at": Room.created_at,
        "updated_at": Room.created_at,
    }
    address = Room.id + "@bench.example"
    _fill(User, **own, email=address, name=Room.room_name, password_is_public=False, user_metadata={})
    _fill(
        Customer,
        **own,
        customer_type=CustomerType.BUSINESS,
        company_name=Room.room_name,
        email=address,
        status=CustomerStatus.ACTIVE,
        owner_uuid=Room.uuid,
        country=defaults().country,
        currency=defaults().currency,
        customer_key=Room.id,
        allowed_domains_origins=[],
        allowed_domains_registration=[],
        customer_settings={},
        customer_metadata={},
        sort_name=Room.sort_name,
        name_words=Room.name_words,
        webhooks=0,
    )
    _fill(
        Subscription,
        **own,
        **{name: getattr(sold, name) for name in ("service_type", "package_uuid", "provider_uuid", "starts_at")},
        customer_uuid=Room.uuid,
        name=Room.room_name,
        tag=sa.func.substr(Room.id, 1, 8),
        status=SubscriptionStatus.ACTIVE,
        ends_at=sa.case((sa.func.substr(Room.id, 1, 1) < ENDING_BEFORE, soon), else_=sa.null()),
        name_words=Room.name_words,
        tier=0,
        price=Decimal(0),
        currency=defaults().currency,
        subscription_metadata={},
    )
    _fill(
        Account,
        **own,
        customer_uuid=Room.uuid,
        subscription_uuid=Room.uuid,
        owner_uuid=Room.uuid,
        account_name=Room.room_name,
        status=AccountStatus.ACTIVE,
        account_key=Room.id,
        account_metadata={},
    )
    _fill(
        AuditEvent,
        uuid=Room.uuid,
        at=Room.created_at,
        actor_uuid=Room.owner_uuid,
        action="room.created",
        thing="rooms",
        thing_uuid=Room.uuid,
        room_uuid=Room.uuid,
        customer_uuid=Room.customer_uuid,
        details={},
    )


def _fill(model: Any, **columns: Any) -> None:
    """Insert a row for each room, with these values by column: expressions of the room, or the same for all."""
    table = model.__table__
    values = [
        value
        if isinstance(value, (sa.ColumnElement, sa.orm.InstrumentedAttribute))
        else sa.literal(value, table.c[name].type)
        for name, value in columns.items()
    ]
    session.execute(sa.insert(table).from_select(list(columns), sa.select(*values), include_defaults=False))
