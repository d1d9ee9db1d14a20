"""Which worker makes segments of a broadcast: it holds a lease, and another one takes over when that has run out.

A worker renews its lease every few seconds. One that ends in an orderly way gives it back, so that another begins at
once. What a worker writes counts only while the lease is still its own: one that was only slow changes nothing.
"""

import os
import secrets
import socket
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa

from portal.broadcasts.connections import end_connection, open_connection_of
from portal.broadcasts.models import HOST_LENGTH, Broadcast, BroadcastState, ConnectionEnding
from portal.clock import now
from portal.db import session
from portal.status.models import Ending
from portal.status.runs import end_run

LEASE = timedelta(seconds=30)
HEARTBEAT_SECONDS = 5.0
UNCLAIMED_TIME = timedelta(minutes=5)
_MOST = 100
_claimed_here: set[str] = set()
"""The claims of this process. After a restart in a container another process may have the same number."""


@dataclass(frozen=True)
class ClaimedBroadcast:
    """A broadcast of which this process makes segments. `worker` tells this claim from every other."""

    session_uuid: UUID
    worker: str


def due() -> list[UUID]:
    """The broadcasts without a worker, or whose worker has died."""
    found = session.execute(
        sa.select(Broadcast.session_uuid, Broadcast.lease_until, Broadcast.lease_host, Broadcast.lease_worker)
        .where(Broadcast.lease_until.is_not(None))
        .order_by(Broadcast.lease_until)
        .limit(_MOST)
    ).all()
    at = now()
    return [uuid for uuid, until, host, worker in found if until is None or until <= at or _died_here(host, worker)]


def claim(session_uuid: UUID) -> ClaimedBroadcast | None:
    """Claim a broadcast that is due; None if another worker has.

    What the worker before had under way cannot be read on from the middle: its connection ends, and the page of the
    broadcaster opens another one by itself.
    """
    broadcast = session.scalar(
        sa.select(Broadcast)
        .where(Broadcast.session_uuid == session_uuid, Broadcast.lease_until.is_not(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if broadcast is None or broadcast.lease_until is None:
        return None
    if broadcast.lease_until > now() and not _died_here(broadcast.lease_host, broadcast.lease_worker):
        return None
    connection = open_connection_of(session_uuid) if broadcast.claims else None
    if connection is not None:
        end_connection(connection, ConnectionEnding.RESTARTED)
    broadcast.claims += 1
    broadcast.lease_host, broadcast.lease_worker = _host(), f"{os.getpid()}.{secrets.token_hex(12)}"
    broadcast.lease_until = now() + LEASE
    _claimed_here.add(broadcast.lease_worker)
    session.flush()
    return ClaimedBroadcast(session_uuid, broadcast.lease_worker)


def give_up_unclaimed(session_uuid: UUID) -> None:
    """End the run of a broadcast that no worker has taken for a long time, because none can."""
    broadcast = session.get(Broadcast, session_uuid, populate_existing=True)
    if broadcast is None or broadcast.claims or now() - broadcast.since < UNCLAIMED_TIME:
        return
    end_run(session_uuid, ending=Ending.CLOSED)
    broadcast.state, broadcast.lease_until = BroadcastState.ENDED, None


def renew(claimed: ClaimedBroadcast) -> bool:
    """Renew the lease. False if it is another worker's by now."""
    return _write(claimed, lease_until=now() + LEASE)


def give_back(claimed: ClaimedBroadcast) -> None:
    """Let another worker begin at once."""
    _write(claimed, lease_until=now())


def finish(claimed: ClaimedBroadcast) -> None:
    """Let no worker be needed any more."""
    _write(claimed, lease_until=None)


def hold(claimed: ClaimedBroadcast) -> Broadcast | None:
    """The broadcast, locked until the transaction ends; None if the lease is another worker's by now."""
    return session.scalar(
        sa.select(Broadcast)
        .where(Broadcast.session_uuid == claimed.session_uuid, Broadcast.lease_worker == claimed.worker)
        .with_for_update()
        .execution_options(populate_existing=True)
    )


def _write(claimed: ClaimedBroadcast, **values: object) -> bool:
    written = session.execute(
        sa.update(Broadcast)
        .where(
            Broadcast.session_uuid == claimed.session_uuid,
            Broadcast.lease_worker == claimed.worker,
            Broadcast.lease_until.is_not(None),
        )
        .values(values)
        .execution_options(synchronize_session=False)
    )
    return bool(written.rowcount)  # type: ignore[attr-defined]


def _host() -> str:
    return socket.gethostname()[:HOST_LENGTH]


def _died_here(host: str, worker: str) -> bool:
    """Whether this was a process of this machine that is gone. Of another machine's nothing is known."""
    if not worker or host != _host() or worker in _claimed_here:
        return False
    number = int(worker.partition(".")[0])
    if number == os.getpid():
        return True
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
