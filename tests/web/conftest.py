"""People in the board room, by their pages: of `moderator` and `guest` the portal has no heartbeat yet, of the others it has."""

import pytest

from portal.rooms.models import Role
from tests.cast import Cast
from tests.web.player import Player, entered


@pytest.fixture
def moderator(cast: Cast) -> Player:
    return Player(cast.join(Role.MODERATOR, name="Mo"), cast.board, "mo-tab")


@pytest.fixture
def guest(cast: Cast) -> Player:
    return Player(cast.join(Role.GUEST, name="Gus"), cast.board, "gus-tab")


@pytest.fixture
def mo(cast: Cast) -> Player:
    return entered(cast, Role.MODERATOR, "Mo")


@pytest.fixture
def ann(cast: Cast) -> Player:
    return entered(cast, Role.ATTENDEE, "Ann")


@pytest.fixture
def gus(cast: Cast) -> Player:
    return entered(cast, Role.GUEST, "Gus")
