"""What staff do with a subscription. Each page says beforehand what the act does, to how many rooms and people."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, IntegerField, RadioField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from portal.clock import now
from portal.edge import actor
from portal.edge.i18n import gettext as _
from portal.edge.i18n import last_day, translated
from portal.edge.staff_guard import staff
from portal.errors import Conflict, Message
from portal.people.actor import Actor
from portal.people.staff import StaffPermission
from portal.status.subscription_usage import Counted, counted
from portal.subscriptions.cancellation import cancel, uncancel
from portal.subscriptions.dates import has_ended, usable_until, zone_of
from portal.subscriptions.granting import sync_features
from portal.subscriptions.models import Subscription
from portal.subscriptions.phases import Phase, phase_of
from portal.subscriptions.queries import subscription_with_id
from portal.subscriptions.renewal import renew, renewal_of
from portal.subscriptions.statuses import end as end_subscription
from portal.subscriptions.statuses import resume, suspend, terminate
from portal.subscriptions.switching import package_provider_of, switch_service
from portal.subscriptions.terms import start_of
from portal.web import flash_messages
from portal.web.forms import Form
from portal.web.stopping_words import resuming_words, stopping_words

bp = Blueprint("admin_subscription_acts", __name__, url_prefix="/admin/subscriptions/<id:subscription_id>")

CHANGES = staff(StaffPermission.SUBSCRIPTIONS_UPDATE, subscription=subscription_with_id)


@dataclass(frozen=True)
class Act:
    """An act that needs no more than a confirmation: its words, what it does, and the operation."""

    title: Message
    button: Message
    done: Message
    says: Callable[[Subscription, Counted], list[Message]]
    run: Callable[[Subscription, Actor], Any]
    dangerous: bool = False


def _stops(here: Counted) -> list[Message]:
    return stopping_words(rooms=here.rooms, people=here.people)


SUSPEND = Act(
    Message("Suspend subscription"),
    Message("Suspend"),
    Message("Suspended."),
    lambda subscription, here: [
        *_stops(here),
        Message("Its period goes on meanwhile. Resume it when the reason is gone.")
        if subscription.ends_at is not None
        else Message("Resume it when the reason is gone."),
    ],
    lambda subscription, by: suspend(subscription, by=by),
    dangerous=True,
)
RESUME = Act(
    Message("Resume subscription"),
    Message("Resume"),
    Message("Resumed: its rooms can be used again."),
    lambda _subscription, here: resuming_words(rooms=here.rooms),
    lambda subscription, by: resume(subscription, by=by),
)
UNCANCEL = Act(
    Message("Uncancel subscription"),
    Message("Uncancel"),
    Message("No longer canceled."),
    lambda _subscription, _here: [Message("It goes on as if it had not been canceled, and can be renewed.")],
    lambda subscription, by: uncancel(subscription, by=by),
)
TERMINATE = Act(
    Message("Terminate subscription"),
    Message("Terminate"),
    Message("Terminated."),
    lambda _subscription, here: [
        *_stops(here),
        Message("It cannot be renewed afterwards. To let it end and keep that way open, cancel it."),
    ],
    lambda subscription, by: terminate(subscription, by=by),
    dangerous=True,
)
SYNC = Act(
    Message("Sync features"),
    Message("Sync features"),
    Message("It grants what its package grants now."),
    lambda _subscription, _here: [
        Message("It then grants exactly what its package grants now. What was set for it alone goes."),
        Message("Nobody who is inside is sent out: the new limits are judged at the next entry."),
    ],
    lambda subscription, by: sync_features(subscription, by=by),
)


@bp.route("/suspension", methods=["GET", "POST"])
@CHANGES
def suspension(subscription: Subscription) -> ResponseReturnValue:
    """Suspend the subscription."""
    return _confirmed(subscription, SUSPEND)


@bp.route("/resumption", methods=["GET", "POST"])
@CHANGES
def resumption(subscription: Subscription) -> ResponseReturnValue:
    """End its suspension."""
    return _confirmed(subscription, RESUME)


@bp.route("/uncancellation", methods=["GET", "POST"])
@CHANGES
def uncancellation(subscription: Subscription) -> ResponseReturnValue:
    """Take its cancellation back."""
    return _confirmed(subscription, UNCANCEL)


@bp.route("/termination", methods=["GET", "POST"])
@CHANGES
def termination(subscription: Subscription) -> ResponseReturnValue:
    """End it for good."""
    return _confirmed(subscription, TERMINATE)


@bp.route("/features/sync", methods=["GET", "POST"])
@CHANGES
def synchronization(subscription: Subscription) -> ResponseReturnValue:
    """Let it grant what its package grants."""
    return _confirmed(subscription, SYNC)


class RenewalForm(Form):
    """By how many periods it is renewed, and whether a cancellation is taken back."""

    cycles = IntegerField(_l("Periods"), [InputRequired(_l("Fill this in."))], default=1)
    uncancel = BooleanField(_l("Take the cancellation back"))


@bp.route("/renewal", methods=["GET", "POST"])
@CHANGES
def renewal(subscription: Subscription) -> ResponseReturnValue:
    """Renew the subscription."""
    form = RenewalForm()
    if form.validate_on_submit():
        with form.refusals():
            renew(subscription, cycles=form.cycles.data, uncancel=form.uncancel.data, by=actor.someone())
            return _done(subscription, _renewed(subscription))
    if subscription.canceled_at is None:
        del form.uncancel
    try:
        says, possible = _renewal_words(subscription), True
    except Conflict as conflict:
        says, possible = [translated(conflict.message)], form.refused
    shown = form if possible else None
    return _page(subscription, shown, Message("Renew subscription"), Message("Renew"), says)


def _renewed(subscription: Subscription) -> str:
    if subscription.ends_at is None:
        return _("Renewed: it has no end.")
    return _("Renewed: it ends after %(day)s.", day=last_day(subscription.ends_at, zone_of(subscription.customer)))


def _renewal_words(subscription: Subscription) -> list[str]:
    """What renewing it does. Raises `Conflict` if it cannot be renewed."""
    zone, words = zone_of(subscription.customer), []
    renewed = renewal_of(subscription, cycles=1, at=now())
    if has_ended(subscription, now()):
        words.append(_("It has ended, so a new period begins today."))
    elif subscription.ends_at is not None:
        words.append(_("It now ends after %(day)s.", day=last_day(subscription.ends_at, zone)))
    if renewed.ends is not None:
        words.append(_("With one period more it ends after %(day)s.", day=last_day(start_of(renewed.ends, zone), zone)))
    return words


class CancellationForm(Form):
    """When it ends."""

    when = RadioField(
        _l("When"),
        choices=[SelectChoice("end", _l("At the end of its period")), SelectChoice("now", _l("Now"))],
        default="end",
        validators=[InputRequired(_l("Choose one of them."))],
    )


@bp.route("/cancellation", methods=["GET", "POST"])
@CHANGES
def cancellation(subscription: Subscription) -> ResponseReturnValue:
    """Cancel the subscription, at the end of its period or now. One that has not begun is ended at once."""
    form, planned = CancellationForm(), phase_of(subscription, now()) is Phase.PLANNED
    end = None if planned else usable_until(subscription)
    if form.validate_on_submit():
        with form.refusals():
            if planned:
                end_subscription(subscription, by=actor.someone())
            elif not cancel(subscription, at_once=form.when.data == "now", by=actor.someone()):
                raise Conflict(Message("Only what is active can be canceled."))
            return _done(subscription, _("Canceled."))
    says: list[Message | str] = []
    if end is None:
        form.when.choices, form.when.data = [SelectChoice("now", _("Now"))], "now"
    else:
        day = last_day(end, zone_of(subscription.customer))
        says.append(_("At the end: its rooms can be used through %(day)s, then no longer.", day=day))
    stops = _stops(counted(subscription))
    if end is None:
        says += stops
    else:
        says.append(_("Now: %(words)s", words=" ".join(translated(one) for one in stops)))
    says.append(_("Nothing is deleted. It can be renewed later."))
    title, button = Message("Cancel subscription"), Message("Cancel subscription")
    return _page(subscription, form, title, button, says, dangerous=True)


class SwitchForm(Form):
    """On which service of its package its rooms run."""

    service = SelectField(_l("Service"), validators=[InputRequired(_l("Choose one."))])


@bp.route("/service", methods=["GET", "POST"])
@CHANGES
def service(subscription: Subscription) -> ResponseReturnValue:
    """Let its rooms run on another service of its package."""
    form = SwitchForm()
    form.service.choices = [
        SelectChoice(one.id, one.provider.provider_name)
        for one in subscription.package.providers
        if one.active and one.provider.active and one.provider_uuid != subscription.provider_uuid
    ]
    if form.validate_on_submit():
        with form.refusals():
            chosen = package_provider_of(subscription, form.service.data)
            switch_service(subscription, package_provider=chosen, by=actor.someone())
            return _done(subscription, _("Its rooms run on %(name)s from now on.", name=chosen.provider.provider_name))
    here = counted(subscription)
    says: list[Message | str] = [
        Message.plural(
            "Its %(n)d room starts there the next time that somebody enters.",
            "Its %(n)d rooms start there the next time that somebody enters.",
            n=here.rooms,
        ),
        Message("A room that is running now stays where it is until it is empty."),
    ]
    if not form.service.choices:
        says = [Message("Its package has no other active service. Add one to the package first.")]
    title = Message("Switch service")
    return _page(subscription, form if form.service.choices else None, title, title, says)


def _confirmed(subscription: Subscription, act: Act) -> ResponseReturnValue:
    form = Form()
    if form.validate_on_submit():
        with form.refusals():
            act.run(subscription, actor.someone())
            return _done(subscription, translated(act.done))
    says = act.says(subscription, counted(subscription))
    return _page(subscription, form, act.title, act.button, says, dangerous=act.dangerous)


def _done(subscription: Subscription, words: str) -> ResponseReturnValue:
    flash_messages.done(words)
    return redirect(url_for("admin_subscription.show", subscription_id=subscription.id), 303)


def _page(
    subscription: Subscription,
    form: Form | None,
    title: Message,
    button: Message,
    says: list[Any],
    *,
    dangerous: bool = False,
) -> ResponseReturnValue:
    """The page that says what the act does, with its form; None where nothing can be done."""
    page = render_template(
        "admin/subscriptions/act.html",
        subscription=subscription,
        form=form,
        title=title,
        button=button,
        says=[translated(one) if isinstance(one, Message) else one for one in says],
        dangerous=dangerous,
    )
    return page, 422 if form is not None and form.refused else 200
