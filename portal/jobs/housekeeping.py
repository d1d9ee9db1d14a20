"""The hourly housekeeping: deleting or marking what is over, each kind in a transaction of its own, so none waits."""

from collections.abc import Callable

import structlog

from portal import throttling
from portal.admission.automatic_tokens import sweep_automatic
from portal.admission.join_tickets import sweep_join_tickets
from portal.admission.lobby import sweep_answers
from portal.broadcasts.leftovers import sweep_broadcasts
from portal.conference.chat import sweep_messages
from portal.credentials import operations as credentials
from portal.db import transaction
from portal.idempotency import api_requests, forms
from portal.media.limits import enforce_limits
from portal.media.operations import delete_with_rooms
from portal.people.operations import sweep_sign_ins
from portal.people.password_links import sweep_password_links
from portal.rooms.images import sweep_unnamed_images
from portal.rooms.presentations import sweep_unnamed
from portal.rooms.purging import empty_trash
from portal.storage import storage
from portal.subscriptions.endings import mark_ended, warn_of_endings
from portal.tasks.operations import sweep_tasks
from portal.videos.leftovers import sweep_leftovers, sweep_workshops
from portal.videos.operations import empty_video_trash
from portal.videos.uploads import sweep_expired
from portal.webhooks.deliveries import sweep_deliveries

log = structlog.get_logger()


def sweep_uploads() -> None:
    """Delete files that were being received when a process died."""
    storage().sweep_uploads()


SWEEPS: tuple[Callable[[], object], ...] = (
    sweep_automatic,
    sweep_join_tickets,
    sweep_answers,
    sweep_messages,
    sweep_deliveries,
    sweep_tasks,
    throttling.sweep_buckets,
    credentials.sweep_tokens,
    api_requests.sweep_requests,
    forms.sweep_submissions,
    sweep_sign_ins,
    sweep_password_links,
    empty_trash,
    delete_with_rooms,
    empty_video_trash,
    warn_of_endings,
    mark_ended,
)
"""One function for each kind of row that is deleted, or marked, when it is over."""
IN_STEPS: tuple[Callable[[], object], ...] = (
    enforce_limits,
    sweep_uploads,
    sweep_broadcasts,
    sweep_unnamed,
    sweep_unnamed_images,
    sweep_expired,
    sweep_leftovers,
    sweep_workshops,
)
"""Those that take many short transactions of their own, or none."""


def tidy_up() -> int:
    """Run all sweeps. Returns how many failed; those are logged and tried again in an hour."""
    failed = 0
    for sweep in (*SWEEPS, *IN_STEPS):
        try:
            if sweep in IN_STEPS:
                sweep()
            else:
                with transaction():
                    sweep()
        except Exception as error:
            name = f"{sweep.__module__}.{sweep.__name__}"
            log.error("a sweep failed", sweep=name, error=type(error).__name__, exc_info=error)
            failed += 1
    return failed
