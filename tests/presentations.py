"""Files to upload as presentations, and a room whose service takes them."""

import io
import zipfile
from typing import Any

from portal.db import session, transaction
from portal.people.actor import actor_of
from portal.rooms.models import Room
from portal.rooms.presentations import LARGEST_FILE, RoomPresentation, set_presentation
from portal.storage import storage
from portal.subscriptions.provider_models import ServiceProvider
from portal.subscriptions.service_providers import create_provider
from tests.cast import Cast, editable

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def packed(*names: str, **contents: str) -> bytes:
    """A ZIP of files with these names, which are empty, and then of these with their content."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        for name, content in (contents | dict.fromkeys(names, "")).items():
            made.writestr(name, content)
    return file.getvalue()


def a_service_that_takes_them() -> ServiceProvider:
    """A row of such a service, which nobody reaches."""
    properties = {"host_url": "https://meet.example", "secret": "a-secret-of-nobody"}
    return create_provider(provider_name="Conferences", provider_type="bigbluebutton", properties=properties)


def take_presentations(cast: Cast) -> None:
    """Let the service of the board room be one that takes presentations."""
    with cast.app.app_context(), transaction():
        cast.room().subscription.provider = a_service_that_takes_them()


def new_presentation(room: Room, *, content: bytes = PDF, name: str = "slides.pdf") -> RoomPresentation:
    """A presentation of this room, uploaded by its owner."""
    incoming = storage().receive(most=LARGEST_FILE)
    try:
        incoming.write(content)
        session.flush()
        by = actor_of(room.owner)
        return set_presentation(editable(room, by), by=by, name=name, file=incoming)
    finally:
        incoming.discard()


def form_with(content: bytes = PDF, name: str = "slides.pdf", **fields: str) -> dict[str, Any]:
    """The fields of a form with this file, for a client of Werkzeug."""
    return {**fields, "file": (io.BytesIO(content), name)}
