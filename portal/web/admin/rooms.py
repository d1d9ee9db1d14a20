"""The page of everybody's rooms. A room opens on its owner's page, where staff act on the customer's behalf."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.accounts.models import Account
from portal.customers.models import Customer, display_name
from portal.db import session
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.edge.staff_guard import staff
from portal.errors import Message
from portal.keyset import Key
from portal.people.models import User
from portal.people.staff import StaffPermission
from portal.plain_values import columns_for
from portal.providers.base import LiveState
from portal.rooms.kinds import KINDS, kind_of, served_types
from portal.rooms.models import Room, RoomStatusWord
from portal.rooms.search import matches
from portal.status.models import RoomStatus
from portal.subscriptions.models import Subscription
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.web.admin.list_page import csv_answer, list_answer
from portal.web.admin.lists import AdminList, FilterChoice, ListColumn, ListFilter, ThingFilter, thing_with_id
from portal.web.manage.room_list import IS_LIVE

bp = Blueprint("admin_rooms", __name__, url_prefix="/admin/rooms")


@dataclass(frozen=True)
class RoomRow:
    """A room as the list shows it. `state` to `count` are None for a room that was never used."""

    id: str
    room_name: str
    room_type: ServiceType
    status: RoomStatusWord
    created_at: datetime
    company_name: str | None
    first_name: str | None
    last_name: str | None
    email: str
    customer_id: str
    account_name: str
    owner_name: str
    subscription_name: str
    provider_name: str
    state: LiveState | None
    stale: bool | None
    count: int | None

    @property
    def customer_name(self) -> str:
        """The name to show for its customer."""
        return display_name(self.company_name, self.first_name, self.last_name, self.email)

    @property
    def kind_word(self) -> str:
        """What its type is called, in the reader's language."""
        return translated(kind_of(self).label)

    @property
    def status_word(self) -> str:
        """Whether it may be used, in the reader's language."""
        return _("Active") if self.status is RoomStatusWord.ACTIVE else _("Inactive")


_ROWS = (
    sa.select(
        *columns_for(
            RoomRow,
            Room,
            company_name=Customer.company_name,
            first_name=Customer.first_name,
            last_name=Customer.last_name,
            email=Customer.email,
            customer_id=Customer.id,
            account_name=Account.account_name,
            owner_name=User.name,
            subscription_name=Subscription.name,
            provider_name=ServiceProvider.provider_name,
            state=RoomStatus.state,
            stale=RoomStatus.stale,
            count=RoomStatus.count,
        )
    )
    .join(Account, Account.uuid == Room.account_uuid)
    .join(Customer, Customer.uuid == Room.customer_uuid)
    .join(User, User.uuid == Room.owner_uuid)
    .join(Subscription, Subscription.uuid == Room.subscription_uuid)
    .join(ServiceProvider, ServiceProvider.uuid == Subscription.provider_uuid)
    .outerjoin(RoomStatus, RoomStatus.room_uuid == Room.uuid)
    .where(Room.trashed_at.is_(None))
)
_LIVE_NOW = Room.uuid.in_(sa.select(RoomStatus.room_uuid).where(IS_LIVE))


def _is_status(word: RoomStatusWord) -> sa.ColumnElement[bool]:
    return Room.status == sa.literal_column(f"'{word}'")  # a literal, as in the partial indexes


def _type_choices() -> list[FilterChoice]:
    return [FilterChoice(one, KINDS[one].label, lambda one=one: Room.room_type == one) for one in served_types()]  # type: ignore[misc]


def _provider_choices() -> list[FilterChoice]:
    columns = ServiceProvider.uuid, ServiceProvider.id, ServiceProvider.provider_name
    found = session.execute(sa.select(*columns).order_by(ServiceProvider.provider_name))
    return [FilterChoice(id, name, lambda uuid=uuid: _served_by(uuid)) for uuid, id, name in found]  # type: ignore[misc]


def _served_by(provider_uuid: UUID) -> sa.ColumnElement[bool]:
    return Room.subscription_uuid.in_(sa.select(Subscription.uuid).where(Subscription.provider_uuid == provider_uuid))


def _customer_choice(customer_id: str) -> FilterChoice | None:
    found = thing_with_id(Customer, customer_id)
    return FilterChoice(found.id, found.display_name, lambda: Room.customer_uuid == found.uuid) if found else None


def _account_choice(account_id: str) -> FilterChoice | None:
    found = thing_with_id(Account, account_id)
    return FilterChoice(found.id, found.account_name, lambda: Room.account_uuid == found.uuid) if found else None


def _subscription_choice(subscription_id: str) -> FilterChoice | None:
    found = thing_with_id(Subscription, subscription_id)
    return FilterChoice(found.id, found.name, lambda: Room.subscription_uuid == found.uuid) if found else None


ROOMS = AdminList(
    name="rooms",
    rows=_ROWS,
    row=RoomRow,
    uuid=Room.uuid,
    columns=(
        ListColumn("name", Message("Room"), lambda row: row.room_name, Key(Room.sort_name)),
        ListColumn("customer", Message("Customer"), lambda row: row.customer_name, wide=True),
        ListColumn("account", Message("Account"), lambda row: row.account_name),
        ListColumn("owner", Message("Owner"), lambda row: row.owner_name),
        ListColumn("type", Message("Type"), lambda row: row.kind_word),
        ListColumn("service", Message("Service"), lambda row: row.provider_name),
        ListColumn("status", Message("Status"), lambda row: row.status_word),
        ListColumn("created", Message("Created"), lambda row: row.created_at, Key(Room.created_at), kind="moment"),
    ),
    found_by=lambda text: [sa.select(Room.uuid).where(matches(text), Room.trashed_at.is_(None))],
    filters=(
        ListFilter(
            "status",
            Message("Status"),
            Message("Any status"),
            lambda: (
                FilterChoice("live", Message("Live now"), lambda: _LIVE_NOW),
                FilterChoice("active", Message("Active"), lambda: _is_status(RoomStatusWord.ACTIVE)),
                FilterChoice("inactive", Message("Inactive"), lambda: _is_status(RoomStatusWord.INACTIVE)),
            ),
        ),
        ListFilter("type", Message("Type"), Message("Any type"), _type_choices),
        ListFilter("service", Message("Service"), Message("Any service"), _provider_choices),
        ThingFilter("customer", Message("Customer"), Message("Any customer"), _customer_choice),
        ThingFilter("account", Message("Account"), Message("Any account"), _account_choice),
        ThingFilter("subscription", Message("Subscription"), Message("Any subscription"), _subscription_choice),
    ),
)


@bp.get("")
@staff(StaffPermission.ROOMS_READ)
def index() -> ResponseReturnValue:
    """Show the rooms of all customers."""
    return list_answer(ROOMS, "admin/rooms/index.html", "admin/rooms/_list.html")


@bp.get("/export.csv")
@staff(StaffPermission.ROOMS_READ)
def download() -> ResponseReturnValue:
    """Download them as a CSV file."""
    return csv_answer(ROOMS)
