"""`@group`: what is declared of the groups whose names have a form, and who may join them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any, Final, TypeVar, cast

from ..callables import AnyCallable, Kind, kind_of, place_of
from ..exceptions import DeclarationError
from ..markers import Dependency, listed
from .engines.engine import History
from .forms import PARAMETER, REST, WORD, common_name
from .names import MAX_LENGTH, SESSION, USER
from .presence.declared import PresenceOf

GuardT = TypeVar("GuardT", bound=AnyCallable)

MARK: Final = "__group__"


class Group:
    """What is declared of the groups whose names have one form.

    Without a declaration a group has no history and no presence, nothing is asked when a session joins it, and its messages
    are whatever the server publishes.

    Args:
        pattern: The form of the names: "news", or "room:{room}" with parameters; each stands for one or more characters, all but
            the last one for such as are no colon. A name that begins like these and has another form can be joined by nobody.
            Of several declarations whose form a name has, the one with the most text of its own counts: of "room:{room}" and
            "room:{room}:staff" the second, for "room:5:staff".
        history: How much is kept of each, for clients that come back; None keeps nothing.
        sends: The types that are published to it.
        presence: The type of what each session gives when it joins, and the others know of it; `PresenceOf` has options; None
            where they know nothing of each other.
        guard: Async; runs before a session joins, and refuses it with `Denied`. Its parameters are filled as an endpoint's are,
            those of the pattern in the place of the path's; where one cannot be filled the session is refused too.
        dependencies: Run before the guard.

    Raises:
        DeclarationError: The pattern is none, the guard is not async, or `presence` is no type.
    """

    __slots__ = ("_regex", "dependencies", "guard", "history", "parameters", "pattern", "presence", "sends")

    def __init__(
        self,
        pattern: str,
        *,
        history: History | None = None,
        sends: Sequence[Any] = (),
        presence: Any = None,
        guard: AnyCallable | None = None,
        dependencies: Sequence[Dependency] | None = None,
    ) -> None:
        where = f"Group({pattern!r})" if guard is None else place_of(guard)
        self.pattern = pattern
        self._regex = _compiled(pattern, where)
        self.parameters = tuple(self._regex.groupindex)
        self.history = history
        self.sends = tuple(sends)
        self.presence: PresenceOf[Any] | None = (
            presence if presence is None or isinstance(presence, PresenceOf) else PresenceOf(presence)
        )
        self.guard = guard
        self.dependencies = listed(dependencies, f"{where}, dependencies")
        if guard is not None and kind_of(guard) is not Kind.AWAIT:
            raise DeclarationError.at(where, "the guard of a group is not async", fix='write "async def"')

    @property
    def head(self) -> str:
        """What every name of the form begins with."""
        return PARAMETER.split(self.pattern)[0]

    @property
    def text(self) -> int:
        """How many characters of its own the pattern has."""
        return len(PARAMETER.sub("", self.pattern))

    def match(self, name: str) -> Mapping[str, str] | None:
        """The parameters in a group's name; None if it has another form."""
        found = self._regex.fullmatch(name)
        return None if found is None else found.groupdict()

    def __repr__(self) -> str:
        return f"Group({self.pattern!r})"


def group(
    pattern: str,
    *,
    history: History | None = None,
    sends: Sequence[Any] = (),
    presence: Any = None,
    dependencies: Sequence[Dependency] | None = None,
) -> Callable[[GuardT], GuardT]:
    """Mark a function as the guard of the groups whose names have a form; the function itself is returned.

        @group("room:{room}", history=History(size=200))
        async def room(room: str, user: Annotated[User, Depends(current_user)]) -> None:
            if room not in user.rooms:
                raise Denied(403, "not your room")

        app = App(controllers=[Chat], groups=[room])

    See `Group` for the arguments, and for what is a `DeclarationError`.
    """

    def mark(guard: GuardT) -> GuardT:
        declared = Group(pattern, history=history, sends=sends, presence=presence, guard=guard, dependencies=dependencies)
        setattr(guard, MARK, declared)
        return guard

    return mark


class Declarations:
    """All declared groups of an application; of those that match a name the one with the most text of its own counts.

    Raises:
        DeclarationError: Something is no declaration, or a name has the form of two of which neither says more.
    """

    __slots__ = ("_by_text", "all")

    def __init__(self, declared: Sequence[Group | AnyCallable] = ()) -> None:
        self.all = tuple(_declaration(each) for each in declared)
        self._by_text = sorted(self.all, key=lambda each: each.text, reverse=True)
        for first, second in combinations(self._by_text, 2):
            if first.text == second.text and (name := common_name(first.pattern, second.pattern)) is not None:
                raise DeclarationError.at(
                    repr(second),
                    f"a group {name!r} would be of this form and of that of {first!r}, and neither says more",
                    fix="keep one of them, or write more into one",
                )

    def of(self, name: str) -> Group | None:
        """What is declared of a group; None if nothing is."""
        for each in self._by_text:
            if each.match(name) is not None:
                return each
        return None

    def is_near(self, name: str) -> bool:
        """Whether a name begins as those of a declaration do, and has the form of none: nobody means such a group.

        A text of a client was put into it, most likely, and no guard would be asked.
        """
        return self.of(name) is None and any(each.parameters and name.startswith(each.head) for each in self.all)

    def history_of(self, name: str) -> History | None:
        """What is kept of a group."""
        found = self.of(name)
        return None if found is None else found.history

    def presence_of(self, name: str) -> PresenceOf[Any] | None:
        """What is declared of a group's presence."""
        found = self.of(name)
        return None if found is None else found.presence

    @property
    def sends(self) -> list[Any]:
        """All types that are declared to be published."""
        return [source for each in self.all for source in each.sends]


def _declaration(given: Group | AnyCallable) -> Group:
    found = given if isinstance(given, Group) else getattr(given, MARK, None)
    if not isinstance(found, Group):
        raise DeclarationError.at(
            "groups=[...]",
            f"{given!r} is no group",
            fix='give a Group("name"), or a function that is marked with @group("name:{parameter}")',
        )
    return found


def _compiled(pattern: str, where: str) -> re.Pattern[str]:
    given = cast(object, pattern)
    if not isinstance(given, str) or not given or len(given) > MAX_LENGTH or not given.isprintable():
        raise DeclarationError.at(where, f"{given!r} is no name of a group", fix='write one: "room:{room}"')
    if pattern.startswith((USER, SESSION)):
        raise DeclarationError.at(
            where, f"{pattern!r} stands for users or sessions, which need no declaration", fix="choose another name"
        )
    parameters = PARAMETER.findall(pattern)
    rest = PARAMETER.sub("", pattern)
    if "{" in rest or "}" in rest or len(set(parameters)) != len(parameters):
        raise DeclarationError.at(
            where, f"the pattern {pattern!r} is not clear", fix='write each parameter once, in braces: "room:{room}"'
        )
    parts = PARAMETER.split(pattern)
    taken = [WORD] * (len(parameters) - 1) + [REST]
    forms = [f"(?P<{part}>{taken[index // 2]})" if index % 2 else re.escape(part) for index, part in enumerate(parts)]
    return re.compile("".join(forms))
