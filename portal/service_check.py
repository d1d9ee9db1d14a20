"""Asking services whether rooms can be held there, for `portal doctor`: the connection, their clock, and callbacks.

A service that cannot call back is no reason for an alarm by itself, because its rooms are asked about all the same. It
is one where an address was made public and something else answers there.
"""

from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from portal.clock import now
from portal.hooks.routes import UNSIGNED
from portal.loopback import is_loopback
from portal.providers.base import ProviderError, ReceivesCallbacks, TellsTime, Testable
from portal.providers.fetch import NoAnswer, get
from portal.relay_check import ServerAnswer
from portal.status.recording import LOOK_LIVE
from portal.subscriptions.protocols import ProviderLike
from portal.subscriptions.services import bound_service, callback_url

CLOCK_SKEW = timedelta(minutes=1)
DATE_STEP = timedelta(seconds=1)
"""How much later it may be than the `Date` header tells."""
MEANWHILE = f"Until then the portal asks about its rooms every {LOOK_LIVE.seconds} seconds."


def check_service(provider: ProviderLike) -> list[ServerAnswer]:
    """What the service of this provider answered to each question. Nothing for one that is built in."""
    try:
        service = bound_service(provider)
        if not isinstance(service, Testable):
            return []
        told = " ".join(service.test().values())
        clock = _clock(service) if isinstance(service, TellsTime) else []
    except ProviderError as error:
        return [ServerAnswer(False, f"{error} Look at it under Services.")]
    return [ServerAnswer(True, f"answers {told}".rstrip()), *clock, *_callbacks(provider, service)]


def _clock(service: TellsTime) -> list[ServerAnswer]:
    asked_at = now()
    there = service.clock()
    answered_at = now()
    if there is None:
        return []
    behind, ahead = asked_at - there - DATE_STEP, there - answered_at
    if max(behind, ahead) <= CLOCK_SKEW:
        return [ServerAnswer(True, "its clock is right to the minute")]
    off, word = (behind, "behind") if behind > ahead else (ahead, "ahead of")
    words = (
        f"its clock is {_span(off)} {word} that of this machine, so its messages may be refused as too old or too new."
    )
    return [ServerAnswer(False, f"{words} Have both set by NTP.")]


def _span(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    for size, word in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {word}"
    return f"{seconds} seconds"


def _callbacks(provider: ProviderLike, service: Any) -> list[ServerAnswer]:
    """Whether the portal answers at the address that the service is told to call, as far as can be told from here."""
    if not isinstance(service, ReceivesCallbacks):
        return []
    address = service.callback_address(callback_url(provider))
    if is_loopback(urlsplit(address).hostname or ""):
        words = f"it cannot call back at {address} unless it runs on this machine. Set BASE_URL to the public address."
        return [ServerAnswer(True, f"{words} {MEANWHILE}")]
    try:
        answer = get(address)
    except NoAnswer as error:
        if error.permanent:
            words = f"whether it can call back at {address} is not tried: {error} Servers elsewhere may not reach it."
            return [ServerAnswer(True, f"{words} To have it tried, name the network in OUTGOING_ALLOWED. {MEANWHILE}")]
        words = f"it may not be able to call back: this machine got no answer at {address}. {error}"
        return [ServerAnswer(False, f"{words} Check BASE_URL, its DNS entry and the proxy. {MEANWHILE}")]
    if answer.status == HTTPStatus.UNAUTHORIZED and answer.body == UNSIGNED.encode():
        return [ServerAnswer(True, f"can call back: the portal answers at {address}")]
    words = f"it cannot call back: something else than this portal answers at {address} (status {answer.status})."
    return [ServerAnswer(False, f"{words} Check BASE_URL, and that the proxy leads /hooks/ to the portal. {MEANWHILE}")]
