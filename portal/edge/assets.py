"""Static files under an address that changes with their contents, so that browsers keep them for good."""

import hashlib
from functools import cache
from pathlib import Path

from flask import Flask, Response, send_from_directory

from portal.edge.guard import open_to_all

YEAR = 31_536_000


def install(app: Flask, folder: Path) -> None:
    """Serve `folder`, and give templates `asset("css/x.css")`."""
    version = tree_version(folder)

    @app.get(f"/static/{version}/<path:name>", endpoint="static")
    @open_to_all
    def static(name: str) -> Response:
        response = send_from_directory(folder, name, max_age=YEAR)
        response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
        return response

    app.add_template_global(lambda name: f"/static/{version}/{name}", "asset")


@cache
def tree_version(folder: Path) -> str:
    """A hash over names and contents of all files below `folder`."""
    digest = hashlib.sha256()
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(str(file.relative_to(folder)).encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()[:12]
