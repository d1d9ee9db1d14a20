"""The first page of staff: it says what needs somebody to act, to those who may read it, and is calm otherwise."""

from datetime import timedelta

import sqlalchemy as sa

from portal.clock import now
from portal.db import session, transaction
from portal.people.staff import StaffPermission
from portal.rooms.models import Role
from portal.subscriptions.models import Subscription
from portal.subscriptions.provider_models import ServiceProvider
from portal.videos.models import RoomVideo
from portal.videos.storage_used import GIGABYTE
from tests.cast import Cast
from tests.conftest import BOTH
from tests.video_room import new_video_room
from tests.web.admin.staffing import with_role

CALM = "Nothing needs your attention."


def test_a_service_that_is_off_while_rooms_need_it_leads_to_its_page(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    assert CALM in ada.get("/admin").text
    with cast.app.app_context(), transaction():
        provider = session.scalars(sa.select(Subscription)).unique().first().provider  # type: ignore[union-attr]
        unused = ServiceProvider(
            provider_name="Unused", provider_type="mesh", service_type=provider.service_type, active=False
        )
        session.add(unused)
        provider.active, provider.provider_name, own = False, "Old house", provider.id
    page = ada.get("/admin").text
    assert f'href="/admin/services/{own}">Old house</a>' in page
    assert CALM not in page
    assert "Unused" not in page
    bob = with_role(cast, "bob", StaffPermission.DASHBOARD_ACCESS, StaffPermission.ROOMS_READ)
    assert "Old house" not in bob.get("/admin").text


def test_a_limit_that_is_reached_needs_somebody_to_act(cast: Cast) -> None:
    with cast.app.app_context(), transaction():
        next(one for one in cast.room().subscription.features if one.code == "max_rooms").number = 2
    page = cast.sign_in("admin").get("/admin").text
    assert "Limits reached" in page
    assert CALM not in page


@BOTH
def test_storage_that_is_used_up_needs_somebody_to_act(cast: Cast) -> None:
    with cast.app.app_context(), transaction():
        video = RoomVideo(room=new_video_room(max_storage=1), name="Film", size=GIGABYTE - 1)
        session.add(video)
        session.flush()
        uuid = video.uuid
    admin = cast.sign_in("admin")
    assert "Limits reached" not in admin.get("/admin").text
    with cast.app.app_context(), transaction():
        session.get_one(RoomVideo, uuid).size = GIGABYTE
    page = admin.get("/admin").text
    assert "Limits reached" in page
    assert "1 of 1" in " ".join(page.split())


def test_rooms_that_are_live_are_links_for_those_who_may_see_all_rooms(cast: Cast) -> None:
    cast.join(Role.GUEST)
    link = f'href="/manage/rooms/{cast.board}">Board meeting</a>'
    page = cast.sign_in("admin").get("/admin").text
    assert link in page
    assert CALM in page  # nobody has to act
    bob = with_role(cast, "bob", StaffPermission.DASHBOARD_ACCESS, StaffPermission.PROVIDERS_READ)
    assert link not in bob.get("/admin").text


def test_a_subscription_that_ran_out_unnoticed_is_told_with_what_its_grace_allows(cast: Cast) -> None:
    with cast.app.app_context(), transaction():
        sold, sold.ends_at = cast.room().subscription, now() - timedelta(days=2)
        sold.grace_until = now() + timedelta(days=5)
    ada = cast.sign_in("admin")
    assert "in grace, rooms work until" in ada.get("/admin").text
    with cast.app.app_context(), transaction():
        cast.room().subscription.grace_until = None
    page = ada.get("/admin").text
    assert "Subscriptions that ran out" in page
    assert "rooms are closed" in page
    assert sold.name in ada.get("/admin/subscriptions?status=ended").text
    with cast.app.app_context(), transaction():
        cast.room().subscription.canceled_at = now()
    assert CALM in ada.get("/admin").text  # that was somebody's decision
