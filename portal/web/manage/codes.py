"""The pages of a room's access codes: list, create, change, delete and restore."""

from collections.abc import Callable

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import StringField

from portal.admission.codes import change_code, create_code, delete_code, lock_code, restore_code
from portal.admission.models import AccessCode
from portal.admission.queries import codes_of, find_own_code, roles_locked_out
from portal.clock import now
from portal.edge import actor
from portal.edge.guard import requires
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.errors import Conflict, NotAllowed, NotFound
from portal.permissions.permission import Permission
from portal.permissions.rules import grantable_roles
from portal.rooms.models import Role, Room
from portal.web import flash_messages
from portal.web.edit_forms import EditForm, lock_for_edit
from portal.web.forms import Form, RoleField, UTCDateTimeField, refills, stripped

bp = Blueprint("codes", __name__, url_prefix="/manage/rooms/<id:room_id>/codes")


class CodeForm(Form):
    """A code for links of one role. An empty code means that one is generated."""

    role = RoleField(_l("Role"), default=Role.ATTENDEE)
    code = StringField(_l("Code"), render_kw={"autocomplete": "off", "spellcheck": "false"})
    label = StringField(_l("Label"))
    expires_at = UTCDateTimeField(_l("Expires"), ahead=True)


class CodeEditForm(CodeForm, EditForm):
    """The fields of a code that exists."""


@bp.get("")
@requires(Permission.CODES_VIEW)
def index(room: Room) -> ResponseReturnValue:
    """Show all codes, and which links need them."""
    codes, at = codes_of(room), now()
    return render_template(
        "manage/codes/index.html",
        room=room,
        tab="codes",
        codes=codes,
        at=at,
        locked_out=roles_locked_out(codes, at),
        grantable=grantable_roles(actor.current(), room),
    )


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.CODES_MANAGE)
@refills
def create(room: Room) -> ResponseReturnValue:
    """Create a code."""
    form = CodeForm()
    form.role.offer(room)
    if form.validate_on_submit():
        with form.refusals():
            code = create_code(
                room=room,
                by=actor.someone(),
                role=form.role.data,
                code=stripped(form.code.data),
                label=stripped(form.label.data),
                expires_at=form.expires_at.data,
            )
            flash_messages.done(_("From now on links of this role ask for a code: %(code)s", code=code.code))
            return _back(room)
    return _form(room, form, None)


@bp.route("/<id:code_id>/edit", methods=["GET", "POST"])
@requires(Permission.CODES_MANAGE)
@refills
def edit(room: Room, code_id: str) -> ResponseReturnValue:
    """Change or renew a code."""
    code = _own(room, code_id)
    lock_for_edit(code, lock_code)
    if code.role not in grantable_roles(actor.current(), room):
        raise NotAllowed
    form = CodeEditForm(obj=code)
    form.role.offer(room)
    if form.validate_on_submit():
        with form.refusals():
            change_code(
                code,
                room=room,
                by=actor.someone(),
                role=form.role.data,
                code=stripped(form.code.data) or code.code,
                label=stripped(form.label.data),
                expires_at=form.expires_at.data,
            )
            flash_messages.done(_("Saved."))
            return _back(room)
    return _form(room, form, code)


@bp.post("/<id:code_id>/deletion")
@requires(Permission.CODES_MANAGE)
def delete(room: Room, code_id: str) -> ResponseReturnValue:
    """Delete a code. The next page says what that opens, and offers to undo it."""
    code = _own(room, code_id)
    undo_token = delete_code(code, room=room, by=actor.someone())
    message = _("The code was deleted.")
    if not codes_of(room, code.role):
        message += " " + _LAST_CODE_DELETED[code.role]()
    flash_messages.undoable(message, undo=url_for("codes.restore", room_id=room.id, kept=undo_token))
    return _back(room)


@bp.post("/restoration")
@requires(Permission.CODES_MANAGE)
def restore(room: Room) -> ResponseReturnValue:
    """Restore a deleted code, by the undo token in the address."""
    try:
        code = restore_code(room=room, kept=request.args.get("kept", ""), by=actor.someone())
    except Conflict as conflict:
        flash_messages.failed(translated(conflict.message))
        return _back(room)
    flash_messages.done(_("The code %(code)s is back.", code=code.code))
    return _back(room)


_LAST_CODE_DELETED: dict[Role, Callable[[], str]] = {
    Role.MODERATOR: lambda: _("It was the last for moderators: their links need none any more."),
    Role.ATTENDEE: lambda: _("It was the last for attendees: their links need none any more."),
    Role.GUEST: lambda: _("It was the last for guests: their links need none any more."),
}


def _own(room: Room, code_id: str) -> AccessCode:
    code = find_own_code(room, code_id)
    if code is None:
        raise NotFound
    return code


def _back(room: Room) -> ResponseReturnValue:
    return redirect(url_for("codes.index", room_id=room.id), 303)


def _form(room: Room, form: CodeForm, code: AccessCode | None) -> ResponseReturnValue:
    page = render_template("manage/codes/form.html", room=room, tab="codes", form=form, code=code)
    return page, 422 if form.refused else 200
