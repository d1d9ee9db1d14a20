"""A stand-in for Vimeo on loopback: its API as far as the portal uses it, tus, and the frame of its player.

It keeps what it is told, counts requests in a minute that ends when a test says so, and misbehaves as told:
`moods` maps a beginning of a path to a status with which such requests are answered.
"""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from portal.providers import fetch
from portal.providers.reach import read_allowed

TOKEN = "vimeo-token-that-nobody-may-read"
PICTURE = b"\xff\xd8\xff\xe0 a picture"


@dataclass
class StandIn:
    """What the account holds, and how it behaves. `requests` are the methods and paths of what was asked."""

    url: str = ""
    scopes: str = "public private upload edit delete stats"
    may_upload: bool = True
    can_hide: bool = True
    limit: int = 1_000
    used: int = 0
    videos: dict[str, dict[str, Any]] = field(default_factory=dict)
    received: dict[str, bytearray] = field(default_factory=dict)
    tracks: dict[str, str] = field(default_factory=dict)
    domains: dict[str, list[str]] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=lambda: {"77": "/users/1/projects/77"})
    moods: dict[str, int] = field(default_factory=dict)
    requests: list[tuple[str, str]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    referers: list[str] = field(default_factory=list)
    picture: bytes = PICTURE

    def add(self, number: str, **about: Any) -> dict[str, Any]:
        """Hold a video that is ready, unless `about` says otherwise."""
        video = {
            "uri": f"/videos/{number}",
            "name": "",
            "description": "",
            "status": "available",
            "upload": {"status": "complete"},
            "transcode": {"status": "complete"},
            "is_playable": True,
            "duration": 12,
            "stats": {"plays": 3},
            "metadata": {"connections": {"comments": {"total": 0}, "likes": {"total": 1}}},
            "privacy": {"view": "disable", "embed": "whitelist"},
            "player_embed_url": f"{self.url}/video/{number}?h=abc{number}&app_id=1",
            "pictures": {"base_link": f"{self.url}/picture/{number}.jpg"},
            **about,
        }
        self.videos[number] = video
        return video

    def new_minute(self) -> None:
        """Forget the requests of the minute."""
        self.used = 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    standin: StandIn

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self._take()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815  (their names are given)

    def _take(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if length else b""
        path = urlsplit(self.path).path
        home = self.standin
        home.requests.append((self.command, path))
        home.headers.append({name.lower(): value for name, value in self.headers.items()})
        mood = next((status for begin, status in home.moods.items() if path.startswith(begin)), 0)
        if path.startswith(("/files/", "/track/", "/picture/", "/video/")):
            self._beside_the_api(path, body, mood)
        elif mood:
            self._say(mood, b"<html>not today</html>")
        elif self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._tell({"error": "bad token", "error_code": 8003}, 401)
        else:
            home.used += 1
            if home.used > home.limit:
                self._tell({"error": "slow down", "error_code": 9000}, 429)
            else:
                self._tell(*self._api(path, parse_qs(urlsplit(self.path).query), json.loads(body or b"{}")))

    def _api(self, path: str, query: dict[str, list[str]], sent: dict[str, Any]) -> tuple[dict[str, Any] | None, int]:
        home, method = self.standin, self.command
        if path == "/oauth/verify":
            return {"scope": home.scopes}, 200
        if path == "/me":
            return {
                "uri": "/users/1",
                "upload_quota": {"space": {}},
                "membership": {"type": "standard"},
            } if home.may_upload else {"uri": "/users/1"}, 200
        if path == "/me/videos" and method == "POST":
            number = str(9000 + len(home.videos))
            video = home.add(number, name=sent["name"], description=sent["description"], folder=sent.get("folder_uri"))
            video |= {
                "upload": {
                    "status": "in_progress",
                    "upload_link": f"{home.url}/files/{number}",
                    "size": int(sent["upload"]["size"]),
                }
            }
            video |= {"status": "uploading", "is_playable": False, "stats": {"plays": None}}
            video["privacy"] = dict(sent["privacy"]) if home.can_hide else {"view": "anybody", "embed": "public"}
            home.received[number] = bytearray()
            return video, 201
        if path.startswith("/me/projects/") and not path.endswith("/videos"):
            uri = home.folders.get(path.rpartition("/")[2])
            return ({"uri": uri}, 200) if uri else (None, 404)
        if path in {"/me/videos", "/me/projects/77/videos"}:
            page, per_page = int(query["page"][0]), int(query["per_page"][0])
            held = list(home.videos.values())
            part = held[(page - 1) * per_page : page * per_page]
            more = f"/me/videos?page={page + 1}" if page * per_page < len(held) else None
            return {"total": len(held), "data": part, "paging": {"next": more}}, 200
        found = re.fullmatch(r"/videos/([0-9]+)(/.*)?", path)
        if found is None or found[1] not in home.videos:
            return {"error": "not found", "error_code": 5000}, 404
        return self._of_video(found[1], found[2] or "", sent)

    def _of_video(self, number: str, below: str, sent: dict[str, Any]) -> tuple[dict[str, Any] | None, int]:
        home, method = self.standin, self.command
        video = home.videos[number]
        if below == "" and method == "DELETE":
            del home.videos[number]
            return None, 204
        if below.startswith("/privacy/domains/"):
            if video["privacy"]["embed"] != "whitelist":
                return {"error_code": 3200}, 403
            home.domains.setdefault(number, []).append(below.rpartition("/")[2])
            return None, 204
        if below == "/versions":
            home.received[number] = bytearray()
            return {"upload": {"upload_link": f"{home.url}/files/{number}"}}, 201
        if below == "/texttracks" and method == "GET":
            own = [uri for uri in home.tracks if uri.startswith(f"/videos/{number}/")]
            return {"data": [{"uri": uri, "language": "en"} for uri in own]}, 200
        if below == "/texttracks":
            uri = f"/videos/{number}/texttracks/{100 + len(home.tracks)}"
            home.tracks[uri] = ""
            return {"uri": uri, "link": f"{home.url}/track{uri}"}, 201
        if below.startswith("/texttracks/") and method == "DELETE":
            home.tracks.pop(f"/videos/{number}{below}", None)
            return None, 204
        return ({}, 200) if below in {"/pictures"} or below.startswith("/texttracks/") else (video, 200)

    def _beside_the_api(self, path: str, body: bytes, mood: int) -> None:
        home, number = self.standin, path.rpartition("/")[2]
        if self.command == "OPTIONS" or mood:
            self._say(mood or 204, b"")
        elif path.startswith("/track/"):
            home.tracks[path.removeprefix("/track")] = body.decode()
            self._say(200, b"")
        elif path.startswith("/picture/"):
            self._say(200, home.picture, {"Content-Type": "image/jpeg"})
        elif path.startswith("/video/"):
            home.referers.append(self.headers.get("Referer", ""))
            self._say(
                200,
                b"<!doctype html><title>player</title><h1>The player of the stand-in</h1>",
                {"Content-Type": "text/html"},
            )
        elif self.command == "HEAD":
            size = str(home.videos[number]["upload"]["size"])
            self._say(200, b"", {"Upload-Offset": str(len(home.received[number])), "Upload-Length": size})
        elif int(self.headers.get("Upload-Offset", "-1")) != len(home.received[number]):
            self._say(409, b"")
        else:
            home.received[number] += body
            video = home.videos[number]
            if len(home.received[number]) == video["upload"].get("size", len(home.received[number])):
                video["upload"]["status"] = "complete"
            self._say(204, b"", {"Upload-Offset": str(len(home.received[number]))})

    def _tell(self, told: dict[str, Any] | None, status: int) -> None:
        left = max(0, self.standin.limit - self.standin.used)
        headers = {
            "Content-Type": "application/vnd.vimeo.video+json",
            "X-RateLimit-Limit": str(self.standin.limit),
            "X-RateLimit-Remaining": str(left),
        }
        self._say(status, b"" if told is None else json.dumps(told).encode(), headers)

    def _say(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        cross = {
            "Access-Control-Allow-Origin": "*",
            "Access-Control-Allow-Headers": "*",
            "Access-Control-Allow-Methods": "PATCH, HEAD",
            "Access-Control-Expose-Headers": "Upload-Offset, Upload-Length",
            "Tus-Resumable": "1.0.0",
        }
        for name, value in {**cross, **(headers or {}), "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def running_vimeo() -> Iterator[StandIn]:
    """A stand-in that answers until the block ends."""
    home = StandIn()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"standin": home}))
    home.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    fetch.use(private=False, plain=False, allowed=read_allowed(f"127.0.0.1/32:{server.server_port}"))
    try:
        yield home
    finally:
        fetch.use(private=False, plain=False)
        server.shutdown()
        server.server_close()
        thread.join()
