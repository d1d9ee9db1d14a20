"""Uploads: forms with a file, which streams into the storage while no transaction is open.

The bodies of other requests are small, and are read before the first statement. This one is read when its door has
found that the sender may send it at all, after the connection to the database was given back. What is not published by
the end of the request is deleted then, whatever the answer is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any

from flask import current_app, g, request
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge, UnsupportedMediaType
from werkzeug.formparser import FormDataParser

from portal.errors import Invalid, Message, Refused
from portal.storage import FileTooLarge, Incoming, storage

FIELD = "file"
MULTIPART = "multipart/form-data"
STREAMS = "streams"
ENVELOPE = 65_536
"""Bytes of the body that are not the file's: the other fields, and what stands between them."""
MEGABYTE = 1_000_000


def streams(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view whose door reads the body itself, by `receive_file`."""
    setattr(view, STREAMS, True)
    return view


def leave_unread() -> None:
    """Keep the rest of the request from reading the body as a form, before its door does, or if that refuses."""
    request.form = ImmutableMultiDict()  # type: ignore[misc]
    request.files = ImmutableMultiDict()  # type: ignore[misc]


@dataclass(frozen=True)
class Upload:
    """What was sent as the file: what its sender calls it, and the file. Or why there is none that counts."""

    name: str = ""
    file: Incoming | None = None
    refused: Message | None = None

    def whole(self) -> Incoming:
        """The file, which the disk has. Raises `Invalid` on `file` if none came, or too large a one."""
        if self.file is None:
            raise Invalid(file=self.refused or Message("Choose a file."))
        return self.file


def receive_file(*, most: int) -> Upload:
    """Read the body of this request: a form with a file of at most `most` bytes in its field `file`.

    Call it outside any transaction. The other fields are in `request.form` then. Raises `HTTPException` for a body that
    breaks off or is no such form, and `portal.storage.StorageFull`.
    """
    if request.mimetype != MULTIPART:
        raise UnsupportedMediaType(f"Send a form as {MULTIPART}, with the file in its field {FIELD}.")
    received: list[Incoming] = []

    def begin(**_about: Any) -> IO[bytes]:
        if received:
            raise BadRequest("Send one file.")
        received.append(storage().receive(most=most))
        g.transaction.callback(received[0].discard)
        return received[0]  # type: ignore[return-value]  # which has all that is asked of it

    request.max_content_length = most + ENVELOPE
    try:
        request.form, files = _parsed(begin)  # type: ignore[misc, assignment]
    except (FileTooLarge, RequestEntityTooLarge):
        return Upload(refused=_too_large(most))
    sent = files.get(FIELD)
    if not received or sent is None or not sent.filename:
        return Upload()
    received[0].reach_disk()
    return Upload(sent.filename, received[0])


def _parsed(begin: Callable[..., IO[bytes]]) -> tuple[MultiDict[str, Any], MultiDict[str, Any]]:
    """The fields of the body and its files, each of which goes into what `begin` returns."""
    parser = FormDataParser(
        begin,
        max_form_memory_size=request.max_form_memory_size,
        max_form_parts=request.max_form_parts,
        cls=ImmutableMultiDict,
        silent=False,
    )
    try:
        body = request.stream  # limited by what was set before
        _body, form, files = parser.parse(body, MULTIPART, request.content_length, request.mimetype_params)
    except (HTTPException, FileTooLarge, Refused):
        raise
    except Exception as error:  # a body that breaks off, or that makes no sense
        raise BadRequest from error
    return form, files


def _too_large(most: int) -> Message:
    """What is said of a file that is too large, with its size, if that was told."""
    if request.content_length is None:
        return Message("This file is too large: at most %(most)d MB.", most=most // MEGABYTE)
    return Message(
        "This file is too large: it has %(size)d MB, and at most %(most)d are taken.",
        size=-(-request.content_length // MEGABYTE),
        most=most // MEGABYTE,
    )


def require_proof() -> None:
    """Raise `CSRFError` unless the form that was read has the proof of where it comes from."""
    current_app.extensions["csrf"].protect()
