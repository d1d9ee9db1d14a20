"""Where a page of a list begins: a signed, opaque word in the address."""

from itsdangerous import BadSignature, URLSafeSerializer

from portal import vault

LONGEST = 7_000  # characters: a name of the longest kind, escaped, in a request line that servers take


def write(place: list[str], *, of: str) -> str:
    """The cursor that stands for this place in the list `of`."""
    return str(URLSafeSerializer(vault.signing_keys("cursor"), salt=of).dumps(place))


def read(cursor: str, *, of: str) -> list[str]:
    """The place that the cursor stands for, or [] for one that we did not write."""
    try:
        return [str(part) for part in URLSafeSerializer(vault.signing_keys("cursor"), salt=of).loads(cursor)]
    except (BadSignature, TypeError):
        return []
