"""`provider`, `multiprovider` and `Module`: injector's own, which also understand async, `yield` and context managers."""

from __future__ import annotations

import collections.abc
import contextlib
import inspect
import types
import typing
from collections.abc import Callable
from typing import Any, TypeVar, cast

import injector

from wscontrollers.callables import Kind, kind_of, name_of, place_of, signature_of, without_partial
from wscontrollers.container.keys import Key, bare
from wscontrollers.container.nodes import Mode
from wscontrollers.exceptions import DeclarationError

CallableT = TypeVar("CallableT", bound=Callable[..., Any])

_DEFERRED = "__deferred__"
_SYNC_GENERATORS = (collections.abc.Iterator, collections.abc.Generator, collections.abc.Iterable)
_ASYNC_GENERATORS = (collections.abc.AsyncIterator, collections.abc.AsyncGenerator, collections.abc.AsyncIterable)


def _code_of_helper(make: Callable[[Callable[..., Any]], Callable[..., Any]]) -> types.CodeType:
    def empty() -> None: ...

    return cast(types.FunctionType, make(empty)).__code__


# Every function that contextlib's decorators return shares one code object: nothing else tells them from other wrappers.
_CONTEXT_MANAGER = _code_of_helper(cast(Any, contextlib.contextmanager))
_ASYNC_CONTEXT_MANAGER = _code_of_helper(cast(Any, contextlib.asynccontextmanager))


def provider(function: CallableT) -> CallableT:
    """Mark a `Module` method as the provider of the type that it returns.

    As injector's, and the method may also be `async`, yield its value once and clean up behind the `yield`
    (`Iterator[T]`, `AsyncIterator[T]`), or give a context manager (`AbstractContextManager[T]`, `@contextmanager`,
    their async forms), which is entered: the key is `T`. Scope decorators go above or below.

    Raises:
        DeclarationError: the method does not say what it returns, or returns a list or dict, which are multibindings.
    """
    return _marked(function, injector.provider)


def multiprovider(function: CallableT) -> CallableT:
    """Mark a `Module` method as one that adds to a multibinding: it returns `list[T]` or `dict[str, T]`.

    As injector's; `async`, `yield` and context managers work as with `provider`.
    """
    return _marked(function, injector.multiprovider)


def _marked(function: CallableT, mark: Callable[[CallableT], CallableT]) -> CallableT:
    if isinstance(function, staticmethod | classmethod):
        raise _no_method(function)
    if "return" not in getattr(function, "__annotations__", {}):
        raise DeclarationError.at(
            place_of(function),
            "a provider that does not say what it returns",
            fix="annotate the return type: it is the key that the provider is bound to",
        )
    try:
        hints = typing.get_type_hints(function, include_extras=True)
    except NameError:
        return mark(function)  # injector marks it as deferred, and Module tries again when it is installed
    key = key_of(function, hints["return"])
    if mark is injector.provider and typing.get_origin(bare(key)) in (list, dict):
        raise DeclarationError.at(
            place_of(function),
            f"a provider of {name_of(key)}, which is the key of a multibinding",
            fix="mark it with @multiprovider, or return a class of your own",
        )
    if key == hints["return"]:
        return mark(function)
    # injector checks the return annotation against the decorator (list and dict need multiprovider): show it the key.
    annotations = function.__annotations__
    function.__annotations__ = {**annotations, "return": key}
    try:
        return mark(function)
    finally:
        function.__annotations__ = annotations


class Module(injector.Module):
    """injector's `Module`; forward references in the annotations of `async` and `yield` providers are unwrapped too."""

    def __call__(self, binder: injector.Binder) -> None:
        """Install the module's providers and `configure`.

        Raises:
            DeclarationError: an annotation of a provider names nothing that can be found, or a provider is no method.
        """
        for name in dir(type(self)):
            found = inspect.getattr_static(type(self), name)
            if isinstance(found, staticmethod | classmethod) and hasattr(cast(Any, found).__func__, "__binding__"):
                raise _no_method(found)
        for _, method in inspect.getmembers(self, inspect.ismethod):
            function: Any = method.__func__
            binding = getattr(function, "__binding__", None)
            if binding is not None and binding.interface == _DEFERRED:
                key = key_of(function, _hints(function)["return"])
                function.__binding__ = injector.Binding(key, binding.provider, binding.scope)
        super().__call__(binder)


def _no_method(function: Any) -> DeclarationError:
    return DeclarationError.at(
        place_of(function.__func__),
        f"a provider that is a {type(function).__name__}, which is never called",
        fix=f"make it a method with self, without @{type(function).__name__}",
    )


def _hints(function: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except NameError as error:
        raise DeclarationError.at(
            place_of(function),
            f"an annotation cannot be evaluated ({error})",
            fix="import the name at module level, not only for type checking or inside a function",
        ) from error


def key_of(function: Callable[..., Any], returned: Any) -> Key:
    """The key for what a provider returns: `T` for generators of `T` and for context managers of `T`."""
    origin: Any = typing.get_origin(returned)
    arguments = typing.get_args(returned)
    if not arguments:
        return returned
    helper = _helper_mode(function)
    kind = None if helper else kind_of(function)
    is_async = helper is Mode.ASYNC_ENTER or kind is Kind.ASYNC_GENERATOR
    is_sync = helper is Mode.ENTER or kind is Kind.GENERATOR
    if (is_sync and origin in _SYNC_GENERATORS) or (is_async and origin in _ASYNC_GENERATORS):
        return arguments[0]
    if origin in (contextlib.AbstractContextManager, contextlib.AbstractAsyncContextManager):
        return arguments[0]
    return returned


def mode_of(call: Callable[..., Any], key: Key) -> Mode:
    """What is to be done with what a callable returns to have the thing of the key.

    A callable that is bound to what it literally returns (a generator function to `Iterator[int]`, one that gives a
    context manager to `AbstractContextManager[T]`) gives just that.
    """
    origin: Any = typing.get_origin(key)
    helper = _helper_mode(call)
    kind = Kind.CALL if helper else kind_of(call)
    if origin is not None and (
        (kind is Kind.GENERATOR and origin in _SYNC_GENERATORS)
        or (kind is Kind.ASYNC_GENERATOR and origin in _ASYNC_GENERATORS)
        or (kind is Kind.AWAIT and origin in (collections.abc.Awaitable, collections.abc.Coroutine))
        or (origin in (contextlib.AbstractContextManager, contextlib.AbstractAsyncContextManager))
    ):
        return Mode.VALUE
    if helper is not None:
        return helper
    if kind.is_generator:
        return Mode.GENERATOR if kind is Kind.GENERATOR else Mode.ASYNC_GENERATOR
    manager: Any = typing.get_origin(_returned(call))
    awaited = kind is Kind.AWAIT
    if manager is contextlib.AbstractContextManager:
        return Mode.AWAIT_ENTER if awaited else Mode.ENTER
    if manager is contextlib.AbstractAsyncContextManager:
        return Mode.AWAIT_ASYNC_ENTER if awaited else Mode.ASYNC_ENTER
    return Mode.AWAIT if awaited else Mode.VALUE


def _returned(call: Callable[..., Any]) -> Any:
    try:
        return signature_of(call).return_annotation
    except ValueError:
        return None  # a builtin without a signature


def _helper_mode(call: Callable[..., Any]) -> Mode | None:
    function = without_partial(call)
    code = getattr(getattr(function, "__func__", function), "__code__", None)
    return {_CONTEXT_MANAGER: Mode.ENTER, _ASYNC_CONTEXT_MANAGER: Mode.ASYNC_ENTER}.get(code)  # type: ignore[arg-type]
