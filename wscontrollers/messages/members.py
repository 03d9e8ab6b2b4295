"""The types of a union: read from an annotation or a list, each with its tags, every fault at once."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, Union, cast, get_args, get_origin, is_typeddict

from pydantic import BaseModel, ConfigDict, TypeAdapter
from pydantic.errors import PydanticUserError
from pydantic.fields import FieldInfo
from pydantic.types import Discriminator
from pydantic_core import CoreConfig, CoreSchema, SchemaSerializer, SchemaValidator

from ..callables import name_of, substituted, unaliased
from ..exceptions import DeclarationError, Fault
from .frames import RESERVED_TAGS
from .message import Message, reserved_fields, tag_of
from .schemas import Shape, config_of, holds_bytes, shape_of, with_base64, with_lists

WIRE_CONFIG = ConfigDict(serialize_by_alias=True, ser_json_bytes="base64", val_json_bytes="base64", allow_inf_nan=False)
"""The configuration of data classes and typed dictionaries that have none; that of `Message`."""

Kind = Literal["message", "model", "dataclass", "typed dict"]

_BASE64 = CoreConfig(ser_json_bytes="base64", val_json_bytes="base64")


class Member(NamedTuple):
    """One type of a union.

    Attributes:
        cls: The class; for `Page[int]` of a data class or typed dictionary its origin.
        source: The annotation as pydantic takes it.
        tags: One for a `Message`, each value of the `Literal` for any other type.
        adapter: Reads and writes the type alone.
    """

    cls: type[Any]
    source: Any
    kind: Kind
    tags: tuple[str, ...]
    shape: Shape
    adapter: TypeAdapter[Any]

    @property
    def name(self) -> str:
        """The type's name in error texts."""
        return name_of(self.source)


def members_of(annotation: Any, where: str) -> tuple[Member, ...]:
    """The members of a union in their order, each once.

    Args:
        annotation: A list of types, or an annotation such as `Say | Rename`, with `Annotated` and aliases at any depth.

    Raises:
        DeclarationError: All faults at once: what is no message, types without a tag, tags that clash or are reserved.
    """
    faults: list[Fault] = []
    members: list[Member] = []
    for source in dict.fromkeys(sources_of(annotation)):
        try:
            members.append(member_of(source, where))
        except DeclarationError as error:
            faults += error.faults
    faults += _clashes(members, where)
    if faults:
        raise DeclarationError(*faults)
    return tuple(members)


def sources_of(annotation: Any) -> Iterator[Any]:
    """The types that an annotation is a union of."""
    if isinstance(annotation, list | tuple):
        for item in cast("Sequence[Any]", annotation):
            yield from sources_of(item)
        return
    annotation = unaliased(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in (Union, types.UnionType):
        for argument in arguments:
            yield from sources_of(argument)
    elif origin is Annotated and all(isinstance(item, str | Discriminator | FieldInfo) for item in arguments[1:]):
        yield from sources_of(arguments[0])
    elif hasattr(origin, "__value__"):
        given = dict(zip(origin.__type_params__, arguments, strict=False))
        yield from (_filled(source, given) for source in sources_of(origin.__value__))
    elif hasattr(annotation, "__supertype__"):
        yield from sources_of(annotation.__supertype__)
    else:
        yield annotation


def _filled(source: Any, given: dict[Any, Any]) -> Any:
    """A type with what stands for its type variables; a pydantic model keeps them where no other type does."""
    metadata: dict[str, Any] = getattr(source, "__pydantic_generic_metadata__", {})
    parameters: tuple[Any, ...] = metadata.get("parameters", ())
    if not any(parameter in given for parameter in parameters):
        return substituted(source, given)
    return source[tuple(given.get(parameter, parameter) for parameter in parameters)]


def member_of(source: Any, where: str) -> Member:
    """One type as a member of a union.

    Raises:
        DeclarationError: It is no message.
    """
    bare = get_args(source)[0] if get_origin(source) is Annotated else source
    cls = get_origin(bare) or bare
    kind = _kind(cls)
    if kind is None:
        raise DeclarationError.at(
            where,
            f"{name_of(bare)} is no message",
            fix="name subclasses of Message, or models, data classes and typed dictionaries with a Literal field `type`",
        )
    adapter = adapter_of(source, where)
    shape = shape_of(adapter.core_schema)
    if shape is None:
        raise DeclarationError.at(where, f"{name_of(bare)} is no object with fields", fix="give it fields of its own")
    faults: list[Fault] = []
    allowed = () if kind == "message" else ("type",)
    tags = (tag_of(cls),) if kind == "message" else tuple(_literal_tags(bare, shape, where, faults))
    faults += reserved_fields(cls, adapter.core_schema, allowed=allowed)
    if faults:
        raise DeclarationError(*faults)
    return Member(cls, source, kind, tags, shape, adapter)


def _kind(given: Any) -> Kind | None:
    if not isinstance(given, type):
        return "typed dict" if is_typed_dict(given) else None
    cls = cast("type[Any]", given)
    if issubclass(cls, Message):
        return "message" if cls is not Message else None
    if issubclass(cls, BaseModel):
        return "model"
    if dataclasses.is_dataclass(cls):
        return "dataclass"
    return "typed dict" if is_typed_dict(cls) else None


def is_typed_dict(cls: Any) -> bool:
    """Whether a class is a typed dictionary, of either module."""
    # By its marks too: before Python 3.12 typing knows nothing of the TypedDict of typing_extensions, which pydantic asks for.
    return is_typeddict(cls) or (hasattr(cls, "__total__") and hasattr(cls, "__required_keys__"))


def _literal_tags(cls: Any, shape: Shape, where: str, faults: list[Fault]) -> Iterator[str]:
    values = next((field.literals for field in shape.fields if "type" in field.read_as), ())
    if not values:
        faults.append(
            Fault(
                where,
                f"{name_of(cls)} has no tag",
                f'give it a field `type: Literal["..."]`, or derive it from Message: class {name_of(cls)}(Message)',
            )
        )
    for literal in values:
        value = literal.value if isinstance(literal, Enum) else literal
        if isinstance(value, str) and not isinstance(literal, str):
            what = f"{name_of(cls)} has the tag {literal}, and pydantic finds no member of such an Enum by a text that comes in"
            faults.append(Fault(where, what, f"derive it from str: class {type(literal).__name__}(str, Enum), or StrEnum"))
        elif not isinstance(value, str) or not value or not value.isprintable():
            faults.append(Fault(where, f"{name_of(cls)} has the tag {value!r}", "use texts that are not empty"))
        elif value in RESERVED_TAGS:
            faults.append(
                Fault(where, f"{name_of(cls)}: the tag {value!r} belongs to the framework's own frames", "choose another")
            )
        else:
            yield value


def _clashes(members: Sequence[Member], where: str) -> Iterator[Fault]:
    first: dict[str, Member] = {}
    for member in members:
        for tag in member.tags:
            other = first.setdefault(tag, member)
            if other is member:
                continue
            what = f"{other.name} and {member.name} have the same tag {tag!r}"
            if _generic_origin(other) is not None and _generic_origin(other) is _generic_origin(member):
                fix = f"give each a class of its own: class Other{_generic_name(member)}({member.name})"
            else:
                fix = f'choose another tag for one of them: class {member.cls.__name__}(Message, tag="...")'
            yield Fault(where, what, fix)


def _generic_origin(member: Member) -> Any:
    metadata: dict[str, Any] = getattr(member.cls, "__pydantic_generic_metadata__", {})
    return metadata.get("origin") or (member.cls if get_origin(member.source) is not None else None)


def _generic_name(member: Member) -> str:
    return str(getattr(_generic_origin(member), "__name__", member.cls.__name__))


# ---- pydantic's part


def adapter_of(source: Any, where: str) -> TypeAdapter[Any]:
    """The adapter of one type, with the wire's configuration where it has none of its own.

    Raises:
        DeclarationError: Pydantic cannot read it, or a name in its annotations is not known.
    """

    def build(handler: Any) -> CoreSchema:
        schema: CoreSchema = handler.generate_schema(source)
        return schema

    return adapter_with(build, where)


def adapter_with(build: Callable[[Any], CoreSchema], where: str) -> TypeAdapter[Any]:
    """The adapter of a core schema that is built from others, so that they share their definitions.

    Args:
        build: Given pydantic's schema handler, returns the core schema.
    """

    class Frames:
        @classmethod
        def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> CoreSchema:
            return build(handler)

    try:
        adapter: TypeAdapter[Any] = TypeAdapter(Frames, config=WIRE_CONFIG)
        adapter.rebuild(raise_errors=True)
    except (PydanticUserError, NameError) as error:
        text = str(error).partition("\n")[0].rstrip(".")
        fix = "define the names it uses before it is registered"
        if isinstance(error, PydanticUserError) and error.code == "typed-dict-version":
            text = "before Python 3.12 pydantic cannot read the TypedDict of typing"
            fix = "write from typing_extensions import TypedDict"
        raise DeclarationError.at(where, text, fix=fix) from error
    return adapter


def validator_of(adapter: TypeAdapter[Any]) -> SchemaValidator:
    """The validator of an adapter, with bytes as base64 wherever its classes do not say otherwise."""
    schema = with_base64(adapter.core_schema)
    if schema is adapter.core_schema:
        return adapter.validator  # type: ignore[return-value]  # the other type is the same, with a plugin of pydantic around it
    # The class's own validator knows nothing of the changed configuration, and must not be put in its place.
    return SchemaValidator(schema, _BASE64, _use_prebuilt=False)


def serializer_of(member: Member) -> SchemaSerializer:
    """The serializer of a model itself; with bytes as base64 wherever its classes do not say otherwise, one made for that."""
    schema = with_base64(member.adapter.core_schema)
    if schema is member.adapter.core_schema:
        own: SchemaSerializer = getattr(member.source, "__pydantic_serializer__", member.adapter.serializer)
        return own
    return _serializer(schema)


def objects_serializer_of(member: Member) -> SchemaSerializer | None:
    """What makes an object of a model with its bytes as they are; None where it has none."""
    schema = member.adapter.core_schema
    if not holds_bytes(schema):
        return None
    listed = with_lists(schema)
    return serializer_of(member) if listed is schema else _serializer(with_base64(listed))


def _serializer(schema: CoreSchema) -> SchemaSerializer:
    # What stands below Any is written by the configuration of the whole.
    return SchemaSerializer(schema, cast(CoreConfig, {**_BASE64, **config_of(schema)}), _use_prebuilt=False)
