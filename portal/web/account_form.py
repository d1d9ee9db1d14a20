"""The form of a new account, on the page of staff and on that of a customer's own people."""

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from wtforms import EmailField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.accounts.models import Account
from portal.accounts.operations import create_account
from portal.clock import now
from portal.customers.models import Customer
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.errors import Invalid
from portal.people.actor import Actor
from portal.people.models import User
from portal.permissions.account_rights import require_account_creation
from portal.permissions.colleagues import find_colleague, no_colleague
from portal.permissions.ownership import require_owner_of_new_account
from portal.subscriptions.models import Subscription
from portal.subscriptions.phases import phase_of
from portal.web.forms import Form, query_word


class NewAccountForm(Form):
    """A new account: its name, the subscription whose limits it shares, and its owner."""

    account_name = StringField(_l("Name"), [InputRequired(_l("Fill this in."))], render_kw={"autocomplete": "off"})
    subscription_id = SelectField(_l("Subscription"), validators=[InputRequired(_l("Choose one."))])
    email = EmailField(_l("Owner"), [Length(max=254)], render_kw={"autocomplete": "off"})
    offered: dict[str, Subscription]

    def make(self, customer: Customer, *, by: Actor) -> Account:
        """Make the account. Raises `Invalid` on the fields, or `Conflict` or `NotAllowed`."""
        subscription = self.offered[self.subscription_id.data]
        require_account_creation(by, subscription)
        named = self.email.data if self.email else ""
        owner = _colleague(customer, named, by=by) if named and named.strip() else None
        return create_account(subscription=subscription, account_name=self.account_name.data, owner=owner, by=by)


def new_account_form(subscriptions: Sequence[Subscription], *, chooses_owner: bool = True) -> NewAccountForm:
    """The form for an account of one of these subscriptions that is not over, which the address may name."""
    at, asked = now(), query_word("subscription")
    offered = {one.id: one for one in subscriptions if not phase_of(one, at).over}
    form = NewAccountForm(data={"subscription_id": asked} if asked in offered else None)
    form.offered = offered
    form.subscription_id.choices = [SelectChoice(one.id, _line(one)) for one in offered.values()]
    if not chooses_owner:
        del form.email
    return form


def _colleague(customer: Customer, email: str, *, by: Actor) -> User:
    """Who was named as the owner. Raises `Invalid` on `email`, or `NotAllowed`."""
    owner = find_colleague(customer, email=email)
    if owner is None:
        raise Invalid(email=no_colleague(customer))
    if owner.uuid != customer.owner_uuid:
        require_owner_of_new_account(owner, customer, by=by)
    return owner


def _line(subscription: Subscription) -> str:
    return _("%(name)s: %(phase)s", name=subscription.name, phase=translated(phase_of(subscription, now()).label))
