"""What is known of the place where a parameter stands: its function, the path, the container, the messages of its handler."""

from typing import Any, Protocol

from ..container import Service
from ..records import Record


class Supplier(Protocol):
    """What analysis asks of a container."""

    def supplies(self, key: Any) -> bool:
        """Whether the container can supply the key to a parameter without a marker."""
        ...

    def is_bound(self, key: Any) -> bool:
        """Whether the key is bound explicitly."""
        ...

    def service(self, key: Any, path: tuple[str, ...] = ()) -> Service:
        """The compiled form of the key, with the faults of all that it needs."""
        ...


class Surroundings(Record):
    """What analysis knows of the surroundings of a parameter.

    Attributes:
        where: The function's place, for error texts.
        path: The path of the endpoint.
        path_names: The names in it.
        whole_path: Whether nothing can be put before the path any more.
        supplier: The container; None while it is not known.
        message_types: The messages of the handler that it belongs to, or stands below.
        message: The handler's own parameter for them.
    """

    where: str
    path: str
    path_names: frozenset[str]
    whole_path: bool
    supplier: Supplier | None
    message_types: tuple[type, ...] | None = None
    message: str | None = None

    def place(self, parameter: str) -> str:
        """A parameter of the function, for error texts."""
        return f"{self.where}, parameter {parameter!r}"
