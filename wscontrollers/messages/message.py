"""`Message`: one pydantic model with a tag."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Unpack

from pydantic import BaseModel, ConfigDict

from ..callables import name_of
from ..exceptions import DeclarationError, Fault
from .errors import snake_case
from .frames import RESERVED_FIELDS, RESERVED_TAGS
from .policies import Latest, OutboxPolicy, outbox_policy
from .schemas import shape_of


def _tag(cls: type[Message], tag: object, where: str) -> str:
    origin = cls.__pydantic_generic_metadata__["origin"]
    if origin is not None:
        return tag_of(origin)
    given = snake_case(cls.__name__) if tag is None else tag
    if not isinstance(given, str) or not given or not given.isprintable():
        raise DeclarationError.at(where, f"the tag is {given!r}", fix='give a text that is not empty: tag="chat.say"')
    if given in RESERVED_TAGS:
        raise DeclarationError.at(
            where, f"the tag {given!r} belongs to the framework's own frames", fix='choose another: tag="chat.' + given + '"'
        )
    return given


def _policy(cls: type[Message], outbox: object, where: str) -> OutboxPolicy:
    policy = outbox_policy(outbox, where)
    key = policy.key if isinstance(policy, Latest) else None
    if isinstance(key, str) and key not in cls.model_fields and not hasattr(cls, key):
        raise DeclarationError.at(
            where, f"latest(key={key!r}) names no field", fix=f"name one of {', '.join(cls.model_fields) or 'its fields'}"
        )
    return policy


def check_key(cls: type[Any], schema: Any, policy: OutboxPolicy | None, where: str) -> None:
    """Refuse `latest(key=...)` with a field of a class whose values cannot be keys.

    Args:
        cls: A message type.
        schema: Its core schema.
        policy: What holds for its messages.
        where: Who says so, for the error.

    Raises:
        DeclarationError: They have no hash.
    """
    if not isinstance(policy, Latest) or not isinstance(policy.key, str):
        return
    shape = shape_of(schema)
    if shape is not None and any(field.name == policy.key and not field.has_hash for field in shape.fields):
        raise DeclarationError.at(
            where,
            f"latest(key={policy.key!r}): the values of {name_of(cls)}.{policy.key} cannot be keys, they have no hash",
            fix="name a field that holds one value, or give a function of the message: latest(key=lambda message: ...)",
        )


def check_fields(cls: type[BaseModel]) -> None:
    """Refuse fields whose names on the wire belong to the frame.

    Raises:
        DeclarationError: All faults at once.
    """
    faults = list(reserved_fields(cls, cls.__pydantic_core_schema__, allowed=()))
    if faults:
        raise DeclarationError(*faults)


def reserved_fields(cls: type, schema: Any, *, allowed: Iterable[str]) -> Iterable[Fault]:
    """A fault for each field with a reserved name on the wire.

    Args:
        allowed: Reserved names that this class may have; `type` on a plain model.
    """
    shape = shape_of(schema)
    for field in shape.fields if shape is not None else ():
        for name in field.wire_names:
            if name not in RESERVED_FIELDS or name in allowed:
                continue
            yield Fault(
                f"{name_of(cls)}.{field.name}",
                f"{name!r} is a name of the frame itself" + (", and the tag of a Message is its class" if name == "type" else ""),
                f'give the field another name on the wire, {field.name}: Annotated[..., Field(alias="{name}_")], or rename it'
                + (f'; for the tag write class {cls.__name__}(Message, tag="...")' if name == "type" else ""),
            )


class Message(BaseModel):
    """The base of typed messages: a pydantic model that goes over the wire as `{"type": tag, ...fields}`.

    The tag is no field: it is the class. By default it is the snake case of the class's name (`RoomFull` is "room_full"), and
    that of a generic message is its origin's (`Page[int]` is "page"). Fields are named by their aliases on the wire, bytes are
    base64 in JSON, and floats are finite; `model_config` says otherwise, as in any pydantic model.

        class Say(Message): ...
        class Price(Message, tag="market.price", outbox=latest(key="symbol")): ...

    Args:
        tag: The tag, if it is not the name.
        outbox: What happens to messages of this type when a peer is too slow; inherited; the controller's where left out.

    Raises:
        DeclarationError: The tag is reserved or no text; a field has the wire name `type`, `ref`, `re` or `mark`; the policy is
            none, or its key is no field, or one whose values have no hash.
    """

    model_config = ConfigDict(serialize_by_alias=True, ser_json_bytes="base64", val_json_bytes="base64", allow_inf_nan=False)

    __message_tag__: ClassVar[str]
    __message_outbox__: ClassVar[OutboxPolicy | None] = None

    def __init_subclass__(
        cls, *, tag: str | None = None, outbox: OutboxPolicy | None = None, **options: Unpack[ConfigDict]
    ) -> None:
        # The keywords arrive here for the type checkers and Python; pydantic hands them on once the class has its fields.
        super().__init_subclass__(**options)

    @classmethod
    def __pydantic_init_subclass__(cls, *, tag: str | None = None, outbox: OutboxPolicy | None = None, **options: Any) -> None:
        super().__pydantic_init_subclass__(**options)
        where = f"class {name_of(cls)}(Message)"
        cls.__message_tag__ = _tag(cls, tag, where)
        if outbox is not None:
            cls.__message_outbox__ = _policy(cls, outbox, where)
        if cls.__pydantic_complete__:
            check_key(cls, cls.__pydantic_core_schema__, cls.__message_outbox__, where)

    @classmethod
    def __pydantic_on_complete__(cls) -> None:
        super().__pydantic_on_complete__()
        check_fields(cls)
        if "__message_tag__" in vars(cls):  # else the policy of the class comes after this
            check_key(cls, cls.__pydantic_core_schema__, cls.__message_outbox__, f"class {name_of(cls)}(Message)")


def tag_of(cls: type[Any]) -> str:
    """The tag of a message class.

    Raises:
        DeclarationError: It is `Message` itself, or no message class.
    """
    tag = getattr(cls, "__message_tag__", None)
    if not isinstance(tag, str):
        raise DeclarationError.at(name_of(cls), "it has no tag", fix="derive it from Message: class Say(Message)")
    return tag


def outbox_policy_of(cls: type[Any]) -> OutboxPolicy | None:
    """What happens to messages of a class when the outbox is full; None where the class leaves it to the controller."""
    policy: OutboxPolicy | None = getattr(cls, "__message_outbox__", None)
    return policy
