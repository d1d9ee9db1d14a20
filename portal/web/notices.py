"""What the next page says first: that something was done, perhaps with a way to undo it, or could not be."""

from typing import Any

from flask import flash, session

from portal.edge.transaction import NOTICES


def are_waiting() -> bool:
    """Whether there is something to say: such a page is made for this one time."""
    return NOTICES in session


def done(words: str) -> None:
    """It was done."""
    flash(words, "done")


def undoable(words: str, *, undo: str) -> None:
    """It was done, and a POST to `undo` takes it back."""
    notice: Any = {"words": words, "undo": undo}  # the session carries more than strings
    flash(notice, "undo")


def failed(words: str) -> None:
    """It could not be done."""
    flash(words, "bad")
