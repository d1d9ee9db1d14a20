"""What the portal asks of a service behind rooms: small protocols, and frozen values that cross the border.

A provider translates our three roles into its own words; nobody else knows those words. The core asks
`isinstance(provider, Embeddable)`; a provider implements as many protocols as it can serve.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable


class ProviderError(Exception):
    """The service did not do what we asked. `permanent` steers retries, `field` names a form field."""

    def __init__(self, message: str, *, permanent: bool, field: str | None = None) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.field = field


class Provider(Protocol):
    """What every provider tells about itself."""

    key: str
    label: str
    kinds: frozenset[str]
    """Room types that it can serve."""


@dataclass(frozen=True, kw_only=True)
class Player:
    """What the conference page needs to embed a provider: its template and what the template shows."""

    template: str
    context: dict[str, Any] = field(default_factory=dict)


@runtime_checkable
class Embeddable(Protocol):
    """People meet on a page of the portal itself, whose events tell who is in."""

    def player(self) -> Player:
        """The player for one participant."""
        ...
