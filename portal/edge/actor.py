"""The actor of the current request: who is signed in. The only module that imports Flask-Login.

The session cookie holds the id of a `SignIn` row, so that signing out ends it on the server too.
"""

from dataclasses import replace
from datetime import datetime
from uuid import UUID

import flask_login
import structlog
from flask import Flask, current_app, g, has_request_context, session
from flask_login import LoginManager, UserMixin
from sqlalchemy.exc import SQLAlchemyError

from portal.clock import now
from portal.db import transaction
from portal.edge.network import network
from portal.people import operations as people
from portal.people.actor import Actor, actor_of
from portal.people.models import SignIn, User
from portal.people.signed_in import signed_in
from portal.scopes import Scope

log = structlog.get_logger()

_manager = LoginManager()


class _Signed(UserMixin):  # type: ignore[misc]
    def __init__(self, sign_in_uuid: UUID, actor: Actor) -> None:
        self.sign_in_uuid, self.actor = sign_in_uuid, actor

    def get_id(self) -> str:
        return str(self.sign_in_uuid)


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
        somebody = by_sign_in(UUID(key))
    except ValueError:
        return None
    if somebody is None or somebody.sign_in is None:
        return None
    if now() - somebody.sign_in.seen_at >= people.SEEN_BY_READING_STEP:
        g.seen = somebody.sign_in.uuid
        session.modified = True  # the cookie lives on with the sign-in
    return _Signed(somebody.sign_in.uuid, somebody)


def by_sign_in(sign_in_uuid: UUID) -> Actor | None:
    """The actor of a sign-in, or None if that no longer counts. For admission cookies and streams, which name one."""
    return _located(signed_in(sign_in_uuid, at=now(), days=current_app.config["SESSION_DAYS"]))


def by_user(user: User | None, scopes: frozenset[Scope] | None) -> Actor | None:
    """The actor for a user without a sign-in, or None if there is none or he is deactivated. For join tickets."""
    return _located(actor_of(user, scopes=scopes)) if user is not None and user.deactivated_at is None else None


def begin(sign_in: SignIn) -> None:
    """Start a new session for this browser. The old one is cleared, and its sign-in is ended in the database."""
    before = current()
    if before is not None:
        people.sign_out(before)
    session.clear()
    flask_login.login_user(_Signed(sign_in.uuid, actor_of(sign_in.user, sign_in)), fresh=True)
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
        signed = _unwrapped(flask_login.current_user)
        g.actor = _located(signed.actor) if isinstance(signed, _Signed) else None
    actor: Actor | None = g.actor
    return actor


def become(somebody: Actor) -> None:
    """Let `somebody` be the actor of this request: known by another credential, or with what a door found out."""
    g.actor = _located(somebody)


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
        people.mark_seen(actor.sign_in.uuid, at=at, step=people.SEEN_STEP)
        session.modified = True


def _located(somebody: Actor | None) -> Actor | None:
    """The actor with the network of this request, for the audit. Nobody's is known outside a request."""
    if somebody is None or somebody.network is not None or not has_request_context():
        return somebody
    return replace(somebody, network=network())


def _note_seen(_error: BaseException | None) -> None:
    """Set `seen_at` once a day for somebody who only reads pages, in a transaction after that of the request."""
    sign_in_uuid: UUID | None = g.pop("seen", None)
    if sign_in_uuid is None:
        return
    try:
        with transaction():
            people.mark_seen(sign_in_uuid, at=now(), step=people.SEEN_BY_READING_STEP)
    except SQLAlchemyError as error:
        log.warning("could not note that a sign-in was used", error=type(error).__name__)


def _unwrapped(proxy: object) -> object:
    get = getattr(proxy, "_get_current_object", None)
    return get() if get is not None else proxy
