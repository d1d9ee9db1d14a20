"""The pages of a room's links: the list, creating, changing, rotating, pausing and revoking, and testing one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import IntegerField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from portal.admission import tokens
from portal.admission.decision import Decision
from portal.admission.entering import preview
from portal.admission.issuing import issue_token
from portal.admission.models import RoomToken
from portal.admission.queries import automatic_count, codes_of, find_own_token, tokens_of
from portal.admission.visitor import Visitor
from portal.clock import now
from portal.db import session
from portal.edge import actor
from portal.edge.guard import requires
from portal.edge.i18n import gettext as _
from portal.edge.i18n import ngettext, when
from portal.edge.reading_guard import reads
from portal.errors import NotAllowed, NotFound
from portal.permissions.permission import Permission
from portal.permissions.rules import grantable_roles, knows_the_plan
from portal.rooms.models import Role, Room
from portal.rooms.room_read import RoomRead
from portal.status.models import Participation
from portal.web import flash_messages
from portal.web.edit_forms import EditForm, lock_for_edit
from portal.web.forms import Form, RoleField, UTCDateTimeField, refills, stripped
from portal.web.manage.sharing import shared_link

bp = Blueprint("links", __name__, url_prefix="/manage/rooms/<id:room_id>/links")


class LinkForm(Form):
    """A link: its role, and optionally a label, a person, a period and a number of uses."""

    role = RoleField(_l("Role"), default=Role.ATTENDEE)
    label = StringField(_l("Label"))
    expires_at = UTCDateTimeField(_l("Expires"), ahead=True)
    not_before = UTCDateTimeField(_l("Works from"))
    person = StringField(_l("For one person (fixed name)"))
    max_uses = IntegerField(_l("At most this many uses"), [Optional()])

    def values(self) -> dict[str, Any]:
        """The fields as arguments of `issue_token` and `change_token`."""
        return {
            "role": self.role.data,
            "label": stripped(self.label.data),
            "person": stripped(self.person.data),
            "not_before": self.not_before.data,
            "expires_at": self.expires_at.data,
            "max_uses": self.max_uses.data,
        }


class LinkEditForm(LinkForm, EditForm):
    """The fields of a link that exists."""


class RotationForm(Form):
    """How long the old link goes on working."""

    grace = SelectField(
        _l("The old link works"),
        choices=[
            SelectChoice("0", _l("no longer: it ends at once")),
            SelectChoice("3600", _l("for 1 hour")),
            SelectChoice("86400", _l("for 1 day")),
            SelectChoice("604800", _l("for 7 days")),
        ],
        coerce=int,
        default=86_400,
    )


@dataclass(frozen=True)
class LinkState:
    """The state in a link's row: `kind` is a CSS class, `words` the text."""

    kind: str
    words: str


def state_of(token: RoomToken, codeless: set[Role]) -> LinkState:
    """Whether a link works now, and if not, why. `codeless`: the roles whose access codes have all expired."""
    at = now()
    if token.revoked_at is not None:
        return LinkState("off", _("Revoked"))
    if token.replaced:
        return LinkState("off" if token.expired(at) or token.paused_at is not None else "wait", _("Replaced"))
    if token.expired(at):
        return LinkState("off", _("Expired"))
    if token.paused_at is not None:
        return LinkState("off", _("Paused"))
    if token.max_uses is not None and token.use_count >= token.max_uses:
        return LinkState("off", _("Used up"))
    if token.not_before is not None and token.not_before > at:
        return LinkState("wait", _("Opens later"))
    if token.role in codeless:
        return LinkState("bad", _("Needs a valid code"))
    return LinkState("ok", _("Works"))


@bp.get("")
@requires(Permission.TOKENS_VIEW)
def index(room: Room) -> ResponseReturnValue:
    """Show the room's links."""
    return _link_list(room)


@bp.get("/new")
@requires(Permission.TOKENS_MANAGE)
def new(room: Room) -> ResponseReturnValue:
    """Show the form for a new link."""
    form = LinkForm()
    form.role.offer(room)
    if request.args.get("role") in set(Role):
        form.role.data = Role(request.args["role"])
    return _form(room, form, None)


@bp.post("/new")
@reads(Permission.TOKENS_MANAGE)
@refills
def create(room: RoomRead) -> ResponseReturnValue:
    """Create a link, then show it in the list."""
    form = LinkForm()
    form.role.offer(room)
    if form.validate_on_submit():
        with form.refusals():
            token = issue_token(room=room, by=actor.someone(), **form.values())
            flash_messages.done(_("The link is ready: copy it and send it."))
            return redirect(url_for("links.index", room_id=room.id, made=token.id), 303)
    return _form(session.get_one(Room, room.uuid), form, None)


@bp.route("/<id:token_id>/edit", methods=["GET", "POST"])
@requires(Permission.TOKENS_MANAGE)
@refills
def edit(room: Room, token_id: str) -> ResponseReturnValue:
    """Change a link. Its address stays."""
    token = _own(room, token_id)
    lock_for_edit(token, tokens.lock_token)
    if token.role not in grantable_roles(actor.current(), room):
        raise NotAllowed
    form = LinkEditForm(obj=token)
    form.role.offer(room)
    if form.validate_on_submit():
        with form.refusals():
            tokens.change_token(token, room=room, by=actor.someone(), **form.values())
            flash_messages.done(_("Saved."))
            return redirect(url_for("links.index", room_id=room.id, _anchor=f"link-{token.id}"), 303)
    return _form(room, form, token)


@bp.route("/<id:token_id>/rotation", methods=["GET", "POST"])
@requires(Permission.TOKENS_MANAGE)
@refills
def rotate(room: Room, token_id: str) -> ResponseReturnValue:
    """Replace a link by a new one; the old one works for as long as was chosen."""
    token = _own(room, token_id)
    form = RotationForm()
    if form.validate_on_submit():
        with form.refusals():
            fresh = tokens.rotate_token(token, room=room, by=actor.someone(), grace=timedelta(seconds=form.grace.data))
            message = _("The new link is ready: copy it and send it.")
            if form.grace.data:
                message += " " + _(
                    "The old one shows it to whoever opens it, until %(time)s.", time=when(token.ends_at)
                )
            flash_messages.done(message)
            return redirect(url_for("links.index", room_id=room.id, made=fresh.id), 303)
    page = render_template("manage/links/rotate.html", room=room, tab="links", token=token, form=form)
    return page, 422 if form.refused else 200


@bp.get("/<id:token_id>/test")
@requires(Permission.TOKENS_VIEW)
def test(room: Room, token_id: str) -> ResponseReturnValue:
    """Show the decision about entering by this link, check by check. No use is counted."""
    token = _own(room, token_id)
    return _link_list(room, tested=token, decision=preview(room, Visitor(token=token)))


@bp.route("/<id:token_id>/revocation", methods=["GET", "POST"])
@requires(Permission.TOKENS_MANAGE)
def revoke(room: Room, token_id: str) -> ResponseReturnValue:
    """Revoke a link. If people are in by it, ask first whether to remove them."""
    token = _own(room, token_id)
    inside = tokens.people_inside(token)
    if request.method != "POST" or (inside and "people" not in request.form):
        return _closing(room, token, "manage/links/revoke.html", inside)
    removed = tokens.revoke_token(token, by=actor.someone(), remove_people=_removal_wished())
    undo = url_for("links.reinstate", room_id=room.id, token_id=token.id)
    flash_messages.undoable(_("The link was revoked.") + _removed_message(removed), undo=undo)
    return _back(room)


@bp.post("/<id:token_id>/reinstatement")
@requires(Permission.TOKENS_MANAGE)
def reinstate(room: Room, token_id: str) -> ResponseReturnValue:
    """Undo the revocation of a link."""
    return _act(room, token_id, tokens.reinstate_token, _("The link works again."))


@bp.route("/<id:token_id>/pause", methods=["GET", "POST"])
@requires(Permission.TOKENS_MANAGE)
def pause(room: Room, token_id: str) -> ResponseReturnValue:
    """Pause a link: nobody enters by it for now. If people are in by it, ask first whether to remove them."""
    token = _own(room, token_id)
    inside = tokens.people_inside(token)
    if request.method != "POST" or (inside and "people" not in request.form):
        return _closing(room, token, "manage/links/pause.html", inside)
    removed = tokens.pause_token(token, by=actor.someone(), remove_people=_removal_wished())
    undo = url_for("links.resume", room_id=room.id, token_id=token.id)
    flash_messages.undoable(_("The link is paused.") + _removed_message(removed), undo=undo)
    return _back(room)


@bp.post("/<id:token_id>/resumption")
@requires(Permission.TOKENS_MANAGE)
def resume(room: Room, token_id: str) -> ResponseReturnValue:
    """Resume a paused link."""
    return _act(room, token_id, tokens.resume_token, _("The link works again."))


def _closing(room: Room, token: RoomToken, template: str, inside: list[Participation]) -> str:
    """The question before revoking or pausing a link: who is in by it, and which older links end with it."""
    at = now()
    earlier = sum(one.works(at) for one in tokens.tokens_ending_with(token, at))
    return render_template(template, room=room, tab="links", token=token, inside=inside, earlier=earlier)


def _removal_wished() -> bool:
    return request.form.get("people") == "remove"


def _removed_message(removed: int) -> str:
    message = ngettext("%(num)d person was removed.", "%(num)d people were removed.", removed)
    return f" {message}" if removed else ""


def _act(room: Room, token_id: str, operation: Callable[..., None], message: str) -> ResponseReturnValue:
    operation(_own(room, token_id), room=room, by=actor.someone())
    flash_messages.done(message)
    return _back(room)


def _own(room: Room, token_id: str) -> RoomToken:
    token = find_own_token(room, token_id)
    if token is None:
        raise NotFound
    return token


def _back(room: Room) -> ResponseReturnValue:
    return redirect(url_for("links.index", room_id=room.id), 303)


def _link_list(room: Room, tested: RoomToken | None = None, decision: Decision | None = None) -> str:
    at = now()
    codes = codes_of(room)
    having = {code.role for code in codes}
    valid = {code.role for code in codes if not code.expired(at)}
    codeless = having - valid
    automatic = request.args.get("automatic") == "1"
    links = tokens_of(room) + (tokens_of(room, automatic=True) if automatic else [])
    somebody = actor.someone()
    grantable = grantable_roles(somebody, room)
    return render_template(
        "manage/links/index.html",
        room=room,
        tab="links",
        links=links,
        states={link.uuid: state_of(link, codeless) for link in links},
        shared={link.uuid: shared_link(room, link, codes) for link in links if link.role in grantable},
        undoable={link.uuid for link in links if tokens.may_reinstate(link, at)},
        coded=having,
        made=next((link for link in links if link.id == request.args.get("made")), None),
        tested=tested,
        decision=decision,
        checks=(decision.checks if knows_the_plan(somebody, room) else decision.without_the_plan()) if decision else (),
        automatic=automatic,
        automatic_count=automatic_count(room),
        at=at,
    )


def _form(room: Room, form: LinkForm, token: RoomToken | None) -> ResponseReturnValue:
    page = render_template("manage/links/form.html", room=room, tab="links", form=form, token=token)
    return page, 422 if form.refused else 200
