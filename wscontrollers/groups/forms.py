"""The forms of groups' names: which names have two of them."""

from __future__ import annotations

import re
from collections import deque
from typing import Final

PARAMETER: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
"""A parameter in a pattern."""
WORD: Final = "[^:]+"
"""What a parameter stands for, if it is not the last one."""
REST: Final = ".+"
"""What the last parameter of a pattern stands for: its guard is to see colons too."""

_FILLING: Final = "x"


def common_name(first: str, second: str) -> str | None:
    """The shortest name that has the forms of two patterns; None if no name has."""
    forms = _steps_of(first), _steps_of(second)
    found: dict[tuple[int, int], str] = {(0, 0): ""}
    waiting = deque(found)
    while waiting:
        places = waiting.popleft()
        if all(place == len(steps) for place, steps in zip(places, forms, strict=True)):
            return found[places]
        moves = [_moves(steps, place) for place, steps in zip(places, forms, strict=True)]
        for taken, one in moves[0]:
            for other_taken, other in moves[1]:
                letter = _letter(taken, other_taken)
                if letter is not None and (one, other) not in found:
                    found[one, other] = found[places] + letter
                    waiting.append((one, other))
    return None


def _steps_of(pattern: str) -> list[str]:
    """What a name is made of: single letters, and the classes of which there are one or more."""
    parts = PARAMETER.split(pattern)  # texts, and between them the names of parameters
    steps = list(parts[0])
    for index, text in enumerate(parts[2::2], 1):
        steps += [REST if index == len(parts) // 2 else WORD, *text]
    return steps


def _moves(steps: list[str], place: int) -> list[tuple[str, int]]:
    """What can come next, and where that leads: on, or on the spot behind a class."""
    moves = [(steps[place], place + 1)] if place < len(steps) else []
    if place and steps[place - 1] in (WORD, REST):
        moves.append((steps[place - 1], place))
    return moves


def _letter(one: str, other: str) -> str | None:
    """A letter that both take; None if there is none."""
    classes = {one, other} & {WORD, REST}
    letters = {one, other} - classes
    if len(letters) > 1 or (letters == {":"} and WORD in classes):
        return None
    return next(iter(letters), _FILLING)
