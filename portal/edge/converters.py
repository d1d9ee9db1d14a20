"""How ids look in addresses; anything else is a 404 before a query is made."""

from werkzeug.routing import BaseConverter

from portal.db import ID_LENGTH


class Identifier(BaseConverter):
    """A short public id: ten characters of base 58."""

    regex = f"[1-9A-HJ-NP-Za-km-z]{{{ID_LENGTH}}}"
    part_isolating = True
