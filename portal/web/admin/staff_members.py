"""The pages of one member of the staff: making one, roles, status, the link for a first password, deletion."""

from collections.abc import Callable

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import EmailField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.clock import now
from portal.db import lock
from portal.edge import actor
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.edge.staff_guard import staff
from portal.errors import Conflict, Message, NotAllowed
from portal.people.models import PlatformRole, User
from portal.people.password_links import IssuedPasswordLink, find_link_of, issue_password_link
from portal.people.role_holders import has_authority, make_staff_member, require_authority, set_roles
from portal.people.roles import all_roles, permissions_of
from portal.people.staff import StaffPermission
from portal.people.user_status import activate_user, deactivate_user, find_user
from portal.permissions.user_deletion import delete_user
from portal.public_url import public_url
from portal.web import flash_messages
from portal.web.edit_forms import EditForm, lock_for_edit
from portal.web.forms import Form, refills

bp = Blueprint("admin_staff_members", __name__, url_prefix="/admin/staff")


class RolesForm(Form):
    """A checkbox for each role. Those that hold more than the reader does are shown but cannot be changed."""

    roles = SelectMultipleField(_l("Roles"))

    def offer(self) -> None:
        """Fill the choices with all roles."""
        self.offered = {role.id: role for role in all_roles()}
        self.roles.choices = [SelectChoice(role.id, role.title) for role in self.offered.values()]
        mine = actor.someone().staff
        self.givable = {id for id, role in self.offered.items() if permissions_of(role) <= mine}

    @property
    def chosen(self) -> list[PlatformRole]:
        """The roles that are checked."""
        return [self.offered[id] for id in self.roles.data or ()]


class RolesEditForm(RolesForm, EditForm):
    """The roles of somebody who exists."""

    @property
    def fixed_choices(self) -> frozenset[str]:
        """The roles that the reader cannot give."""
        return frozenset(self.offered.keys() - self.givable)


class StaffMemberForm(RolesForm):
    """A new member of the staff."""

    email = EmailField(
        _l("E-mail"), [InputRequired(_l("Fill this in.")), Length(max=254)], render_kw={"autocomplete": "off"}
    )
    name = StringField(_l("Name"), [InputRequired(_l("Fill this in."))], render_kw={"autocomplete": "off"})


@bp.route("/new", methods=["GET", "POST"])
@staff(StaffPermission.USERS_CREATE)
@refills
def create() -> ResponseReturnValue:
    """Make somebody a member of the staff, then show the link for a first password if one was made."""
    form = StaffMemberForm()
    form.offer()
    if form.validate_on_submit():
        if not form.chosen:
            form.roles.errors = [_("Choose at least one: without a role nobody belongs to the staff.")]
            return _page("admin/staff/new.html", form=form)
        with form.refusals():
            member = make_staff_member(
                email=form.email.data, name=form.name.data, roles=form.chosen, by=actor.someone()
            )
            if member.link is not None:
                return _issued(member.user, member.link)
            flash_messages.done(_("%(name)s belongs to the staff now.", name=member.user.name))
            return _back(member.user)
    return _page("admin/staff/new.html", form=form)


@bp.get("/<id:person_id>")
@staff(StaffPermission.USERS_READ, person=find_user)
def show(person: User) -> ResponseReturnValue:
    """Show one person: roles, what they let him do, and whether he can sign in."""
    held = frozenset[StaffPermission]().union(*(permissions_of(role) for role in person.platform_roles))
    return render_template(
        "admin/staff/show.html",
        person=person,
        held=[one for one in StaffPermission if one in held],
        link=find_link_of(person),
        fixed=_why_fixed(person),
        at=now(),
    )


@bp.route("/<id:person_id>/roles", methods=["GET", "POST"])
@staff(StaffPermission.USERS_UPDATE, person=find_user)
@refills
def edit_roles(person: User) -> ResponseReturnValue:
    """Change which roles somebody holds."""
    lock_for_edit(person)
    form = RolesEditForm(data={"roles": [role.id for role in person.platform_roles]})
    form.offer()
    if form.validate_on_submit():
        with form.refusals():
            kept = [role for role in person.platform_roles if role.id in form.fixed_choices]
            set_roles(person, [*form.chosen, *kept], by=actor.someone())
            flash_messages.done(_("Saved."))
            return _back(person)
    return _page("admin/staff/roles.html", form=form, person=person)


@bp.post("/<id:person_id>/password-link")
@staff(StaffPermission.USERS_UPDATE, person=find_user)
def issue_link(person: User) -> ResponseReturnValue:
    """Make a new link by which somebody sets the first password, and show it once."""
    try:
        lock(person)
        for role in sorted(person.platform_roles, key=lambda one: one.uuid):
            lock(role)  # nobody gives it more permissions meanwhile
        require_authority(actor.someone(), person)
        return _issued(person, issue_password_link(person, by=actor.someone()))
    except (Conflict, NotAllowed) as refused:
        flash_messages.failed(translated(refused.message))
        return _back(person)


@bp.post("/<id:person_id>/deactivation")
@staff(StaffPermission.USERS_UPDATE, person=find_user)
def deactivate(person: User) -> ResponseReturnValue:
    """Switch somebody off, and sign him out everywhere."""
    return _done(
        person,
        lambda: deactivate_user(person, by=actor.someone()),
        _("%(name)s is signed out everywhere and cannot sign in any more.", name=person.name),
    )


@bp.post("/<id:person_id>/activation")
@staff(StaffPermission.USERS_UPDATE, person=find_user)
def activate(person: User) -> ResponseReturnValue:
    """Let somebody sign in again."""
    return _done(
        person,
        lambda: activate_user(person, by=actor.someone()),
        _("%(name)s can sign in again.", name=person.name),
    )


@bp.route("/<id:person_id>/deletion", methods=["GET", "POST"])
@staff(StaffPermission.USERS_DELETE, person=find_user)
def delete(person: User) -> ResponseReturnValue:
    """Ask for confirmation, then delete somebody for good."""
    if request.method != "POST":
        return render_template("admin/staff/delete.html", person=person, fixed=_why_fixed(person))
    name = person.name
    try:
        delete_user(person, by=actor.someone())
    except (Conflict, NotAllowed) as refused:
        flash_messages.failed(translated(refused.message))
        return _back(person)
    flash_messages.done(_("%(name)s was deleted.", name=name))
    return redirect(url_for("admin_staff.index"), 303)


def _done(person: User, operation: Callable[[], None], message: str) -> ResponseReturnValue:
    try:
        operation()
    except (Conflict, NotAllowed) as refused:
        flash_messages.failed(translated(refused.message))
    else:
        flash_messages.done(message)
    return _back(person)


def _issued(person: User, link: IssuedPasswordLink) -> ResponseReturnValue:
    page = render_template("admin/staff/password_link.html", person=person, link=link, address=public_url(link.path))
    return page, 201


def _back(person: User) -> ResponseReturnValue:
    return redirect(url_for("admin_staff_members.show", person_id=person.id), 303)


def _page(template: str, *, form: RolesForm, person: User | None = None) -> ResponseReturnValue:
    fixed = _why_fixed(person) if person is not None else None
    return render_template(template, form=form, person=person, fixed=fixed), 422 if form.refused else 200


def _why_fixed(person: User) -> Message | None:
    """Why the reader can change nothing of this person; None if he may."""
    somebody = actor.someone()
    if person.uuid == somebody.uuid:
        return Message("This is you. Another administrator changes your roles and your status.")
    if not has_authority(somebody, person):
        return Message("%(name)s may do more here than you, so only others can change something.", name=person.name)
    return None
