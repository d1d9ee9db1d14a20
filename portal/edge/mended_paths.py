"""Addresses as they arrive from mail, chat and people's hands: with a slash at the end, or with `?` written as `%3F`.

The path is mended before anything looks at it. So every rule, door and limit sees one spelling, method, query and body
are those that were sent, and nothing is redirected. An unknown path stays unknown. Programs write what they mean: in
addresses of the API `%3F` stays a character, so that an id which begins with it names nothing, and not the whole list.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class MendedPaths:
    """WSGI middleware that mends the path of each request."""

    def __init__(self, app: "WSGIApplication") -> None:
        self._app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path, mark, behind = str(environ.get("PATH_INFO", "")), "", ""
        if not path.startswith("/api/"):
            path, mark, behind = path.partition("?")
        if mark:
            query = quote(behind, safe="=&;:/?@!$'()*,+%", encoding="latin-1")  # WSGI passes bytes as latin-1
            environ["QUERY_STRING"] = "&".join(filter(None, (query, environ.get("QUERY_STRING", ""))))
        if path != "/" and path.endswith("/"):
            path = path.rstrip("/") or "/"
        environ["PATH_INFO"] = path
        return self._app(environ, start_response)
