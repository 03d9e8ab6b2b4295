"""What one session may take: the limits that ship as defaults, in one place."""

from math import inf
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from ..exceptions import DeclarationError
from ..messages.limits import DEEPEST, DEFAULT_FIRST_MESSAGE_LIMITS, LONGEST, FirstMessageLimits, FrameLimits


class _Unset:
    """The type of a limit that nobody set at this level."""

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False


UNSET: Final[Any] = _Unset()


class _Limits(NamedTuple):
    message: int | None = UNSET
    rate: float | None = UNSET
    burst: int = UNSET
    inbox: int = UNSET
    inbox_bytes: int = UNSET
    bad_frames_in_a_row: int | None = UNSET
    bad_frames: int | None = UNSET
    outbox: int = UNSET
    outbox_bytes: int = UNSET
    stall: float | None = UNSET
    handler_time: float | None = UNSET
    idle: float | None = UNSET
    lifetime: float | None = UNSET
    heartbeat: float | None = UNSET
    groups: int | None = UNSET
    grace: float = UNSET
    depth: int = UNSET
    digits: int = UNSET
    first_message: float | None = UNSET


class Limits(_Limits):
    """Limits of a session, set on an app, a controller or a route; what is left out comes from the level around it.

    `None` takes a limit away, and has to be written; `burst`, `inbox`, `inbox_bytes`, `outbox`, `outbox_bytes`, `grace`, `depth`
    and `digits` cannot be taken away.

    Raises:
        DeclarationError: One is no number above 0, `None` where there has to be one, or beyond what can be read.

    Attributes:
        message: Bytes of a message that comes in, after inflation, the first one (`FirstMessage`) too; beyond it the session is
            closed with 1009.
        rate: Messages a second that may come in, over time; beyond it one error `rate_limited`, then a close with 1008.
        burst: Messages that may come in at once.
        inbox: Frames that wait for a handler; when it is full, nothing more is read, unless a handler waits for the client.
        inbox_bytes: Bytes that wait beyond a full inbox while a handler waits for the client: for a reply, or for credit. Each
            frame counts 256 more. Beyond them the session is closed with 1008.
        bad_frames_in_a_row: Bad frames one after the other; beyond it the session is closed with 1008.
        bad_frames: Bad frames in all; beyond it the session is closed with 1008.
        outbox: Frames that wait for a slow peer; beyond it the policy of the outbox holds.
        outbox_bytes: Bytes that wait for a slow peer; beyond them the policy of the outbox holds.
        stall: Seconds that a write may make no progress; then the session is closed with 1013. Where none is held, and a known
            server's peer takes nothing of what waits for so long, the connection is broken.
        handler_time: Seconds that a handler may take where its mark says nothing else; then it is cancelled: error `timeout`.
        idle: Seconds without a message; then the session is closed with 1001.
        lifetime: Seconds that a session may last; then it is closed with 1001.
        heartbeat: Seconds without a frame, after which the client is asked for a sign of life; after as many again without one
            the session is closed with 1001. For sessions with messages.
        groups: Groups that it may be in.
        grace: Seconds that handlers have to finish when the server ends the session.
        depth: Objects and arrays within each other in a frame, its own object included; at most 200. Beyond it the frame is bad.
        digits: Digits of an integer in a frame; at most 4,300. Beyond it the frame is bad.
        first_message: Seconds to wait for a first message where `FirstMessage()` says nothing else; then the session is closed
            with 1008.
    """

    __slots__ = ()

    if not TYPE_CHECKING:  # to type checkers it takes what the tuple takes

        def __new__(cls, **given: Any) -> "Limits":
            for name, value in given.items():
                _check(name, value)
            return super().__new__(cls, **given)

    def __getnewargs_ex__(self) -> tuple[tuple[()], dict[str, Any]]:
        return (), self._asdict()  # so that copies are made by name, too

    @property
    def of_frames(self) -> FrameLimits:
        """What one frame may hold; of limits that are complete."""
        return FrameLimits(self.depth, self.digits)

    @property
    def of_first_messages(self) -> FirstMessageLimits:
        """What a first message may be; of limits that are complete."""
        return FirstMessageLimits(self.message, self.first_message, self.of_frames)

    def over(self, base: Self) -> Self:
        """These limits, with those of the level around them where nothing is set."""
        return type(self)._make(theirs if own is UNSET else own for own, theirs in zip(self, base, strict=True))


_NEEDED: Final = frozenset({"burst", "inbox", "inbox_bytes", "outbox", "outbox_bytes", "grace", "depth", "digits"})
"""Limits that there always are: memory and the end of a session hang on them, or on another limit that needs them."""


_COUNTS: Final = frozenset(
    {
        *("message", "burst", "inbox", "inbox_bytes", "bad_frames_in_a_row", "bad_frames", "outbox", "outbox_bytes", "groups"),
        *("depth", "digits"),
    }
)
"""Limits that count frames, bytes, groups, levels or digits."""

_MOST: Final = {"depth": DEEPEST, "digits": LONGEST}
"""Limits beyond which nothing could be read."""


def _check(name: str, value: object) -> None:
    if value is UNSET or (value is None and name not in _NEEDED):
        return
    if value is None:
        raise DeclarationError.at(
            f"Limits({name}=None)",
            "this limit cannot be taken away",
            fix="give a number; a large one where much may be",
        )
    if name in _NEEDED and value == inf:
        raise DeclarationError.at(
            f"Limits({name}={value!r})",
            "this limit cannot be taken away",
            fix="give a number; a large one where much may be",
        )
    # NaN is above nothing; True is an int, and of half a frame there is none.
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0 or (name in _COUNTS and value < 1):
        raise DeclarationError.at(
            f"Limits({name}={value!r})", "a limit is a number above 0", fix="give one, or None where a limit may be left out"
        )
    most = _MOST.get(name, inf)
    if value > most:
        raise DeclarationError.at(f"Limits({name}={value!r})", "no frame can be allowed so much", fix=f"give {most} at most")
    if name in _MOST and not isinstance(value, int):
        raise DeclarationError.at(f"Limits({name}={value!r})", "it is no whole number", fix="give one")


DEFAULT_LIMITS: Final = Limits(
    message=DEFAULT_FIRST_MESSAGE_LIMITS.size,
    rate=50.0,
    burst=200,
    inbox=16,
    inbox_bytes=1024 * 1024,
    bad_frames_in_a_row=10,
    bad_frames=100,
    outbox=1000,
    outbox_bytes=1024 * 1024,
    stall=10.0,
    handler_time=None,
    idle=None,
    lifetime=None,
    heartbeat=None,
    groups=128,
    grace=5.0,
    depth=DEFAULT_FIRST_MESSAGE_LIMITS.frame.depth,
    digits=DEFAULT_FIRST_MESSAGE_LIMITS.frame.digits,
    first_message=DEFAULT_FIRST_MESSAGE_LIMITS.seconds,
)
"""The limits that hold where nobody set others."""


def given_limits(given: object, where: str) -> Limits:
    """The limits that a controller or a route was given; none where it says nothing.

    Raises:
        DeclarationError: They are something else.
    """
    if given is None:
        return Limits()
    if not isinstance(given, Limits):
        raise DeclarationError.at(where, f"limits={given!r} are none", fix="write limits = Limits(rate=10)")
    return given
