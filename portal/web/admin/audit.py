"""The audit, as staff see it: who did what to which thing, when, from where, on whose behalf, before and after."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import aliased

from portal.audit.action_words import action_words
from portal.audit.changes import CHANGES, Changes
from portal.audit.models import AuditEvent
from portal.clock import now
from portal.credentials.models import OAuthClient
from portal.customers.models import Customer, display_name_column
from portal.db import literal_limit, read
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.edge.staff_guard import staff
from portal.errors import Message
from portal.keyset import Key, order_by
from portal.people.models import User
from portal.people.staff import StaffPermission
from portal.plain_values import columns_for
from portal.rooms.models import Room
from portal.web.admin.audit_names import NO_NAMES, Names, Referred, name_of_gone, names_of
from portal.web.admin.audit_search import ways_to_match
from portal.web.admin.audit_things import KINDS_OF_THINGS, id_of_thing, name_of_thing, on_page_of_customer
from portal.web.admin.audit_values import field_label, shown_value
from portal.web.admin.list_page import csv_answer, list_answer
from portal.web.admin.lists import AdminList, FilterChoice, ListColumn, ListFilter, ThingFilter, thing_with_id

bp = Blueprint("admin_audit", __name__, url_prefix="/admin/audit")

_Condition = Callable[[], sa.ColumnElement[bool]]


@dataclass(frozen=True)
class Change:
    """A field that was changed, with its values as people read them."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class AuditRow:
    """A line of the audit, with the names of what it refers to, as far as they are known."""

    at: datetime
    action: str
    thing: str
    thing_uuid: UUID | None
    thing_id: str | None
    thing_name: str | None
    room_uuid: UUID | None
    room_id: str | None
    room_name: str | None
    actor_id: str | None
    actor_name: str | None
    client_name: str | None
    network: str | None
    on_behalf_of_uuid: UUID | None
    customer_id: str | None
    customer_name: str | None
    details: dict[str, Any]
    names: Names = NO_NAMES

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
        changes = (
            Change(field_label(name), self._shown(name, before), self._shown(name, after))
            for name, (before, after) in self._changed.items()
        )
        return [one for one in changes if one.before != one.after]  # no list and an empty one are both nothing

    @property
    def more(self) -> str:
        """What else is known of it, as "name: value"."""
        told = {CHANGES, *(f"{name}{end}" for name in self._pairs for end in _ENDS)}
        rest = {name: value for name, value in self.details.items() if name not in told}
        return ", ".join(f"{field_label(name)}: {self._shown(name, value)}" for name, value in rest.items())

    @property
    def referred(self) -> Iterator[tuple[str, Any]]:
        """Each field that is told, with a value of it."""
        yield from self.details.items()
        for name, values in self._changed.items():
            yield from ((name, value) for value in values)

    def _shown(self, name: str, value: Any) -> str:
        return self.names.of(name, value) or shown_value(name, value)

    @property
    def _changed(self) -> Changes:
        return {**self._pairs, **(self.details.get(CHANGES) or {})}

    @property
    def _pairs(self) -> Changes:
        """The changes that are told as two details: `status_before` and `status_after`."""
        before, after = _ENDS
        names = [name.removesuffix(before) for name in self.details if name.endswith(before)]
        return {name: [self.details[name + before], self.details.get(name + after)] for name in names}

    @property
    def all_that_is_known(self) -> str:
        """The changes, and what else is known of it, in one line for a file."""
        changes = [f"{one.field}: {one.before} → {one.after}" for one in self.changes]
        return "; ".join(filter(None, [*changes, self.more]))


_ENDS = "_before", "_after"


_PERIODS = (
    ("day", Message("Last 24 hours"), 1),
    ("week", Message("Last 7 days"), 7),
    ("month", Message("Last 30 days"), 30),
    ("year", Message("Last 365 days"), 365),
)


def _since(days: int) -> _Condition:
    return lambda: AuditEvent.at >= now() - timedelta(days=days)


def _person_choice(user_id: str) -> FilterChoice | None:
    found = thing_with_id(User, user_id)
    return FilterChoice(found.id, found.name, lambda: AuditEvent.actor_uuid == found.uuid) if found else None


def _customer_choice(customer_id: str) -> FilterChoice | None:
    """By its public id; or by its uuid, which is all that is known of a customer that is gone."""
    found = thing_with_id(Customer, customer_id)
    if found is not None:
        return FilterChoice(found.id, found.display_name, lambda: AuditEvent.customer_uuid == found.uuid)
    if (uuid := _uuid(customer_id)) is None or (name := name_of_gone("customers", uuid)) is None:
        return None
    return FilterChoice(str(uuid), name, lambda: AuditEvent.customer_uuid == uuid)


def _thing_choice(text: str) -> FilterChoice | None:
    """By its uuid, because lines about things that are gone are kept, and most things have no page."""
    uuid = _uuid(text)
    return FilterChoice(str(uuid), _("One thing only"), lambda: _about(uuid)) if uuid is not None else None


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _kind_choices() -> list[FilterChoice]:
    return [FilterChoice(table, kind.label, _of_kind(table)) for table, kind in KINDS_OF_THINGS.items()]


def _of_kind(table: str) -> _Condition:
    return lambda: AuditEvent.thing == sa.literal_column(f"'{table}'")  # a literal, as in the partial index


def _about(uuid: UUID) -> sa.ColumnElement[bool]:
    return sa.or_(AuditEvent.thing_uuid == uuid, AuditEvent.room_uuid == uuid)


def _named(rows: list[AuditRow]) -> list[AuditRow]:
    """These lines with the names of what their details refer to, and of what is gone."""
    referred = Referred()
    for row in rows:
        for name, value in row.referred:
            referred.add(name, value)
        if row.thing_name is None:
            referred.add_gone(row.thing, row.thing_uuid)
        if row.room_name is None:
            referred.add_gone("rooms", row.room_uuid)
        if row.customer_name is None:
            referred.add_gone("customers", row.on_behalf_of_uuid)
    names = names_of(referred)
    if names is NO_NAMES:
        return rows
    return [
        replace(
            row,
            names=names,
            thing_name=row.thing_name or names.gone.get(row.thing_uuid),
            room_name=row.room_name or names.gone.get(row.room_uuid),
            customer_name=row.customer_name or names.gone.get(row.on_behalf_of_uuid),
        )
        for row in rows
    ]


_Actor, _Room = aliased(User), aliased(Room)
AUDIT = AdminList(
    name="audit",
    rows=sa.select(
        *columns_for(
            AuditRow,
            AuditEvent,
            without=("names",),
            thing_id=id_of_thing(),
            thing_name=name_of_thing(),
            room_id=_Room.id,
            room_name=_Room.room_name,
            actor_id=_Actor.id,
            actor_name=_Actor.name,
            client_name=OAuthClient.name,
            customer_id=Customer.id,
            customer_name=display_name_column(),
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
        ListColumn("changes", Message("Before → after"), lambda row: row.all_that_is_known, wide=True),
    ),
    found_by=ways_to_match,
    filters=(
        ThingFilter("person", Message("Person"), Message("Anybody"), _person_choice),
        ListFilter("kind", Message("Kind of thing"), Message("Anything"), _kind_choices),
        ThingFilter("thing", Message("Thing"), Message("Any thing"), _thing_choice),
        ThingFilter("customer", Message("Customer"), Message("Any customer"), _customer_choice),
        ListFilter(
            "time", Message("Time"), Message("Any time"),
            lambda: [FilterChoice(word, label, _since(days)) for word, label, days in _PERIODS],
        ),
    ),
    descending=True,
    completed=_named,
)  # fmt: skip


def history_of_customer(customer_uuid: UUID, *, most: int) -> list[AuditRow]:
    """The newest lines about a customer and what belongs to it, for its page."""
    told = AUDIT.rows.where(on_page_of_customer(customer_uuid))
    newest = told.order_by(*order_by(AUDIT.orders[AUDIT.default_order])).limit(literal_limit(most))
    return _named([AuditRow(*row) for row in read(newest)])


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
