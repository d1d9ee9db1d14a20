"""Flash messages: the next page says that something was done, perhaps with a button to undo it, or that it failed."""

from typing import Any

from flask import flash, session

from portal.edge.transaction import NOTICES


def are_waiting() -> bool:
    """Whether the next page has a message to show, so that it cannot come from the cache."""
    return NOTICES in session


def done(message: str) -> None:
    """Say on the next page that something was done."""
    flash(message, "done")


def undoable(message: str, *, undo: str) -> None:
    """Say on the next page that something was done, with a button that undoes it by a POST to the address `undo`."""
    notice: Any = {"words": message, "undo": undo}  # the session carries more than strings
    flash(notice, "undo")


def failed(message: str) -> None:
    """Say on the next page that something could not be done."""
    flash(message, "bad")
