"""Reactions: what somebody shows to all for a few seconds without speaking. Nothing of them is kept or audited."""

from enum import StrEnum

from portal.channels import channels
from portal.conference import signal_rate
from portal.conference.signals import mailbox
from portal.rooms.models import Room
from portal.status.models import Participation
from portal.status.operations import present_participations


class Reaction(StrEnum):
    """The reactions that there are. A page shows a picture and words for each."""

    YES = "yes"
    CLAP = "clap"
    HEART = "heart"
    LAUGH = "laugh"
    WOW = "wow"
    PARTY = "party"


def receivers_of_reaction(room: Room, sender: Participation) -> list[str]:
    """The ids of the participations to which a reaction of `sender` goes: of all others. Raises `Throttled`."""
    signal_rate.take(signal_rate.REACTIONS, signal_rate.visitor_of(sender))
    return [one.id for one in present_participations(room) if one.uuid != sender.uuid]


def show_reaction(sender: Participation, receivers: list[str], reaction: Reaction) -> None:
    """Tell the pages of `receivers`. No transaction has to be open."""
    message = {"event": "reaction", "from": sender.id, "reaction": reaction.value}
    with channels().together() as signals:
        for receiver in receivers:
            signals.post(mailbox(receiver), message)
