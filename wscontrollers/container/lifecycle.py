"""Opening what lives as long as the app, and dropping it when the app ends."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import injector

from wscontrollers.container import analysis, bindings
from wscontrollers.container.factories import build_of, factory_of
from wscontrollers.container.faults import found_in
from wscontrollers.container.nodes import Call, Node
from wscontrollers.container.scopes import MISSING, Tier
from wscontrollers.container.singletons import not_open
from wscontrollers.container.waiting import build_awaits


def is_resource(node: Node) -> bool:
    """Whether it lives as long as the app and is awaited or entered; it is opened and closed, not merely made."""
    if node.lifetime is not Tier.APP:
        return False
    return build_awaits(node) or any(each.make.mode.cleans_up for each in _made_with(node) if isinstance(each.make, Call))


def _made_with(node: Node) -> Iterable[Node]:
    """The node, and what is made anew together with it."""
    queue, seen = [node], {node}
    for each in queue:
        yield each
        for needed in () if each.is_lazy else each.needs:
            if needed.lifetime is None and needed not in seen:
                seen.add(needed)
                queue.append(needed)


def to_open(roots: Iterable[Node], *, eager: bool) -> list[Node]:
    """What has to be opened, what others need first: what is awaited, and with `eager` what is merely entered too."""
    sound = [root for root in roots if not found_in(root)]
    wanted = is_resource if eager else build_awaits
    return [node for node in analysis.reachable(sound) if node.lifetime is Tier.APP and wanted(node)]


async def open_node(node: Node) -> None:
    """Make one app-tier thing, unless it is there already.

    Raises:
        ContainerClosedError: the app has ended.
        Exception: what its provider raises, with a note that names the binding.
    """
    app = node.graph.app
    if app.values.get(node.slot, MISSING) is not MISSING:
        return
    if app.ended:
        raise not_open(node)
    try:
        if not build_awaits(node):
            factory_of(node)(app)
            return
        await app.once(node.slot, _shared(node))
    except BaseException as error:
        error.add_note(f"wscontrollers: while {node.name} was opened for the app")
        raise


def _shared(node: Node) -> Callable[[Any], Any]:
    async def build(app: Any) -> Any:
        if node.singletons is None:
            return await build_of(node)(app)
        bindings.discard_raw(node.singletons, node.key)
        kept = bindings.kept(node.singletons)
        if node.key in kept:
            return bindings.instance_in(kept[node.key])  # another container of the same injector opened it
        value = await build_of(node)(app)
        kept[node.key] = injector.InstanceProvider(value)
        return value

    return build


def drop(roots: Iterable[Node]) -> None:
    """Forget the resources of a base graph and everything app-tier that holds one, here and in injector's own stores."""
    nodes = [node for node in analysis.reachable(roots) if node.lifetime is Tier.APP]
    for node in nodes:
        if any(is_resource(needed) for needed in analysis.reachable([node])):
            node.graph.app.values.pop(node.slot, None)
            if node.singletons is not None:
                bindings.kept(node.singletons).pop(node.key, None)
