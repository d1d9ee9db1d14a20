"""The audit, as staff see it: who did what to which thing, when, from where, on whose behalf, before and after."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import aliased

from portal.audit.action_words import action_words
from portal.audit.changes import CHANGES
from portal.audit.models import AuditEvent
from portal.clock import now
from portal.credentials.models import OAuthClient
from portal.customers.models import Customer
from portal.db import session
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.edge.staff_guard import staff
from portal.errors import Message
from portal.identifiers import ID_LENGTH
from portal.keyset import Key
from portal.people.models import User, user_platform_roles
from portal.people.staff import StaffPermission
from portal.plain_values import columns_for
from portal.rooms.models import Room
from portal.web.admin.audit_things import KINDS_OF_THINGS, customers_things, id_of_thing, name_of_thing
from portal.web.admin.list_page import csv_answer, list_answer
from portal.web.admin.lists import AdminList, FilterChoice, ListColumn, ListFilter

bp = Blueprint("admin_audit", __name__, url_prefix="/admin/audit")

MOST_STAFF = 100
_Condition = Callable[[], sa.ColumnElement[bool]]


@dataclass(frozen=True)
class Change:
    """A field that was changed, with its values as people read them."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class AuditRow:
    """A line of the audit, with the names of what it refers to, as far as that is still there."""

    at: datetime
    action: str
    thing: str
    thing_uuid: UUID | None
    thing_id: str | None
    thing_name: str | None
    room_id: str | None
    room_name: str | None
    actor_id: str | None
    actor_name: str | None
    client_name: str | None
    network: str | None
    customer_id: str | None
    customer_name: str | None
    details: dict[str, Any]

    @property
    def who(self) -> str:
        """Who acted, in the reader's language."""
        if self.actor_name is None:
            return _("The portal, or a guest")
        if self.client_name is not None:
            return _("%(person)s by %(program)s", person=self.actor_name, program=self.client_name)
        return self.actor_name

    @property
    def what(self) -> str:
        """What was done, in the reader's language."""
        return translated(action_words(self.action))

    @property
    def changes(self) -> list[Change]:
        """The fields that were changed."""
        told = self.details.get(CHANGES) or {}
        return [Change(name.replace("_", " "), _shown(before), _shown(after)) for name, (before, after) in told.items()]

    @property
    def more(self) -> str:
        """What else is known of it, as "name: value"."""
        return ", ".join(f"{name}: {_shown(value)}" for name, value in self.details.items() if name != CHANGES)

    @property
    def all_changes(self) -> str:
        """The changes in one line, for a file."""
        return "; ".join(f"{one.field}: {one.before} → {one.after}" for one in self.changes)


def _shown(value: Any) -> str:
    if value is None or value == "":
        return _("nothing")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return str(value)


_PERIODS = (
    ("day", Message("Last 24 hours"), 1),
    ("week", Message("Last 7 days"), 7),
    ("month", Message("Last 30 days"), 30),
    ("year", Message("Last 365 days"), 365),
)


def _since(days: int) -> _Condition:
    return lambda: AuditEvent.at >= now() - timedelta(days=days)


def _by(uuid: UUID) -> _Condition:
    return lambda: AuditEvent.actor_uuid == uuid


def _person_choices() -> list[FilterChoice]:
    """The staff, and the person whom the address names."""
    asked = request.args.get("person", "")[:ID_LENGTH]
    held = sa.exists().where(user_platform_roles.c.user_uuid == User.uuid)
    query = sa.select(User.id, User.name, User.uuid).where(sa.or_(held, User.id == asked))
    people = session.execute(query.order_by(User.name, User.uuid).limit(MOST_STAFF)).all()
    return [FilterChoice(id, name, _by(uuid)) for id, name, uuid in people]


def _customer_choices() -> list[FilterChoice]:
    """The customer that the address names, if there is one."""
    asked = request.args.get("customer", "")
    customer = session.scalar(sa.select(Customer).where(Customer.id == asked)) if len(asked) == ID_LENGTH else None
    if customer is None:
        return []
    return [FilterChoice(customer.id, customer.display_name, lambda: customers_things(customer.uuid))]


def _thing_choices() -> list[FilterChoice]:
    """The kinds of things, and the one thing that the address names, if there is one."""
    kinds = [FilterChoice(table, kind.label, _of_kind(table)) for table, kind in KINDS_OF_THINGS.items()]
    try:
        uuid = UUID(request.args.get("thing", ""))
    except ValueError:
        return kinds
    return [FilterChoice(str(uuid), _("One thing only"), lambda: _about(uuid)), *kinds]


def _of_kind(table: str) -> _Condition:
    return lambda: AuditEvent.thing == table


def _about(uuid: UUID) -> sa.ColumnElement[bool]:
    return sa.or_(AuditEvent.thing_uuid == uuid, AuditEvent.room_uuid == uuid)


_Actor, _Room = aliased(User), aliased(Room)
AUDIT = AdminList(
    name="audit",
    rows=sa.select(
        *columns_for(
            AuditRow,
            AuditEvent,
            thing_id=id_of_thing(),
            thing_name=name_of_thing(),
            room_id=_Room.id,
            room_name=_Room.room_name,
            actor_id=_Actor.id,
            actor_name=_Actor.name,
            client_name=OAuthClient.name,
            customer_id=Customer.id,
            customer_name=sa.func.coalesce(Customer.company_name, Customer.email),
        )
    )
    .outerjoin(_Actor, _Actor.uuid == AuditEvent.actor_uuid)
    .outerjoin(OAuthClient, OAuthClient.uuid == AuditEvent.client_uuid)
    .outerjoin(Customer, Customer.uuid == AuditEvent.on_behalf_of_uuid)
    .outerjoin(_Room, _Room.uuid == AuditEvent.room_uuid),
    row=AuditRow,
    uuid=AuditEvent.uuid,
    columns=(
        ListColumn("what", Message("What"), lambda row: row.what, wide=True),
        ListColumn("thing_name", Message("Thing"), lambda row: row.thing_name or row.room_name, wide=True),
        ListColumn("who", Message("Who"), lambda row: row.who, wide=True),
        ListColumn("at", Message("When"), lambda row: row.at, Key(AuditEvent.at), kind="moment"),
        ListColumn("network", Message("From where"), lambda row: row.network),
        ListColumn("customer_name", Message("On behalf of"), lambda row: row.customer_name),
        ListColumn("changes", Message("Before → after"), lambda row: row.all_changes or row.more, wide=True),
    ),
    filters=(
        ListFilter("person", Message("Person"), Message("Anybody"), _person_choices),
        ListFilter("thing", Message("Thing"), Message("Anything"), _thing_choices),
        ListFilter("customer", Message("Customer"), Message("Any customer"), _customer_choices),
        ListFilter(
            "time", Message("Time"), Message("Any time"),
            lambda: [FilterChoice(word, label, _since(days)) for word, label, days in _PERIODS],
        ),
    ),
    descending=True,
)  # fmt: skip


@bp.get("")
@staff(StaffPermission.AUDIT_READ)
def index() -> ResponseReturnValue:
    """Show what was done, newest first."""
    return list_answer(AUDIT, "admin/audit/index.html", "admin/audit/_list.html")


@bp.get("/export.csv")
@staff(StaffPermission.AUDIT_READ)
def download() -> ResponseReturnValue:
    """Download it as a CSV file."""
    return csv_answer(AUDIT)
