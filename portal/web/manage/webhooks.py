"""The pages of a room's webhooks: list, create, change, pause, rotate, test and delete, and their deliveries."""

from datetime import timedelta

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectMultipleField, StringField, URLField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from portal.clock import now
from portal.edge import actor, cursors
from portal.edge.guard import requires
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.errors import Conflict
from portal.keyset import split
from portal.permissions.permission import Permission
from portal.permissions.rules import can, manages_customer
from portal.providers import fetch
from portal.rooms.models import Room
from portal.web import flash_messages
from portal.web.edit_forms import EditForm, lock_for_edit
from portal.web.forms import Form, refills, stripped
from portal.web.manage.webhook_states import delivery_state, endpoint_state, is_moving, is_repeatable
from portal.webhooks import operations
from portal.webhooks.authorization import NO_OWNER, endpoints_with_owner, find_valid_owner
from portal.webhooks.deliveries import HOURS, SCHEDULE, send_again
from portal.webhooks.events import Event
from portal.webhooks.models import WebhookEndpoint
from portal.webhooks.queries import (
    NEWEST_FIRST,
    endpoints_for,
    find_delivery,
    find_endpoint_at,
    newest_deliveries,
    position_of,
)
from portal.webhooks.resources import trouble_of

bp = Blueprint("webhooks", __name__, url_prefix="/manage/rooms/<id:room_id>/webhooks")

PAGE = 25
SOON = timedelta(seconds=45)  # the page keeps updating while a delivery is tried within this time
FIRST = [Event.ROOM_STARTED, Event.ROOM_ENDED, Event.PARTICIPANT_JOINED, Event.PARTICIPANT_LEFT]


class WebhookForm(Form):
    """The address, and a checkbox for each event. Events that the reader may not see himself can only be taken away."""

    url = URLField(_l("Address"), [InputRequired(_l("Fill this in."))], render_kw={"placeholder": "https://"})
    description = StringField(_l("Description"))
    events = SelectMultipleField(_l("Events"), coerce=Event)
    everywhere = BooleanField(_l("For all rooms of this customer, not only for this one"))

    def offer(self, room: Room) -> None:
        """Fill the choices from the enum, and find those that the reader may see."""
        self.events.choices = [SelectChoice(event, translated(event.words)) for event in Event]
        self.visible = {event for event in Event if can(actor.current(), event.needs, room)}


class WebhookEditForm(WebhookForm, EditForm):
    """The fields of a webhook that exists."""


@bp.get("")
@requires(Permission.ROOM_EDIT)
def index(room: Room) -> ResponseReturnValue:
    """Show the room's webhooks; and to the customer's owner also those for all rooms of the customer."""
    found = endpoints_for(actor.someone(), room)
    return render_template(
        "manage/webhooks/index.html",
        room=room,
        tab="webhooks",
        endpoints=found,
        kept=endpoints_with_owner(found),
        state=endpoint_state,
    )


@bp.route("/new", methods=["GET", "POST"])
@requires(Permission.ROOM_EDIT)
@refills
def create(room: Room) -> ResponseReturnValue:
    """Create a webhook, then show its secret."""
    somebody = actor.someone()
    form = WebhookForm(data={"events": FIRST})
    form.offer(room)
    above = manages_customer(somebody, room.customer)
    if not above:
        del form.everywhere
    if form.validate_on_submit():
        with form.refusals():
            endpoint = operations.create_endpoint(
                customer=room.customer,
                room=None if above and form.everywhere.data else room,
                url=stripped(form.url.data),
                events=form.events.data,
                description=stripped(form.description.data),
                by=somebody,
            )
            flash_messages.done(
                _("The webhook is ready. Give its secret to whoever runs the receiver, then send a test.")
            )
            return _back(room, endpoint)
    return _form(room, form, None)


@bp.get("/<id:endpoint_id>")
@requires(Permission.ROOM_EDIT)
def show(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """Show one webhook: its secret, and its deliveries."""
    endpoint = _own(room, endpoint_id)
    return render_template(
        "manage/webhooks/show.html",
        **_shown(room, endpoint),
        at=now(),
        no_owner=NO_OWNER,
        seconds=int(fetch.LONGEST_SECONDS),
        retries=len(SCHEDULE),
        hours=round(sum(SCHEDULE) / HOURS),
    )


@bp.get("/<id:endpoint_id>/deliveries")
@requires(Permission.ROOM_EDIT)
def deliveries(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """Show the fragment of the page with the deliveries."""
    return render_template("manage/webhooks/_deliveries.html", **_shown(room, _own(room, endpoint_id)))


@bp.route("/<id:endpoint_id>/edit", methods=["GET", "POST"])
@requires(Permission.ROOM_EDIT)
@refills
def edit(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """Change address, events and description."""
    endpoint = _own(room, endpoint_id)
    lock_for_edit(endpoint)
    present = [event for event in Event if endpoint.wants(event)]
    form = WebhookEditForm(data={"url": endpoint.url, "description": endpoint.description, "events": present})
    form.offer(room)
    del form.everywhere
    if form.validate_on_submit():
        with form.refusals():
            operations.change_endpoint(
                endpoint,
                by=actor.someone(),
                url=stripped(form.url.data),
                events=form.events.data,
                description=stripped(form.description.data),
            )
            flash_messages.done(_("Saved."))
            return _back(room, endpoint)
    return _form(room, form, endpoint)


@bp.post("/<id:endpoint_id>/rotation")
@requires(Permission.ROOM_EDIT)
def rotate(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """Rotate the secret. The old one signs for a day more."""
    endpoint = _own(room, endpoint_id)
    operations.rotate_secret(endpoint, by=actor.someone())
    flash_messages.done(_("There is a new secret. For 24 hours messages are signed with both, so nothing gets lost."))
    return _back(room, endpoint)


@bp.post("/<id:endpoint_id>/pause")
@requires(Permission.ROOM_EDIT)
def pause(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """Pause the webhook."""
    endpoint = _own(room, endpoint_id)
    operations.pause_endpoint(endpoint, by=actor.someone())
    flash_messages.done(_("The webhook is paused. It will not be told what happens meanwhile."))
    return _back(room, endpoint)


@bp.post("/<id:endpoint_id>/resumption")
@requires(Permission.ROOM_EDIT)
def resume(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """End a pause."""
    endpoint = _own(room, endpoint_id)
    try:
        operations.resume_endpoint(endpoint, by=actor.someone())
    except Conflict as conflict:
        flash_messages.failed(translated(conflict.message))
    else:
        flash_messages.done(_("The webhook listens again."))
    return _back(room, endpoint)


@bp.post("/<id:endpoint_id>/test")
@requires(Permission.ROOM_EDIT)
def test(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """Send a test delivery."""
    endpoint = _own(room, endpoint_id)
    operations.test_endpoint(endpoint, by=actor.someone())
    flash_messages.done(_("A test is on its way: see below what the receiver answers."))
    return _back(room, endpoint)


@bp.post("/<id:endpoint_id>/deliveries/<id:delivery_id>/repetition")
@requires(Permission.ROOM_EDIT)
def repeat(room: Room, endpoint_id: str, delivery_id: str) -> ResponseReturnValue:
    """Send a delivery once more."""
    endpoint = _own(room, endpoint_id)
    try:
        send_again(find_delivery(endpoint, delivery_id), by=actor.someone())
    except Conflict as conflict:
        flash_messages.failed(translated(conflict.message))
    else:
        flash_messages.done(_("It is sent again, with the same id."))
    return _back(room, endpoint)


@bp.route("/<id:endpoint_id>/deletion", methods=["GET", "POST"])
@requires(Permission.ROOM_EDIT)
def delete(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """Ask for confirmation, then delete the webhook."""
    endpoint = _own(room, endpoint_id)
    if request.method != "POST":
        return render_template("manage/webhooks/delete.html", room=room, tab="webhooks", endpoint=endpoint)
    try:
        operations.delete_endpoint(endpoint, by=actor.someone())
    except Conflict as conflict:
        flash_messages.failed(translated(conflict.message))
        return _back(room, endpoint)
    flash_messages.done(_("The webhook was deleted."))
    return redirect(url_for("webhooks.index", room_id=room.id), 303)


def _own(room: Room, endpoint_id: str) -> WebhookEndpoint:
    return find_endpoint_at(actor.someone(), room, endpoint_id)


def _back(room: Room, endpoint: WebhookEndpoint) -> ResponseReturnValue:
    return redirect(url_for("webhooks.show", room_id=room.id, endpoint_id=endpoint.id), 303)


def _shown(room: Room, endpoint: WebhookEndpoint) -> dict[str, object]:
    position = cursors.position_in(request.args.get("after", ""), of="deliveries", keys=NEWEST_FIRST)
    found, last = split(newest_deliveries(endpoint, after=position, limit=PAGE + 1), PAGE)
    soon, owner = now() + SOON, find_valid_owner(endpoint)
    return {
        "room": room,
        "tab": "webhooks",
        "endpoint": endpoint,
        "state": endpoint_state,
        "owner": owner,
        "delivery_state": delivery_state,
        "trouble_of": trouble_of,
        "repeatable": {one.id for one in found if is_repeatable(one, endpoint, owner)},
        "deliveries": found,
        "first": position is None,
        "next": cursors.encode(position_of(last), of="deliveries") if last is not None else "",
        "busy": position is None and any(is_moving(one, endpoint, soon) for one in found),
    }


def _form(room: Room, form: WebhookForm, endpoint: WebhookEndpoint | None) -> ResponseReturnValue:
    page = render_template(
        "manage/webhooks/form.html",
        room=room,
        tab="webhooks",
        form=form,
        endpoint=endpoint,
        accepted=fetch.accepted(),
        seconds=int(fetch.LONGEST_SECONDS),
    )
    return page, 422 if form.refused else 200
