"""What a handler says that it answers, and what is wrong with it: a type without a frame, a code that is taken."""

from __future__ import annotations

import inspect
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Annotated, Any, cast, get_args, get_origin

from pydantic import BaseModel

from ..callables import name_of, place_of, unaliased, unfound
from ..exceptions import Fault
from ..messages.errors import FRAMEWORK_CODES, code_of
from ..messages.members import is_typed_dict, sources_of
from .framing import RAW

if TYPE_CHECKING:
    from .handlers import Handler

_STREAMS = (AsyncIterator, AsyncGenerator, AsyncIterable)


def named(annotations: Iterable[Any]) -> list[Any]:
    """The types that annotations name, without `None` and `Any`, which say nothing."""
    found = [source for annotation in annotations for source in sources_of(annotation)]
    return [source for source in found if source not in (None, type(None), Any, object)]


def answers(returns: Any) -> list[Any]:
    """The types among a handler's answers that can go out, `str` and `bytes` among them; for a stream those of its items."""
    returns = unaliased(returns)
    if get_origin(returns) in _STREAMS:
        returns = get_args(returns)[0]
    return [source for source in named([returns]) if is_object(source) or source in RAW]


def is_object(source: Any) -> bool:
    """Whether a type's values are objects with fields, as a message is."""
    cls = get_origin(source) or source
    return is_typed_dict(cls) or (isinstance(cls, type) and (is_dataclass(cls) or issubclass(cls, BaseModel)))


def faults_of_answers(handlers: Sequence[Handler]) -> Iterator[Fault]:
    """A fault for each type that a handler says it returns or yields, and that has no place in a frame."""
    for handler in handlers:
        returns = unaliased(handler.returns)
        is_iterator = (get_origin(returns) or returns) in _STREAMS
        if returns is inspect.Signature.empty or unfound(returns) is not None:
            continue
        if is_iterator and not handler.is_stream:
            what, fix = "it returns an iterator, which is no message", "yield the items in the handler itself"
            yield Fault(place_of(handler.function), what, fix)
            continue
        items = get_args(returns)[:1] if is_iterator else (returns,)
        for source in named(items):
            if not _may_be_sent(source):
                verb, does = ("yield", "yields") if handler.is_stream else ("return", "returns")
                yield Fault(
                    place_of(handler.function),
                    f"it {does} {name_of(source)}, which is no message",
                    f"{verb} a Message that has it in a field; values as they are answer in JSON-RPC: protocol = JsonRpc()",
                )


def _may_be_sent(source: Any) -> bool:
    if get_origin(source) is Annotated:
        source = get_args(source)[0]
    cls: Any = get_origin(source) or source
    if not isinstance(cls, type) or cls in RAW or is_object(source) or issubclass(cls, Mapping):
        return True  # what is no class says too little; a mapping may be a TypedDict
    kind = cast("type[Any]", cls)
    return inspect.isabstract(kind) or getattr(kind, "_is_protocol", False) or any(is_object(below) for below in _below(kind))


def _below(cls: type[Any]) -> Iterator[type[Any]]:
    subclasses: list[type[Any]] = type.__subclasses__(cls)
    for each in subclasses:
        yield each
        yield from _below(each)


def faults_of_codes(handler: Handler) -> Iterator[Fault]:
    """A fault for each exception of `raises` whose code clients cannot tell from another."""
    taken: dict[str, type[Exception]] = {}
    for error in handler.mark.raises:
        code = code_of(error)
        other = taken.setdefault(code, error)
        if code in FRAMEWORK_CODES:
            what = f"raises={name_of(error)}: its code {code!r} is one that the framework answers with itself"
            yield Fault(place_of(handler.function), what, f'give the class a code of its own: code = "chat.{code}"')
        elif not (issubclass(error, other) or issubclass(other, error)):  # one below the other is such an error too
            what = f"raises: {name_of(other)} and {name_of(error)} have the same code {code!r}"
            yield Fault(place_of(handler.function), what, 'give one of the classes another: code = "..."')
