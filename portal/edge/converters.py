"""How ids look in addresses; anything else is a 404 before a query is made."""

from werkzeug.routing import BaseConverter

from portal.identifiers import ID_LENGTH


class Identifier(BaseConverter):
    """A short public id: ten characters of base 58."""

    regex = f"[1-9A-HJ-NP-Za-km-z]{{{ID_LENGTH}}}"
    part_isolating = True


class AnyIdentifier(BaseConverter):
    """A short public id, a uuid or a ulid: what the API takes."""

    regex = (
        rf"(?:[1-9A-HJ-NP-Za-km-z]{{{ID_LENGTH}}}|[0-9A-HJKMNP-TV-Z]{{26}}"
        r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
    )
    part_isolating = True
