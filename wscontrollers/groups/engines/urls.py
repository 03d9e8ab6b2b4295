"""Engines by their URLs."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from ...exceptions import DeclarationError
from .engine import Engine
from .memory import MemoryEngine

_REDIS: Final = ("redis", "redis.RedisEngine")
_NATS: Final = ("nats", "nats.NatsEngine")
_ENGINES: Final = {
    "redis": _REDIS,
    "rediss": _REDIS,
    "unix": _REDIS,
    "redis+cluster": _REDIS,
    "rediss+cluster": _REDIS,
    "redis+sentinel": _REDIS,
    "rediss+sentinel": _REDIS,
    "nats": _NATS,
    "tls": _NATS,
}
"""Schemes, with the extra that an engine needs, and its module and class."""


def engine_of(url: str) -> Engine:
    """The engine at a URL: `memory://`, `redis://host:6379/0`, `redis+cluster://host`, `redis+sentinel://host,host/service`,
    `nats://host:4222`, and the same with TLS (`rediss://`, `tls://`). Of all but the first: with `?prefix=name`, see the engines.

    Raises:
        DeclarationError: Its scheme is that of no engine, or what the engine needs is not installed.
    """
    scheme, separator, _ = url.partition("://")
    if scheme == "memory" and separator:
        return MemoryEngine()
    if not separator or scheme not in _ENGINES:
        what = f"{scheme!r} is the scheme of no engine" if separator else "it is no URL"  # which may hold a password
        raise DeclarationError.at("engine=...", what, fix='use "memory://", "redis://host:6379" or "nats://host:4222"')
    extra, place = _ENGINES[scheme]
    module, _, name = place.partition(".")
    try:
        made_by: Any = getattr(import_module(f".{module}", __package__), name)
    except ModuleNotFoundError as error:
        if error.name != extra:
            raise
        raise DeclarationError.at(
            "engine=...",
            f"{scheme}:// needs the package {extra!r}, which is not installed",
            fix=f'run pip install "wscontrollers[{extra}]"',
        ) from None
    engine: Engine = made_by(url)
    return engine
