"""Who fills a parameter: what analysis finds, as plain data."""

from enum import Enum
from typing import Any, NamedTuple

from ..callables import AnyCallable
from ..markers import Dependency
from .fields import ParamField


class Framework(Enum):
    """The values that the framework itself gives."""

    CONNECTION = "connection"
    SECURITY_SCOPES = "security scopes"
    SESSION = "session"
    MESSAGE = "message"


class FromDependency(NamedTuple):
    """Rule 1: the value of a callable."""

    marker: Dependency
    call: AnyCallable


class FromField(NamedTuple):
    """Rules 1, 3 and 5: a value that was sent."""

    field: ParamField


class FromFramework(NamedTuple):
    """Rule 2."""

    value: Framework


class FromService(NamedTuple):
    """Rules 1 and 4: a thing of the container."""

    key: Any


class FromDefault(NamedTuple):
    """Rule 6: nothing is passed, the callable's own default holds."""


Source = FromDependency | FromField | FromFramework | FromService | FromDefault
