"""What is swept away once an hour."""

from datetime import timedelta

import sqlalchemy as sa

from portal import tries
from portal.admission.tokens import sweep_automatic
from portal.clock import now
from portal.db import session
from portal.people.models import SignIn
from portal.rooms.models import Room

TRASH_DAYS = 30
SIGN_INS_KEPT = timedelta(days=90)


def tidy_up() -> None:
    """Automatic guest links whose day is over, old counters and sign-ins, rooms long in the trash."""
    sweep_automatic()
    tries.forget_old()
    session.execute(sa.delete(SignIn).where(SignIn.seen_at < now() - SIGN_INS_KEPT))
    session.execute(sa.delete(Room).where(Room.trashed_at < now() - timedelta(days=TRASH_DAYS)))
