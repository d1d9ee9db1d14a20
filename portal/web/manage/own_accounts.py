"""Making an account as one of the customer's own people, where their plan lets them."""

from collections.abc import Iterable
from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.customers.creating import why_nothing_new
from portal.customers.models import Customer
from portal.customers.permission import CustomerPermission
from portal.edge import actor
from portal.edge.i18n import gettext as _
from portal.edge.place_guard import at_customer
from portal.permissions.account_rights import CREATE, customers_whose_plan_grants
from portal.permissions.rules import can
from portal.subscriptions.queries import subscriptions_of
from portal.web import flash_messages
from portal.web.account_form import new_account_form
from portal.web.forms import refills

bp = Blueprint("own_accounts", __name__, url_prefix="/manage/customers/<id:customer_id>/accounts")


@bp.route("/new", methods=["GET", "POST"])
@at_customer(CustomerPermission.ACCOUNTS_CREATE)
@refills
def create(customer: Customer) -> ResponseReturnValue:
    """Make an account of a subscription that lets the customer's people make some. Only its owner chooses another."""
    somebody = actor.someone()
    offered = [one for one in subscriptions_of(customer) if one.values.get(CREATE) is True]
    form = new_account_form(offered, chooses_owner=customer.owner_uuid == somebody.uuid)
    if form.validate_on_submit():
        with form.refusals():
            account = form.make(customer, by=somebody)
            flash_messages.done(_("“%(name)s” was made.", name=account.account_name))
            return redirect(url_for("places.index"), 303)
    page = render_template(
        "manage/places/new_account.html", form=form, customer=customer, why=why_nothing_new(customer.status)
    )
    return page, 422 if form.refused else 200


def where_accounts_are_made(customers: Iterable[Customer]) -> set[UUID]:
    """Those of the customers for which the reader may make accounts himself, because their plan lets him."""
    somebody = actor.someone()
    allowed = [one.uuid for one in customers if can(somebody, CustomerPermission.ACCOUNTS_CREATE, one)]
    return customers_whose_plan_grants(CREATE, allowed)
