"""The pages of rooms for those who manage them: list, create, overview, delete, restore."""

from collections.abc import Sequence
from functools import partial

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired

from portal.accounts.permission import AccountPermission
from portal.accounts.queries import usable_accounts
from portal.accounts.room_account import RoomAccount
from portal.admission.models import AccessCode
from portal.admission.queries import codes_of, roles_locked_out
from portal.admission.sharing import default_role, shareable_links
from portal.clock import now
from portal.customers.creating import why_nothing_new
from portal.edge import actor, cursors
from portal.edge.account_guard import requires_in_account
from portal.edge.guard import requires, signed_in
from portal.edge.i18n import gettext as _
from portal.edge.i18n import isolated, translated
from portal.edge.refusals import recording_refusals
from portal.errors import Conflict
from portal.media.capacity import why_not_recorded
from portal.people.actor import Actor
from portal.people.staff import StaffPermission
from portal.permissions.permission import Permission
from portal.permissions.room_creation import create_room_for_maker
from portal.permissions.rules import acting_on, can, grantable_roles
from portal.rooms.features import features_of
from portal.rooms.images import shown_image
from portal.rooms.models import Role, Room
from portal.rooms.purging import TRASH_DAYS
from portal.rooms.settings import FEATURED_IMAGE
from portal.rooms.usability import why_unusable
from portal.status.room_lifecycle import delete_room, restore_room
from portal.subscriptions.services import adapter_of
from portal.web import flash_messages
from portal.web.forms import Form, query_word, refills
from portal.web.fragment_cache import (
    Fragment,
    cached_fragment_for_session,
    cached_fragments_for_session,
    session_proof,
)
from portal.web.manage.acts_of_staff import acts_of_staff
from portal.web.manage.room_filter import RoomFilter
from portal.web.manage.room_list import page_of_rooms
from portal.web.manage.room_rows import END_OF_ROW, Row, ages_of, row_gap
from portal.web.manage.sharing import SharedLink, shared_link
from portal.web.manage.status import snapshot_of, status_view
from portal.web.reader import reader

bp = Blueprint("rooms", __name__, url_prefix="/manage/rooms")


class NewRoomForm(Form):
    """The name of a new room, and its account if there are several."""

    room_name = StringField(_l("Name"), [DataRequired(_l("Give the room a name."))])
    account = SelectField(_l("Account"))


@bp.get("")
@signed_in
def index() -> ResponseReturnValue:
    """Show the rooms that the actor may see: first those that are live now, then the others by name."""
    somebody = actor.someone()
    rooms = page_of_rooms(
        somebody, after=query_word("after", longest=cursors.LONGEST), asked=RoomFilter.read(query_word)
    )
    empty = not (rooms.live or rooms.others or rooms.asked.narrowed or rooms.may_create)
    sells = empty and StaffPermission.CUSTOMERS_CREATE in somebody.staff
    unsold = sells and not usable_accounts(now())
    frame, rows = rooms.frame, (*rooms.live, *rooms.others)
    page = partial(render_template, "manage/rooms/index.html", rooms=frame, sells=sells, unsold=unsold)
    key = (frame, reader(), sells, unsold)
    shown = Fragment.of(page()) if flash_messages.are_waiting() else cached_fragment_for_session("rooms", key, page)
    # Rows are cached by themselves: when one room goes live, the others are not rendered again.
    fragments, fillings = cached_fragments_for_session("room row", rows, _rows), session_proof() | ages_of(rows)
    filled = {row_gap(row.id): part.filled(fillings) for row, part in zip(rows, fragments, strict=True)}
    return shown.filled(fillings | filled)


def _rows(rows: Sequence[Row]) -> list[str]:
    """Rows of the list, rendered together, because each call of a template looks for all its parts anew."""
    *pieces, _end = render_template("manage/rooms/_rows.html", rows=rows, end_of_row=END_OF_ROW).split(END_OF_ROW)
    return [piece.strip() for piece in pieces]  # so that the first one is like the others


@bp.route("/new", methods=["GET", "POST"])
@requires_in_account
@refills
def create(accounts: list[RoomAccount]) -> ResponseReturnValue:
    """Create a room, then show it."""
    form, refusals = NewRoomForm(), [why_nothing_new(a.customer_status) for a in accounts]
    form.account.choices = [
        SelectChoice(
            a.id,
            f"{isolated(a.customer_name)} · {isolated(a.account_name)}",
            render_kw={"disabled": True} if why else {},
        )
        for a, why in zip(accounts, refusals, strict=True)
    ]
    if not form.account.data:
        form.account.data = accounts[0].id if len(accounts) == 1 else query_word("account")
    if form.validate_on_submit():
        account = next(account for account in accounts if account.id == form.account.data)
        with form.refusals():
            by = acting_on(actor.someone(), AccountPermission.ROOMS_CREATE, account)
            room = create_room_for_maker(account=account, room_name=form.room_name.data, by=by)
            flash_messages.done(_("The room is ready. Share it to bring people in."))
            return redirect(url_for("rooms.show", room_id=room.id), 303)
    why = refusals[0] if all(refusals) and not form.refused else None
    return render_template("manage/rooms/new.html", form=form, accounts=accounts, why=why), 422 if form.refused else 200


@bp.get("/<id:room_id>")
@requires(Permission.ROOM_VIEW)
def show(room: Room) -> ResponseReturnValue:
    """Show a room: its status, its limits, and how people get in."""
    somebody = actor.someone()
    codes, limits = codes_of(room), features_of(room)
    return render_template(
        "manage/rooms/show.html",
        room=room,
        tab="overview",
        usable=[row for row in limits if row.usable],
        unusable=[row for row in limits if not row.usable],
        places=adapter_of(room.subscription.provider).places,
        status=status_view(room, snapshot_of(room), somebody) if can(somebody, Permission.STATUS_VIEW, room) else None,
        shared=_shared_links(room, codes) if can(somebody, Permission.TOKENS_VIEW, room) else [],
        staff_acts=acts_of_staff(room),
        why_unusable=why_unusable(room, now()),
        image=shown_image(room, room.room_settings, FEATURED_IMAGE),
        why_not_recorded=why_not_recorded(room) if _looks_after_recordings(somebody, room) else None,
        locked_out=roles_locked_out(codes, now()) if can(somebody, Permission.CODES_VIEW, room) else [],
    )


def _looks_after_recordings(somebody: Actor, room: Room) -> bool:
    return can(somebody, Permission.RECORDINGS_VIEW, room) or can(somebody, Permission.ROOM_MODERATE, room)


def _shared_links(room: Room, codes: list[AccessCode]) -> list[SharedLink]:
    """The links that the reader may hand to anybody, that of the default role first."""
    links, roles = shareable_links(room), grantable_roles(actor.current(), room)
    order = sorted(Role, key=lambda role: (role is not default_role(room), role.value))
    return [shared_link(room, links[role], codes) for role in order if role in links and role in roles]


@bp.route("/<id:room_id>/deletion", methods=["GET", "POST"])
@requires(Permission.ROOM_DELETE)
def delete(room: Room) -> ResponseReturnValue:
    """Ask for confirmation, then move the room to the trash. The next page offers to undo it."""
    if request.method == "POST":
        delete_room(room, by=actor.someone())
        flash_messages.undoable(
            _("“%(name)s” was deleted.", name=room.room_name), undo=url_for("rooms.restore", room_id=room.id)
        )
        return redirect(url_for("rooms.index"), 303)
    return render_template("manage/rooms/delete.html", room=room, tab="settings", days=TRASH_DAYS)


@bp.post("/<id:room_id>/restoration")
@requires(Permission.ROOM_DELETE, trashed=True)
def restore(room: Room) -> ResponseReturnValue:
    """Take the room out of the trash again."""
    try:
        with recording_refusals():
            restore_room(room, by=actor.someone())
    except Conflict as conflict:
        flash_messages.failed(translated(conflict.message))
        return redirect(url_for("rooms.index"), 303)
    flash_messages.done(_("“%(name)s” is back.", name=room.room_name))
    return redirect(url_for("rooms.show", room_id=room.id), 303)
