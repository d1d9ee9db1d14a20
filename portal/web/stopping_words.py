"""What is said, before it is done, of an act after which rooms can no longer be entered."""

from portal.errors import Message


def stopping_words(*, rooms: int, people: int) -> list[Message]:
    """What it means for so many rooms, and people inside: see `portal.admission.reauthorization` for why they stay."""
    stops = Message.plural(
        "Its %(n)d room can no longer be entered.", "Its %(n)d rooms can no longer be entered.", n=rooms
    )
    if not people:
        return [stops, Message("Nobody is inside now.")]
    return [
        stops,
        Message.plural(
            "%(n)d person who is inside now may stay, and nobody new comes in.",
            "%(n)d people who are inside now may stay, and nobody new comes in.",
            n=people,
        ),
    ]
