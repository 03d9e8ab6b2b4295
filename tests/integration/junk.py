"""Frames that a hostile or broken client may send: seeded, so that a failure comes again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from math import inf, nan
from random import Random
from typing import Any

import ormsgpack

CANARY = "c4n4ry"
"""In every text that is sent as a value; what a client sent is not repeated to it."""

TAGS = ("move", "say", "nothing", "cancel", "credit", "recover", "ok", "end", "error", "gap", "nope", "", "Move", "say ")
FIELDS = ("x", "y", "label", "color", "at", "blob", "inner", "scores", "text", "n", "marks")
KEYS = ("type", "ref", "re", "mark", "__class__", *FIELDS)

NUMBERS = ("0", "-0", "1", "-1", "1.0", "1.5e300", "1e999", "-1e999", "9223372036854775807", "9223372036854775808", "1" * 4300)
NO_NUMBERS = ("1" * 4301, "-" + "9" * 5000, "NaN", "Infinity", "-Infinity", "01", "+1", "1.", ".5", "0x1F")
TEXTS = ('""', f'"{CANARY}"', '"red"', '"2026-01-31"', '"AAEC"', '"%"', '"NaN"', '"Infinity"', r'"\ud83d\ude00"', r'"\u0000"')
LONG_TEXTS = ('"' + "r" * 128 + '"', '"' + "é" * 129 + '"')
NO_TEXTS = (r'"\ud800"', r'"\udc00\ud800"', '"\x00"', '"\ud800"', r'"\x41"', "'single'", '"', "undefined", "/* */ 1")
OTHERS = ("null", "true", "false", "[]", "{}", "[[]]", '{"x": 1}', f'["{CANARY}", {{}}]', "[1,]", "1" + "0" * 400 + ".0")
LITERALS = (*NUMBERS, *NO_NUMBERS, *TEXTS, *LONG_TEXTS, *NO_TEXTS, *OTHERS)
"""JSON values and what is none, as text."""

SPLINTERS = (*'{}[]":,\\ \n\x00\x7f\ufeff\ud800\U0001f600e-9N', "\\u", "//")


def junk(seed: int) -> Iterator[str | bytes]:
    """Frames without end, of all kinds."""
    random = Random(seed)  # noqa: S311 - no secret
    makers: list[Callable[[Random], str | bytes]] = [
        _noise, _broken_utf8, _value, *[_message] * 3, *[_mutated] * 8, *[_control] * 3, _twice, _deep,
    ]  # fmt: skip
    while True:
        # A frame of 100,000 brackets costs as much as a thousand others.
        yield _brackets(random) if random.random() < 0.0003 else random.choice(makers)(random)


def _noise(random: Random) -> bytes:
    return random.randbytes(random.randrange(200))


def _broken_utf8(random: Random) -> bytes:
    text = _message(random).encode("utf-8", "surrogatepass")
    place = random.randrange(len(text))
    return text[:place] + random.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5", b"\xe2\x82"]) + text[place:]


def _brackets(random: Random) -> str:
    return random.choice(["[", "{", '{"x":', '[{"a":[', '["', '{"type": "move", "x": [', "[[],"]) * 100_000


def _deep(random: Random) -> str:
    levels = random.randrange(60, 68)
    inner = random.choice(["[" * levels + "]" * levels, '{"a":' * levels + "1" + "}" * levels, '["' + "[" * levels + '"]'])
    return '{"type": "say", "text": "a", "more": ' + inner + "}"


def _value(random: Random) -> str:
    return random.choice(LITERALS)


def _fields(random: Random) -> dict[str, str]:
    tag = random.choice(["move", "move", "say", "nothing"])
    fields = {"type": f'"{tag}"'}
    if tag == "say":
        fields["text"] = f'"{CANARY}{random.randrange(100)}"'
    if tag == "move":
        fields |= {"x": str(random.randrange(-5, 5)), "y": str(random.random()), "label": f'"{CANARY}"', "color": '"red"'}
        fields |= {"at": '"2026-01-31"', "blob": '"AAEC"', "inner": '{"x": 1}', "scores": '{"a": 1, "b": 2}'}
    if random.random() < 0.5:
        fields["ref"] = random.choice(['"7"', "7", "-1", '"' + "r" * 128 + '"', '"\\u00e9"', f'"{CANARY}"'])
    return fields


def _text(random: Random, fields: dict[str, str]) -> str:
    items = [f"{json.dumps(key)}:{value}" for key, value in fields.items()]
    random.shuffle(items)
    return "{" + ",".join(items) + "}"


def _message(random: Random) -> str:
    return _text(random, _fields(random))


def _mutated(random: Random) -> str:
    fields = _fields(random)
    for _ in range(random.randrange(1, 3)):
        match random.randrange(5):
            case 0:
                fields[random.choice([*fields, "x"])] = random.choice(LITERALS)
            case 1:
                fields[random.choice(KEYS)] = random.choice(LITERALS)
            case 2:
                fields.pop(random.choice([*fields, "x"]), None)
            case 3:
                fields["type"] = json.dumps(random.choice(TAGS))
            case _:
                text = _text(random, fields)
                start, end = sorted(random.randrange(len(text) + 1) for _ in range(2))
                damaged: list[str] = [
                    text[:start],
                    text[start:],
                    text[:start] + random.choice(SPLINTERS) + text[start:],
                    text[:start] + text[start + 1 :],
                    text[:end] + text[start:],
                    text + random.choice(SPLINTERS),
                ]
                return random.choice(damaged)
    return _text(random, fields)


def _control(random: Random) -> str:
    tag = random.choice(["cancel", "credit", "recover", "ok", "error", "end", "said", "move"])
    fields = {"type": f'"{tag}"'}
    for key, good in (("re", ['"7"', "7", '"nobody"']), ("n", ["1", "16"]), ("marks", ['["a"]']), ("ref", ["1"])):
        match random.randrange(4):
            case 0 | 1:
                fields[key] = random.choice(good)
            case 2:
                fields[key] = random.choice(LITERALS)
            case _:
                pass
    return _text(random, fields)


def _twice(random: Random) -> str:
    text = _message(random)
    key: Any = random.choice(KEYS)
    return text[:-1] + f', "{key}": {random.choice(LITERALS)}, "{key}": {random.choice(LITERALS)}}}'


def packed_junk(seed: int) -> Iterator[bytes]:
    """MessagePack frames without end, most of them damaged."""
    random = Random(seed)  # noqa: S311 - no secret
    heads = [bytes([head]) for head in (0x80, 0x90, 0xC0, 0xC1, 0xC4, 0xC7, 0xCA, 0xCF, 0xD4, 0xD9, 0xDC, 0xDD, 0xDE, 0xDF, 0xFF)]
    while True:
        values: dict[str, Any] = {"type": random.choice(["move", "move", *TAGS]), "x": 1, "y": 0.5, "label": CANARY, "ref": "7"}
        for _ in range(random.randrange(3)):
            values[random.choice(KEYS)] = random.choice(
                [None, True, 0, 2**63, -(2**63), 1.5, inf, nan, "", CANARY, b"\xff", b"AAEC", [], {}, {"x": CANARY}, [[]] * 100]
            )
        frame = ormsgpack.packb(values)
        place = random.randrange(len(frame))
        yield random.choice(
            [
                frame,
                random.randbytes(place),
                frame[:place],
                frame + random.choice(heads),
                frame[:place] + random.choice(heads) + frame[place:],
                frame[:place] + random.randbytes(1) + frame[place + 1 :],
                b"\x81\xa1x" * random.choice([63, 64, 65, 10_000]) + b"\xc0",
                b"\xdf\xff\xff\xff\xff" + frame,
            ]
        )
