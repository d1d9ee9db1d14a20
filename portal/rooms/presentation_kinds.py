"""Which files can be presentations, by the end of their name, and whether their content is what that says.

The content is judged by how a file begins, and where that is a ZIP by the names of what is packed at its end: a bounded
look, by which no file can keep the portal busy. What servers convert is their own matter.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from portal.people.names import printable

HEAD, TAIL = 4_096, 262_144
"""Bytes of the begin and of the end of a file that are looked at."""
STEM_LENGTH = 100

_OFFICE = "application/vnd.openxmlformats-officedocument."
_OPEN = "application/vnd.oasis.opendocument."
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_BOMS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True)
class FileKind:
    """A kind of files: what it is called in headers, and whether a file of it has this begin and this end."""

    media_type: str
    fits: Callable[[bytes, bytes], bool]


def _begins(*beginnings: bytes) -> Callable[[bytes, bytes], bool]:
    return lambda head, _tail: head.startswith(beginnings)


def _packs(part: bytes) -> Callable[[bytes, bytes], bool]:
    """A ZIP in which this is packed, by the list of names at its end."""
    return lambda head, tail: head.startswith(b"PK\x03\x04") and b"PK\x01\x02" in tail and part in tail


def _is_open_document(word: str) -> Callable[[bytes, bytes], bool]:
    """A ZIP whose first entry says what it is."""
    said = f"mimetype{_OPEN}{word}".encode()
    return lambda head, _tail: head.startswith(b"PK\x03\x04") and head[30:].startswith(said)


def _is_pdf(head: bytes, _tail: bytes) -> bool:
    return b"%PDF-" in head[:1024]


def _is_webp(head: bytes, _tail: bytes) -> bool:
    return head.startswith(b"RIFF") and head[8:12] == b"WEBP"


def _is_text(head: bytes, tail: bytes) -> bool:
    return head.startswith(_BOMS) or not (_CONTROLS.search(head) or _CONTROLS.search(tail))


_is_old_office = _begins(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")
_is_jpeg = _begins(b"\xff\xd8\xff")

KINDS: dict[str, FileKind] = {
    "pdf": FileKind("application/pdf", _is_pdf),
    "ppt": FileKind("application/vnd.ms-powerpoint", _is_old_office),
    "pptx": FileKind(f"{_OFFICE}presentationml.presentation", _packs(b"ppt/")),
    "odp": FileKind(f"{_OPEN}presentation", _is_open_document("presentation")),
    "doc": FileKind("application/msword", _is_old_office),
    "docx": FileKind(f"{_OFFICE}wordprocessingml.document", _packs(b"word/")),
    "odt": FileKind(f"{_OPEN}text", _is_open_document("text")),
    "xls": FileKind("application/vnd.ms-excel", _is_old_office),
    "xlsx": FileKind(f"{_OFFICE}spreadsheetml.sheet", _packs(b"xl/")),
    "ods": FileKind(f"{_OPEN}spreadsheet", _is_open_document("spreadsheet")),
    "rtf": FileKind("application/rtf", _begins(b"{\\rtf")),
    "txt": FileKind("text/plain", _is_text),
    "png": FileKind("image/png", _begins(b"\x89PNG\r\n\x1a\n")),
    "jpg": FileKind("image/jpeg", _is_jpeg),
    "jpeg": FileKind("image/jpeg", _is_jpeg),
    "webp": FileKind("image/webp", _is_webp),
}
"""End of the name → kind."""


def shown_name(sent: str) -> tuple[str, str]:
    """What a file is called here, and the end of that, lower case: of a name as a program sent it, with any path.

    Nothing hidden is in it. What is before its end is cut.
    """
    own = re.split(r"[/\\]", sent)[-1]
    stem, dot, end = own.rpartition(".")
    if not dot:
        stem, end = own, ""
    stem = printable(stem, longest=STEM_LENGTH).strip(" .") or "presentation"
    end = printable(end, longest=10).lower()
    return (f"{stem}.{end}" if end else stem), end


def fits(kind: FileKind, file: BinaryIO, size: int) -> bool:
    """Whether the content of a file of this size is of this kind."""
    file.seek(0)
    head = file.read(HEAD)
    file.seek(max(0, size - TAIL))
    return kind.fits(head, file.read(TAIL))
