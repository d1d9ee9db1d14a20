"""The pages of platform roles: their list, and one role with the grid of its permissions."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from portal.edge import actor
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.edge.staff_guard import staff, staff_can
from portal.errors import Conflict, Message, NotAllowed
from portal.keyset import Key
from portal.people.models import ROLE_TITLE, PlatformRole, user_platform_roles
from portal.people.roles import change_role, create_role, delete_role, find_role, holders_of, permissions_of
from portal.people.staff import NOUN_LABELS, VERB_LABELS, VERBS, StaffPermission
from portal.plain_values import columns_for
from portal.resources.columns import words_begin
from portal.web import flash_messages
from portal.web.admin.list_page import csv_answer, list_answer
from portal.web.admin.lists import AdminList, FilterChoice, ListColumn, ListFilter
from portal.web.edit_forms import EditForm, lock_for_edit
from portal.web.forms import Form, refills, stripped

bp = Blueprint("admin_roles", __name__, url_prefix="/admin/roles")

MOST_HOLDERS = 20
GRID = [
    (NOUN_LABELS[noun], [StaffPermission(f"staff:{noun}:{verb}") for verb in VERBS])
    for noun in NOUN_LABELS
    if f"staff:{noun}:create" in set(StaffPermission)
]
"""The rows of the grid: the label of a noun, and its permissions in the order of `VERBS`."""
SINGLE = [StaffPermission.DASHBOARD_ACCESS, StaffPermission.AUDIT_READ]
"""The permissions that are no part of the grid."""


@dataclass(frozen=True)
class RoleRow:
    """A role, as the list shows it."""

    id: str
    name: str
    title: str
    description: str
    builtin: bool
    holders: int
    created_at: datetime


_HELD = user_platform_roles.c
_HOLDERS = (
    sa.select(sa.func.count()).where(_HELD.platform_role_uuid == PlatformRole.uuid).correlate(PlatformRole)
).scalar_subquery()


def _permission_choices() -> list[FilterChoice]:
    return [FilterChoice(one.value, translated(one.label), lambda one=one: _holds(one)) for one in StaffPermission]  # type: ignore[misc]


def _holds(permission: StaffPermission) -> sa.ColumnElement[bool]:
    """The condition that a role holds the permission. There are few roles, so their lists are searched as text."""
    listed = sa.cast(PlatformRole.permissions, sa.Text).contains(f'"{permission.value}"', autoescape=True)
    return sa.or_(PlatformRole.builtin, listed)


ROLES = AdminList(
    name="roles",
    rows=sa.select(*columns_for(RoleRow, PlatformRole, title=ROLE_TITLE, holders=_HOLDERS)),
    row=RoleRow,
    uuid=PlatformRole.uuid,
    columns=(
        ListColumn("role", Message("Role"), lambda row: row.title, Key(sa.func.lower(ROLE_TITLE))),
        ListColumn("name", Message("Name for programs"), lambda row: row.name, Key(PlatformRole.name)),
        ListColumn("description", Message("Description"), lambda row: row.description, wide=True),
        ListColumn("holders", Message("People"), lambda row: row.holders, kind="number"),
        ListColumn("since", Message("Made"), lambda row: row.created_at, Key(PlatformRole.created_at), kind="moment"),
    ),
    search=lambda text: sa.or_(words_begin(PlatformRole.name, text), words_begin(ROLE_TITLE, text)),
    filters=(ListFilter("may", Message("May"), Message("Whatever it may"), _permission_choices),),
)


class RoleForm(Form):
    """What a role is called, and a checkbox for each permission."""

    display_name = StringField(_l("Title"), [InputRequired(_l("Fill this in."))], render_kw={"autocomplete": "off"})
    description = StringField(_l("Description"), render_kw={"autocomplete": "off"})
    permissions = SelectMultipleField(_l("May"), coerce=StaffPermission)

    def offer(self) -> None:
        """Fill the choices with all permissions; those that the reader lacks cannot be changed."""
        self.permissions.choices = [SelectChoice(one, translated(one.label)) for one in StaffPermission]
        self.givable = frozenset(actor.someone().staff) - {StaffPermission.DASHBOARD_ACCESS}


class NewRoleForm(RoleForm):
    """The fields of a new role."""

    name = StringField(
        _l("Name for programs"), [InputRequired(_l("Fill this in."))], render_kw={"autocomplete": "off", "dir": "ltr"}
    )


class RoleEditForm(RoleForm, EditForm):
    """The fields of a role that exists."""

    @property
    def fixed_choices(self) -> frozenset[StaffPermission]:
        """The permissions that the reader lacks, and the one that every role holds."""
        return frozenset(StaffPermission) - self.givable


@bp.get("")
@staff(StaffPermission.ROLES_READ)
def index() -> ResponseReturnValue:
    """Show all roles."""
    return list_answer(ROLES, "admin/roles/index.html", "admin/roles/_list.html")


@bp.get("/export.csv")
@staff(StaffPermission.ROLES_READ)
def download() -> ResponseReturnValue:
    """Download them as a CSV file."""
    return csv_answer(ROLES)


@bp.route("/new", methods=["GET", "POST"])
@staff(StaffPermission.ROLES_CREATE)
@refills
def create() -> ResponseReturnValue:
    """Make a role."""
    form = NewRoleForm()
    form.offer()
    if form.validate_on_submit():
        with form.refusals():
            role = create_role(
                name=form.name.data,
                display_name=form.display_name.data,
                description=stripped(form.description.data),
                permissions=form.permissions.data,
                by=actor.someone(),
            )
            flash_messages.done(_("The role is ready. Give it to people on their pages."))
            return redirect(url_for("admin_roles.show", role_id=role.id), 303)
    return _page(form, None)


@bp.get("/<id:role_id>")
@staff(StaffPermission.ROLES_READ, role=find_role)
def show(role: PlatformRole) -> ResponseReturnValue:
    """Show a role with its permissions, in a form for those who may change it."""
    return _page(_edit_form(role), role)


@bp.post("/<id:role_id>")
@staff(StaffPermission.ROLES_UPDATE, role=find_role)
@refills
def change(role: PlatformRole) -> ResponseReturnValue:
    """Change what a role is called and what it holds."""
    lock_for_edit(role)
    form = _edit_form(role)
    if form.validate_on_submit():
        with form.refusals():
            kept = permissions_of(role) & form.fixed_choices
            change_role(
                role,
                display_name=form.display_name.data,
                description=stripped(form.description.data),
                permissions=[*form.permissions.data, *kept],
                by=actor.someone(),
            )
            flash_messages.done(_("Saved."))
            return redirect(url_for("admin_roles.show", role_id=role.id), 303)
    return _page(form, role)


@bp.route("/<id:role_id>/deletion", methods=["GET", "POST"])
@staff(StaffPermission.ROLES_DELETE, role=find_role)
def delete(role: PlatformRole) -> ResponseReturnValue:
    """Ask for confirmation, then delete the role."""
    if request.method != "POST":
        return render_template("admin/roles/delete.html", role=role, holders=holders_of(role, limit=1))
    try:
        delete_role(role, by=actor.someone())
    except (Conflict, NotAllowed) as refused:
        flash_messages.failed(translated(refused.message))
        return redirect(url_for("admin_roles.show", role_id=role.id), 303)
    flash_messages.done(_("The role was deleted."))
    return redirect(url_for("admin_roles.index"), 303)


def _edit_form(role: PlatformRole) -> RoleEditForm:
    held = [one for one in StaffPermission if one in permissions_of(role)]
    data = {"display_name": role.title, "description": role.description, "permissions": held}
    form = RoleEditForm(data=data)
    form.offer()
    if role.builtin or not staff_can(StaffPermission.ROLES_UPDATE):
        form.givable = frozenset()
    return form


def _page(form: RoleForm, role: PlatformRole | None) -> ResponseReturnValue:
    page = render_template(
        "admin/roles/form.html",
        form=form,
        role=role,
        grid=GRID,
        single=SINGLE,
        verbs=[VERB_LABELS[verb] for verb in VERBS],
        dashboard=StaffPermission.DASHBOARD_ACCESS,
        holders=holders_of(role, limit=MOST_HOLDERS + 1) if role is not None else [],
        most=MOST_HOLDERS,
    )
    return page, 422 if form.refused else 200
