"""Platform roles: what they hold, who may change them, and that there is always an active administrator."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.audit.models import AuditEvent
from portal.channels import channels
from portal.customers.models import Customer
from portal.customers.operations import create_customer
from portal.db import session, transaction
from portal.errors import Conflict, Invalid, NotAllowed, NotFound
from portal.people.actor import Actor, actor_of
from portal.people.models import PlatformRole, SignIn, User, user_platform_roles
from portal.people.operations import create_user, make_admin, start_sign_in
from portal.people.password_links import find_link_of, find_password_link, issue_password_link
from portal.people.role_holders import change_roles, make_staff_member, set_roles
from portal.people.roles import change_role, create_role, delete_role, find_role
from portal.people.staff import READ_OF, StaffPermission
from portal.people.user_status import activate_user, change_user, deactivate_user
from portal.permissions.ownership import transfer_ownership
from portal.permissions.user_deletion import delete_user
from portal.scopes import Scope
from tests.cast import Cast
from tests.conftest import BOTH

READ, WRITE = StaffPermission.ROOMS_READ, StaffPermission.ROOMS_UPDATE


@pytest.fixture
def ada(in_app: None, cast: Cast) -> Actor:
    return actor_of(cast.user("admin"))


def clerk(cast: Cast, name: str = "bob") -> Actor:
    """One of the cast who manages people and rooms, and no more."""
    held = [StaffPermission.DASHBOARD_ACCESS, READ, WRITE, StaffPermission.USERS_READ, StaffPermission.USERS_UPDATE]
    cast.user(name).platform_roles = [PlatformRole(name="clerks", permissions=[str(one) for one in held])]
    session.flush()
    return actor_of(cast.user(name))


def test_every_permission_to_write_needs_that_to_read_the_same() -> None:
    assert {one for one in StaffPermission if one.verb in {"create", "update", "delete"}} == READ_OF.keys()
    assert {needed.noun for needed in READ_OF.values()} == {one.noun for one in READ_OF}
    assert all(needed.verb == "read" for needed in READ_OF.values())


def test_a_role_holds_the_admin_pages_and_what_it_was_given(ada: Actor) -> None:
    role = create_role(name="night-shift", permissions={WRITE, READ}, by=ada)
    assert (role.title, role.permissions) == ("Night shift", ["dashboard:access", READ.value, WRITE.value])
    with pytest.raises(Invalid) as refused:
        create_role(name="blind", permissions={WRITE}, by=ada)
    assert refused.value.fields == {"permissions": "“Rooms: change” needs “Rooms: read”, too."}


@pytest.mark.parametrize(
    "name", ["", "Sales", "sales team", "sales--team", "-sales", "sales-", "1st", "s" * 81, "admin"]
)
def test_a_name_is_in_kebab_case_and_unique(ada: Actor, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        create_role(name=name, permissions=(), by=ada)
    assert list(refused.value.fields) == ["name"]


def test_a_change_is_in_the_audit_with_what_was_before(ada: Actor) -> None:
    role = create_role(name="sales", permissions={READ}, by=ada)
    change_role(role, permissions={READ, WRITE}, display_name="Sales", by=ada)
    change_role(role, permissions={READ, WRITE}, by=ada)  # changes nothing
    session.commit()
    lines = session.scalars(sa.select(AuditEvent).where(AuditEvent.action == "role.changed")).all()
    assert [line.details for line in lines] == [
        {
            "name": "sales",
            "permissions_before": f"dashboard:access {READ}",
            "permissions_after": f"dashboard:access {READ} {WRITE}",
        }
    ]


def test_nobody_puts_into_a_role_what_he_lacks_nor_takes_it_out(ada: Actor, cast: Cast) -> None:
    bob, role = clerk(cast), create_role(name="audit", permissions={StaffPermission.AUDIT_READ}, by=ada)
    for act in (
        lambda: create_role(name="mine", permissions={StaffPermission.AUDIT_READ}, by=bob),
        lambda: change_role(role, permissions=(), by=bob),
        lambda: delete_role(role, by=bob),
        lambda: change_roles(cast.user("charlie"), give=[role], by=bob),
    ):
        with pytest.raises(NotAllowed, match="Audit: read"):
            act()
    change_role(role, permissions={StaffPermission.AUDIT_READ, READ}, by=bob)  # adds what he has


def test_nobody_gives_or_takes_the_built_in_role_unless_he_holds_everything(ada: Actor, cast: Cast) -> None:
    bob, admin = clerk(cast), cast.user("admin").platform_roles[0]
    with pytest.raises(NotAllowed):
        change_roles(cast.user("charlie"), give=[admin], by=bob)
    with pytest.raises(NotAllowed):
        change_roles(cast.user("admin"), take=[admin], by=bob)
    with pytest.raises(NotAllowed, match="may do more here than you"):
        deactivate_user(cast.user("admin"), by=bob)
    with pytest.raises(NotAllowed):
        delete_user(cast.user("admin"), by=bob)


def test_nobody_changes_his_own_roles_or_status(ada: Actor, cast: Cast) -> None:
    role, own = create_role(name="sales", permissions=(), by=ada), cast.user("admin")
    make_admin(cast.user("bob"))
    for act in (
        lambda: change_roles(own, give=[role], by=ada),
        lambda: set_roles(own, [], by=ada),
        lambda: deactivate_user(own, by=ada),
        lambda: delete_user(own, by=ada),
    ):
        with pytest.raises(NotAllowed):
            act()


def test_the_built_in_role_stays_as_it_is(ada: Actor, cast: Cast) -> None:
    admin = cast.user("admin").platform_roles[0]
    with pytest.raises(Conflict):
        change_role(admin, display_name="Boss", by=ada)
    with pytest.raises(Conflict):
        delete_role(admin, by=ada)


def test_a_role_is_deleted_only_when_nobody_holds_it(ada: Actor, cast: Cast) -> None:
    role = create_role(name="sales", permissions=(), by=ada)
    change_roles(cast.user("bob"), give=[role], by=ada)
    with pytest.raises(Conflict, match="Somebody holds this role"):
        delete_role(role, by=ada)
    change_roles(cast.user("bob"), take=[role], by=ada)
    delete_role(role, by=ada)
    assert find_role(role.id) is None


def test_a_new_member_of_the_staff_keeps_his_name_if_he_is_a_user(ada: Actor, cast: Cast) -> None:
    role = create_role(name="sales", permissions=(), by=ada)
    bob = make_staff_member(email="BOB@demo.example", name="Somebody", roles=[role], by=ada).user
    eve = make_staff_member(email="eve@x.example", name="Eve", roles=[role], by=ada).user
    assert (bob.uuid, bob.name, bob.platform_roles) == (cast.user("bob").uuid, "Bob Fischer", [role])
    assert (eve.name, eve.password_hash, eve.platform_roles) == ("Eve", None, [role])


@BOTH
def test_making_staff_of_somebody_does_not_open_what_he_has(ada: Actor, cast: Cast) -> None:
    """Only who may change people, and does as much, gets the link by which one signs in as an existing user."""
    held = [StaffPermission.DASHBOARD_ACCESS, StaffPermission.USERS_READ, StaffPermission.USERS_CREATE]
    hires = PlatformRole(name="hires", permissions=[str(one) for one in held])
    cast.user("bob").platform_roles = [hires]
    session.flush()
    bob = actor_of(cast.user("bob"))
    boss = create_user(email="boss@x.example", name="Boss")
    make_admin(boss)
    owner = create_user(email="owner@x.example", name="Owner")
    with pytest.raises(NotAllowed, match="Boss may do more here than you"):
        make_staff_member(email=boss.email, name="", roles=[hires], by=bob)
    assert not find_link_of(boss)
    assert make_staff_member(email=owner.email, name="", roles=[hires], by=bob).link is None
    assert make_staff_member(email="new@x.example", name="New", roles=[hires], by=bob).link
    assert make_staff_member(email=owner.email, name="", roles=[hires], by=ada).link


def test_whoever_is_switched_off_is_signed_out_and_his_streams_end(ada: Actor, cast: Cast) -> None:
    bob = cast.user("bob")
    own = start_sign_in(bob, network="192.0.2.1")
    session.commit()
    with channels().watch(f"user:{bob.uuid}") as told:
        deactivate_user(bob, by=ada)
        session.commit()
        told.wait(5)
    assert told.heard
    session.refresh(own)
    assert own.ended_at is not None
    activate_user(bob, by=ada)
    assert bob.deactivated_at is None
    assert session.get_one(SignIn, own.uuid).ended_at is not None


def test_of_a_deleted_user_nothing_stays_that_says_who_he_was(ada: Actor, cast: Cast) -> None:
    bob = cast.user("bob")
    delete_user(bob, by=ada)
    session.commit()
    row = session.execute(sa.select(User.__table__).where(User.uuid == bob.uuid)).mappings().one()  # type: ignore[arg-type]
    assert not any("bob" in str(value).lower() for value in row.values())
    assert (row["password_hash"], row["deactivated_at"] is None) == (None, False)
    assert cast.browser().send("/sign-in", email="bob@demo.example", password="demo-demo-demo").status_code == 422


@pytest.mark.parametrize("name", ["alice", "charlie"])
def test_whoever_owns_something_is_not_deleted(ada: Actor, cast: Cast, name: str) -> None:
    with pytest.raises(Conflict, match="owns a customer"):
        delete_user(cast.user(name), by=ada)


def take(user: User, by: Actor) -> None:
    change_roles(user, take=list(user.platform_roles), by=by)


def switch_off(user: User, by: Actor) -> None:
    deactivate_user(user, by=by)


def erase(user: User, by: Actor) -> None:
    delete_user(user, by=by)


Act = Callable[[User, Actor], None]


def at_once(app: Flask, *attempts: tuple[Act, str, str]) -> list[str]:
    """Let these happen at the same time, each told as what is done, to whom, and by whom; how they ended, sorted."""
    barrier, outcomes = threading.Barrier(len(attempts), timeout=20), list[str]()

    def attempt(act: Act, whom: str, by: str) -> None:
        with app.app_context():
            try:
                with transaction():
                    users = {user.name: user for user in session.scalars(sa.select(User)).unique()}
                    actor = actor_of(users[by])
                    session.commit()
                    barrier.wait()
                    act(users[whom], actor)
                outcomes.append("done")
            except (Conflict, Invalid):
                outcomes.append("refused")

    threads = [threading.Thread(target=attempt, args=told) for told in attempts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return sorted(outcomes)


@pytest.mark.parametrize("act", [take, switch_off, erase])
def test_the_last_active_administrator_stays(ada: Actor, cast: Cast, act: Act) -> None:
    make_admin(cast.user("bob"))
    bob = actor_of(cast.user("bob"))
    deactivate_user(cast.user("bob"), by=ada)  # so he counts no more, though he holds the role
    session.flush()
    with pytest.raises(Conflict, match="Ada Admin is the last active administrator"):
        act(cast.user("admin"), bob)


def hand_over(user: User, by: Actor) -> None:
    place = session.scalars(sa.select(Customer).where(Customer.company_name == "Acme")).unique().one()
    transfer_ownership(place, user, by=by)


def sell_to(user: User, by: Actor) -> None:
    create_customer(company_name="Initech", owner=user, by=by)


def sell_by_address(user: User, by: Actor) -> None:
    create_customer(company_name="Initech", email="eve@x.example", by=by)


@BOTH
@pytest.mark.parametrize("own", [hand_over, sell_to, sell_by_address])
def test_whoever_is_deleted_becomes_no_owner_at_the_same_time(app: Flask, cast: Cast, own: Act) -> None:
    with app.app_context(), transaction():
        create_user(email="eve@x.example", name="Eve")
    assert "done" in at_once(app, (own, "Eve", "Ada Admin"), (erase, "Eve", "Ada Admin"))
    with app.app_context(), transaction():
        gone = sa.exists().where(User.uuid == Customer.owner_uuid, User.deactivated_at.is_not(None))
        assert not session.scalars(sa.select(Customer.company_name).where(gone)).all()


@BOTH
@pytest.mark.parametrize(
    "acts",
    [(take, take), (switch_off, switch_off), (take, erase)],
    ids=["take-take", "switch_off-switch_off", "take-erase"],
)
def test_of_two_administrators_who_remove_each_other_one_stays(app: Flask, cast: Cast, acts: tuple[Act, Act]) -> None:
    with app.app_context(), transaction():
        make_admin(create_user(email="eve@x.example", name="Eve"))
    assert at_once(app, (acts[0], "Eve", "Ada Admin"), (acts[1], "Ada Admin", "Eve")) == ["done", "refused"]
    with app.app_context(), transaction():
        active = sa.select(sa.func.count()).where(
            user_platform_roles.c.user_uuid == User.uuid, User.deactivated_at.is_(None)
        )
        assert session.scalar(active) == 1


@BOTH
def test_a_role_that_is_given_meanwhile_is_not_deleted(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        role_id = create_role(name="sales", permissions=(), by=actor_of(cast.user("admin"))).id
    barrier, outcomes = threading.Barrier(2, timeout=20), list[str]()

    def run(act: Callable[[PlatformRole, Actor], None]) -> None:
        with app.app_context():
            try:
                with transaction():
                    role, ada = find_role(role_id), actor_of(cast.user("admin"))
                    assert role is not None
                    session.commit()
                    barrier.wait()
                    act(role, ada)
                outcomes.append("done")
            except (Conflict, NotFound):
                outcomes.append("refused")

    threads = [
        threading.Thread(target=run, args=(lambda role, ada: delete_role(role, by=ada),)),
        threading.Thread(target=run, args=(lambda role, ada: change_roles(cast.user("bob"), give=[role], by=ada),)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["done", "refused"]
    with app.app_context(), transaction():
        held = session.scalar(sa.select(sa.func.count()).select_from(user_platform_roles))
        assert held == (2 if find_role(role_id) is not None else 1)


def test_whoever_gets_a_role_signs_in_anew_and_no_older_link_sets_his_password(ada: Actor, cast: Cast) -> None:
    """Whoever made the link, or has the session, may be somebody who must not get what the role gives."""
    zoe = create_user(email="zoe@demo.example", name="Zoe")
    token = issue_password_link(zoe, by=ada).path.partition("=")[2]
    before = zoe.updated_at
    signed_in = start_sign_in(zoe, network="192.0.2.1")
    change_roles(zoe, by=ada, give=[create_role(name="night-shift", permissions=(), by=ada)])
    session.flush()
    session.expire_all()
    assert signed_in.ended_at is not None
    assert zoe.updated_at > before
    with pytest.raises(NotFound):
        find_password_link(token)


def test_a_program_gives_no_role_for_which_it_lacks_the_scope(ada: Actor, cast: Cast) -> None:
    scopes = frozenset({Scope.PEOPLE_READ, Scope.PEOPLE_WRITE, Scope.ADMIN})
    program = replace(ada, scopes=scopes)
    sales = create_role(name="sales", permissions={StaffPermission.CUSTOMERS_READ}, by=ada)
    people = create_role(name="people", permissions={StaffPermission.USERS_READ}, by=ada)
    change_roles(cast.user("bob"), by=program, give=[people])
    for role in (sales, find_role_named("admin")):
        with pytest.raises(NotAllowed):
            change_roles(cast.user("bob"), by=program, give=[role])
    with pytest.raises(NotAllowed):
        create_role(name="shop", permissions={StaffPermission.CUSTOMERS_READ}, by=program)


def find_role_named(name: str) -> PlatformRole:
    return session.scalars(sa.select(PlatformRole).where(PlatformRole.name == name)).one()


def test_nobody_has_the_address_of_somebody_who_was_deleted(ada: Actor, cast: Cast) -> None:
    gone = create_user(email="gone@demo.example", name="Gone")
    delete_user(gone, by=ada)
    for email in ("ghost@deleted.invalid", gone.email):
        with pytest.raises(Invalid) as refused:
            make_staff_member(email=email, name="Ghost", roles=[find_role_named("admin")], by=ada)
        assert set(refused.value.fields) == {"email"}
    with pytest.raises(Invalid):
        change_user(cast.user("bob"), by=ada, email="hider@Deleted.Invalid")
