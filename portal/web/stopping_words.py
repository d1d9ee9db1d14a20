"""What is said, before it is done, of an act after which rooms can no longer be entered, or can be again."""

from portal.errors import Message

NO_ROOMS = Message("It has no rooms.")


def resuming_words(*, rooms: int) -> list[Message]:
    """What it means for so many rooms that they can be used again."""
    again = Message.plural("Its %(n)d room can be used again.", "Its %(n)d rooms can be used again.", n=rooms)
    return [again if rooms else NO_ROOMS]


def stopping_words(*, rooms: int, people: int) -> list[Message]:
    """What it means for so many rooms, and people inside: see `portal.admission.reauthorization` for why they stay."""
    if not rooms:
        return [NO_ROOMS]
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
