"""Static files, served under an address that changes with their contents, so that browsers cache them for good."""

import gzip
import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, request, send_from_directory

from portal.edge.guard import open_to_all

YEAR = 31_536_000
TEXTS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def install(app: Flask, folder: Path) -> None:
    """Serve `folder`, and give templates `asset("css/x.css")`."""
    version = tree_version(folder)

    @app.get(f"/static/{version}/<path:name>", endpoint="static")
    @open_to_all
    def static(name: str) -> Response:
        found = send_from_directory(folder, name, max_age=YEAR)  # finds it, or 404
        found.close()  # and no file stays open for as long as somebody takes to read it
        if found.status_code != 200:  # noqa: PLR2004
            return found
        kind = TEXTS.get(Path(name).suffix)
        if kind is not None and request.accept_encodings["gzip"]:
            response = Response(packed(folder / name), mimetype=kind, headers={"Content-Encoding": "gzip"})
        else:
            response = Response(unpacked(folder / name), mimetype=kind or found.mimetype)
        if kind is not None:
            response.vary.add("Accept-Encoding")
        response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
        return response

    app.add_template_global(lambda name: f"/static/{version}/{name}", "asset")


@cache
def unpacked(file: Path) -> bytes:
    """The file's contents, read once for the life of the process."""
    return file.read_bytes()


@cache
def packed(file: Path) -> bytes:
    """The file's contents, compressed with gzip once for the life of the process."""
    return gzip.compress(file.read_bytes(), 9, mtime=0)


@cache
def tree_version(folder: Path) -> str:
    """A hash over names and contents of all files below `folder`."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(file.relative_to(folder)).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
