"""injector's private attributes are where this release of the container expects them."""

from __future__ import annotations

from typing import Any

import injector
import pytest

from wscontrollers.container import bindings
from wscontrollers.container.scopes import Tier


class Thing:
    """What is bound."""


def make() -> Thing:
    """A provider."""
    return Thing()


class Odd(injector.Provider[Thing]):
    """A provider that cannot be read."""

    def get(self, injector: injector.Injector) -> Thing:
        """A thing."""
        return Thing()


THING = Thing()


@pytest.mark.parametrize(
    ("to", "recipe"),
    [
        (None, bindings.OfClass(Thing)),
        (make, bindings.OfCallable(make)),
        (THING, bindings.Instance(THING)),
    ],
)
def test_a_provider_is_read_as_data(to: Any, recipe: bindings.Recipe) -> None:
    """Each of injector's own providers has a recipe."""
    bound = bindings.explicit(injector.Injector(lambda binder: binder.bind(Thing, to=to)), Thing)
    assert bound is not None
    assert bound.recipe == recipe
    assert bound.lifetime is None


def test_a_provider_of_ones_own_is_opaque() -> None:
    """It may do anything."""
    assert isinstance(bindings.recipe_of(Odd()), bindings.Opaque)


def test_scopes_are_tiers() -> None:
    """A scope that we do not know is custom."""
    singletons = injector.Injector(lambda binder: binder.bind(Thing, scope=injector.singleton))
    bound = bindings.explicit(singletons, Thing)
    assert bound is not None
    assert (bound.lifetime, bound.custom) == (Tier.APP, False)
    threads = bindings.explicit(injector.Injector(lambda binder: binder.bind(Thing, scope=injector.threadlocal)), Thing)
    assert threads is not None
    assert threads.custom


def test_multibindings_have_elements() -> None:
    """Lists and dicts, each element with its own scope."""

    def bind(binder: injector.Binder) -> None:
        binder.multibind(list[Thing], to=[Thing, THING], scope=injector.singleton)
        binder.multibind(dict[str, Thing], to={"a": Thing})

    inner = injector.Injector(bind)
    listed, mapped = bindings.explicit(inner, list[Thing]), bindings.explicit(inner, dict[str, Thing])
    assert listed is not None
    assert mapped is not None
    assert isinstance(listed.recipe, bindings.OfElements)
    assert [element.lifetime for element in listed.recipe.elements] == [Tier.APP, Tier.APP]
    assert isinstance(mapped.recipe, bindings.OfElements)
    assert mapped.recipe.elements[0].recipe == bindings.OfPair("a", bindings.OfClass(Thing))


def test_the_store_of_singletons_is_injectors_own() -> None:
    """What injector made is in it."""
    inner = injector.Injector(lambda binder: binder.bind(Thing, scope=injector.singleton))
    bound = bindings.explicit(inner, Thing)
    assert bound is not None
    thing = inner.get(Thing)
    assert bindings.instance_in(bindings.kept(bound.singletons())[Thing]) is thing


def test_housekeeping_is_no_binding_of_the_users() -> None:
    """`Injector`, `Binder` and scopes are left out, those of parents are in."""
    parent = injector.Injector(lambda binder: binder.bind(Thing, scope=injector.singleton))
    parent.get(Thing)
    assert bindings.explicit_keys(parent.create_child_injector()) == [Thing]
