"""The handlers of a controller: which method takes which messages, and what can be wrong with that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import Parameter
from typing import Any, Final, TypeVar

from ..callables import AnyCallable, Kind, kind_of, name_of, place_of, signature_of, unfound
from ..declare import MarkedHandler, Per, ReceiveMark, marked_handlers, type_arguments
from ..exceptions import DeclarationError, Fault
from ..messages import Member, Message, MessageUnion
from ..messages.members import members_of, sources_of
from .answering import faults_of_answers, faults_of_codes


@dataclass(frozen=True, slots=True, eq=False)
class Handler:
    """One `@receive` method.

    Attributes:
        parameter: The name of the parameter that takes the message.
        members: The types of messages that it takes.
        is_stream: Whether it yields its answers.
        returns: What its signature says that it returns.
    """

    name: str
    function: AnyCallable
    mark: ReceiveMark
    parameter: str
    members: tuple[Member, ...]
    is_stream: bool
    returns: Any

    @property
    def types(self) -> tuple[type, ...]:
        """The classes of the messages that it takes."""
        return tuple(member.cls for member in self.members)


class Handlers:
    """The handlers of a controller, by the tags of their messages.

    Args:
        handlers: In the order of their definition.
        where: The controller's place, for error texts.
    """

    __slots__ = ("all", "by_tag", "union", "where")

    def __init__(self, handlers: Sequence[Handler], where: str) -> None:
        self.all = tuple(handlers)
        self.where = where
        self.by_tag: Mapping[str, int] = {
            tag: index for index, handler in enumerate(self.all) for member in handler.members for tag in member.tags
        }
        self.union = MessageUnion([member.source for handler in self.all for member in handler.members], where=where)

    def check_keys(self, path_names: frozenset[str]) -> None:
        """Check that every key of `per` is there, and can be one.

        Raises:
            DeclarationError: A key is no field of a message and no parameter of the path, or its values have no hash.
        """
        faults = [
            Fault(place_of(handler.function), f"order=per({order.key!r}): {what}", fix)
            for handler in self.all
            if isinstance(order := handler.mark.order, Per)
            for member in handler.members
            for what, fix in _faults_of_key(order.key, member, path_names)
        ]
        if faults:
            raise DeclarationError(*faults)


def _faults_of_key(key: str, member: Member, path_names: frozenset[str]) -> Iterator[tuple[str, str]]:
    """What is wrong with a key of `per` for one type of message, and how to mend it."""
    field = next((field for field in member.shape.fields if field.name == key), None)
    if field is None and key not in path_names:
        yield (
            f"{name_of(member.source)} has no such field, and the path no such parameter",
            "name a field of the message or a parameter of the path",
        )
    elif field is not None and not field.has_hash:
        yield (
            f"the values of {name_of(member.source)}.{key} cannot be keys, they have no hash",
            "name a field that holds one value, such as a text or a number",
        )


def handlers_of(cls: type) -> Handlers | None:
    """The handlers of a controller class that is about to be registered; None if it has none.

    Raises:
        DeclarationError: All that is wrong with them, at once.
    """
    marked = marked_handlers(cls)
    if not marked:
        return None
    handlers = _read(cls, marked, is_final=True)
    # What JSON-RPC answers may be anything, and so may be what an interceptor makes messages of.
    if getattr(cls, "protocol", None) is None and getattr(cls, "around_message", None) is None:
        faults = list(faults_of_answers(handlers))
        if faults:
            raise DeclarationError(*faults)
    return Handlers(handlers, place_of(cls))


def check_handlers(cls: type) -> None:
    """What can be told of a controller's handlers when its class is made: names and type variables may still be open then.

    Raises:
        DeclarationError: All that is wrong with them, at once.
    """
    marked = marked_handlers(cls)
    if marked:
        _read(cls, marked, is_final=False)


def _read(cls: type, marked: Sequence[MarkedHandler], *, is_final: bool) -> list[Handler]:
    faults: list[Fault] = []
    handlers: list[Handler] = []
    for each in marked:
        try:
            handler = _handler(each, type_arguments(cls, each.function), is_final=is_final)
        except DeclarationError as error:
            faults += error.faults
        else:
            handlers += [handler] if handler is not None else []
    faults += [fault for handler in handlers for fault in faults_of_codes(handler)]
    faults += _clashes(handlers)
    if faults:
        raise DeclarationError(*faults)
    return handlers


def _handler(marked: MarkedHandler, arguments: Mapping[Any, Any], *, is_final: bool) -> Handler | None:
    where = place_of(marked.function)
    kind = kind_of(marked.function)
    if kind not in (Kind.AWAIT, Kind.ASYNC_GENERATOR):
        raise DeclarationError.at(where, "a handler is not async", fix='write "async def"')
    signature = signature_of(marked.function, type_arguments=arguments)
    parameters = [each for each in signature.parameters.values() if each.kind not in _VARIABLE][1:]
    if not is_final and any(unfound(parameter.annotation) is not None for parameter in parameters):
        return None
    parameter = _message_parameter(parameters, where)
    missing = unfound(parameter.annotation)
    if missing is not None:
        raise DeclarationError.at(
            f"{where}, parameter {parameter.name!r}",
            f"the message type {missing!r} names nothing that can be found",
            fix="import or define it at the top level of the module, not below TYPE_CHECKING and not inside of a function",
        )
    if not is_final and _is_open(parameter.annotation):
        return None
    members = members_of(parameter.annotation, f"{where}, parameter {parameter.name!r}")
    if not members:
        raise DeclarationError.at(where, "it takes no message", fix="annotate its message with a subclass of Message")
    is_stream = kind is Kind.ASYNC_GENERATOR
    return Handler(marked.name, marked.function, marked.mark, parameter.name, members, is_stream, signature.return_annotation)


_VARIABLE: Final = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


def _message_parameter(parameters: Sequence[Parameter], where: str) -> Parameter:
    for parameter in parameters:
        if parameter.name == "message":
            if parameter.annotation is Parameter.empty:
                raise DeclarationError.at(
                    where, "nothing says which messages it takes", fix="annotate it: message: Say, where Say is a Message"
                )
            return parameter
    found = [parameter for parameter in parameters if are_messages(parameter.annotation)]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(parameter.name for parameter in found)
        raise DeclarationError.at(where, f"it has several messages: {names}", fix='name the one that it handles "message"')
    raise DeclarationError.at(where, "a handler without a message", fix="give it one: message: Say, where Say is a Message")


def are_messages(annotation: Any) -> bool:
    """Whether an annotation is a `Message` class or a union of them."""
    sources = list(sources_of(annotation))
    return bool(sources) and all(isinstance(source, type) and issubclass(source, Message) for source in sources)


def _is_open(annotation: Any) -> bool:
    return any(isinstance(source, TypeVar) for source in sources_of(annotation))


def _clashes(handlers: Sequence[Handler]) -> list[Fault]:
    faults: list[Fault] = []
    taken: dict[str, tuple[Handler, Member]] = {}
    for handler in handlers:
        for member in handler.members:
            for tag in member.tags:
                other, of = taken.setdefault(tag, (handler, member))
                if other is handler:
                    continue
                if of.cls is member.cls:
                    what, fix = f"{other.name} and {handler.name} both handle {member.name}", "keep one of them"
                else:
                    what = f"{of.name} of {other.name} and {member.name} of {handler.name} have the tag {tag!r}"
                    fix = f'give one of them another tag: class {name_of(member.cls)}(Message, tag="...")'
                faults.append(Fault(place_of(handler.function), what, fix))
    return faults
