"""Who fills a parameter: what analysis finds, as plain data."""

from enum import Enum
from typing import Any

from ..callables import AnyCallable
from ..markers import Dependency
from ..records import Record
from .fields import ParamField


class Framework(Enum):
    """The values that the framework itself gives."""

    CONNECTION = "connection"
    SECURITY_SCOPES = "security scopes"
    SESSION = "session"
    MESSAGE = "message"


class FromDependency(Record):
    """Rule 1: the value of a callable."""

    marker: Dependency
    call: AnyCallable


class FromField(Record):
    """Rules 1, 3 and 5: a value that was sent."""

    field: ParamField


class FromFramework(Record):
    """Rule 2."""

    value: Framework


class FromService(Record):
    """Rules 1 and 4: a thing of the container."""

    key: Any


class FromDefault(Record):
    """Rule 6: nothing is passed, the callable's own default holds."""


Source = FromDependency | FromField | FromFramework | FromService | FromDefault
