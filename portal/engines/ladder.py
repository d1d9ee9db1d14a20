"""The ladder of renditions: in which sizes a film is made, by its shorter side, never larger than it is itself."""

from dataclasses import dataclass

from portal.engines.checking import Film

RUNGS = {1080: 5_000_000, 720: 2_800_000, 480: 1_200_000, 240: 400_000}
"""Shorter side → bits of picture a second."""
SOUND = 128_000
FIRST = 480
"""The largest rung that is made first, so that people can watch early."""
_LONGEST_SIDE = 3840


@dataclass(frozen=True)
class Rung:
    """One size of a film. `bits` is what its picture takes a second."""

    name: str
    width: int
    height: int
    bits: int


def ladder(film: Film) -> list[Rung]:
    """The rungs for this film, the largest first: at least one."""
    shorter = min(film.width, film.height)
    sides = [side for side in RUNGS if side <= shorter] or [shorter]
    return [_rung(film, side) for side in sides]


def passes(rungs: list[Rung]) -> list[list[Rung]]:
    """Which are made together: one that is soon ready, then the others."""
    small = [rung for rung in rungs if min(rung.width, rung.height) <= FIRST]
    first = small[0] if small else rungs[-1]
    rest = [rung for rung in rungs if rung is not first]
    return [[first], rest] if rest else [[first]]


def bytes_of(film: Film, rungs: list[Rung]) -> int:
    """How many bytes these will have at most, or a little more."""
    return sum(rung.bits + SOUND for rung in rungs) * film.milliseconds // 8000


def _rung(film: Film, side: int) -> Rung:
    shorter, longer = sorted((film.width, film.height))
    scale = min(side / shorter, _LONGEST_SIDE / longer, 1.0)
    bits = next((bits for rung, bits in RUNGS.items() if rung <= side), min(RUNGS.values()))
    return Rung(f"{side:02}p", even(film.width * scale), even(film.height * scale), bits)


def even(pixels: float) -> int:
    """What the encoder can take: even, and not nothing."""
    return max(2, int(pixels + 0.5) // 2 * 2)
