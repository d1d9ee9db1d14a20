"""Sharing a room in one press: the link of a role, made if there is none, and an invitation with all that it needs."""

from dataclasses import dataclass

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.admission.models import AccessCode, RoomToken
from portal.admission.queries import codes_of
from portal.admission.sharing import code_to_share, default_role, share_link, shareable_links
from portal.clock import now
from portal.edge import actor
from portal.edge.errors import status_of
from portal.edge.guard import requires
from portal.edge.i18n import gettext as _
from portal.edge.i18n import in_zone, translated
from portal.errors import Conflict, NotAllowed
from portal.permissions.permission import Permission
from portal.permissions.rules import can, grantable_roles
from portal.resources.urls import token_url
from portal.rooms.models import Role, Room
from portal.web import htmx

bp = Blueprint("sharing", __name__, url_prefix="/manage/rooms/<id:room_id>/share")


@dataclass(frozen=True)
class SharedLink:
    """A link as people hand it out."""

    role: Role
    label: str
    address: str
    asks_for_code: bool
    code: str
    """An access code that is valid; "" if it asks for none, if all have expired, or if the reader may see none."""
    invitation: str
    """Room, host, address, code and times, as one text."""

    @property
    def brief(self) -> str:
        """The address, and below it the code: what somebody needs who knows what it is about."""
        return f"{self.address}\n{_code_line(self.code)}" if self.code else self.address


def shared_link(room: Room, link: RoomToken, codes: list[AccessCode]) -> SharedLink:
    """The link as this reader hands it out. `codes` are all codes of the room, whether or not he may see them."""
    at = now()
    address = token_url(room, link)
    asks_for_code = any(code.role is link.role for code in codes)
    visible = codes if can(actor.current(), Permission.CODES_VIEW, room) else []
    code = code_to_share(visible, link.role, at)
    ends_at = min(filter(None, (link.ends_at, code.expires_at if code else None)), default=None)
    lines = [_("%(host)s invites you to “%(room)s”", host=room.owner.name, room=room.room_name)]
    if link.person:
        lines.append(_("This link is for %(name)s.", name=link.person))
    lines += ["", address]
    if code is not None:
        lines.append(_code_line(code.code))
    elif asks_for_code:
        lines.append(_("It asks for an access code, which you get separately."))
    if link.not_before is not None and link.not_before > at:
        lines.append(_("Opens: %(time)s", time=in_zone(link.not_before)))
    if ends_at is not None:
        lines.append(_("Works until: %(time)s", time=in_zone(ends_at)))
    return SharedLink(link.role, link.label, address, asks_for_code, code.code if code else "", "\n".join(lines))


def _code_line(code: str) -> str:
    return f"{_('Access code:')} {code}"  # as it is, whatever its direction: people paste it


@bp.get("")
@requires(Permission.TOKENS_VIEW)
def show(room: Room) -> ResponseReturnValue:
    """Show the link of a role as an invitation to copy, if there is one."""
    role = _role(room, request.args.get("role"))
    link = shareable_links(room).get(role) if role in grantable_roles(actor.current(), room) else None
    return _card(room, role, link, page=True)


@bp.post("")
@requires(Permission.TOKENS_VIEW)
def share(room: Room) -> ResponseReturnValue:
    """Find or make the link of a role, and show it as an invitation to copy: in place, or on a page of its own."""
    role = _role(room, request.form.get("role"))
    try:
        link = share_link(room, role, by=actor.someone())
    except (Conflict, NotAllowed) as refused:
        return _card(room, role, None, page=not htmx.asks(), problem=translated(refused.message)), status_of(refused)
    if htmx.asks():
        return _card(room, role, link, page=False)
    return redirect(url_for("sharing.show", room_id=room.id, role=role), 303)


def _role(room: Room, word: str | None) -> Role:
    return Role(word) if word in set(Role) else default_role(room)


def _card(room: Room, role: Role, link: RoomToken | None, *, page: bool, problem: str = "") -> str:
    return render_template(
        "manage/sharing/show.html" if page else "manage/sharing/_card.html",
        room=room,
        tab="share",
        role=role,
        shared=shared_link(room, link, codes_of(room)) if link is not None else None,
        problem=problem,
        in_place=not page,
    )
