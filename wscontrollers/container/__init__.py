"""The container: injector's bindings with tiers, async and yield providers, overrides and validation."""

from __future__ import annotations

from injector import AssistedBuilder, Binder, ClassAssistedBuilder, Inject, Injector, NoInject, ProviderOf, inject

from wscontrollers.container.container import Container
from wscontrollers.container.graph import Graph
from wscontrollers.container.inputs import Input
from wscontrollers.container.keys import Key, inject_key, is_no_inject, is_session_type, session_type
from wscontrollers.container.providers import Module, multiprovider, provider
from wscontrollers.container.scopes import Scope, Tier, message_scoped, session_scoped, singleton
from wscontrollers.container.service import Service

__all__ = [
    "AssistedBuilder",
    "Binder",
    "ClassAssistedBuilder",
    "Container",
    "Graph",
    "Inject",
    "Injector",
    "Input",
    "Key",
    "Module",
    "NoInject",
    "ProviderOf",
    "Scope",
    "Service",
    "Tier",
    "inject",
    "inject_key",
    "is_no_inject",
    "is_session_type",
    "message_scoped",
    "multiprovider",
    "provider",
    "session_scoped",
    "session_type",
    "singleton",
]
