"""Groups of parameters: a pydantic model whose fields are all taken from one place of the handshake."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import AliasChoices, AliasPath, BaseModel
from pydantic.fields import FieldInfo
from starlette.datastructures import Headers, QueryParams

from ..markers import HeaderParam, Param
from .annotations import without_annotated
from .received import MISSING, Received, hyphenated, raw_value, takes_all


class ParameterModel:
    """A pydantic model whose fields are parameters of one place: `Annotated[Filters, Query()]`."""

    __slots__ = ("_convert_underscores", "_names", "_optional", "_takes_extras", "model")

    def __init__(self, model: type[BaseModel], info: Param) -> None:
        self.model = model
        self._convert_underscores = info.convert_underscores if isinstance(info, HeaderParam) else None
        self._optional = without_annotated(info.annotation) is not model
        self._takes_extras = model.model_config.get("extra") in ("allow", "forbid")
        self._names = [(name, field, self._aliases(name, field)) for name, field in model.model_fields.items()]

    def _aliases(self, name: str, field: FieldInfo) -> list[tuple[str, str]]:
        """Pairs of the model's own name for a field and the name that is sent, best first."""
        convert = self._convert_underscores
        if convert is not None:
            convert = field.convert_underscores if isinstance(field, HeaderParam) else convert
        alias = field.validation_alias if isinstance(field.validation_alias, str) else field.alias or name
        config = self.model.model_config
        if isinstance(field.validation_alias, AliasChoices) and not any(
            isinstance(choice, AliasPath) for choice in field.validation_alias.choices
        ):
            aliases = [(str(choice), str(choice)) for choice in field.validation_alias.choices]
        else:
            aliases = [(alias, hyphenated(alias) if convert and alias == name else alias)]
        if isinstance(field.validation_alias, AliasPath):
            return aliases
        sent_name = hyphenated(name) if convert else name
        if config.get("validate_by_alias") is False:
            return [(name, sent_name)]
        if config.get("validate_by_name", config.get("populate_by_name", False)) and all(own != name for own, _ in aliases):
            aliases.append((name, sent_name))
        return aliases

    def received(self, values: Received) -> Any:
        """A mapping of the model's fields, with all other names of the place, so that its rule for extras can apply."""
        taken: dict[str, Any] = {}
        done: set[str] = set()
        fold = str.lower if isinstance(values, Headers) else str
        for _, field, aliases in self._names:
            own, sent = next((pair for pair in aliases if pair[1] in values), aliases[0])
            value = raw_value(values, sent, sequence=takes_all(field))
            if value is not MISSING:
                taken[own] = value
            done.add(fold(sent))
            # The unconverted name of a header is no second way to send it.
            done.update(fold(name) for name, alias in aliases if name != alias)
        taken.update(_rest(values, done))
        if self._optional and not self._is_meant(values, taken):
            return MISSING
        return taken

    def _is_meant(self, values: Received, taken: dict[str, Any]) -> bool:
        """Whether an optional group was sent at all."""
        if self._takes_extras and taken:
            return True
        return any(sent in values for _, _, aliases in self._names for _, sent in aliases)

    def location(self, location: tuple[Any, ...], values: Received) -> tuple[Any, ...]:
        """The location of an error with the name of the header that was sent in place of the field's own."""
        if not location or self._convert_underscores is None or not self.model.model_config.get("loc_by_alias", True):
            return location
        for _, _, aliases in self._names:
            own, sent = next((pair for pair in aliases if pair[1] in values), aliases[0])
            if own == location[0]:
                return (sent, *location[1:])
        return location


def _rest(values: Received, done: set[str]) -> Iterator[tuple[str, Any]]:
    if not isinstance(values, QueryParams | Headers):
        yield from ((name, values[name]) for name in values if name not in done)
        return
    grouped: dict[str, list[Any]] = {}
    for name, value in values.multi_items() if isinstance(values, QueryParams) else values.items():
        if name not in done:
            grouped.setdefault(name, []).append(value)
    for name, occurrences in grouped.items():
        yield name, occurrences[0] if len(occurrences) == 1 else occurrences
