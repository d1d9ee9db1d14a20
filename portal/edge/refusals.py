"""What remains of a refusal: audit lines that are written although everything else is rolled back."""

from collections.abc import Iterator
from contextlib import contextmanager

from portal.db import session
from portal.errors import Refused


@contextmanager
def recording_refusals() -> Iterator[None]:
    """Around an operation whose refusals leave something behind: undo, write that, and go on refusing."""
    try:
        yield
    except Refused as refused:
        session.rollback()
        if refused.after_rollback is not None:
            refused.after_rollback()
            session.commit()
        raise
