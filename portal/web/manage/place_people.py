"""The pages of the people of a customer, and of an account: who may do what there, and where each right comes from.

Both are the same pages, for whoever manages people there: the owner, members with that right, and staff.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import EmailField, RadioField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.accounts.models import Account, AccountMember
from portal.accounts.permission import AccountPermission
from portal.clock import now
from portal.customers.models import Customer, CustomerMember
from portal.customers.permission import CustomerPermission
from portal.db import lock, session
from portal.edge import actor
from portal.edge.guard import signed_in
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.edge.place_guard import manages_people
from portal.errors import Invalid, Message, NotAllowed
from portal.people.models import User
from portal.people.password_links import can_get_in
from portal.permissions.account_rights import deletable_accounts
from portal.permissions.first_passwords import may_issue_link
from portal.permissions.memberships import (
    add_person,
    change_membership,
    find_membership,
    may_add_new_people,
    people_of,
    remove_membership,
)
from portal.permissions.ownership import may_transfer, transfer_ownership
from portal.permissions.places import load_memberships, visible_accounts, visible_customers
from portal.permissions.rules import can
from portal.web import flash_messages
from portal.web.admin.owner_links import password_link_page
from portal.web.edit_forms import EditForm, lock_for_edit
from portal.web.forms import Form, UTCDateTimeField, refills
from portal.web.manage.own_accounts import where_accounts_are_made

Place = Account | Customer
Member = AccountMember | CustomerMember
places = Blueprint("places", __name__, url_prefix="/manage/places")
bp = Blueprint("place_people", __name__, url_prefix="/manage/<any(customers, accounts):noun>/<id:place_id>/people")
MOST_PLACES = 200


class PlaceRightsForm(Form):
    """A checkbox for each permission. Those that the reader lacks himself are shown but cannot be changed."""

    permissions = SelectMultipleField(_l("May"))
    until = UTCDateTimeField(_l("Until"), ahead=True)

    def offer(self, place: Place) -> None:
        """Fill the choices with what can be granted at this place."""
        kinds: type[AccountPermission | CustomerPermission]
        kinds = AccountPermission if isinstance(place, Account) else CustomerPermission
        self.permissions.choices = [SelectChoice(one.value, translated(one.label)) for one in kinds]
        self.grantable = {one.value for one in kinds if can(actor.current(), one, place)}

    def chosen(self, place: Place) -> list[Any]:
        """The permissions that are checked."""
        kinds: type[AccountPermission | CustomerPermission]
        kinds = AccountPermission if isinstance(place, Account) else CustomerPermission
        return [kinds(word) for word in self.permissions.data or ()]


class PlaceRightsEditForm(PlaceRightsForm, EditForm):
    """The rights of somebody who is a member."""

    @property
    def fixed_choices(self) -> frozenset[str]:
        """The rights that the reader lacks himself."""
        return frozenset(choice.value for choice in self.permissions.choices if choice.value not in self.grantable)


class NewPlaceMemberForm(PlaceRightsForm):
    """The rights of a new member, who is named by e-mail address."""

    email = EmailField(
        _l("E-mail"), [InputRequired(_l("Fill this in.")), Length(max=254)], render_kw={"autocomplete": "off"}
    )
    name = StringField(_l("Name"), filters=[lambda given: given or ""], render_kw={"autocomplete": "off"})


class OwnerForm(Form):
    """Who is to be the owner: one of the members."""

    email = RadioField(_l("New owner"), validate_choice=False)


@dataclass(frozen=True)
class Inherited:
    """Somebody who has rights in an account by what he is at its customer."""

    name: str
    email: str
    permissions: tuple[AccountPermission, ...]
    owner: bool


@places.get("")
@signed_in
def index() -> ResponseReturnValue:
    """List the customers and accounts whose people somebody may manage."""
    somebody, at = actor.someone(), now()
    load_memberships(somebody)
    customers = session.scalars(visible_customers(somebody, at).order_by(Customer.sort_name).limit(MOST_PLACES))
    accounts = session.scalars(visible_accounts(somebody, at).order_by(Account.account_name).limit(MOST_PLACES))
    found, below = customers.unique().all(), accounts.all()
    return render_template(
        "manage/places/index.html",
        customers=found,
        accounts=below,
        making=where_accounts_are_made(found),
        deletable=deletable_accounts(somebody, below),
    )


def inherited_in(account: Account) -> list[Inherited]:
    """Who has rights in the account by what he is at its customer: the owner first, then members by name."""
    at, customer = now(), account.customer
    found = [Inherited(customer.owner.name, customer.owner.email, tuple(AccountPermission), owner=True)]
    for user, member in session.execute(people_of(customer)).unique():
        words = member.granted(at) if member is not None else frozenset()
        rights = tuple(one for one in AccountPermission if one.value in words)
        if rights:
            found.append(Inherited(user.name, user.email, rights, owner=False))
    return [found[0], *sorted(found[1:], key=lambda one: one.name.casefold())]


def address_of(place: Place, view: str = "show", **more: str) -> str:
    """The path of one of these pages for this customer or account."""
    noun = "accounts" if isinstance(place, Account) else "customers"
    return url_for(f"place_people.{view}", noun=noun, place_id=place.id, **more)  # type: ignore[arg-type]


@bp.get("")
@manages_people
def show(place: Place) -> ResponseReturnValue:
    """Show the owner and all members with their rights, and where these come from."""
    rows = sorted(session.execute(people_of(place)).unique(), key=lambda row: row[0].name.casefold())
    return _page(
        "people",
        place,
        members=[member for _user, member in rows if member is not None],
        permissions=AccountPermission if isinstance(place, Account) else CustomerPermission,
        inherited=inherited_in(place) if isinstance(place, Account) else [],
        transfers=may_transfer(actor.someone(), place),
        may_give_link=partial(may_give_link, place),
        at=now(),
    )


@bp.route("/new", methods=["GET", "POST"])
@manages_people
@refills
def add(place: Place) -> ResponseReturnValue:
    """Make somebody a member."""
    form, somebody = NewPlaceMemberForm(), actor.someone()
    form.offer(place)
    if not may_add_new_people(somebody):
        del form.name
    if form.validate_on_submit():
        with form.refusals():
            member = add_person(
                place=place,
                email=form.email.data,
                name=form.name.data if form.name else "",
                permissions=form.chosen(place),
                until=form.until.data,
                by=somebody,
            )
            if may_give_link(place, member.user) and not can_get_in(member.user):
                return password_link_page(member.user, customer_of(place), by=somebody, back=address_of(place))
            flash_messages.done(_("%(name)s is a member now.", name=member.user.name))
            return _back(place)
    return _page("form", place, form=form, member=None), 422 if form.refused else 200


def may_give_link(place: Place, user: User) -> bool:
    """Whether whoever looks may make the link by which this member sets a first password."""
    somebody = actor.someone()
    return may_add_new_people(somebody) and may_issue_link(somebody, user, customer_of(place))


def customer_of(place: Place) -> Customer:
    """The customer, or the account's."""
    return place.customer if isinstance(place, Account) else place


@bp.post("/<id:user_id>/password-link")
@manages_people
def issue_link(place: Place, user_id: str) -> ResponseReturnValue:
    """Make a new link by which a member sets the first password, and show it once. An older one ends."""
    user = find_membership(place, user_id).user
    lock(user)
    if not may_give_link(place, user):
        raise NotAllowed
    return password_link_page(user, customer_of(place), by=actor.someone(), back=address_of(place))


@bp.route("/<id:user_id>/edit", methods=["GET", "POST"])
@manages_people
@refills
def edit(place: Place, user_id: str) -> ResponseReturnValue:
    """Change what a member may do."""
    member = find_membership(place, user_id)
    lock_for_edit(member)
    form = PlaceRightsEditForm(data={"permissions": list(member.permissions), "until": member.until})
    form.offer(place)
    if form.validate_on_submit():
        with form.refusals():
            kept = [one for one in member.granted(now()) if one.value in form.fixed_choices]
            change_membership(
                member,
                permissions={*form.chosen(place), *kept},
                until=form.until.data,
                by=actor.someone(),
            )
            flash_messages.done(_("Saved."))
            return _back(place)
    return _page("form", place, form=form, member=member), 422 if form.refused else 200


@bp.post("/<id:user_id>/removal")
@manages_people
def remove(place: Place, user_id: str) -> ResponseReturnValue:
    """End a membership."""
    member = find_membership(place, user_id)
    name = member.user.name
    try:
        remove_membership(member, by=actor.someone())
    except NotAllowed as refused:
        session.rollback()
        flash_messages.failed(translated(refused.message))
    else:
        flash_messages.done(_("%(name)s is no longer a member.", name=name))
    return _back(place)


@bp.route("/owner", methods=["GET", "POST"])
@manages_people
@refills
def owner(place: Place) -> ResponseReturnValue:
    """Hand the place over to one of its members."""
    form = OwnerForm()
    members = {user.id: user for user, member in session.execute(people_of(place)).unique() if member is not None}
    form.email.choices = [SelectChoice(user.id, user.name) for user in members.values()]
    if form.validate_on_submit():
        with form.refusals():
            chosen = members.get(form.email.data or "")
            if chosen is None:
                raise Invalid(email=Message("Choose one of the members."))
            transfer_ownership(place, chosen, by=actor.someone())
            flash_messages.done(_("%(name)s is the owner now.", name=chosen.name))
            return redirect(url_for("places.index"), 303)
    return _page("owner", place, form=form, members=list(members.values())), 422 if form.refused else 200


def _page(template: str, place: Place, **more: Any) -> str:
    noun = "account" if isinstance(place, Account) else "customer"
    return render_template(f"manage/places/{template}.html", place=place, noun=noun, address=address_of, **more)


def _back(place: Place) -> ResponseReturnValue:
    return redirect(address_of(place), 303)
