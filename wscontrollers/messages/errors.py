"""What can be wrong with a frame: codes, their names from exception classes, and the error that a reader raises."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal, get_args

from .frames import ErrorDetail, ErrorFrame, Ref

INVALID_JSON: Final = "invalid_json"
"""The frame is not what its codec writes: no JSON, no MessagePack, or beyond the limits of depth and numbers."""
INVALID_FRAME: Final = "invalid_frame"
"""The frame is of the wrong kind, no object, has no tag, or its `ref` or `re` is none."""
UNKNOWN_TYPE: Final = "unknown_type"
"""Nothing here takes messages of this tag."""
VALIDATION: Final = "validation"
"""The fields are not those of the message type."""
RATE_LIMITED: Final = "rate_limited"
TIMEOUT: Final = "timeout"
CANCELLED: Final = "cancelled"
FORBIDDEN: Final = "forbidden"
INTERNAL: Final = "internal"

FrameErrorCode = Literal["invalid_json", "invalid_frame", "unknown_type", "validation", "internal"]
ErrorCode = Literal[FrameErrorCode, "rate_limited", "timeout", "cancelled", "forbidden"]
FRAMEWORK_CODES: Final = frozenset[str](get_args(ErrorCode))
"""The codes that the framework answers with by itself, and no exception of an application may have."""


class FrameError(Exception):
    """A frame cannot be read; the only exception that a reader raises, whatever the frame is.

    Args:
        code: What is wrong. `internal` means that a validator of the message type failed with something other than a
            ValueError or AssertionError; that exception is the `__cause__`, for the log and never for the peer.
        text: The same for people; it does not repeat what was sent.
        errors: The faults of single fields, for code `validation`.
        ref: The frame's `ref`, where it could be found.
    """

    def __init__(self, code: FrameErrorCode, text: str, errors: Sequence[ErrorDetail] = (), ref: Ref | None = None) -> None:
        super().__init__(code, text)
        self.code: FrameErrorCode = code
        self.text = text
        self.errors = list(errors)
        self.ref = ref

    def __str__(self) -> str:
        return f"{self.code}: {self.text}"

    def frame(self, id: str | None = None) -> ErrorFrame:  # noqa: A002 - the name on the wire
        """The control frame that tells the peer.

        Args:
            id: The id under which the log has the details, for code `internal`.
        """
        return ErrorFrame(self.code, self.text, self.errors or None, self.ref, id)


def code_of(exception: type[BaseException]) -> str:
    """The code on the wire of a declared exception class: its `code`, else the snake case of its name without `Error`.

    A `code` that is no text, such as the number of Starlette's `WebSocketException`, does not count.
    """
    code = getattr(exception, "code", None)
    if isinstance(code, str) and code:
        return code
    name = exception.__name__
    return snake_case(name.removesuffix("Error") or name)


_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake_case(name: str) -> str:
    """The name of a class in snake case: `RoomFull` is "room_full", `HTTPGone` is "http_gone"."""
    return _WORDS.sub("_", name.lstrip("_")).lower()
