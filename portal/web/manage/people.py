"""The pages of a room's people: its owner and members, with what they may do; adding, changing, removing them."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import EmailField, SelectMultipleField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.clock import now
from portal.edge import actor
from portal.edge.guard import requires
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.errors import Conflict
from portal.permissions.members import RoomMember
from portal.permissions.operations import (
    add_member,
    change_member,
    find_member,
    may_remove,
    members_of,
    remove_member,
    restore_member,
)
from portal.permissions.permission import Permission
from portal.permissions.rules import can
from portal.rooms.models import Room
from portal.web import flash_messages
from portal.web.edit_forms import EditForm, lock_for_edit
from portal.web.forms import Form, UTCDateTimeField, refills

bp = Blueprint("people", __name__, url_prefix="/manage/rooms/<id:room_id>/people")


class RightsForm(Form):
    """A checkbox for each permission. Those that the reader lacks himself are shown but cannot be changed."""

    permissions = SelectMultipleField(_l("May"), coerce=Permission)
    until = UTCDateTimeField(_l("Until"), ahead=True)

    def offer(self, room: Room) -> None:
        """Fill the choices from the enum, without what every member has and what has no effect yet."""
        offered = [p for p in Permission if p is not Permission.ROOM_VIEW]
        self.permissions.choices = [SelectChoice(p, translated(p.label)) for p in offered]
        self.grantable = {p for p in offered if can(actor.current(), p, room)}


class RightsEditForm(RightsForm, EditForm):
    """The rights of somebody who is a member."""

    @property
    def fixed_choices(self) -> frozenset[Permission]:
        """The rights that the reader lacks himself."""
        return frozenset(choice.value for choice in self.permissions.choices if choice.value not in self.grantable)


class AddForm(RightsForm):
    """The rights of a new member, who is an existing user named by e-mail address."""

    email = EmailField(
        _l("E-mail"), [InputRequired(_l("Fill this in.")), Length(max=254)], render_kw={"autocomplete": "off"}
    )


@bp.get("")
@requires(Permission.MEMBERS_VIEW)
def index(room: Room) -> ResponseReturnValue:
    """Show the owner and all members with their rights."""
    members, somebody = members_of(room), actor.someone()
    removable = {member.uuid for member in members if may_remove(somebody, room, member)}
    return render_template(
        "manage/people/index.html", room=room, tab="people", members=members, removable=removable, at=now()
    )


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.MEMBERS_MANAGE)
@refills
def add(room: Room) -> ResponseReturnValue:
    """Make a user a member of the room."""
    form = AddForm()
    form.offer(room)
    if form.validate_on_submit():
        with form.refusals():
            member = add_member(
                room=room,
                email=form.email.data,
                permissions=form.permissions.data,
                until=form.until.data,
                by=actor.someone(),
            )
            flash_messages.done(_("%(name)s is a member of this room now.", name=member.user.name))
            return _back(room)
    return _form(room, form, None)


@bp.route("/<id:member_id>/edit", methods=["GET", "POST"])
@requires(Permission.MEMBERS_MANAGE)
@refills
def edit(room: Room, member_id: str) -> ResponseReturnValue:
    """Change what a member may do."""
    member = find_member(room, member_id)
    lock_for_edit(member)
    present = [Permission(value) for value in member.permissions if value in set(Permission)]
    form = RightsEditForm(data={"permissions": present, "until": member.until})
    form.offer(room)
    if form.validate_on_submit():
        with form.refusals():
            untouchable = {p for p in present if p not in form.grantable}
            wanted = {*form.permissions.data, *untouchable}
            change_member(member, room=room, permissions=wanted, until=form.until.data, by=actor.someone())
            flash_messages.done(_("Saved."))
            return _back(room)
    return _form(room, form, member)


@bp.post("/<id:member_id>/removal")
@requires(Permission.MEMBERS_MANAGE)
def remove(room: Room, member_id: str) -> ResponseReturnValue:
    """End a membership. The next page offers to undo it."""
    member = find_member(room, member_id)
    name = member.user.name
    undo_token = remove_member(member, room=room, by=actor.someone())
    flash_messages.undoable(
        _("%(name)s is no longer a member of this room.", name=name),
        undo=url_for("people.restore", room_id=room.id, kept=undo_token),
    )
    return _back(room)


@bp.post("/restoration")
@requires(Permission.MEMBERS_MANAGE)
def restore(room: Room) -> ResponseReturnValue:
    """Restore a removed member, by the undo token in the address."""
    try:
        member = restore_member(room=room, kept=request.args.get("kept", ""), by=actor.someone())
    except Conflict as conflict:
        flash_messages.failed(translated(conflict.message))
        return _back(room)
    flash_messages.done(_("%(name)s is a member of this room again.", name=member.user.name))
    return _back(room)


def _back(room: Room) -> ResponseReturnValue:
    return redirect(url_for("people.index", room_id=room.id), 303)


def _form(room: Room, form: RightsForm, member: RoomMember | None) -> ResponseReturnValue:
    page = render_template("manage/people/form.html", room=room, tab="people", form=form, member=member)
    return page, 422 if form.refused else 200
