"""What is swept away once an hour."""

from portal import answered, sendings, tries
from portal.admission.entries import sweep_entries
from portal.admission.tokens import sweep_automatic
from portal.credentials import operations as credentials
from portal.people.operations import forget_sign_ins
from portal.rooms.operations import empty_trash
from portal.webhooks.deliveries import sweep_deliveries


def tidy_up() -> None:
    """What is over: links, entries, messages, counters, sign-ins, tokens, sendings, answers; rooms long trashed."""
    sweep_automatic()
    sweep_entries()
    sweep_deliveries()
    tries.forget_old()
    credentials.forget_old()
    answered.forget_old()
    sendings.forget_old()
    forget_sign_ins()
    empty_trash()
