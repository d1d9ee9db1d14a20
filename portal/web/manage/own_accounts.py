"""Making and deleting accounts as one of the customer's own people, where their plan lets them."""

from collections.abc import Iterable
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.models import Account, AccountStatus
from portal.accounts.permission import AccountPermission
from portal.customers.creating import why_nothing_new
from portal.customers.models import Customer
from portal.customers.permission import CustomerPermission
from portal.edge import actor
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.edge.place_guard import at_customer, in_account
from portal.errors import Conflict, Message
from portal.permissions.account_rights import CREATE, customers_whose_plan_grants, require_account_deletion
from portal.permissions.rules import acting_on, can
from portal.status.account_lifecycle import (
    change_account_status,
    contents_of,
    delete_account,
    reason_to_keep_account,
)
from portal.subscriptions.queries import subscriptions_of
from portal.web import flash_messages
from portal.web.account_form import new_account_form
from portal.web.forms import refills
from portal.web.stopping_words import stopping_words

bp = Blueprint("own_accounts", __name__, url_prefix="/manage")


@bp.route("/customers/<id:customer_id>/accounts/new", methods=["GET", "POST"])
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


@bp.route("/accounts/<id:account_id>/deletion", methods=["GET", "POST"])
@in_account()
def delete(account: Account) -> ResponseReturnValue:
    """Say what goes, or why it is kept, then delete an inactive account with its rooms."""
    somebody, name = actor.someone(), account.account_name
    kept = _reason_to_keep(account)
    if request.method != "POST" or kept is not None:
        here = contents_of(account)
        page = render_template(
            "manage/places/delete_account.html",
            account=account,
            here=here,
            kept=kept,
            stops=[translated(words) for words in stopping_words(rooms=here.rooms, people=here.people)],
        )
        return page, 409 if request.method == "POST" else 200
    delete_account(account, by=acting_on(somebody, CustomerPermission.ACCOUNTS_DELETE, account.customer))
    flash_messages.done(_("“%(name)s” was deleted, with its rooms.", name=name))
    return redirect(url_for("places.index"), 303)


@bp.post("/accounts/<id:account_id>/deactivation")
@in_account(AccountPermission.ACCOUNT_EDIT)
def deactivate(account: Account) -> ResponseReturnValue:
    """Make an account inactive, so that it can be deleted."""
    change_account_status(account, AccountStatus.INACTIVE, by=actor.someone())
    flash_messages.done(_("“%(name)s” is inactive now.", name=account.account_name))
    return redirect(url_for("own_accounts.delete", account_id=account.id), 303)


def _reason_to_keep(account: Account) -> Message | None:
    """Why the reader cannot delete the account now; None if he can. Raises `NotAllowed`."""
    try:
        require_account_deletion(actor.someone(), account)
    except Conflict as conflict:
        return conflict.message
    return reason_to_keep_account(account)


def where_accounts_are_made(customers: Iterable[Customer]) -> set[UUID]:
    """Those of the customers for which the reader may make accounts himself, because their plan lets him."""
    somebody = actor.someone()
    allowed = [one.uuid for one in customers if can(somebody, CustomerPermission.ACCOUNTS_CREATE, one)]
    return customers_whose_plan_grants(CREATE, allowed)
