"""URL converters for identifiers and codes. An address with anything else in their place is a 404 without any query."""

from werkzeug.routing import BaseConverter

from portal.identifiers import ID_LENGTH


class Identifier(BaseConverter):
    """A short public id: ten characters of base 58. Used in the addresses of pages."""

    regex = f"[1-9A-HJ-NP-Za-km-z]{{{ID_LENGTH}}}"
    part_isolating = True


class AnyIdentifier(BaseConverter):
    """A short public id, a uuid or a ulid. Used in the addresses of the API."""

    regex = (
        rf"(?:[1-9A-HJ-NP-Za-km-z]{{{ID_LENGTH}}}|[0-9A-HJKMNP-TV-Z]{{26}}"
        r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
    )
    part_isolating = True


class FeatureCode(BaseConverter):
    """The code of a feature. What is done with all features, `sync`, is none."""

    regex = "(?!sync$)[^/]+"
    part_isolating = True
