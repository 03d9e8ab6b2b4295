"""Frames that were written once for many sessions, as each codec has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from pydantic_core import from_json, to_json

from .codecs import Codec, JsonCodec, ObjectCodec
from .frames import Frame


def relayed(codec: Codec, frames: Mapping[str, Frame], mark: str | None = None) -> Frame | None:
    """A message's frame for the sessions of one codec.

    Args:
        codec: Theirs.
        frames: By subprotocol, what was written where the message was published. A codec of objects can do with JSON's: then
            bytes stay the base64 texts that they are in JSON.
        mark: The message's place in the history of its group.

    Returns:
        None if the message was not written for the codec, and it is none of objects.
    """
    frame = frames.get(codec.subprotocol)
    if frame is None and isinstance(codec, ObjectCodec) and JsonCodec.subprotocol in frames:
        fields: dict[str, Any] = from_json(frames[JsonCodec.subprotocol])
        return codec.dump(fields if mark is None else {**fields, "mark": mark})
    if frame is None or mark is None:
        return frame
    if isinstance(codec, ObjectCodec):
        return codec.dump({**cast("dict[str, Any]", codec.load(frame)), "mark": mark})
    if isinstance(frame, str) and frame.startswith('{"'):
        return f'{{"mark":{to_json(mark).decode()},{frame[1:]}'
    return frame
