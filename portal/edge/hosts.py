"""Checking the header `Host`: the portal answers only to the name of its base URL.

Under another name it would make links and cookies for a site that is not its own.
"""

from urllib.parse import urlsplit

from flask import Flask, request
from werkzeug.exceptions import BadRequest
from werkzeug.sansio.utils import host_is_trusted

from portal.loopback import is_loopback

LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


def install(app: Flask, *, base_url: str, open_paths: frozenset[str]) -> None:
    """Answer 400 to every other `Host`, but for `open_paths`, which are for probes."""
    host = urlsplit(base_url).hostname or ""
    named = f"[{host}]" if ":" in host else host
    trusted = {named, *LOOPBACK} if is_loopback(host) else {named}

    @app.before_request
    def check() -> None:
        if request.path not in open_paths and not _is_one_of(request.host, trusted):
            raise BadRequest


def _is_one_of(host: str, trusted: set[str]) -> bool:
    if host.startswith("["):
        return host.partition("]")[0] + "]" in trusted
    return host_is_trusted(host, trusted)
