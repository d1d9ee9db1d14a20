"""Selling a package to a customer."""

import sqlalchemy as sa
from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Optional

from portal.accounts.operations import sell_package
from portal.customers.models import Customer, CustomerStatus
from portal.customers.operations import find_customer
from portal.customers.queries import customer_with_id
from portal.db import session
from portal.edge import actor
from portal.edge.i18n import gettext as _
from portal.edge.staff_guard import staff
from portal.errors import Conflict, Invalid, Message, NotFound
from portal.people.staff import StaffPermission
from portal.permissions.rules import acting_as_staff
from portal.subscriptions.package_models import PackageStatus, ServicePackage
from portal.subscriptions.packages import usable_default
from portal.subscriptions.selling import create_subscription
from portal.web import flash_messages
from portal.web.admin.terms_form import price_words
from portal.web.forms import Form, query_word, refills

bp = Blueprint("admin_sales", __name__, url_prefix="/admin/subscriptions")

MOST_OFFERED = 200
"""Of how many customers and packages the form offers the names. A customer can be typed in any case."""


class SaleForm(Form):
    """Who buys what, from when on."""

    customer = StringField(
        _l("Customer"), [InputRequired(_l("Fill this in."))], render_kw={"list": "customers", "autocomplete": "off"}
    )
    package = SelectField(_l("Package"), validators=[InputRequired(_l("Choose one."))])
    starts_at = DateField(_l("Starts"), [Optional()])
    other_currency = BooleanField(_l("Sell it in a currency that the customer does not pay in otherwise"))
    account = BooleanField(_l("Make its first account, named after the package"), default=True)


@bp.route("/new", methods=["GET", "POST"])
@staff(StaffPermission.SUBSCRIPTIONS_CREATE)
@refills
def sell() -> ResponseReturnValue:
    """Sell a package: from a customer or a package, which the address names then, or from nothing."""
    packages, buyer = _offered_packages(), _buyer()
    asked = {"customer": query_word("customer"), "package": query_word("package")}
    form = SaleForm(data={"account": True, **{name: value for name, value in asked.items() if value}})
    form.package.choices = [SelectChoice(one.id, _line(one)) for one in packages]
    if form.validate_on_submit():
        with form.refusals():
            customer = _customer(form.customer.data)
            actor.become(acting_as_staff(actor.someone(), customer))
            package = next(one for one in packages if one.id == form.package.data)
            if not form.other_currency.data:
                _require_own_currency(customer, package)
            sale = {"customer": customer, "package": package, "starts_at": form.starts_at.data, "by": actor.someone()}
            sold = sell_package(**sale).subscription if form.account.data else create_subscription(**sale)
            flash_messages.done(_("Sold to %(name)s.", name=customer.display_name))
            return redirect(url_for("admin_subscription.show", subscription_id=sold.id), 303)
    page = render_template(
        "admin/subscriptions/sell.html",
        form=form,
        packages=packages,
        buyer=buyer,
        customers=_offered_customers() if buyer is None else [],
    )
    return page, 422 if form.refused else 200


def _customer(named: str) -> Customer:
    """The customer with this name, key or id, or whose owner has this e-mail. Raises `Invalid` on `customer`."""
    named = named.strip()
    called = sa.or_(sa.func.lower(Customer.company_name) == named.lower(), Customer.customer_key == named)
    found = session.scalars(sa.select(Customer).where(called).limit(2)).unique().all()
    if len(found) == 1:
        return found[0]
    if found:
        raise Invalid(customer=Message("Several customers are called %(named)s. Name one by its key.", named=named))
    try:
        return find_customer(named)
    except (NotFound, Conflict) as refused:
        raise Invalid(customer=refused.message) from None


def _require_own_currency(customer: Customer, package: ServicePackage) -> None:
    """Raise `Invalid` on `other_currency` for a package whose price is in another currency than the customer pays in.

    That is no mistake always, so whoever sells may say so.
    """
    if package.currency != customer.currency:
        words = Message(
            "“%(package)s” has its price in %(price)s, and %(customer)s pays in %(own)s. "
            "Tick this to sell it in %(price)s all the same, or choose another package.",
            package=package.name,
            price=package.currency,
            customer=customer.display_name,
            own=customer.currency,
        )
        raise Invalid(other_currency=words)


def _offered_packages() -> list[ServicePackage]:
    query = sa.select(ServicePackage).where(ServicePackage.status == PackageStatus.ACTIVE)
    found = session.scalars(query.order_by(ServicePackage.name, ServicePackage.uuid).limit(MOST_OFFERED))
    return [one for one in found if usable_default(one) is not None]


def _offered_customers() -> list[Customer]:
    query = sa.select(Customer).where(Customer.status == CustomerStatus.ACTIVE).order_by(Customer.uuid.desc())
    return list(session.scalars(query.limit(MOST_OFFERED)).unique())


def _line(package: ServicePackage) -> str:
    price = price_words(package.price, package.currency, package.period)
    return _("%(name)s: %(price)s", name=package.name, price=price)


def _buyer() -> Customer | None:
    """The customer that the address names, who is not asked for then; None if it names none."""
    named = query_word("customer")
    return customer_with_id(named) if named else None
