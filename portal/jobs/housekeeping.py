"""What is swept away once an hour."""

from portal import sendings, tries
from portal.admission.tokens import sweep_automatic
from portal.people.operations import forget_sign_ins
from portal.rooms.operations import empty_trash


def tidy_up() -> None:
    """Automatic guest links whose day is over, old counters, sendings and sign-ins, rooms long in the trash."""
    sweep_automatic()
    tries.forget_old()
    sendings.forget_old()
    forget_sign_ins()
    empty_trash()
