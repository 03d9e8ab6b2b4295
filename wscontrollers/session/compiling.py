"""What an endpoint's sessions speak, read from its signature and its controller once, at registration."""

from __future__ import annotations

import types
from collections.abc import Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from ..callables import AnyCallable, Kind, kind_of, name_of, place_of, signature_of, unaliased
from ..exceptions import DeclarationError
from ..messages import Codec, Latest, Message, MessageUnion, outbox_policy_of
from ..messages.members import adapter_of
from ..messages.message import check_key
from ..messages.schemas import shape_of
from ..websockets import WebSocket
from .answering import answers, is_object, named
from .contract import Contract
from .framing import RAW
from .handlers import Handler
from .limits import DEFAULT_LIMITS, Limits
from .session import Session
from .wire import Wire


def wire_of(contract: Contract, endpoint: AnyCallable, *, limits: Limits = DEFAULT_LIMITS, codecs: Sequence[Codec] = ()) -> Wire:
    """Compile a contract for an endpoint.

    Args:
        contract: What is declared of its sessions.
        endpoint: Its function.
        limits: Those of the app.
        codecs: Those of the app.

    Raises:
        DeclarationError: Something that is named as a message is none.
    """
    where = place_of(endpoint)
    annotations = _annotations(contract, endpoint)
    declared = [arguments for each in annotations if (arguments := session_arguments(each)) is not None]
    given = [source for arguments in declared for source in named(arguments[1:])]
    taken: list[Any] = []
    incoming: MessageUnion | None
    if kind_of(endpoint) is Kind.ASYNC_GENERATOR:  # its messages go to the handlers, whatever else it names
        raw = [source for arguments in declared for source in named(arguments[:1]) if source in RAW]
        if raw:
            raise DeclarationError.at(
                where,
                f"it yields, so handlers take what comes in, and none takes frames of {name_of(raw[0])} as they are",
                fix="iterate over the session in place of the yield, or put the bytes into a field of a message",
            )
        incoming = MessageUnion([], where=where) if contract.handlers is None else contract.handlers.union
        handlers = () if contract.handlers is None else contract.handlers.all
        if contract.protocol is not None:
            _require_single_answers(handlers)
        else:
            given += [source for handler in handlers for source in answers(handler.returns)]
        return _wire(contract, incoming, taken, given, where, limits=limits, codecs=codecs)
    taken += [source for arguments in declared for source in named(arguments[:1])]
    if not taken and (not declared or any(_is_websocket(each) for each in annotations)):
        incoming = None  # the endpoint reads the WebSocket itself, or nothing
    else:
        incoming = MessageUnion([source for source in taken if source not in RAW], where=where)
    return _wire(contract, incoming, taken, given, where, limits=limits, codecs=codecs)


def _wire(
    contract: Contract,
    incoming: MessageUnion | None,
    taken: Sequence[Any],
    given: Sequence[Any],
    where: str,
    *,
    limits: Limits,
    codecs: Sequence[Codec],
) -> Wire:
    if contract.protocol is not None:
        given = [source for source in given if _is_tagged(source)]  # what has no tag is a result, and those need none
    going_out = dict.fromkeys((*given, *named(contract.sends)))
    sends = [source for source in going_out if source not in RAW]
    plain = [source for source in sends if not _is_message(source)]
    _check_key(contract, sends, where)
    return Wire(
        incoming,
        limits=contract.limits.over(limits.over(DEFAULT_LIMITS)),
        outgoing=MessageUnion(plain, where=where, side="client") if plain else None,
        raw=frozenset(source for source in taken if source in RAW),
        codecs=codecs,
        outbox=contract.outbox,
        sends=sends,
        raw_sends=frozenset(source for source in going_out if source in RAW),
        protocol=contract.protocol,
    )


def _check_key(contract: Contract, sends: Sequence[Any], where: str) -> None:
    """Refuse a key of the controller's policy that a message which leaves it to that cannot have."""
    policy = contract.outbox
    if not isinstance(policy, Latest):
        return
    for source in sends:
        cls = get_origin(source) or source
        if outbox_policy_of(cls) is None:
            check_key(cls, adapter_of(source, where).core_schema, policy, where)


def _annotations(contract: Contract, endpoint: AnyCallable) -> list[Any]:
    signature = signature_of(endpoint, type_arguments=contract.type_arguments)
    own = [_bare(parameter.annotation) for parameter in signature.parameters.values()]
    return [*own, *(_bare(annotation) for annotation in contract.constructor)]


def session_arguments(annotation: Any) -> tuple[Any, ...] | None:
    """The types of `Session[In, Out]`, none for a plain `Session`; None for any other annotation."""
    if annotation is Session:
        return ()
    return get_args(annotation) if get_origin(annotation) is Session else None


def _require_single_answers(handlers: Sequence[Handler]) -> None:
    for handler in handlers:
        if handler.is_stream:
            raise DeclarationError.at(
                place_of(handler.function),
                "it is a stream, and JSON-RPC has none: each call has one response",
                fix="return a list, or send the items as notifications: await session.send(item)",
            )


def _is_tagged(source: Any) -> bool:
    if not is_object(source):
        return False
    shape = shape_of(adapter_of(source, name_of(source)).core_schema)
    return _is_message(source) or (
        shape is not None and any("type" in field.read_as and field.literals for field in shape.fields)
    )


def _is_message(source: Any) -> bool:
    cls = get_origin(source) or source
    return isinstance(cls, type) and issubclass(cls, Message)


def _is_websocket(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, WebSocket)


def _bare(annotation: Any) -> Any:
    """An annotation without `Annotated` and without `| None`."""
    annotation = unaliased(annotation)
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) in (Union, types.UnionType):
        kept = [argument for argument in get_args(annotation) if argument is not type(None)]
        if len(kept) == 1:
            return _bare(kept[0])
    return annotation
