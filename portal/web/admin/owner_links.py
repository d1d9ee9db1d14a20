"""The page with the link by which somebody of a customer sets a first password: shown once, to be sent by hand."""

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from portal.customers.models import Customer
from portal.people.actor import Actor
from portal.people.models import User
from portal.people.password_links import issue_password_link
from portal.public_url import public_url


def password_link_page(user: User, customer: Customer, *, by: Actor, back: str = "") -> ResponseReturnValue:
    """Make a new link for the user, and the page that shows it. Raises `Conflict` if he has a password.

    `back` is the path to which the page leads on; that of the customer if it is empty.
    """
    link = issue_password_link(user, by=by)
    page = render_template(
        "admin/customers/password_link.html",
        user=user,
        customer=customer,
        link=link,
        address=public_url(link.path),
        back=back or url_for("admin_customer.show", customer_id=customer.id),
    )
    return page, 201
