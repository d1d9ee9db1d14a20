"""Segments of a video: what the gate in front of them costs, beside the same files served without one."""

from dataclasses import asdict, dataclass
from http import HTTPStatus
from uuid import UUID

import sqlalchemy as sa

from benchmarks import clocks
from benchmarks.asking import Ask
from benchmarks.load import Load
from benchmarks.measuring import answered, requests_of
from benchmarks.sites import CONNECTIONS, Browser, Site
from portal.accounts.operations import create_account
from portal.accounts.room_account import room_account
from portal.admission.issuing import issue_token
from portal.customers.models import Customer
from portal.db import db, session, transaction
from portal.people.actor import actor_of
from portal.people.models import User
from portal.rooms.models import Role, Room
from portal.rooms.operations import create_room
from portal.subscriptions.packages import create_package
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.selling import create_subscription
from portal.videos.models import RoomVideo, VideoState
from tests.statements import statements

SEGMENTS, BYTES = 16, 500_000
"""How many there are, and how large each is: four seconds of a small picture."""
FOLDER, LARGEST = "bench", "480p"
LEAST_RATIO = 0.9
ROUNDS = 3


@dataclass(frozen=True)
class Segments:
    """What serving segments costs. The ratio is the plain server's processor time, divided by the portal's."""

    ratio: float
    sql: int
    per_second: float
    megabytes_per_second: float
    plain_per_second: float

    @property
    def figures(self) -> dict[str, float]:
        """The measurements by name."""
        return asdict(self)

    @property
    def report(self) -> str:
        """The lines of the report."""
        slow = "" if self.ratio >= LEAST_RATIO else "  <- over budget"
        asked = "" if not self.sql else "  <- over budget"
        return (
            f"segments of {BYTES // 1000} KB, to {CONNECTIONS} people\n"
            f"  {self.per_second:.0f} a second, {self.megabytes_per_second:.0f} MB/s; without a gate "
            f"{self.plain_per_second:.0f} a second\n"
            f"  CPU of one without a gate to one of ours {self.ratio:.2f}   at least {LEAST_RATIO}{slow}\n"
            f"  SQL per segment {self.sql}   none{asked}"
        )


def serve(site: Site, seconds: float) -> Segments:
    """Let people who are in a room fetch segments, in turn with a plain server that sends the same files."""
    room, token_uuid, video = _video(site)
    viewers = [_viewer(site, room, token_uuid, number) for number in range(CONNECTIONS)]
    names = [f"{LARGEST}_{number:05}.m4s" for number in range(SEGMENTS)]
    gated = [f"/rooms/{room.id}/-/media/{video.id}/{FOLDER}/{name}" for name in names]
    plain = [f"/files/{video.key}/{FOLDER}/{name}" for name in names]
    nobody = Browser(site.bare_port)
    servers = {
        site.bare_port: requests_of(lambda _connection: [Ask(nobody, address) for address in plain]),
        site.port: requests_of(lambda connection: [Ask(viewers[connection], address) for address in gated]),
    }
    costs: dict[int, list[float]] = {port: [] for port in servers}
    speeds: dict[int, list[float]] = {port: [] for port in servers}
    for _ in range(ROUNDS):
        for port, requests in servers.items():
            before = clocks.cpu(*site.roots(port))
            result = answered(Load(port, requests, HTTPStatus.OK, seconds))
            costs[port].append((clocks.cpu(*site.roots(port)) - before) / result.total)
            speeds[port].append(result.per_second)
    ours = sorted(speeds[site.port])[ROUNDS // 2]
    ratios = sorted(one / other for one, other in zip(costs[site.bare_port], costs[site.port], strict=True))
    return Segments(
        ratio=ratios[ROUNDS // 2],
        sql=_counted(site, viewers[0], gated),
        per_second=ours,
        megabytes_per_second=ours * BYTES / 1e6,
        plain_per_second=sorted(speeds[site.bare_port])[ROUNDS // 2],
    )


def _counted(site: Site, viewer: Browser, addresses: list[str]) -> int:
    """The SQL statements of a segment, after the first, with which the portal finds out who asks."""
    with site.app.app_context():
        engine = db.engine
    client = site.app.test_client(use_cookies=False)
    assert client.get(addresses[0], headers=viewer.credential).status_code == HTTPStatus.OK
    with statements(engine) as seen:
        assert client.get(addresses[1], headers=viewer.credential).status_code == HTTPStatus.OK
    return len(seen)


def _viewer(site: Site, room: Room, token_uuid: UUID, number: int) -> Browser:
    """Somebody who has pressed Watch."""
    viewer = site.device(room, token_uuid)
    status, _, text = viewer.open(room.path, {"name": f"Viewer {number}"})
    assert status == HTTPStatus.SEE_OTHER, text
    return viewer


def _video(site: Site) -> tuple[Room, UUID, RoomVideo]:
    """A room of videos with a link, and a video of it whose files are in the portal's storage."""
    with site.app.app_context(), transaction():
        owner = session.scalars(sa.select(User).where(User.email == "alice@bench.example")).unique().one()
        by = actor_of(owner)
        provider = session.scalars(sa.select(ServiceProvider).where(ServiceProvider.provider_type == "vod")).one()
        package = create_package(
            name="Video",
            service_type=ServiceType.VIDEO,
            currency="EUR",
            features={"max_viewers": None, "max_rooms": None, "max_storage": None},
            provider=provider,
        )
        customer = session.scalars(sa.select(Customer).where(Customer.owner_uuid == owner.uuid)).one()
        subscription = create_subscription(customer=customer, package=package, name="Video")
        account = create_account(subscription=subscription, account_name="Videos")
        made = create_room(account=room_account(account.uuid), by=by, room_name="Videos of the bench")
        room = session.get_one(Room, made.uuid)
        token = issue_token(room=room, role=Role.GUEST, by=by)
        video = RoomVideo(
            room_uuid=room.uuid,
            name="Bench",
            state=VideoState.READY,
            playable=True,
            folder=FOLDER,
            renditions=[{"name": LARGEST, "width": 854, "height": 480, "bandwidth": 1_200_000}],
            milliseconds=SEGMENTS * 4000,
        )
        session.add(video)
        session.flush()
        folder = site.app.config["SETTINGS"].files / video.key / FOLDER
        folder.mkdir(parents=True)
        for number in range(SEGMENTS):
            (folder / f"{LARGEST}_{number:05}.m4s").write_bytes(bytes(BYTES))
        session.expunge_all()
        return room, token.uuid, video
