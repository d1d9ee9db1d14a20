"""The reference: a hundred lines of Flask and SQLAlchemy Core that do the hot paths' job, and nothing that protects it.

Nothing is checked, audited, translated, limited or told to anybody. Rows and answers are like the portal's, so what it
costs is what nobody who does the whole job can reach. The person is named in the query (`by`), as is nobody's right.
"""

import secrets
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Blueprint, Flask, current_app, redirect, render_template, request
from flask.typing import ResponseReturnValue
from jinja2 import DictLoader

from portal.accounts.models import Account
from portal.admission.models import RoomToken
from portal.identifiers import new_id, new_uuid
from portal.people.models import User
from portal.rooms.models import Role, Room, RoomStatusWord
from portal.status.models import RoomStatus
from portal.subscriptions.provider_models import ServiceType

HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title>
<link rel="stylesheet" href="/static/portal.css"><script src="/static/portal.js" defer></script></head><body>
<header><nav><a href="/">Foyer</a> <a href="/rooms">Rooms</a> <a href="/trash">Trash</a> <a href="/me">{{ user }}</a>
</nav></header><main>"""
PAGES = {
    "join.html": HEAD
    + """<p>{{ owner }} invites you to</p><h1>{{ title }}</h1><p>{{ description }}</p>
<form method="post"><label for="name">Your name</label><input id="name" name="name" autocomplete="name" maxlength="100">
<input type="hidden" name="csrf_token" value="{{ proof }}"><button type="submit">Join</button></form>
<p>Have an account? <a href="/sign-in">Sign in</a></p></main></body></html>""",
    "list.html": HEAD
    + """<h1>Rooms</h1><form><input name="search"><select name="status"><option>all<option>live</select></form><ul>
{% for room in rooms %}<li class="room" data-room="{{ room.id }}"><span class="room-type"><svg><use href="#meet"/></svg>
</span><div><a class="room-name" href="/manage/rooms/{{ room.id }}">{{ room.room_name }}</a><div class="meta">
<span>Conference</span><span>{{ room.account_name }}</span><span>{{ "Public" if room.is_public else "Private" }}</span>
</div></div><span class="state">{{ room.state or "idle" }}{% if room.count %} · {{ room.count }} in{% endif %}</span>
<div class="room-acts"><a href="/manage/rooms/{{ room.id }}/links">Links</a>
<form method="post" action="/manage/rooms/{{ room.id }}/entrance"><input type="hidden" name="csrf_token"
 value="{{ proof }}"><button type="submit">Enter</button></form></div></li>{% endfor %}</ul>
<a href="?after={{ after }}">Next</a></main></body></html>""",
}
PAGE, API_PAGE = 25, 10

bp = Blueprint("reference", __name__)
rooms: Any = Room.__table__
tokens: Any = RoomToken.__table__
room_of = sa.select(rooms, User.name).join(User, User.uuid == rooms.c.owner_uuid)
listed = (
    sa.select(Room.uuid, Room.id, Room.room_name, Room.sort_name, Room.is_public, Account.account_name)
    .add_columns(RoomStatus.state, RoomStatus.count)
    .join(Account, Account.uuid == Room.account_uuid)
    .outerjoin(RoomStatus, RoomStatus.room_uuid == Room.uuid)
    .order_by(Room.sort_name, Room.uuid)
)


def create_app(engine: sa.Engine) -> Flask:
    """The app on this database, which the portal has migrated and filled."""
    app = Flask("reference")
    app.jinja_loader = DictLoader(PAGES)
    app.config["ENGINE"] = engine
    app.register_blueprint(bp)
    return app


def _engine() -> sa.Engine:
    engine: sa.Engine = current_app.config["ENGINE"]
    return engine


def _person(connection: sa.Connection) -> Any:
    return connection.execute(sa.select(User).where(User.uuid == UUID(request.args["by"]))).one()


def _after(query: Any) -> Any:
    if "after" not in request.args:
        return query
    name, _, uuid = request.args["after"].rpartition("|")
    return query.where(sa.tuple_(Room.sort_name, Room.uuid) > sa.tuple_(name, UUID(uuid)))


def _as_json(room: Any) -> dict[str, Any]:
    return {
        **{name: value for name, value in room._mapping.items() if not name.endswith("uuid")},
        "object": "Room",
        "uuid": str(room.uuid),
        "customer_id": str(room.customer_uuid),
        "account_id": str(room.account_uuid),
        "url": f"http://127.0.0.1/rooms/{room.id}/{room.slug}",
        "created_at": room.created_at.isoformat(),
        "updated_at": room.updated_at.isoformat(),
        "trashed_at": None,
    }


def _add_room(connection: sa.Connection, name: str) -> Any:
    owner = _person(connection)
    account = connection.execute(sa.select(Account.__table__).where(Account.owner_uuid == owner.uuid)).one()
    at = datetime.now(UTC)
    above = {
        "customer_uuid": account.customer_uuid,
        "account_uuid": account.uuid,
        "subscription_uuid": account.subscription_uuid,
        "owner_uuid": owner.uuid,
    }
    plain = {"slug": "bench", "status": RoomStatusWord.ACTIVE, "is_public": False, "room_type": ServiceType.MEET}
    names = {"room_name": name, "sort_name": name.casefold(), "name_words": name.casefold()}
    empty: dict[str, Any] = {"room_features": {}, "room_settings": {}, "room_metadata": {}}
    row = {"uuid": new_uuid(), "id": new_id(), "created_at": at, "updated_at": at}
    insert = sa.insert(rooms).values(**row, **above, **plain, **names, **empty).returning(rooms)
    return connection.execute(insert).one()


def _add_token(connection: sa.Connection, room_id: str) -> Any:
    owner, at = _person(connection), datetime.now(UTC)
    room = connection.execute(sa.select(rooms.c.uuid).where(rooms.c.id == room_id)).one()
    secret = secrets.token_urlsafe(30)
    row = {"uuid": new_uuid(), "id": new_id(), "created_at": at, "updated_at": at, "use_count": 0}
    texts = {"token_hash": secret, "token_sealed": secret, "label": "", "person": "", "automatic": False}
    insert = sa.insert(tokens).values(**row, **texts, role=Role.GUEST, room_uuid=room.uuid, created_by_uuid=owner.uuid)
    return connection.execute(insert.returning(tokens)).one()


@bp.get("/join/<room_id>")
def join(room_id: str) -> str:
    """The page behind a link."""
    with _engine().connect() as connection:
        room = connection.execute(room_of.where(rooms.c.id == room_id)).one()
        token = connection.execute(sa.select(tokens).where(tokens.c.room_uuid == room.uuid).limit(1)).one()
    description = room.room_settings.get("description", "")
    return render_template("join.html", title=room.room_name, owner=room.name, description=description, proof=token.id)


@bp.get("/rooms")
def index() -> str:
    """The list of rooms."""
    with _engine().connect() as connection:
        user = _person(connection)
        found = connection.execute(_after(listed.where(Room.owner_uuid == user.uuid)).limit(PAGE + 1)).all()
    last = found[PAGE - 1]
    return render_template(
        "list.html",
        title="Rooms",
        user=user.name,
        rooms=found[:PAGE],
        proof=user.id,
        after=f"{last.sort_name}|{last.uuid}",
    )


@bp.post("/rooms")
def create() -> ResponseReturnValue:
    """A new room."""
    with _engine().begin() as connection:
        return redirect(f"/rooms/{_add_room(connection, request.form['room_name']).id}", 303)


@bp.post("/rooms/<room_id>/links")
def create_link(room_id: str) -> ResponseReturnValue:
    """A new guest link."""
    with _engine().begin() as connection:
        return redirect(f"/rooms/{room_id}/links#{_add_token(connection, room_id).id}", 303)


@bp.post("/rooms/<room_id>")
def update(room_id: str) -> ResponseReturnValue:
    """Another name and description."""
    with _engine().begin() as connection:
        _update(connection, room_id, request.form["room_name"], request.form["description"])
    return redirect(f"/rooms/{room_id}", 303)


def _update(connection: sa.Connection, room_id: str, name: str, description: str) -> Any:
    _person(connection)
    values = {"room_name": name, "sort_name": name.casefold(), "room_settings": {"description": description}}
    change = sa.update(rooms).where(rooms.c.id == room_id).values(**values, updated_at=datetime.now(UTC))
    return connection.execute(change.returning(rooms)).one()


@bp.get("/api/rooms")
def api_index() -> Any:
    """The list, as JSON."""
    query = sa.select(rooms).order_by(rooms.c.sort_name, rooms.c.uuid)
    with _engine().connect() as connection:
        user = _person(connection)
        found = connection.execute(_after(query.where(rooms.c.owner_uuid == user.uuid)).limit(API_PAGE + 1)).all()
    return {"data": [_as_json(room) for room in found[:API_PAGE]], "meta": {"pagination": {"next": found[-1].id}}}


@bp.get("/api/rooms/<room_id>")
def api_show(room_id: str) -> Any:
    """One room."""
    with _engine().connect() as connection:
        _person(connection)
        return {"data": _as_json(connection.execute(sa.select(rooms).where(rooms.c.id == room_id)).one())}


@bp.post("/api/rooms")
def api_create() -> Any:
    """A new room."""
    with _engine().begin() as connection:
        return {"data": _as_json(_add_room(connection, request.get_json()["room_name"]))}, 201


@bp.post("/api/rooms/<room_id>/tokens")
def api_create_token(room_id: str) -> Any:
    """A new guest token."""
    with _engine().begin() as connection:
        token = _add_token(connection, room_id)
    return {"data": {"object": "RoomToken", "id": token.id, "token": token.token_hash, "role": token.role}}, 201


@bp.patch("/api/rooms/<room_id>")
def api_update(room_id: str) -> Any:
    """Another name and description."""
    body = request.get_json()
    with _engine().begin() as connection:
        room = _update(connection, room_id, body["room_name"], body["room_settings"]["description"])
        return {"data": _as_json(room)}
