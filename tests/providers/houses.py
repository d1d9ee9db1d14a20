"""Rooms held by each adapter there is, so that one contract can be asked of all: how people come, go, and are seen."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from portal.providers import registry
from portal.providers.mesh.adapter import Mesh
from portal.rooms.models import Role
from tests.cast import Cast, Client
from tests.providers.bigbluebutton.server import running_bbb
from tests.providers.bigbluebutton.world import BbbWorld
from tests.providers.bigbluebutton.world import give_board_room_to as give_room_to_bbb
from tests.providers.standin.adapter import StandInAdapter
from tests.providers.standin.server import running
from tests.providers.standin.world import World, give_board_room_to
from tests.web.player import Player

CODE = "DEMO-2026"


class House(Protocol):
    """The board room of the demo, held by one adapter."""

    cast: Cast

    def come(self, name: str, role: Role = Role.GUEST, client: Client | None = None) -> tuple[Client, str]:
        """Come in by a link, all the way: the browser, and the participation's id."""

    def go(self, client: Client, participation_id: str) -> None:
        """Leave as people do there."""

    def settle(self) -> None:
        """Let the portal learn what it can learn of the service now."""


def _join(cast: Cast, name: str, role: Role, client: Client | None) -> tuple[Client, Any]:
    client = cast.follow(role, client)
    return client, client.send(cast.board_path, name=name, code=CODE if role is Role.ATTENDEE else "")


@dataclass
class MeshHouse:
    """People meet on the portal's own page."""

    cast: Cast

    def come(self, name: str, role: Role = Role.GUEST, client: Client | None = None) -> tuple[Client, str]:
        client, answer = _join(self.cast, name, role, client)
        assert answer.status_code == 303, answer.text
        player = Player(client, self.cast.board, f"tab-of-{name}")
        assert player.alive(takeover=True).status_code == 200
        return client, player.id

    def go(self, client: Client, participation_id: str) -> None:
        player = f"/rooms/{self.cast.board}/-/conference"
        page = client.get(player).text
        csrf = page.split('data-csrf="')[1].split('"')[0]
        assert client.post(f"{player}/departure", data={"csrf_token": csrf}).status_code == 303

    def settle(self) -> None:
        return None


@dataclass
class _ServiceHouse:
    """People meet at a service, which the portal asks who is in."""

    cast: Cast
    world: World

    def come(self, name: str, role: Role = Role.GUEST, client: Client | None = None) -> tuple[Client, str]:
        known = {person.id for person in self.world.people()}
        client, answer = _join(self.cast, name, role, client)
        self.world.land(answer)
        fresh = [person.id for person in self.world.people() if person.id not in known]
        return client, (fresh or [self.world.people()[-1].id])[0]

    def settle(self) -> None:
        self.world.ask()
        self.world.work()


class StandInHouse(_ServiceHouse):
    """People meet at the stand-in."""

    def go(self, client: Client, participation_id: str) -> None:
        self.world.service.go(self.world.service.meeting_name(), participation_id)


@dataclass
class BbbHouse(_ServiceHouse):
    """People meet at a BigBlueButton server."""

    world: BbbWorld

    def go(self, client: Client, participation_id: str) -> None:
        [user_id] = [one.user_id for one in self.world.server.only().people if one.user_id[2:] == participation_id]
        self.world.server.go(user_id)


@contextmanager
def mesh_house(cast: Cast) -> Iterator[MeshHouse]:
    registry.fill([Mesh([]), StandInAdapter()])
    yield MeshHouse(cast)


@contextmanager
def stand_in_house(cast: Cast) -> Iterator[StandInHouse]:
    registry.fill([Mesh([]), StandInAdapter()])
    with running() as service:
        service.calls_back = False
        yield StandInHouse(cast, give_board_room_to(cast, service))


@contextmanager
def bbb_house(cast: Cast) -> Iterator[BbbHouse]:
    with running_bbb() as server:
        yield BbbHouse(cast, give_room_to_bbb(cast, server))


HOUSES: dict[str, Callable[[Cast], Any]] = {
    "mesh": mesh_house,
    "standin": stand_in_house,
    "bigbluebutton": bbb_house,
}
