"""Questions about nodes: what is reachable, which tier is needed, what has to be awaited."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from wscontrollers.container.faults import found_in, tier_of
from wscontrollers.container.inputs import Input
from wscontrollers.container.keys import Key
from wscontrollers.container.nodes import Call, Node
from wscontrollers.container.scopes import Tier
from wscontrollers.container.waiting import awaits

__all__ = ["as_injector_would", "awaits", "cleans_up", "inputs_of", "reachable", "tier_of", "touches"]


def reachable(roots: Iterable[Node]) -> Iterator[Node]:
    """Every node that the roots need, now or lazily, themselves included; what is needed comes first, each once."""
    seen: set[Node] = set()
    for root in roots:
        if root in seen:
            continue
        seen.add(root)
        walk = [(root, iter(list(root.needs)))]
        while walk:
            node, rest = walk[-1]
            fresh = next((needed for needed in rest if needed not in seen), None)
            if fresh is None:
                walk.pop()
                yield node
            else:
                seen.add(fresh)
                walk.append((fresh, iter(list(fresh.needs))))


def touches(node: Node, changed: Collection[Key]) -> bool:
    """Whether a change of these keys would change the node: it needs one, or keeps a default because one is absent."""
    return any(needed.key in changed or not needed.absent.isdisjoint(changed) for needed in reachable([node]))


def as_injector_would(node: Node) -> bool:
    """Whether injector itself could make it: no fault, and no parameter filled out of kindness."""
    return not found_in(node) and not any(needed.kind for needed in reachable([node]))


def inputs_of(node: Node) -> tuple[Input, ...]:
    """Every input that is needed, in order of need."""
    return tuple(dict.fromkeys(given for needed in reachable([node]) for given in needed.inputs))


def session_inputs_of(node: Node) -> frozenset[Input]:
    """The inputs of what is kept as long as the session, and of all that this needs."""
    kept = [needed for needed in reachable([node]) if needed.lifetime is Tier.SESSION]
    return frozenset(given for needed in reachable(kept) for given in needed.inputs)


def cleans_up(node: Node) -> bool:
    """Whether making it may leave a clean-up with a session's or message's scope."""
    seen = {node}
    queue = [node]
    for each in queue:
        if each.lifetime is Tier.APP:
            continue
        if isinstance(each.make, Call) and each.make.mode.cleans_up:
            return True
        for needed in each.needs:
            if needed not in seen:
                seen.add(needed)
                queue.append(needed)
    return False
