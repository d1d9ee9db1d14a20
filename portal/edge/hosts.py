"""Checking the header `Host`: the portal answers only to the name of its base URL.

Under another name it would make links and cookies for a site that is not its own. Services get neither: they call back,
and fetch files, by a name that only their network may know. See the property `callback_url` of providers.
"""

from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.exceptions import BadRequest
from werkzeug.sansio.utils import host_is_trusted

from portal.edge.transaction import RAW_BODIES
from portal.loopback import is_loopback
from portal.rooms.presentations import FOLDER

FOR_SERVICES = (RAW_BODIES, f"/{FOLDER}/")
"""What services ask for is below these paths."""
LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def install(app: Flask, *, base_url: str, open_paths: frozenset[str]) -> None:
    """Answer 400 to every other `Host`, but for what services ask for, and for `open_paths`, which are for probes."""
    host = urlsplit(base_url).hostname or ""
    named = f"[{host}]" if ":" in host else host
    trusted = {named, *LOOPBACK} if is_loopback(host) else {named}

    @app.before_request
    def check() -> None:
        by_any_name = request.path in open_paths or request.path.startswith(FOR_SERVICES)
        if not by_any_name and not _is_one_of(request.host, trusted):
            raise BadRequest


def _is_one_of(host: str, trusted: set[str]) -> bool:
    if host.startswith("["):
        return host.partition("]")[0] + "]" in trusted
    return host_is_trusted(host, trusted)
