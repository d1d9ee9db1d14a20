"""tus 1.0.0: files that are sent in pieces and go on where they stopped, whatever broke off. https://tus.io

The core for both entrances: what a request says, what is received, and what is answered. How far a file has come is its
size in the storage, so what had arrived before a connection broke, or a process died, is there when the sender asks.
"""

import base64
import binascii
import hashlib
import time
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import IO
from uuid import UUID

from flask import Response, request
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.http import http_date

from portal.clock import now
from portal.edge import actor
from portal.storage import AnotherWriter, FileTooLarge, Growing, NobodyWaits, storage
from portal.videos.models import VideoUpload
from portal.videos.uploads import continue_upload, expires_at, received

VERSION = "1.0.0"
EXTENSIONS = "expiration,checksum,termination"
"""Creation is not among them: both entrances have a POST of their own for it."""
ALGORITHMS = ("sha1", "sha256")
PIECE = "application/offset+octet-stream"
READ = 65_536
"""Bytes that are read at a time, and written at once."""
CHECKSUM_MISMATCH = 460
"""A status of tus alone."""


class TusRefused(Exception):
    """The request is answered by this status, and nothing was received, or nothing that counts."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


@dataclass(frozen=True)
class Piece:
    """What a PATCH says about the bytes that it brings, and to which file."""

    uuid: UUID
    size: int
    """Bytes of the whole file."""
    offset: int
    algorithm: str
    digest: bytes


def require_version() -> None:
    """Raise `TusRefused` unless the request speaks this version."""
    if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != VERSION:
        raise TusRefused(HTTPStatus.PRECONDITION_FAILED)


def require_living(upload: VideoUpload) -> None:
    """Raise `TusRefused` if nobody has sent anything for so long that the upload is given up."""
    if expires_at(upload) <= now():
        raise TusRefused(HTTPStatus.GONE)


def announced_piece(upload: VideoUpload) -> Piece:
    """What this PATCH announces. Raises `TusRefused`."""
    if request.mimetype != PIECE:
        raise TusRefused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
    offset = request.headers.get("Upload-Offset", "")
    if not (offset.isascii() and offset.isdigit() and len(offset) < 20):  # noqa: PLR2004
        raise TusRefused(HTTPStatus.BAD_REQUEST)
    algorithm, digest = _announced_checksum()
    piece = Piece(upload.uuid, upload.size, int(offset), algorithm, digest)
    if piece.offset != received(upload):
        raise TusRefused(HTTPStatus.CONFLICT)
    if piece.offset + (request.content_length or 0) > piece.size:
        raise TusRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    return piece


def receive(piece: Piece) -> None:
    """Append what comes to the file, and wait until the disk has it. Call it outside any transaction.

    If the sender breaks off, what came stays. Raises `TusRefused`, and `portal.storage.StorageFull`.
    """
    try:
        file = storage().grow(piece.uuid, most=piece.size)
    except AnotherWriter:
        raise TusRefused(HTTPStatus.LOCKED) from None
    with file:
        if file.size != piece.offset:
            raise TusRefused(HTTPStatus.CONFLICT)
        try:
            _append(file, piece)
        except FileTooLarge:
            raise TusRefused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE) from None
        except NobodyWaits:
            raise TusRefused(HTTPStatus.GONE) from None
        file.reach_disk()


def _append(file: Growing, piece: Piece) -> None:
    request.max_content_length = piece.size - piece.offset + 1
    if piece.algorithm:
        _append_checked(file, piece)
        return
    while data := _read(request.stream):
        file.write(data)


def _append_checked(file: Growing, piece: Piece) -> None:
    """Append a piece that is right as a whole. Until that is known it lies beside, whatever dies meanwhile."""
    sums = hashlib.new(piece.algorithm, usedforsecurity=False)
    left = piece.size - piece.offset
    beside = storage().receive(most=min(left, request.content_length or left))
    try:
        while data := _read(request.stream):
            beside.write(data)
            sums.update(data)
        if sums.digest() != piece.digest:
            raise TusRefused(CHECKSUM_MISMATCH)
        beside.seek(0)
        while data := beside.read(READ):
            file.write(data)
            time.sleep(0)  # others have their turn: the disk alone makes nobody wait
    finally:
        beside.discard()


def _read(body: IO[bytes]) -> bytes:
    try:
        return body.read(READ)
    except HTTPException:
        raise
    except Exception as error:  # a body that breaks off, or whose chunks make no sense to the server below
        raise BadRequest from error


def take_piece(upload: VideoUpload) -> Response:
    """The answer to a piece that was received, after what it means for the upload: the last one ends it."""
    size, until = upload.size, expires_at(upload)
    whole = continue_upload(upload, by=actor.someone())
    offset = size if whole else received(upload)
    return answer(HTTPStatus.NO_CONTENT, offset=offset, until=None if whole else until)


def _announced_checksum() -> tuple[str, bytes]:
    said = request.headers.get("Upload-Checksum", "")
    if not said:
        return "", b""
    algorithm, _, digest = said.partition(" ")
    if algorithm not in ALGORITHMS:
        raise TusRefused(HTTPStatus.BAD_REQUEST)
    try:
        return algorithm, base64.b64decode(digest, validate=True)
    except binascii.Error:
        raise TusRefused(HTTPStatus.BAD_REQUEST) from None


def answer(
    status: int, *, offset: int | None = None, size: int | None = None, until: datetime | None = None
) -> Response:
    """An answer without a body. `offset` is how many bytes have come, `until` when the upload is given up."""
    headers = {"Tus-Resumable": VERSION, "Cache-Control": "no-store"}
    if status == HTTPStatus.PRECONDITION_FAILED:
        headers["Tus-Version"] = VERSION
    if offset is not None:
        headers["Upload-Offset"] = str(offset)
    if size is not None:
        headers["Upload-Length"] = str(size)
    if until is not None:
        headers["Upload-Expires"] = http_date(until)
    return Response(status=int(status), headers=headers)


def answer_about(upload: VideoUpload) -> Response:
    """How far the file has come, or what this server knows of tus."""
    if request.method == "OPTIONS":
        response = answer(HTTPStatus.NO_CONTENT)
        response.headers["Tus-Version"] = VERSION
        response.headers["Tus-Extension"] = EXTENSIONS
        response.headers["Tus-Checksum-Algorithm"] = ",".join(ALGORITHMS)
        return response
    require_living(upload)
    return answer(HTTPStatus.OK, offset=received(upload), size=upload.size, until=expires_at(upload))
