"""CSV files to download. A spreadsheet opens them without executing a formula that somebody typed as a name.

A file is sent piece by piece, each made when the one before is on its way: so very many rows take no more memory than
those of one piece, and no transaction stays open while somebody's line is slow.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

from flask import Response
from flask.ctx import RequestContext
from flask.globals import request_ctx

from portal.db import reading, transaction

_SIGNS = "=+\\-@＝＋－＠"  # noqa: RUF001  (spreadsheets take the wide ones too)
_FORMULA = re.compile(rf"^(?=[\t\r\n]|\s*[{_SIGNS}])|(?<=[;\t\r\n])(?=[\s\"']*[{_SIGNS}])")
"""Where a formula may begin: at the begin of the cell, and where another separator than our comma ends one.

A spreadsheet set to German takes the semicolon, and others take tabs; our quotation marks mean nothing to it then.
"""
_ISOLATION = str.maketrans("", "", "\u2066\u2067\u2068\u2069")
"""What keeps the direction of a name inside a sentence on pages. In a table the same name has to read the same."""

Row = Sequence[object]


def csv_file(name: str, head: Sequence[str], pages: Iterable[Sequence[Row]]) -> Response:
    """A response that downloads as the file `name` (ASCII). It is UTF-8 with a byte order mark, which Excel needs.

    The first of `pages` is made at once, so that what goes wrong there is answered as always. Each further one is made
    in a short transaction that only reads, with the reader's language.
    """
    left = iter(pages)
    begin = "\ufeff" + _written([head, *next(left, ())])
    response = Response(_pieces(begin, left, request_ctx.copy()), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _pieces(begin: str, left: Iterator[Sequence[Row]], context: RequestContext) -> Iterator[str]:
    piece = begin
    while piece:
        yield piece
        with context.copy(), reading(), transaction():
            piece = _written(next(left, ()))


def _written(rows: Iterable[Row]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()


def cell(value: object) -> str:
    """The value as text, a moment in UTC. An apostrophe keeps a spreadsheet from taking a part of it for a formula."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    text = "" if value is None else str(value).translate(_ISOLATION)
    return _FORMULA.sub("'", text)
