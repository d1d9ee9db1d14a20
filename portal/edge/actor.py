"""The actor of the current request: who is signed in. The only module that imports Flask-Login.

The session cookie holds the id of a `SignIn` row, so that signing out ends it on the server too.
"""

from datetime import datetime
from uuid import UUID

import flask_login
import structlog
from flask import Flask, current_app, g, session
from flask_login import LoginManager, UserMixin
from sqlalchemy.exc import SQLAlchemyError

from portal.clock import now
from portal.db import transaction
from portal.people import operations as people
from portal.people.actor import Actor, actor_of
from portal.people.models import SignIn, User
from portal.scopes import Scope

log = structlog.get_logger()

_manager = LoginManager()


class _Signed(UserMixin):  # type: ignore[misc]
    def __init__(self, sign_in: SignIn) -> None:
        self.sign_in = sign_in

    def get_id(self) -> str:
        return str(self.sign_in.uuid)


def install(app: Flask) -> None:
    """Set up signing in for this app.

    Call it before `transaction.install`: Flask runs teardown functions in reverse order, and `_note_seen` needs a
    transaction of its own after the request's transaction is closed.
    """
    app.teardown_request(_note_seen)
    _manager.init_app(app, add_context_processor=False)  # templates ask us
    _manager.session_protection = None  # networks change on phones; the sign-in row is what counts


@_manager.user_loader  # type: ignore[untyped-decorator]
def _load(key: str) -> _Signed | None:
    try:
        sign_in = _valid(UUID(key))
    except ValueError:
        return None
    if sign_in is None:
        return None
    if now() - sign_in.seen_at >= people.SEEN_BY_READING_STEP:
        g.seen = sign_in.uuid
        session.modified = True  # the cookie lives on with the sign-in
    return _Signed(sign_in)


def by_sign_in(sign_in_uuid: UUID) -> Actor | None:
    """The actor of a sign-in, or None if that no longer counts. For admission cookies and streams, which name one."""
    sign_in = _valid(sign_in_uuid)
    return actor_of(sign_in.user, sign_in) if sign_in is not None else None


def by_user(user: User | None, scopes: frozenset[Scope] | None) -> Actor | None:
    """The actor for a user without a sign-in, or None if there is none or he is deactivated. For join tickets."""
    return actor_of(user, scopes=scopes) if user is not None and user.deactivated_at is None else None


def _valid(sign_in_uuid: UUID) -> SignIn | None:
    sign_in = people.signed_in(sign_in_uuid)
    valid = sign_in is not None and sign_in.valid(now(), days=current_app.config["SESSION_DAYS"])
    return sign_in if valid else None


def begin(sign_in: SignIn) -> None:
    """Start a new session for this browser. The old one is cleared, and its sign-in is ended in the database."""
    before = current()
    if before is not None and before.sign_in is not None:
        people.sign_out(before.sign_in)
    session.clear()
    flask_login.login_user(_Signed(sign_in), fresh=True)
    session.permanent = True
    g.pop("actor", None)


def end() -> None:
    """Clear the session of this browser."""
    flask_login.logout_user()
    session.clear()
    g.pop("actor", None)


def current() -> Actor | None:
    """The signed-in actor of this request, or None."""
    if "actor" not in g:
        signed = flask_login.current_user
        g.actor = actor_of(signed.sign_in.user, signed.sign_in) if isinstance(_unwrapped(signed), _Signed) else None
    actor: Actor | None = g.actor
    return actor


def become(somebody: Actor) -> None:
    """Let `somebody` be the actor of this request: known by another credential, or with what a door found out."""
    g.actor = somebody


def someone() -> Actor:
    """The signed-in actor. Raises `LookupError` if there is none, which a view's door should have ruled out."""
    actor = current()
    if actor is None:
        raise LookupError("no door made sure that somebody is signed in")
    return actor


def nobody() -> None:
    """Let the rest of this request have no actor: for error pages when the database is away."""
    g.actor = None


def touch(at: datetime) -> None:
    """Set `seen_at` of the actor's sign-in to `at`, at most once an hour. Only for requests that may write."""
    actor = current()
    if actor is not None and actor.sign_in is not None and at - actor.sign_in.seen_at > people.SEEN_STEP:
        actor.sign_in.seen_at = at
        session.modified = True


def _note_seen(_error: BaseException | None) -> None:
    """Set `seen_at` once a day for somebody who only reads pages, in a transaction after that of the request."""
    sign_in_uuid: UUID | None = g.pop("seen", None)
    if sign_in_uuid is None:
        return
    try:
        with transaction():
            people.mark_seen(sign_in_uuid, at=now())
    except SQLAlchemyError as error:
        log.warning("could not note that a sign-in was used", error=type(error).__name__)


def _unwrapped(proxy: object) -> object:
    get = getattr(proxy, "_get_current_object", None)
    return get() if get is not None else proxy
