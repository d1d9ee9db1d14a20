"""The addresses, telephones and legal documents of a customer, as pages: adding one, changing it, removing it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from portal.customers.models import Customer
from portal.customers.number_forms import spaced_telephone
from portal.customers.profile_entries import (
    ProfileEntry,
    add_entry,
    change_entry,
    entries_of,
    find_entry,
    remove_entry,
)
from portal.customers.profile_models import CustomerAddress, CustomerTelephone, LegalDocument
from portal.customers.queries import customer_with_id
from portal.edge import actor
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.edge.staff_guard import staff
from portal.errors import Message
from portal.people.staff import StaffPermission
from portal.web import flash_messages
from portal.web.admin.customer_forms import country_names
from portal.web.admin.profile_forms import AddressForm, DocumentForm, TelephoneForm
from portal.web.edit_forms import lock_for_edit
from portal.web.forms import refills

bp = Blueprint("admin_customer_profile", __name__, url_prefix="/admin/customers/<id:customer_id>")

Form = AddressForm | TelephoneForm | DocumentForm


@dataclass(frozen=True)
class Sort:
    """What there is to say of addresses, of telephones, or of legal documents."""

    model: type[ProfileEntry]
    form: type[Form]
    title: Message
    none: Message
    new: Message
    change: Message
    remove: Message
    removed: Message


SORTS = {
    "addresses": Sort(
        CustomerAddress,
        AddressForm,
        Message("Addresses"),
        Message("No address yet."),
        Message("Add address"),
        Message("Change the address"),
        Message("Remove address"),
        Message("The address was removed."),
    ),
    "telephones": Sort(
        CustomerTelephone,
        TelephoneForm,
        Message("Telephones"),
        Message("No telephone yet."),
        Message("Add telephone"),
        Message("Change the telephone"),
        Message("Remove telephone"),
        Message("The telephone was removed."),
    ),
    "legal-documents": Sort(
        LegalDocument,
        DocumentForm,
        Message("Legal documents"),
        Message("No legal document yet, such as a tax number."),
        Message("Add legal document"),
        Message("Change the legal document"),
        Message("Remove legal document"),
        Message("The legal document was removed."),
    ),
}
"""By their word in addresses."""


@dataclass(frozen=True)
class ProfileRow:
    """A profile entry as the customer's page shows it."""

    id: str
    text: str
    kind: str
    is_default: bool


def profile_of(customer: Customer) -> dict[str, list[ProfileRow]]:
    """Word of a `Sort` → the customer's entries, oldest first."""
    return {noun: [_row(one) for one in entries_of(customer, sort.model)] for noun, sort in SORTS.items()}


def _row(entry: ProfileEntry) -> ProfileRow:
    is_default = not isinstance(entry, LegalDocument) and entry.is_default
    return ProfileRow(entry.id, _text(entry), translated(entry.kind.label), is_default)


def _text(entry: ProfileEntry) -> str:
    match entry:
        case CustomerAddress():
            street = _together(entry.address_line1, entry.building_number)
            box = _("P.O. box %(number)s", number=entry.po_box) if entry.po_box else None
            place = _together(entry.postal_code, entry.city)
            country = country_names().get(entry.country, entry.country)
            parts = street, entry.complement, entry.address_line2, box, place, entry.state, country
            return ", ".join(filter(None, parts))
        case CustomerTelephone():
            number, extension = spaced_telephone(entry.number), entry.telephone_extension
            return _("%(number)s, extension %(extension)s", number=number, extension=extension) if extension else number
        case _:
            return f"{entry.value} · {entry.country}"


def _together(*parts: str | None) -> str:
    return " ".join(filter(None, parts))


def _each(rest: str, methods: Sequence[str] = ("GET", "POST")) -> Any:
    """Route a view at `rest` below each noun, which it is called with."""

    def route(view: Any) -> Any:
        for noun in SORTS:
            bp.add_url_rule(f"/{noun}/{rest}", view_func=view, methods=methods, defaults={"noun": noun})
        return view

    return route


@_each("new")
@staff(StaffPermission.CUSTOMERS_UPDATE, customer=customer_with_id)
@refills
def add(customer: Customer, noun: str) -> ResponseReturnValue:
    """Add an address, a telephone or a legal document."""
    sort = SORTS[noun]
    form = sort.form(data={"country": customer.country})
    form.offer()
    if form.validate_on_submit():
        with form.refusals():
            add_entry(customer, sort.model, by=actor.someone(), **_filled_in(form))
            flash_messages.done(_("Saved."))
            return _back(customer, noun)
    return _page(form, customer, noun)


@_each("<id:entry_id>/edit")
@staff(StaffPermission.CUSTOMERS_UPDATE, customer=customer_with_id)
@refills
def edit(customer: Customer, noun: str, entry_id: str) -> ResponseReturnValue:
    """Change one. A default stays that until another one is made it, so there is nothing to choose."""
    sort = SORTS[noun]
    lock_for_edit(customer)
    entry = find_entry(customer, sort.model, entry_id)
    form = sort.form(data=sort.form.stored(entry))  # type: ignore[arg-type]  # each form is of its model
    form.offer()
    if not isinstance(entry, LegalDocument) and entry.is_default:
        del form.default
    if form.validate_on_submit():
        with form.refusals():
            change_entry(customer, entry, by=actor.someone(), **_filled_in(form))
            flash_messages.done(_("Saved."))
            return _back(customer, noun)
    return _page(form, customer, noun, entry)


@_each("<id:entry_id>/removal", methods=("POST",))
@staff(StaffPermission.CUSTOMERS_UPDATE, customer=customer_with_id)
def remove(customer: Customer, noun: str, entry_id: str) -> ResponseReturnValue:
    """Remove one."""
    lock_for_edit(customer)
    remove_entry(customer, find_entry(customer, SORTS[noun].model, entry_id), by=actor.someone())
    flash_messages.done(translated(SORTS[noun].removed))
    return _back(customer, noun)


def _filled_in(form: Form) -> dict[str, Any]:
    return {name: value for name, value in form.data.items() if name != "csrf_token"}


def _page(form: Form, customer: Customer, noun: str, entry: ProfileEntry | None = None) -> ResponseReturnValue:
    page = render_template(
        "admin/customers/profile_entry.html", form=form, customer=customer, noun=noun, sort=SORTS[noun], entry=entry
    )
    return page, 422 if form.refused else 200


def _back(customer: Customer, noun: str) -> ResponseReturnValue:
    return redirect(url_for("admin_customer.show", customer_id=customer.id, _anchor=f"h-{noun}"), 303)
