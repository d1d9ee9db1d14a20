"""What the pages of webhooks show and do, whichever place they are of. Routes and their doors call these functions."""

from datetime import timedelta

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue

from portal.clock import now
from portal.edge import actor, cursors
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.errors import Conflict
from portal.keyset import split
from portal.providers import fetch
from portal.web import flash_messages
from portal.web.edit_forms import lock_for_edit
from portal.web.forms import stripped
from portal.web.webhooks.form import WebhookEditForm, WebhookForm
from portal.web.webhooks.place import WebhookPlace
from portal.web.webhooks.states import delivery_state, endpoint_state, is_moving, is_repeatable
from portal.webhooks import operations
from portal.webhooks.authorization import NO_OWNER, endpoints_with_owner, find_valid_owner
from portal.webhooks.deliveries import HOURS, SCHEDULE, send_again
from portal.webhooks.events import Event
from portal.webhooks.models import WebhookEndpoint
from portal.webhooks.queries import NEWEST_FIRST, find_delivery, newest_deliveries, position_of
from portal.webhooks.resources import trouble_of

PAGE = 25
SOON = timedelta(seconds=45)  # the page keeps updating while a delivery is tried within this time


def index(place: WebhookPlace) -> ResponseReturnValue:
    """Show the webhooks of the place."""
    found = place.endpoints(actor.someone())
    return render_template(
        "webhooks/index.html",
        **_at(place),
        endpoints=found,
        kept=endpoints_with_owner(found),
        state=endpoint_state,
    )


def create(place: WebhookPlace) -> ResponseReturnValue:
    """Create a webhook, then show its secret."""
    somebody = actor.someone()
    offered = place.visible(somebody)
    form = WebhookForm(data={"events": [event for event in place.usual if event in offered]})
    form.offer(place)
    above = place.reaches_above(somebody)
    if not above:
        del form.everywhere
    if form.validate_on_submit():
        with form.refusals():
            endpoint = operations.create_endpoint(
                customer=place.customer,
                room=None if above and form.everywhere.data else place.room,
                url=stripped(form.url.data),
                events=form.events.data,
                description=stripped(form.description.data),
                by=somebody,
            )
            flash_messages.done(
                _("The webhook is ready. Give its secret to whoever runs the receiver, then send a test.")
            )
            return _back(place, endpoint)
    return _form(place, form, None)


def show(place: WebhookPlace, endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Show one webhook: its secret, and its deliveries."""
    return render_template(
        "webhooks/show.html",
        **_shown(place, endpoint),
        at=now(),
        no_owner=NO_OWNER,
        seconds=int(fetch.LONGEST_SECONDS),
        retries=len(SCHEDULE),
        hours=round(sum(SCHEDULE) / HOURS),
    )


def deliveries(place: WebhookPlace, endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Show the fragment of the page with the deliveries."""
    return render_template("webhooks/_deliveries.html", **_shown(place, endpoint))


def edit(place: WebhookPlace, endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Change address, events and description."""
    lock_for_edit(endpoint)
    present = [event for event in Event if endpoint.wants(event)]
    form = WebhookEditForm(data={"url": endpoint.url, "description": endpoint.description, "events": present})
    form.offer(place)
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
            return _back(place, endpoint)
    return _form(place, form, endpoint)


def rotate(place: WebhookPlace, endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Rotate the secret. The old one signs for a day more."""
    operations.rotate_secret(endpoint, by=actor.someone())
    flash_messages.done(_("There is a new secret. For 24 hours messages are signed with both, so nothing gets lost."))
    return _back(place, endpoint)


def pause(place: WebhookPlace, endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Pause the webhook."""
    operations.pause_endpoint(endpoint, by=actor.someone())
    flash_messages.done(_("The webhook is paused. It will not be told what happens meanwhile."))
    return _back(place, endpoint)


def resume(place: WebhookPlace, endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """End a pause."""
    try:
        operations.resume_endpoint(endpoint, by=actor.someone())
    except Conflict as conflict:
        flash_messages.failed(translated(conflict.message))
    else:
        flash_messages.done(_("The webhook listens again."))
    return _back(place, endpoint)


def test(place: WebhookPlace, endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Send a test delivery."""
    operations.test_endpoint(endpoint, by=actor.someone())
    flash_messages.done(_("A test is on its way: see below what the receiver answers."))
    return _back(place, endpoint)


def repeat(place: WebhookPlace, endpoint: WebhookEndpoint, delivery_id: str) -> ResponseReturnValue:
    """Send a delivery once more."""
    try:
        send_again(find_delivery(endpoint, delivery_id), by=actor.someone())
    except Conflict as conflict:
        flash_messages.failed(translated(conflict.message))
    else:
        flash_messages.done(_("It is sent again, with the same id."))
    return _back(place, endpoint)


def delete(place: WebhookPlace, endpoint: WebhookEndpoint) -> ResponseReturnValue:
    """Ask for confirmation, then delete the webhook."""
    if request.method != "POST":
        return render_template("webhooks/delete.html", **_at(place), endpoint=endpoint)
    try:
        operations.delete_endpoint(endpoint, by=actor.someone())
    except Conflict as conflict:
        flash_messages.failed(translated(conflict.message))
        return _back(place, endpoint)
    flash_messages.done(_("The webhook was deleted."))
    return redirect(place.url("index"), 303)


def _back(place: WebhookPlace, endpoint: WebhookEndpoint) -> ResponseReturnValue:
    return redirect(place.url("show", endpoint_id=endpoint.id), 303)


def _at(place: WebhookPlace) -> dict[str, object]:
    """What the layout of the place needs."""
    return {"place": place, "room": place.room, "tab": "webhooks"}


def _shown(place: WebhookPlace, endpoint: WebhookEndpoint) -> dict[str, object]:
    position = cursors.position_in(request.args.get("after", ""), of="deliveries", keys=NEWEST_FIRST)
    found, last = split(newest_deliveries(endpoint, after=position, limit=PAGE + 1), PAGE)
    soon, owner = now() + SOON, find_valid_owner(endpoint)
    return {
        **_at(place),
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


def _form(place: WebhookPlace, form: WebhookForm, endpoint: WebhookEndpoint | None) -> ResponseReturnValue:
    page = render_template(
        "webhooks/form.html",
        **_at(place),
        form=form,
        endpoint=endpoint,
        accepted=fetch.accepted(),
        seconds=int(fetch.LONGEST_SECONDS),
    )
    return page, 422 if form.refused else 200
