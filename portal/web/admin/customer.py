"""The pages of one customer: what there is of it, changing it, its status with what that does, and its end."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import RadioField
from wtforms.fields.choices import SelectChoice

from portal.customers.models import Customer, CustomerStatus
from portal.customers.operations import change_customer
from portal.customers.queries import customer_with_id
from portal.db import lock
from portal.edge import actor
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.edge.staff_guard import staff, staff_can
from portal.errors import Conflict, NotAllowed
from portal.people.password_links import can_get_in
from portal.people.staff import StaffPermission
from portal.permissions.first_passwords import may_issue_link
from portal.rooms.account_rooms import accounts_of_customer
from portal.status.customer_lifecycle import (
    below,
    change_customer_status,
    consequences,
    delete_customer,
    reason_to_keep_customer,
)
from portal.web import flash_messages
from portal.web.admin.audit import history_of_customer
from portal.web.admin.customer_forms import CustomerEditForm
from portal.web.admin.customer_profile import SORTS, profile_of
from portal.web.admin.owner_links import password_link_page
from portal.web.admin.sold_subscriptions import sold_subscriptions
from portal.web.edit_forms import EditForm, lock_for_edit
from portal.web.forms import refills

bp = Blueprint("admin_customer", __name__, url_prefix="/admin/customers/<id:customer_id>")

MOST_LINES = 8
"""How many lines of the audit the page shows."""


class StatusForm(EditForm):
    """The status of a customer."""

    status = RadioField(_l("Status"), coerce=CustomerStatus)


@bp.get("")
@staff(StaffPermission.CUSTOMERS_READ, customer=customer_with_id)
def show(customer: Customer) -> ResponseReturnValue:
    """Show a customer: its profile, owner, accounts and subscriptions, what is used of these, and what was done."""
    reads_audit = staff_can(StaffPermission.AUDIT_READ)
    return render_template(
        "admin/customers/show.html",
        customer=customer,
        accounts=accounts_of_customer(customer.uuid),
        sorts=SORTS,
        profile=profile_of(customer),
        subscriptions=sold_subscriptions(customer),
        history=history_of_customer(customer.uuid, most=MOST_LINES) if reads_audit else [],
        kept=reason_to_keep_customer(customer),
        owner_gets_in=can_get_in(customer.owner),
        may_issue_link=may_issue_link(actor.someone(), customer.owner, customer),
    )


@bp.route("/edit", methods=["GET", "POST"])
@staff(StaffPermission.CUSTOMERS_UPDATE, customer=customer_with_id)
@refills
def edit(customer: Customer) -> ResponseReturnValue:
    """Change what is known of a customer."""
    lock_for_edit(customer)
    form = CustomerEditForm(data=CustomerEditForm.stored(customer))
    form.offer()
    if form.validate_on_submit():
        with form.refusals():
            change_customer(customer, by=actor.someone(), **form.fields())
            flash_messages.done(_("Saved."))
            return _back(customer)
    page = render_template("admin/customers/edit.html", form=form, customer=customer)
    return page, 422 if form.refused else 200


@bp.route("/status", methods=["GET", "POST"])
@staff(StaffPermission.CUSTOMERS_UPDATE, customer=customer_with_id)
@refills
def status(customer: Customer) -> ResponseReturnValue:
    """Change the status. The page says beforehand what each status does to how many rooms and people inside."""
    lock_for_edit(customer)
    form = StatusForm(data={"status": customer.status})
    form.status.choices = [SelectChoice(one, translated(one.label)) for one in CustomerStatus]
    if form.validate_on_submit():
        with form.refusals():
            done = change_customer_status(customer, form.status.data, by=actor.someone())
            flash_messages.done(
                _("“%(name)s” is %(status)s now.", name=customer.display_name, status=translated(customer.status.label))
                if not done.people
                else _("Saved. %(n)d people had to leave their rooms.", n=done.people)
            )
            return _back(customer)
    page = render_template(
        "admin/customers/status.html",
        form=form,
        customer=customer,
        consequences={one: consequences(customer, one) for one in CustomerStatus},
    )
    return page, 422 if form.refused else 200


@bp.route("/deletion", methods=["GET", "POST"])
@staff(StaffPermission.CUSTOMERS_DELETE, customer=customer_with_id)
def delete(customer: Customer) -> ResponseReturnValue:
    """Say what goes, then delete a terminated customer with everything below it."""
    if request.method != "POST":
        kept = reason_to_keep_customer(customer)
        return render_template("admin/customers/delete.html", customer=customer, below=below(customer), kept=kept)
    name = customer.display_name
    try:
        delete_customer(customer, by=actor.someone())
    except Conflict as conflict:
        flash_messages.failed(translated(conflict.message))
        return _back(customer)
    flash_messages.done(_("“%(name)s” was deleted, with everything that it had here.", name=name))
    return redirect(url_for("admin_customers.index"), 303)


@bp.post("/owner/password-link")
@staff(StaffPermission.CUSTOMERS_UPDATE, customer=customer_with_id)
def issue_link(customer: Customer) -> ResponseReturnValue:
    """Make a new link by which the owner sets the first password, and show it once. An older one ends."""
    somebody = actor.someone()
    lock(customer.owner)
    if not may_issue_link(somebody, customer.owner, customer):
        raise NotAllowed
    return password_link_page(customer.owner, customer, by=somebody)


def _back(customer: Customer) -> ResponseReturnValue:
    return redirect(url_for("admin_customer.show", customer_id=customer.id), 303)
