"""Reading frames: text or decoded objects become `Incoming`, or a `FrameError` and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum
from typing import Any, Final, TypeAlias, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails, SchemaValidator, core_schema, from_json, to_json

from .checking import fault_of, is_too_deep, suspicion
from .errors import INTERNAL, INVALID_FRAME, INVALID_JSON, UNKNOWN_TYPE, VALIDATION, FrameError
from .frames import MAX_INTEGER, MAX_REF_LENGTH, ErrorDetail, Frame, Incoming, Ref, Reply
from .limits import DEFAULT_FRAME_LIMITS, FrameLimits
from .union import MessageUnion, tag_of_dict

Reader: TypeAlias = Callable[[Frame], Incoming]
"""Reads one frame; raises `FrameError` and nothing else."""

MAX_ERRORS: Final = 20
"""Faults that one error frame lists; a frame of 64 KiB can have 30,000."""
MAX_NAME_LENGTH: Final = 128
"""Characters of a name in `loc`, which can be a key that the peer made up."""
MAX_TEXT_LENGTH: Final = 300

_REF: Final = core_schema.union_schema(
    [
        core_schema.str_schema(strict=True, max_length=MAX_REF_LENGTH),
        core_schema.int_schema(strict=True, ge=-MAX_INTEGER - 1, le=MAX_INTEGER),
    ]
)
_ENVELOPE: Final = SchemaValidator(
    core_schema.typed_dict_schema(
        {name: core_schema.typed_dict_field(_REF, required=False) for name in ("ref", "re")}, extra_behavior="ignore"
    )
)


def json_reader(union: MessageUnion, limits: FrameLimits = DEFAULT_FRAME_LIMITS) -> Reader:
    """The reader of JSON text frames, within the limits of what one may hold.

    The text goes to the union's validator once. A second look, at `ref` and `re` alone, is taken only where the text has one of
    them, or an escape that could hide one. Of a key that comes twice the last one counts, as in JavaScript and Python; a lone
    surrogate is no text and therefore no JSON (RFC 8259, section 8.2; RFC 7493, section 2.1).
    """
    validate = union.validator.validate_json
    tag_of = union.sole_tags.get
    slow = _Reading(union, limits)
    depth, may_exceed = limits.depth, slow.may_exceed
    flat = 2 * depth  # no shorter text is too deep
    new = cast(Any, tuple).__new__  # what Incoming(...) does, in half the time

    def read(frame: Any) -> Incoming:
        # Bytes are no container of texts: a frame of the wrong kind fails here, and a good one pays for no check of its kind.
        # One letter is found in half the time of a word, and most frames have neither.
        try:
            if (
                (len(frame) > flat and is_too_deep(frame, depth))
                or (("N" in frame or "I" in frame) and ("NaN" in frame or "Infinity" in frame))
                or (may_exceed is not None and may_exceed(frame))
            ):
                message = UNREAD
            else:
                message = validate(frame)
        except Exception:
            message = UNREAD
        tag = tag_of(message.__class__)
        if tag is None:
            return slow.finished(frame, message)
        if '"re' in frame or "\\" in frame:
            return slow.enveloped(frame, message, tag)
        made: Incoming = new(Incoming, (message, tag, None, None))
        return made

    return read


def object_reader(union: MessageUnion, load: Callable[[Frame], Any]) -> Reader:
    """The reader of a codec that decodes a frame to an object which may have real bytes in it.

    Args:
        load: Decodes one frame; raises FrameError, or anything else for a frame that is not the codec's.
    """
    slow = _Reading(union)

    def read(frame: Frame) -> Incoming:
        try:
            value = load(frame)
        except FrameError:
            raise
        except Exception as error:
            # A decoder says with a ValueError what is wrong with a frame; whatever else it raises may tell of itself.
            what = f": {_short(str(error))}" if isinstance(error, ValueError) else ""
            raise FrameError(INVALID_JSON, f"the frame cannot be decoded{what}") from None
        return slow.of_value(frame, value, slow.from_object)

    return read


UNREAD: Final = object()
"""Stands for the message of a frame that the union refused, or was not asked for."""


class _Reading:
    """Everything about reading that not every frame needs."""

    __slots__ = ("_controls", "_defers", "_dict_tags", "_limits", "_tag_names", "_union", "may_exceed")

    def __init__(self, union: MessageUnion, limits: FrameLimits = DEFAULT_FRAME_LIMITS) -> None:
        self._union = union
        self._limits = limits
        self.may_exceed = suspicion(limits, of_infinity=union.holds_anything)
        self._controls: dict[Any, str] = {control: tag for tag, control in union.controls.items()}
        self._defers = union.side == "server"
        self._tag_names = union.tag_names
        self._dict_tags = union.dict_tags

    # ---- texts

    def of_text(self, frame: Frame) -> Incoming:
        """A frame that the union refused, or may not read whole: step by step, to tell what is wrong."""
        if not isinstance(frame, str):
            raise FrameError(INVALID_FRAME, "a binary frame, where text is spoken")
        if is_too_deep(frame, self._limits.depth):
            raise FrameError(INVALID_JSON, f"more than {self._limits.depth} levels")
        try:
            value = from_json(frame, allow_inf_nan=False)
        except (ValueError, TypeError) as fault:  # a TypeError for a lone surrogate
            raise FrameError(INVALID_JSON, f"not JSON: {_short(str(fault))}") from None
        if self.may_exceed is not None and self.may_exceed(frame) and (beyond := fault_of(value, self._limits)):
            raise FrameError(INVALID_JSON, beyond)
        return self.of_value(frame, value, self.from_json_object)

    def finished(self, frame: Frame, message: Any) -> Incoming:
        """A message of a text, where its class alone does not tell the tag."""
        if message is UNREAD:
            return self.of_text(frame)
        control = self._controls.get(message.__class__)
        if control is not None:
            self.enveloped(frame, message, control)  # a ref that is none is refused here as well
            return Incoming(message, control, None, getattr(message, "re", None))
        tag = self._tag_in(message)
        if tag not in self._union.tags or tag in self._union.stripped:
            return self.of_text(frame)
        return self.enveloped(frame, message, tag)

    def _tag_in(self, message: Any) -> str:
        """The tag of a message that has it in a field, whatever that is called in Python."""
        if isinstance(message, dict):
            given = cast("dict[str, Any]", message)
            return tag_of_dict(given, self._dict_tags) or _text_in(given.get("type"))
        return _text_in(getattr(message, self._tag_names.get(message.__class__, "type"), None))

    def enveloped(self, frame: Any, message: Any, tag: str) -> Incoming:
        """A message of a text which has, or may have, a `ref` or `re`."""
        if '"ref"' not in frame and '"re"' not in frame and "\\u" not in frame:
            return Incoming(message, tag, None, None)
        try:
            envelope = _ENVELOPE.validate_json(frame)
        except ValidationError:
            raise FrameError(INVALID_FRAME, _BAD_REF) from None
        re: Ref | None = envelope.get("re")
        if re is not None and self._defers:
            message = Reply(frame)
        return Incoming(message, tag, envelope.get("ref"), re)

    # ---- decoded objects

    def of_value(self, frame: Frame, value: Any, make: Callable[[str, Mapping[str, Any]], Any]) -> Incoming:
        """A decoded frame.

        Args:
            make: The message of a tag and the fields that its type may see.
        """
        if not isinstance(value, dict):
            raise FrameError(INVALID_FRAME, "the frame is no object")
        fields = cast("dict[str, Any]", value)
        tag = fields.get("type")
        if not isinstance(tag, str):
            raise FrameError(INVALID_FRAME, "the frame has no type, which is a text")
        try:
            envelope = _ENVELOPE.validate_python(fields)
        except ValidationError:
            raise FrameError(INVALID_FRAME, _BAD_REF) from None
        ref: Ref | None = envelope.get("ref")
        re: Ref | None = envelope.get("re")
        if re is not None and self._defers and tag not in self._union.controls:
            return Incoming(Reply(frame), tag, ref, re)
        if tag not in self._union.alone:
            raise FrameError(UNKNOWN_TYPE, "nothing here takes messages of this type", ref=ref)
        seen = self._union.fields_of(tag, fields)
        try:
            return Incoming(make(tag, seen), tag, ref, re)
        except ValidationError as error:
            count = error.error_count()
            raise FrameError(VALIDATION, f"{count} fault{'' if count == 1 else 's'}", details_of(error, seen), ref) from None
        except Exception as error:
            raise FrameError(INTERNAL, "the message could not be read", ref=ref) from error

    def from_json_object(self, tag: str, fields: Mapping[str, Any]) -> Any:
        """The message of a JSON object, by JSON's rules: a strict type takes its dates and tuples from JSON only."""
        return self._union.alone[tag].validate_json(to_json(fields, bytes_mode="base64", inf_nan_mode="constants"))

    def from_object(self, tag: str, fields: Mapping[str, Any]) -> Any:
        """The message of an object with real bytes: by Python's rules, and by JSON's where only strictness can be in the way."""
        try:
            return self._union.alone[tag].validate_python(fields)
        except ValidationError as error:
            if any(isinstance(fault["input"], bytes) for fault in error.errors(include_url=False, include_context=False)):
                raise
        return self.from_json_object(tag, fields)


_BAD_REF: Final = f"ref and re are texts of at most {MAX_REF_LENGTH} characters or integers of 64 bits"


def _text_in(tag: Any) -> str:
    found = tag.value if isinstance(tag, Enum) else tag
    return found if isinstance(found, str) else ""


_OBJECT_TYPES: Final = frozenset({"model_type", "model_attributes_type", "dataclass_type"})


def details_of(error: ValidationError, sent: Mapping[str, Any]) -> list[ErrorDetail]:
    """The faults of fields for the peer: by its names, without what it sent, and not more than it can use.

    Args:
        error: Pydantic's.
        sent: What was validated.
    """
    return [
        ErrorDetail(
            loc=[_short(item, MAX_NAME_LENGTH) if isinstance(item, str) else item for item in _way(fault, sent)],
            type=fault["type"],
            msg=_short(_text(fault)),
        )
        for fault in error.errors(include_url=False, include_input=False)[:MAX_ERRORS]
    ]


def _way(fault: ErrorDetails, sent: Any) -> Iterator[str | int]:
    """The way to a fault through what was sent; pydantic's own steps, to a member of a union for one, are left out."""
    *way, last = fault["loc"] or ("",)
    for step in way:
        if _leads_on(step, sent):
            sent = sent[step]
            yield step
    if fault["loc"] and (_leads_on(last, sent) or fault["type"] in _MISSING):
        yield last


def _leads_on(step: str | int, sent: Any) -> bool:
    if isinstance(sent, dict):
        return step in sent
    return isinstance(sent, list | tuple) and isinstance(step, int) and 0 <= step < len(cast("Sequence[Any]", sent))


_MISSING: Final = frozenset({"missing", "missing_argument", "missing_keyword_only_argument", "missing_positional_only_argument"})


def _text(fault: ErrorDetails) -> str:
    if fault["type"] in _OBJECT_TYPES:  # for an object that is no dict pydantic names the Python class; of JSON it says only this
        return "Input should be an object"
    context: Mapping[str, Any] = fault.get("ctx", {})
    if fault["type"] == "union_tag_invalid":  # pydantic repeats the one that was sent
        return f"Input should have a tag in {context['discriminator']} that is one of {context['expected_tags']}"
    return fault["msg"]


def _short(text: str, limit: int = MAX_TEXT_LENGTH) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
