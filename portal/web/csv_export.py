"""CSV files to download. A spreadsheet opens them without executing a formula that somebody typed as a name."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from flask import Response

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001  (spreadsheets take the wide ones too)

_ISOLATION = str.maketrans("", "", "\u2066\u2067\u2068\u2069")
"""What keeps the direction of a name inside a sentence on pages. In a table the same name has to read the same."""


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A response that downloads as the file `name` (ASCII). It is UTF-8 with a byte order mark, which Excel needs."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows([cell(value) for value in row] for row in rows)
    response = Response("\ufeff" + text.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def cell(value: object) -> str:
    """The value as text, a moment in UTC. A text that a spreadsheet would take for a formula gets an apostrophe."""
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
    text = "" if value is None else str(value).translate(_ISOLATION)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) or text.startswith(_FORMULA) else text
