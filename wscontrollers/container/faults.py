"""Faults of bindings, each with the path that leads to it."""

from collections.abc import Iterable, Sequence

from wscontrollers.container.inputs import Input
from wscontrollers.container.nodes import Later, Node
from wscontrollers.container.scopes import Tier
from wscontrollers.container.waiting import awaits
from wscontrollers.exceptions import AsyncBindingError, ContainerError, Fault, ScopeLeakError
from wscontrollers.records import Record


class LeakFault(Fault):
    """Something needs a thing that lives shorter than itself."""

    __slots__ = ()


class AsyncFault(Fault):
    """Something that must be awaited is asked for synchronously."""

    __slots__ = ()


class Found(Record):
    """A fault at a node, with the names on the way there from where the search began."""

    path: tuple[str, ...]
    fault: Fault


_LONG = 20


def draw(found: Found, above: tuple[str, ...] = ()) -> Fault:
    """The fault with the whole path as its place: "Rooms -> History -> Pool". Of a very long one the middle is left out."""
    path = (*above, *found.path)
    if len(path) > _LONG:
        path = (*path[: _LONG // 2], "...", *path[-_LONG // 2 :])
    return found.fault._replace(where=" -> ".join(path))


def error_of(faults: Sequence[Fault]) -> ContainerError:
    """The error for some faults, of the class that all of them share."""
    if all(isinstance(fault, LeakFault) for fault in faults):
        return ScopeLeakError(*faults)
    if all(isinstance(fault, AsyncFault) for fault in faults):
        return AsyncBindingError(*faults)
    return ContainerError(*faults)


def found_in(*roots: Node | tuple[tuple[str, ...], Node]) -> list[Found]:
    """Every fault of some nodes and of what they need, now or lazily, each once.

    Args:
        roots: Nodes, alone or with the path that leads to them. A fault is drawn from the first root that reaches it, on the
            shortest way.
    """
    paths = _paths([root if isinstance(root, tuple) else ((), root) for root in roots])
    found: list[Found] = []
    for node, path in paths.items():
        found += [Found(path, fault) for fault in node.faults]
        found += _leaks(node, path)
        found += _lazily_awaited(node, path)
    return found + _cycles(paths)


def _paths(roots: Iterable[tuple[tuple[str, ...], Node]]) -> dict[Node, tuple[str, ...]]:
    paths: dict[Node, tuple[str, ...]] = {}
    for above, root in roots:
        if root in paths:
            continue
        paths[root] = (*above, root.name)
        queue = [root]
        for node in queue:
            for needed in node.needs:
                if needed not in paths:
                    paths[needed] = paths[node] if _is_part(node, needed) else (*paths[node], needed.name)
                    queue.append(needed)
    return paths


def _is_part(node: Node, needed: Node) -> bool:
    # The value of a map's element and the parts of a BoundKey have no name of their own.
    return needed.key is node.key and needed.name == node.name and needed is not node


# ---- tiers


def tier_of(node: Node) -> Tier:
    """The tier that a thing needs: that of its scope or, without one, the shortest lived of what it needs."""
    if node.lifetime is not None:
        return node.lifetime
    tiers = [Tier.APP]
    seen: set[Node] = set()
    queue = [node]
    for each in queue:
        if each.lifetime is not None:
            tiers.append(each.lifetime)
            continue
        if any(True for _ in each.inputs):
            tiers.append(Tier.SESSION)
        for needed in each.needs:
            if needed not in seen:
                seen.add(needed)
                queue.append(needed)
    return max(tiers)


def _leaks(node: Node, path: tuple[str, ...]) -> Iterable[Found]:
    if node.lifetime is None:
        return
    if node.lifetime is Tier.APP:
        for given in node.inputs:
            yield _leak(node, path, given, (f"{given} (session)",), Tier.SESSION)
    for needed in dict.fromkeys(node.needs):
        if tier_of(needed) > node.lifetime:
            chain, tier = _way_to(needed, node.lifetime)
            yield _leak(node, path, needed, chain, tier)


def _leak(node: Node, path: tuple[str, ...], needed: Node | Input, chain: tuple[str, ...], tier: Tier) -> Found:
    drawn = " -> ".join((f"{node.name} ({node.lifetime})", *chain))
    what = f"scope leak: it lives as long as the {node.lifetime} and needs what lives as long as a {tier}: {drawn}"
    fix = f"make {node.name} {tier}-scoped, or pass what it needs to its methods"
    return Found(path, LeakFault(node.name, what, fix))


def _way_to(start: Node, above: Tier) -> tuple[tuple[str, ...], Tier]:
    """The names from a node down to the nearest thing that lives shorter than `above`."""
    ways: dict[Node, tuple[str, ...]] = {start: (start.name,)}
    queue = [start]
    for node in queue:
        if node.lifetime is not None:
            if node.lifetime > above:
                return (*ways[node][:-1], f"{node.name} ({node.lifetime})"), node.lifetime
            continue
        given = next(node.inputs, None)
        if given is not None and above is Tier.APP:
            return (*ways[node], f"{given} (session)"), Tier.SESSION
        for needed in node.needs:
            if needed not in ways:
                ways[needed] = ways[node] if _is_part(node, needed) else (*ways[node], needed.name)
                queue.append(needed)
    raise AssertionError(f"{start.name} needs nothing that lives shorter than the {above}")


# ---- lazy, synchronous access


def _lazily_awaited(node: Node, path: tuple[str, ...]) -> Iterable[Found]:
    if not node.is_lazy:
        return
    ask = "ProviderOf.get()" if isinstance(node.make, Later) else "AssistedBuilder.build()"
    for needed in node.needs:
        if awaits(needed):
            what = f"{ask} is synchronous, and {needed.name} must be awaited"
            fix = f"inject {needed.name} itself, or make it app-tier with @singleton: then it is open before anybody asks"
            yield Found(path, AsyncFault(node.name, what, fix))


# ---- cycles


def _cycles(paths: dict[Node, tuple[str, ...]]) -> list[Found]:
    found: list[Found] = []
    done: set[Node] = set()
    for start in paths:
        walk = [iter(_at_once(start))] if start not in done else []
        trail = [start] if walk else []
        while walk:
            rest = walk[-1]
            needed = next(rest, None)
            if needed is None:
                walk.pop()
                done.add(trail.pop())
            elif needed in trail:
                found.append(_cycle(trail[trail.index(needed) :], paths))
            elif needed not in done:
                walk.append(iter(_at_once(needed)))
                trail.append(needed)
    return found


def _at_once(node: Node) -> list[Node]:
    return [] if node.is_lazy else list(node.needs)


def _cycle(members: list[Node], paths: dict[Node, tuple[str, ...]]) -> Found:
    first = members[0]
    drawn = " -> ".join(node.name for node in (*members, first))
    fault = Fault(
        first.name, f"cycle: {drawn}", f"let one of them ask for ProviderOf[{first.name}], or move what both need into a third"
    )
    return Found(paths[first], fault)
