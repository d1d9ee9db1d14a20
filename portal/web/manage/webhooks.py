"""Webhooks, seen from a room: who is told of what happens in it, and what became of each message."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectMultipleField, StringField, URLField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from portal.clock import now
from portal.edge import actor, cursors
from portal.edge.guard import requires
from portal.edge.i18n import translated
from portal.errors import Conflict, NotAllowed
from portal.people.actor import Actor
from portal.permissions.permission import Permission
from portal.permissions.rules import can, manages_customer
from portal.providers import fetch
from portal.rooms.models import Room
from portal.web import notices
from portal.web.forms import Form, refills, stripped
from portal.webhooks import operations
from portal.webhooks.authorization import NO_OWNER, endpoints_with_owner, find_valid_owner, may_receive, may_receive_all
from portal.webhooks.deliveries import HOURS, SCHEDULE, send_again
from portal.webhooks.events import TEST, Event
from portal.webhooks.models import WebhookDelivery, WebhookEndpoint
from portal.webhooks.queries import cursor_of, endpoints_for, find_delivery, find_endpoint_at, newest_deliveries
from portal.webhooks.serializers import state_of, trouble_of

bp = Blueprint("webhooks", __name__, url_prefix="/manage/rooms/<id:room_id>/webhooks")

PAGE = 25
SOON = timedelta(seconds=45)  # what is sent so soon is worth waiting for on the page
FIRST = [Event.ROOM_STARTED, Event.ROOM_ENDED, Event.PARTICIPANT_JOINED, Event.PARTICIPANT_LEFT]


class WebhookForm(Form):
    """Where to, and of what. A checkbox for each event; those that the reader could not see cannot be touched."""

    url = URLField(_l("Address"), [InputRequired(_l("Fill this in."))], render_kw={"placeholder": "https://"})
    description = StringField(_l("Description"))
    events = SelectMultipleField(_l("Events"), coerce=Event)
    everywhere = BooleanField(_l("For all rooms of this customer, not only for this one"))

    def offer(self, room: Room) -> None:
        """Draw the choices from the enum."""
        self.events.choices = [SelectChoice(event, translated(event.words)) for event in Event]
        self.visible = {event for event in Event if can(actor.current(), event.needs, room)}


@dataclass(frozen=True)
class DeliveryState:
    """What a delivery's row says: a kind of state (a class of the design) and what it means."""

    kind: str
    words: str


def delivery_state(delivery: WebhookDelivery) -> DeliveryState:
    """What became of a message."""
    word = state_of(delivery)
    if word == "delivered":
        return DeliveryState("ok", _("Delivered"))
    if word == "given_up":
        return DeliveryState("bad", _("Given up") if delivery.event != TEST else _("Failed"))
    if delivery.being_sent:
        return DeliveryState("wait", _("Is being sent"))
    return DeliveryState("wait", _("Waiting") if not delivery.attempts else _("Is tried again"))


def endpoint_state(endpoint: WebhookEndpoint, *, kept: bool) -> DeliveryState:
    """How it stands with an endpoint, and whether it has a keeper."""
    if not endpoint.active:
        return DeliveryState("off", _("Paused"))
    if not kept:
        return DeliveryState("bad", _("Nothing is sent"))
    if endpoint.failing_since is not None:
        return DeliveryState("bad", _("Fails"))
    return DeliveryState("ok", _("Listens"))


@bp.get("")
@requires(Permission.ROOM_EDIT)
def index(room: Room) -> ResponseReturnValue:
    """The room's webhooks, and those of all rooms of the customer for who owns it."""
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
    """Make a webhook, then show its secret."""
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
            notices.done(_("The webhook is ready. Give its secret to whoever runs the receiver, then send a test."))
            return _back(room, endpoint)
    return _form(room, form, None)


@bp.get("/<id:endpoint_id>")
@requires(Permission.ROOM_EDIT)
def show(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """One webhook: its secret, and what was sent to it."""
    endpoint = _own(room, endpoint_id)
    return render_template(
        "manage/webhooks/show.html",
        **_shown(room, endpoint),
        at=now(),
        nobody=NO_OWNER,
        takes_over=may_receive_all(actor.someone(), endpoint),
        seconds=int(fetch.LONGEST_SECONDS),
        retries=len(SCHEDULE),
        hours=round(sum(SCHEDULE) / HOURS),
    )


@bp.get("/<id:endpoint_id>/deliveries")
@requires(Permission.ROOM_EDIT)
def deliveries(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """The piece of the page with what was sent."""
    return render_template("manage/webhooks/_deliveries.html", **_shown(room, _own(room, endpoint_id)))


@bp.route("/<id:endpoint_id>/edit", methods=["GET", "POST"])
@requires(Permission.ROOM_EDIT)
@refills
def edit(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """Change where to and of what."""
    endpoint = _own(room, endpoint_id)
    held = [event for event in Event if endpoint.wants(event)]
    form = WebhookForm(data={"url": endpoint.url, "description": endpoint.description, "events": held})
    form.offer(room)
    del form.everywhere
    if form.validate_on_submit():
        with form.refusals():
            before = endpoint.created_by_uuid
            untouchable = {event for event in held if event not in form.visible}
            operations.change_endpoint(
                endpoint,
                by=actor.someone(),
                url=stripped(form.url.data),
                events={*form.events.data, *untouchable},
                description=stripped(form.description.data),
            )
            taken = _taken_over(endpoint, before)
            notices.done(_("Saved. The webhook runs in your name from now on.") if taken else _("Saved."))
            return _back(room, endpoint)
    return _form(room, form, endpoint)


@bp.post("/<id:endpoint_id>/rotation")
@requires(Permission.ROOM_EDIT)
def rotate(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """A new secret beside the old one, which signs for a day more."""
    endpoint = _own(room, endpoint_id)
    operations.rotate_secret(endpoint, by=actor.someone())
    notices.done(_("There is a new secret. For 24 hours messages are signed with both, so nothing gets lost."))
    return _back(room, endpoint)


@bp.post("/<id:endpoint_id>/pause")
@requires(Permission.ROOM_EDIT)
def pause(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """Tell it nothing for now."""
    endpoint = _own(room, endpoint_id)
    operations.pause_endpoint(endpoint, by=actor.someone())
    notices.done(_("The webhook is paused. It will not be told what happens meanwhile."))
    return _back(room, endpoint)


@bp.post("/<id:endpoint_id>/resumption")
@requires(Permission.ROOM_EDIT)
def resume(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """End a pause; if nobody keeps the webhook any more, whoever ends it does from now on."""
    endpoint = _own(room, endpoint_id)
    before = endpoint.created_by_uuid
    try:
        operations.resume_endpoint(endpoint, by=actor.someone())
    except NotAllowed as refusal:
        notices.failed(translated(refusal.message))
    else:
        if _taken_over(endpoint, before):
            notices.done(_("The webhook listens again, and runs in your name."))
        else:
            notices.done(_("The webhook listens again."))
    return _back(room, endpoint)


@bp.post("/<id:endpoint_id>/test")
@requires(Permission.ROOM_EDIT)
def test(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """Send a message that tells of nothing."""
    endpoint = _own(room, endpoint_id)
    operations.test_endpoint(endpoint, by=actor.someone())
    notices.done(_("A test is on its way: see below what the receiver answers."))
    return _back(room, endpoint)


@bp.post("/<id:endpoint_id>/deliveries/<id:delivery_id>/repetition")
@requires(Permission.ROOM_EDIT)
def repeat(room: Room, endpoint_id: str, delivery_id: str) -> ResponseReturnValue:
    """Send a message once more."""
    endpoint = _own(room, endpoint_id)
    try:
        send_again(find_delivery(endpoint, delivery_id), by=actor.someone())
    except Conflict as conflict:
        notices.failed(translated(conflict.message))
    else:
        notices.done(_("It is sent again, with the same id."))
    return _back(room, endpoint)


@bp.route("/<id:endpoint_id>/deletion", methods=["GET", "POST"])
@requires(Permission.ROOM_EDIT)
def delete(room: Room, endpoint_id: str) -> ResponseReturnValue:
    """Say what goes, then delete the webhook."""
    endpoint = _own(room, endpoint_id)
    if request.method == "GET":
        return render_template("manage/webhooks/delete.html", room=room, tab="webhooks", endpoint=endpoint)
    try:
        operations.delete_endpoint(endpoint, by=actor.someone())
    except Conflict as conflict:
        notices.failed(translated(conflict.message))
        return _back(room, endpoint)
    notices.done(_("The webhook was deleted."))
    return redirect(url_for("webhooks.index", room_id=room.id), 303)


def _own(room: Room, endpoint_id: str) -> WebhookEndpoint:
    return find_endpoint_at(actor.someone(), room, endpoint_id)


def _back(room: Room, endpoint: WebhookEndpoint) -> ResponseReturnValue:
    return redirect(url_for("webhooks.show", room_id=room.id, endpoint_id=endpoint.id), 303)


def _taken_over(endpoint: WebhookEndpoint, before: UUID | None) -> bool:
    return endpoint.created_by_uuid == actor.someone().uuid != before


def _shown(room: Room, endpoint: WebhookEndpoint) -> dict[str, object]:
    place = cursors.decode_row(request.args.get("after", ""), of="deliveries")
    found = newest_deliveries(endpoint, after=place, limit=PAGE + 1)
    more, found = len(found) > PAGE, found[:PAGE]
    soon, keeper = now() + SOON, find_valid_owner(endpoint)
    return {
        "room": room,
        "tab": "webhooks",
        "endpoint": endpoint,
        "state": endpoint_state,
        "keeper": keeper,
        "delivery_state": delivery_state,
        "trouble_of": trouble_of,
        "repeatable": {one.id for one in found if _repeatable(one, endpoint, keeper)},
        "deliveries": found,
        "first": place is None,
        "next": cursors.encode_row(cursor_of(found[-1]), of="deliveries") if more else "",
        "busy": place is None and any(_moves(one, endpoint, soon) for one in found),
    }


def _moves(delivery: WebhookDelivery, endpoint: WebhookEndpoint, soon: datetime) -> bool:
    """Whether its row is about to change: it is on its way, or tried before long."""
    at, told = delivery.next_attempt_at, endpoint.active or delivery.event == TEST
    return delivery.being_sent or (told and at is not None and at < soon)


def _repeatable(delivery: WebhookDelivery, endpoint: WebhookEndpoint, keeper: Actor | None) -> bool:
    """Whether it could be sent again: it was tried or given up, and its endpoint listens, and may be told this."""
    ended = delivery.answered_at is not None or delivery.gave_up_at is not None
    if not ended or not endpoint.active or delivery.being_sent:
        return False
    return delivery.event == TEST or (keeper is not None and may_receive(keeper, endpoint, Event(delivery.event)))


def _form(room: Room, form: WebhookForm, endpoint: WebhookEndpoint | None) -> ResponseReturnValue:
    page = render_template(
        "manage/webhooks/form.html",
        room=room,
        tab="webhooks",
        form=form,
        endpoint=endpoint,
        keeper=find_valid_owner(endpoint) if endpoint is not None else None,
        nobody=NO_OWNER,
        accepted=fetch.accepted(),
        seconds=int(fetch.LONGEST_SECONDS),
    )
    return page, 422 if form.refused else 200
