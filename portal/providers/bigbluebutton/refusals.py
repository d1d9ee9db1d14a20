"""What a server answers instead of doing what it was asked, as a `ProviderError`.

Its keys are stable, its messages are not and may hold anything: only keys that are known are ever repeated. An unknown
one is a failure like any other.
"""

from dataclasses import dataclass
from http import HTTPStatus

from portal.errors import Message
from portal.providers.base import ProviderError

ADDRESS, SECRET, CALLBACK_ADDRESS = "host_url", "secret", "callback_url"
"""The properties that may be to blame."""

OTHER = "an unknown reason"


@dataclass(frozen=True)
class KeyMeaning:
    """What a key of a server means: whether asking again will not help, and the property to blame."""

    permanent: bool
    field: str | None = None


_FINAL, _PASSING = KeyMeaning(permanent=True), KeyMeaning(permanent=False)

KEYS: dict[str, KeyMeaning] = {
    "checksumError": KeyMeaning(permanent=True, field=SECRET),
    "notFound": _FINAL,
    "idNotUnique": _FINAL,
    "missingParamMeetingID": _FINAL,
    "missingParamFullName": _FINAL,
    "missingParamName": _FINAL,
    "missingParameter": _FINAL,
    "validationError": _FINAL,
    "sizeError": _FINAL,
    "invalidMeetingIdentifier": _FINAL,
    "invalidPassword": _FINAL,
    "mismatchCreateTimeParam": _FINAL,
    "meetingForciblyEnded": _PASSING,  # the one before is still being ended
    "guestDeny": _FINAL,
    "maxParticipantsReached": _PASSING,
    "unsupportedContentType": _FINAL,
    "unsupportedRequest": _FINAL,
    "invalidKind": _FINAL,
    "invalidLang": _FINAL,
    "paramError": _FINAL,
    "noRecordings": _FINAL,
    "notImplemented": _FINAL,
    "internalError": _PASSING,
    "serverUnavailable": _PASSING,
    "serverTagUnavailable": _PASSING,
    "createHookError": _PASSING,
    "missingParamCallbackURL": _FINAL,
    "destroyMissingHook": _FINAL,
    "missingParamHookID": _FINAL,
    "destroyHookError": _PASSING,
    "listHookError": _PASSING,
}
"""What is known of each key. Keys for a missing parameter may have its name behind them."""


class ServerRefusal(ProviderError):
    """The server answered, and refused. `key` is its own word for why; empty if it is not a known one."""

    def __init__(self, call: str, key: str) -> None:
        known = key if key in KEYS else next((one for one in ("missingParameter",) if key.startswith(one)), "")
        meaning = KEYS.get(known, _PASSING)
        words = (
            Message("The server answers at this address, and refuses this secret.")
            if meaning.field == SECRET
            else f"{call} was refused: {known or OTHER}"
        )
        super().__init__(words, permanent=meaning.permanent, field=meaning.field, answered=True)
        self.key = known


def not_the_service(call: str, status: int) -> ProviderError:
    """What answers speaks another language: a page, a redirect, or an error of something on the way."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        return ProviderError(f"{call} was answered {status}", permanent=False)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        words = Message("The server leads on to another address. Write that one.")
        return ProviderError(words, permanent=False, field=ADDRESS)
    words = Message("No such server answers at this address.")
    return ProviderError(words, permanent=False, field=ADDRESS)
