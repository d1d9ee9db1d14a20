"""The list of subscriptions, as staff see it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from flask import Blueprint
from flask.typing import ResponseReturnValue

from portal.clock import now
from portal.customers.models import Customer, display_name
from portal.db import session
from portal.edge.i18n import gettext as _
from portal.edge.i18n import last_day, translated
from portal.edge.staff_guard import staff
from portal.errors import Message
from portal.keyset import Key
from portal.people.staff import StaffPermission
from portal.plain_values import columns_for
from portal.subscriptions.dates import UTC_ZONE
from portal.subscriptions.endings import end_or_never, ended_within, ends_within, expected_end, usable
from portal.subscriptions.models import Subscription, SubscriptionStatus
from portal.subscriptions.package_models import ServicePackage
from portal.subscriptions.phases import Phase, phase_of
from portal.subscriptions.search import ways_to_match
from portal.subscriptions.terms import PeriodUnit, length_of
from portal.web.admin.list_page import csv_answer, list_answer
from portal.web.admin.lists import AdminList, FilterChoice, ListColumn, ListFilter, ThingFilter, thing_with_id
from portal.web.admin.terms_form import price_words

bp = Blueprint("admin_subscriptions", __name__, url_prefix="/admin/subscriptions")

SOON = 14  # days
MOST_CHOICES = 200


@dataclass(frozen=True)
class SubscriptionRow:
    """A subscription, as the list shows it."""

    id: str
    name: str
    tag: str
    customer_id: str
    company_name: str | None
    first_name: str | None
    last_name: str | None
    email: str
    package_name: str
    status: SubscriptionStatus
    starts_at: datetime
    trial_ends_at: datetime | None
    ends_at: datetime | None
    grace_until: datetime | None
    cancels_at: datetime | None
    price: Decimal
    currency: str
    periodicity: int | None
    periodicity_type: PeriodUnit | None
    created_at: datetime
    end: datetime | None
    """When it ends unless somebody renews it."""
    timezone: str | None
    """That of its customer."""

    @property
    def customer_name(self) -> str:
        """The name to show for its customer."""
        return display_name(self.company_name, self.first_name, self.last_name, self.email)

    @property
    def price_words(self) -> str:
        """What is paid, and how often."""
        return price_words(self.price, self.currency, length_of(self.periodicity, self.periodicity_type))

    @property
    def last_day(self) -> str:
        """The last day before its end, or that it has none, as people read it."""
        return last_day(self.end, self.timezone or UTC_ZONE) if self.end is not None else _("Never")

    @property
    def phase(self) -> Phase:
        """In which phase of its life it is."""
        return phase_of(self, now())


def _usable_now() -> sa.ColumnElement[bool]:
    return usable(now())


def _is(status: SubscriptionStatus) -> Callable[[], sa.ColumnElement[bool]]:
    return lambda: Subscription.status == sa.literal_column(f"'{status}'")  # so that rare ones go by their index


_STATUSES = (
    FilterChoice("usable", Message("Can be used now"), _usable_now),
    FilterChoice("ending", Message("Ends within 14 days"), lambda: ends_within(SOON, now())),
    FilterChoice("ended", Message("Ran out in the last 14 days"), lambda: ended_within(SOON, now())),
    FilterChoice("canceled", Message("Canceled"), _is(SubscriptionStatus.CANCELED)),
    FilterChoice("suspended", Message("Suspended"), _is(SubscriptionStatus.SUSPENDED)),
    FilterChoice("inactive", Message("Ended"), _is(SubscriptionStatus.INACTIVE)),
    FilterChoice("terminated", Message("Terminated"), _is(SubscriptionStatus.TERMINATED)),
)


def _package_choices() -> list[FilterChoice]:
    query = sa.select(ServicePackage.id, ServicePackage.name, ServicePackage.uuid)
    packages = session.execute(query.order_by(ServicePackage.name, ServicePackage.uuid).limit(MOST_CHOICES))
    return [FilterChoice(id, name, _of_package(uuid)) for id, name, uuid in packages]


def _of_package(uuid: object) -> Callable[[], sa.ColumnElement[bool]]:
    return lambda: Subscription.package_uuid == uuid


def _customer_choice(customer_id: str) -> FilterChoice | None:
    found = thing_with_id(Customer, customer_id)
    return (
        FilterChoice(found.id, found.display_name, lambda: Subscription.customer_uuid == found.uuid) if found else None
    )


SUBSCRIPTIONS = AdminList(
    name="subscriptions",
    rows=sa.select(
        *columns_for(
            SubscriptionRow,
            Subscription,
            customer_id=Customer.id,
            company_name=Customer.company_name,
            first_name=Customer.first_name,
            last_name=Customer.last_name,
            email=Customer.email,
            package_name=ServicePackage.name,
            end=expected_end(),
            timezone=Customer.timezone,
        )
    )
    .join(Customer, Customer.uuid == Subscription.customer_uuid)
    .join(ServicePackage, ServicePackage.uuid == Subscription.package_uuid),
    row=SubscriptionRow,
    uuid=Subscription.uuid,
    columns=(
        ListColumn("name", Message("Subscription"), lambda row: row.name),
        ListColumn("customer_name", Message("Customer"), lambda row: row.customer_name, wide=True),
        ListColumn("package_name", Message("Package"), lambda row: row.package_name, wide=True),
        ListColumn("phase", Message("Status"), lambda row: translated(row.phase.label)),
        ListColumn("since", Message("Sold"), lambda row: row.created_at, Key(Subscription.created_at), kind="moment"),
        ListColumn("end", Message("Ends after"), lambda row: row.last_day, Key(end_or_never())),
        ListColumn("price", Message("Price"), lambda row: row.price_words, wide=True),
    ),
    found_by=ways_to_match,
    filters=(
        ListFilter("status", Message("Status"), Message("Any status"), lambda: _STATUSES),
        ListFilter("package", Message("Package"), Message("Any package"), _package_choices),
        ThingFilter("customer", Message("Customer"), Message("Any customer"), _customer_choice),
    ),
    descending=True,
)


@bp.get("")
@staff(StaffPermission.SUBSCRIPTIONS_READ)
def index() -> ResponseReturnValue:
    """Show the subscriptions."""
    return list_answer(SUBSCRIPTIONS, "admin/subscriptions/index.html", "admin/subscriptions/_list.html")


@bp.get("/export.csv")
@staff(StaffPermission.SUBSCRIPTIONS_READ)
def download() -> ResponseReturnValue:
    """Download them as a CSV file."""
    return csv_answer(SUBSCRIPTIONS)
