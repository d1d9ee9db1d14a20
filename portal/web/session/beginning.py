"""Beginning the session of somebody who has just proven who he is, the same way whatever the proof was."""

from flask import after_this_request, request

from portal.edge import actor, device_cookie
from portal.people.known_devices import KnownDevice
from portal.people.models import SignIn


def begin_session(started: SignIn) -> None:
    """Begin the session of this sign-in, and let the browser be a device in which this user has signed in.

    Only addresses below `device_cookie.PATH` may call it: elsewhere the cookie is not sent, and who else has signed in
    there would be forgotten.
    """
    known = (device_cookie.read(request) or KnownDevice.new()).remembering(started.user)
    actor.begin(started)
    after_this_request(lambda response: device_cookie.write(response, known))
