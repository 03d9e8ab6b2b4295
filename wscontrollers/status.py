"""Status codes by name, of HTTP and of WebSocket closes: Starlette's."""

from starlette.status import *  # noqa: F403  # pyright: ignore[reportWildcardImportFromLibrary] - the module is Starlette's, under the name that FastAPI's users know
