"""What is published."""

from __future__ import annotations

WORDS = "the kettle is on and somebody has eaten the last of the biscuits that were meant for the guests "

SIZES = {"short": 128, "long": 900, "page": 4096}
"""Bytes of a message, `{"type":"said","text":"..."}`, by name."""

TEXTS = {name: (WORDS * 50)[: size - len('{"type":"said","text":""}')] for name, size in SIZES.items()}
"""Its text, by name."""

JOINED = "joined"


def read(order: str) -> tuple[int, str]:
    """How many messages are to be published, and their text."""
    count, _, name = order.partition(" ")
    return int(count), TEXTS[name]
