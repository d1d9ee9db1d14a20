"""The list of customers, and making a new one."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.models import Account
from portal.customers.models import Customer, CustomerStatus, CustomerType, display_name
from portal.customers.operations import create_customer
from portal.customers.search import matches
from portal.edge import actor
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.edge.staff_guard import staff
from portal.errors import Message
from portal.keyset import Key
from portal.people.staff import StaffPermission
from portal.permissions.first_passwords import may_issue_link
from portal.plain_values import columns_for
from portal.web import flash_messages
from portal.web.admin.customer_forms import NewCustomerForm
from portal.web.admin.list_page import csv_answer, list_answer
from portal.web.admin.lists import AdminList, FilterChoice, ListColumn, ListFilter
from portal.web.admin.owner_links import password_link_page
from portal.web.forms import refills

bp = Blueprint("admin_customers", __name__, url_prefix="/admin/customers")


@dataclass(frozen=True)
class CustomerRow:
    """A customer as the list shows it."""

    id: str
    company_name: str | None
    first_name: str | None
    last_name: str | None
    email: str
    customer_type: CustomerType
    status: CustomerStatus
    country: str
    external_id: str | None
    customer_key: str
    accounts: int
    created_at: datetime

    @property
    def name(self) -> str:
        """The name to show."""
        return display_name(self.company_name, self.first_name, self.last_name, self.email)


_ACCOUNTS = (
    sa.select(sa.func.count()).select_from(Account).where(Account.customer_uuid == Customer.uuid).scalar_subquery()
)


def _status_choices() -> list[FilterChoice]:
    return [
        FilterChoice(one.value, translated(one.label), lambda one=one: Customer.status == one)  # type: ignore[misc]
        for one in CustomerStatus
    ]


CUSTOMERS = AdminList(
    name="customers",
    rows=sa.select(*columns_for(CustomerRow, Customer, accounts=_ACCOUNTS)),
    row=CustomerRow,
    uuid=Customer.uuid,
    columns=(
        ListColumn("name", Message("Customer"), lambda row: row.name, Key(Customer.sort_name)),
        ListColumn("email", Message("E-mail"), lambda row: row.email, wide=True),
        ListColumn("status", Message("Status"), lambda row: translated(row.status.label)),
        ListColumn("country", Message("Country"), lambda row: row.country),
        ListColumn("accounts", Message("Accounts"), lambda row: row.accounts, kind="number"),
        ListColumn("since", Message("Customer since"), lambda row: row.created_at, Key(Customer.created_at), "moment"),
    ),
    found_by=lambda text: [sa.select(Customer.uuid).where(matches(text))],
    filters=(ListFilter("status", Message("Status"), Message("Any status"), _status_choices),),
)


@bp.get("")
@staff(StaffPermission.CUSTOMERS_READ)
def index() -> ResponseReturnValue:
    """List the customers."""
    return list_answer(CUSTOMERS, "admin/customers/index.html", "admin/customers/_list.html")


@bp.get("/customers.csv")
@staff(StaffPermission.CUSTOMERS_READ)
def download() -> ResponseReturnValue:
    """Download the customers that fit the search and the filters."""
    return csv_answer(CUSTOMERS)


@bp.route("/new", methods=["GET", "POST"])
@staff(StaffPermission.CUSTOMERS_CREATE)
@refills
def create() -> ResponseReturnValue:
    """Make a customer with its owner, then show the link by which the owner sets a password."""
    form = NewCustomerForm()
    form.offer()
    if form.validate_on_submit():
        with form.refusals():
            somebody = actor.someone()
            customer = create_customer(by=somebody, **form.fields())
            if may_issue_link(somebody, customer.owner, customer):
                return password_link_page(customer.owner, customer, by=somebody)
            flash_messages.done(_("“%(name)s” is a customer now.", name=customer.display_name))
            return redirect(url_for("admin_customer.show", customer_id=customer.id), 303)
    return render_template("admin/customers/new.html", form=form), 422 if form.refused else 200
