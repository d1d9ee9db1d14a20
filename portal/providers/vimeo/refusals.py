"""What Vimeo's refusals mean, in our words. Its own are shown to nobody: they name things that people never chose."""

from http import HTTPStatus
from typing import Any

from portal.errors import Message
from portal.providers.base import ProviderError

TOKEN, FOLDER = "token", "folder"
_NO_SPACE = frozenset({4101, 4102})

BAD_TOKEN = Message("Vimeo does not take this token, or not any more. Make a new one there, and write it here.")
NOT_VIMEO = Message("What answers there is not Vimeo.")


class VimeoRefusal(ProviderError):
    """Vimeo answered, and refused what was asked. `status` is that of HTTP, `code` Vimeo's own, 0 if it told none."""

    def __init__(self, status: int, code: int) -> None:
        words, field = _words(status, code)
        temporary = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        super().__init__(words, permanent=not temporary, field=field, answered=not temporary)
        self.status, self.code = status, code

    @property
    def is_gone(self) -> bool:
        """Whether what was asked for is not there."""
        return self.status == HTTPStatus.NOT_FOUND


class CannotHide(ProviderError):
    """The account cannot keep a video to the pages that were named, so none is made."""

    def __init__(self) -> None:
        words = Message(
            "This Vimeo account cannot hide videos from the public, so none is sent to it: its plan is too small."
        )
        super().__init__(words, permanent=True, field=TOKEN, answered=True)


def code_of(body: Any) -> int:
    """Vimeo's code of an error; 0 if it tells none."""
    code = body.get("error_code") if isinstance(body, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else 0


def _words(status: int, code: int) -> tuple[Message, str | None]:
    if status == HTTPStatus.UNAUTHORIZED:
        return BAD_TOKEN, TOKEN
    if code in _NO_SPACE:
        return Message("The Vimeo account has no space left for this file."), None
    if status == HTTPStatus.FORBIDDEN:
        return Message("Vimeo does not allow this with this token, or in this account's plan."), TOKEN
    if status == HTTPStatus.NOT_FOUND:
        return Message("Vimeo does not know this."), None
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Message("Vimeo has trouble of its own. Try again in a few minutes."), None
    return Message("Vimeo refused this."), None
