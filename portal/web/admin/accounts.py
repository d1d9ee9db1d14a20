"""Making an account for a customer."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import EmailField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.accounts.operations import create_account
from portal.clock import now
from portal.customers.creating import why_nothing_new
from portal.customers.models import Customer
from portal.customers.queries import customer_with_id
from portal.edge import actor
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.edge.staff_guard import staff
from portal.errors import Invalid
from portal.people.actor import Actor
from portal.people.models import User
from portal.people.staff import StaffPermission
from portal.permissions.account_rights import require_account_creation
from portal.permissions.colleagues import find_colleague, no_colleague
from portal.permissions.ownership import require_owner_of_new_account
from portal.subscriptions.models import Subscription
from portal.subscriptions.phases import phase_of
from portal.subscriptions.queries import subscriptions_of
from portal.web import flash_messages
from portal.web.forms import Form, query_word, refills

bp = Blueprint("admin_accounts", __name__, url_prefix="/admin/customers/<id:customer_id>/accounts")


class NewAccountForm(Form):
    """A new account: its name, the subscription whose limits it shares, and its owner."""

    account_name = StringField(_l("Name"), [InputRequired(_l("Fill this in."))], render_kw={"autocomplete": "off"})
    subscription_id = SelectField(_l("Subscription"), validators=[InputRequired(_l("Choose one."))])
    email = EmailField(_l("Owner"), [Length(max=254)], render_kw={"autocomplete": "off"})


@bp.route("/new", methods=["GET", "POST"])
@staff(StaffPermission.ACCOUNTS_CREATE, customer=customer_with_id)
@refills
def create(customer: Customer) -> ResponseReturnValue:
    """Make an account of one of the customer's subscriptions, which the address may name."""
    offered = {one.id: one for one in subscriptions_of(customer)}
    asked = query_word("subscription")
    form = NewAccountForm(data={"subscription_id": asked} if asked in offered else None)
    form.subscription_id.choices = [SelectChoice(one.id, _line(one)) for one in offered.values()]
    if form.validate_on_submit():
        with form.refusals():
            somebody, subscription = actor.someone(), offered[form.subscription_id.data]
            require_account_creation(somebody, subscription)
            account = create_account(
                subscription=subscription,
                account_name=form.account_name.data,
                owner=_owner(customer, form.email.data or "", by=somebody),
                by=somebody,
            )
            flash_messages.done(_("“%(name)s” was made.", name=account.account_name))
            return redirect(url_for("admin_account.show", account_id=account.id), 303)
    page = render_template(
        "admin/accounts/new.html",
        form=form,
        customer=customer,
        offered=offered,
        closed=why_nothing_new(customer.status) is not None,
    )
    return page, 422 if form.refused else 200


def _owner(customer: Customer, email: str, *, by: Actor) -> User | None:
    """Who was named as the owner; None, which means the customer's, if nobody was. Raises `Invalid` on `email`."""
    if not email.strip():
        return None
    owner = find_colleague(customer, email=email)
    if owner is None:
        raise Invalid(email=no_colleague(customer))
    if owner.uuid != customer.owner_uuid:
        require_owner_of_new_account(owner, customer, by=by)
    return owner


def _line(subscription: Subscription) -> str:
    return _("%(name)s: %(phase)s", name=subscription.name, phase=translated(phase_of(subscription, now()).label))
