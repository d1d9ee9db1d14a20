"""Writing what must survive a refusal, such as a line of the audit, although everything else is rolled back."""

from collections.abc import Iterator
from contextlib import contextmanager

from portal.db import session
from portal.errors import Refused


@contextmanager
def recording_refusals() -> Iterator[None]:
    """Run the block; if it raises `Refused`, roll back, commit what its `after_rollback` writes, and raise it again."""
    try:
        yield
    except Refused as refused:
        session.rollback()
        if refused.after_rollback is not None:
            refused.after_rollback()
            session.commit()
        raise
