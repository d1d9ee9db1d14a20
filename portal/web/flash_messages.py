"""Flash messages: the next page says that something was done, perhaps with a button to undo it, or that it failed."""

from collections.abc import Callable
from typing import Any

from flask import flash, session

from portal.edge.i18n import translated
from portal.edge.refusals import recording_refusals
from portal.edge.transaction import NOTICES
from portal.errors import Invalid, Refused


def are_waiting() -> bool:
    """Whether the next page has a message to show, so that it cannot come from the cache."""
    return NOTICES in session


def done(message: str) -> None:
    """Say on the next page that something was done."""
    flash(message, "done")


def done_or_refused(act: Callable[[], object], message: str) -> None:
    """Do something, and say on the next page that it was done; or why it was refused, and nothing of it is written."""
    try:
        with recording_refusals():
            act()
    except Refused as refused:
        failed(why_refused(refused))
    else:
        done(message)


def why_refused(refused: Refused) -> str:
    """The sentence that says why something was refused: that beside the first field, if it is about fields."""
    fields = list(refused.fields.values()) if isinstance(refused, Invalid) else []
    return translated(fields[0] if fields else refused.message)


def undoable(message: str, *, undo: str) -> None:
    """Say on the next page that something was done, with a button that undoes it by a POST to the address `undo`."""
    notice: Any = {"words": message, "undo": undo}  # the session carries more than strings
    flash(notice, "undo")


def failed(message: str) -> None:
    """Say on the next page that something could not be done."""
    flash(message, "bad")
