"""What is known of the place where a parameter stands."""

from wscontrollers import Container
from wscontrollers.dependencies.surroundings import Supplier, Surroundings


def test_a_parameter_is_named_with_its_function() -> None:
    """So begins every error at registration."""
    around = Surroundings("chat.open (chat.py:3)", "/{room}", frozenset({"room"}), whole_path=True, supplier=None)
    assert around.place("room") == "chat.open (chat.py:3), parameter 'room'"
    assert (around.message_types, around.message) == (None, None)


def test_a_containers_graph_is_a_supplier() -> None:
    """Analysis asks it three questions, and knows nothing else of it."""
    supplier: Supplier = Container().graph
    assert (supplier.supplies(str), supplier.is_bound(Container)) == (False, True)
    assert supplier.service(Container).faults == ()
