"""Presence of viewers: the page sends a sign of life every few seconds, and says when it is closed.

A viewer may have the page open in two tabs: they are one participation, which goes on as long as one of them lives.
"""

from portal.channels import channels
from portal.status.models import Participation
from portal.status.presence import LEAVING

HEARTBEAT_SECONDS = 5
"""How often the page sends a sign of life."""
ALIVE_SECONDS = 12
"""How long one counts: two may be late."""
HIDDEN_SECONDS = 75
"""How long one counts of a page that nobody sees: browsers let its timers run once a minute."""
CLOSED_SECONDS = 6
"""How long somebody is in who has closed the page: a reload, or another tab, keeps him in."""


def heartbeat(participation: Participation, *, hidden: bool) -> None:
    """Keep the viewer present for some seconds more; longer if his page is `hidden` behind another one."""
    seconds = HIDDEN_SECONDS if hidden else ALIVE_SECONDS
    channels().set_present(str(participation.room_uuid), participation.id, {"watches": True}, seconds)


def page_closed(participation: Participation) -> None:
    """Let the viewer be out in a moment, because his page was closed, unless another page of his is open."""
    value = {"watches": True, LEAVING: True}
    channels().set_present(str(participation.room_uuid), participation.id, value, CLOSED_SECONDS)
