"""Making an account for a customer."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.customers.creating import why_nothing_new
from portal.customers.models import Customer
from portal.customers.queries import customer_with_id
from portal.edge import actor
from portal.edge.i18n import gettext as _
from portal.edge.staff_guard import staff
from portal.people.staff import StaffPermission
from portal.subscriptions.queries import subscriptions_of
from portal.web import flash_messages
from portal.web.account_form import new_account_form
from portal.web.forms import refills

bp = Blueprint("admin_accounts", __name__, url_prefix="/admin/customers/<id:customer_id>/accounts")


@bp.route("/new", methods=["GET", "POST"])
@staff(StaffPermission.ACCOUNTS_CREATE, customer=customer_with_id)
@refills
def create(customer: Customer) -> ResponseReturnValue:
    """Make an account of one of the customer's subscriptions, which the address may name."""
    form = new_account_form(subscriptions_of(customer))
    if form.validate_on_submit():
        with form.refusals():
            account = form.make(customer, by=actor.someone())
            flash_messages.done(_("“%(name)s” was made.", name=account.account_name))
            return redirect(url_for("admin_account.show", account_id=account.id), 303)
    page = render_template(
        "admin/accounts/new.html", form=form, customer=customer, closed=why_nothing_new(customer.status) is not None
    )
    return page, 422 if form.refused else 200
