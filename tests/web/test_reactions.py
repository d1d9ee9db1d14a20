"""Reactions: told to all others in the room, and refused at too high a rate."""

from collections.abc import Iterator

import pytest

from portal import channels
from portal.conference import signal_rate
from portal.rooms.models import Role
from tests.cast import Cast
from tests.web.player import Player, entered


@pytest.fixture(autouse=True)
def _rested() -> Iterator[None]:
    signal_rate.REACTIONS.left.clear()
    yield
    signal_rate.REACTIONS.left.clear()


def told(player: Player) -> list[dict[str, object]]:
    return [message.body for message in channels.channels().messages(f"participation:{player.id}", "")]


def test_all_others_are_told_of_a_reaction(cast: Cast) -> None:
    mo, ann, gus = (
        entered(cast, role, name)
        for role, name in ((Role.MODERATOR, "Mo"), (Role.ATTENDEE, "Ann"), (Role.GUEST, "Gus"))
    )
    assert gus.say("reactions", reaction="clap").status_code == 202
    assert told(mo) == told(ann) == [{"event": "reaction", "from": gus.id, "reaction": "clap"}]
    assert told(gus) == []


@pytest.mark.parametrize("odd", ["<b>", "", None, ["clap"], "x" * 500])
def test_only_known_reactions_are_told(cast: Cast, odd: object) -> None:
    mo, gus = entered(cast, Role.MODERATOR, "Mo"), entered(cast, Role.GUEST, "Gus")
    assert gus.say("reactions", reaction=odd).status_code == 422
    assert told(mo) == []


def test_too_many_reactions_are_refused(cast: Cast) -> None:
    mo, gus = entered(cast, Role.MODERATOR, "Mo"), entered(cast, Role.GUEST, "Gus")
    sent = [gus.say("reactions", reaction="yes").status_code for _ in range(8)]
    assert sent == [202] * 5 + [429] * 3
    assert len(told(mo)) == 5
    assert mo.say("reactions", reaction="yes").status_code == 202, "others may"


def test_another_tab_shows_no_reaction(cast: Cast) -> None:
    gus = entered(cast, Role.GUEST, "Gus")
    assert gus.say("reactions", reaction="yes", tab="other").status_code == 409
