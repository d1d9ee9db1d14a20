"""The exceptions by which operations refuse: `Refused` and its kinds, which know no HTTP status.

The entrances turn each of them into a page, a fragment or a JSON answer. Their texts are `Message`s:
English as they stand, translatable where somebody reads them.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar


class Message(str):
    """A sentence for a person: an English `str` that also keeps its msgid and values for translating it.

    `Message("Opens in %(minutes)d minutes.", minutes=5)`. Babel extracts the sentences by the name of this class.
    """

    msgid: str
    values: dict[str, object]
    many: str
    """The msgid for several, if the sentence counts `values["n"]`; else empty."""

    def __new__(cls, msgid: str, **values: object) -> "Message":
        sentence = super().__new__(cls, msgid % values if values else msgid)
        sentence.msgid = msgid
        sentence.values = values
        sentence.many = ""
        return sentence

    @classmethod
    def plural(cls, one: str, many: str, *, n: int, **values: object) -> "Message":
        """One of two sentences, by `n`: `Message.plural("Wait %(n)d second.", "Wait %(n)d seconds.", n=3)`."""
        sentence = cls(one if n == 1 else many, n=n, **values)
        sentence.msgid, sentence.many = one, many
        return sentence


class Refused(Exception):
    """An operation may not be done. The entrance rolls back whatever the transaction wrote.

    `after_rollback`, if set, is called after that in a second transaction: for what must be written although
    the operation was refused, such as a line of the audit.
    """

    default: ClassVar[Message] = Message("This cannot be done.")
    after_rollback: Callable[[], None] | None = None

    def __init__(self, message: Message | None = None) -> None:
        self.message = message or self.default
        super().__init__(self.message)


class Invalid(Refused):
    """The values given are wrong. `fields` has one message for each field concerned, by name."""

    default = Message("The given data was invalid.")

    def __init__(self, message: Message | None = None, **fields: Message) -> None:
        super().__init__(message)
        self.fields = fields


class QuotaUsedUp(Invalid):
    """A quota has no room for what is asked for. The field that asks for too much says how much there is."""

    default = Message("There is no room left for this.")


class InvalidFields:
    """Gathers what is wrong with several fields, so that all of it is told at once: `with wrong.gathered(): …`."""

    def __init__(self) -> None:
        self.fields: dict[str, Message] = {}

    @contextmanager
    def gathered(self) -> Iterator[None]:
        """Keep the fields of an `Invalid` that the block raises. Nothing of the block after that is done."""
        try:
            yield
        except Invalid as invalid:
            self.fields |= invalid.fields

    def raise_if_any(self) -> None:
        """Raise one `Invalid` for all of them, if there are any."""
        if self.fields:
            raise Invalid(**self.fields)


class NotAllowed(Refused):
    """The actor is known, may see the thing, and still may not do this with it."""

    default = Message("You are not allowed to do this.")


class NotFound(Refused):
    """There is no such thing, or none that the actor may know of."""

    default = Message("There is nothing here.")


class Conflict(Refused):
    """The state of a thing forbids this now, or a quota is used up."""


class Throttled(Refused):
    """Too many tries. `retry_after` is in seconds."""

    default = Message("Too many tries. Wait a moment, then try again.")

    def __init__(self, message: Message | None = None, *, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unavailable(Refused):
    """Something that the portal needs does not answer now; trying again later may work."""

    default = Message("The portal cannot answer right now. Try again in a moment.")


class ChannelsAway(Refused):
    """The channels between processes (Redis) do not answer now. What the database holds is safe; retrying may work."""

    default = Message("The portal cannot answer right now. Try again in a moment.")
