"""What the log says, where a client can make it say something: at most so many lines a second of one kind."""

from __future__ import annotations

import logging
import threading
from collections.abc import Hashable
from typing import Final

MOST: Final = 10
"""Lines of one kind in a second; what comes behind them in that second is counted, and told with the next line of the kind."""

_KINDS: Final = 256
"""How many kinds are known at once, beyond which those that are quiet are forgotten."""

_NAMES: Final = ("wscontrollers.session", "wscontrollers.container", "wscontrollers.groups")


def logger_of(name: str) -> logging.Logger:
    """The logger of a name, with a `Throttle`."""
    logger = logging.getLogger(name)
    if not any(isinstance(each, Throttle) for each in logger.filters):
        logger.addFilter(Throttle())
    return logger


def begin_anew() -> None:
    """Let lines through as if none had come before; a test is not to lose some because of another one's."""
    for name in _NAMES:
        for each in logging.getLogger(name).filters:
            if isinstance(each, Throttle):
                each.forget()


class Throttle(logging.Filter):
    """Lets `MOST` lines of a kind through in a second: whoever sends what fails must not fill the disk.

    Of one kind are lines with one text, before its arguments are put in, one place where their exception was raised, and one
    `kind`, where their `extra` has that.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._seconds: dict[Hashable, _Second] = {}

    def forget(self) -> None:
        """Know of no line that came before."""
        with self._lock:
            self._seconds.clear()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether a line may pass; the last one that may in a second, and the first one behind it, say what is left out."""
        with self._lock:
            second = self._second_of(record)
            second.lines += 1
            is_last, left_out = second.lines == MOST, second.left_out
            second.left_out = 0
            if second.lines > MOST:
                second.left_out = left_out + 1
                return False
        if left_out:
            record.msg = f"{record.msg} ({left_out} more like it were left out before it)"
        if is_last:
            record.msg = f"{record.msg} (more like it in this second are left out)"
        return True

    def _second_of(self, record: logging.LogRecord) -> _Second:
        kind = (record.levelno, record.msg, getattr(record, "kind", None), _place(record))
        second = self._seconds.get(kind)
        if second is None:
            if len(self._seconds) >= _KINDS:
                self._seconds = {key: each for key, each in self._seconds.items() if each.holds(record.created)}
            second = self._seconds[kind] = _Second(record.created)
        elif not second.holds(record.created):
            second.began, second.lines = record.created, 0
        return second


class _Second:
    """The lines of one kind in a second.

    Attributes:
        began: When the first one came, in seconds since 1970.
        lines: How many came.
        left_out: How many were left out since the last one that passed.
    """

    __slots__ = ("began", "left_out", "lines")

    def __init__(self, began: float) -> None:
        self.began = began
        self.lines = self.left_out = 0

    def holds(self, moment: float) -> bool:
        """Whether it is the one of a moment."""
        return 0 <= moment - self.began < 1


def _place(record: logging.LogRecord) -> Hashable:
    """Where the exception of a line was raised."""
    if not record.exc_info:
        return None
    kind, _, traceback = record.exc_info
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    return kind, None if traceback is None else (traceback.tb_frame.f_code, traceback.tb_lineno)
