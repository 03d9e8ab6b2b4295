"""A FastAPI application that was there before, and the controller that it gets."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, FastAPI, Header, HTTPException

from wscontrollers import Controller, WebSocket, register_controllers, singleton, websocket
from wscontrollers import Depends as WebSocketDepends


@singleton
class Stock:
    """How many of each article there are; HTTP routes and controllers use the same one."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}


async def customer(x_customer: Annotated[str | None, Header()] = None) -> str:
    """A dependency of the HTTP routes, as it was written for FastAPI."""
    if x_customer is None:
        raise HTTPException(401, "who are you?")
    return x_customer


async def visitor(websocket: WebSocket) -> str:
    """The same question for sessions."""
    return websocket.headers.get("x-customer", "nobody")


class Articles(Controller):
    """Tells the count of an article as often as it is asked."""

    prefix = "/articles"

    def __init__(self, stock: Stock) -> None:
        self.stock = stock

    @websocket("/{article}")
    async def watch(self, websocket: WebSocket, article: str, who: Annotated[str, WebSocketDepends(visitor)]) -> None:
        """Answer each text with the count."""
        await websocket.accept()
        async for _ in websocket.iter_text():
            await websocket.send_json({"article": article, "count": self.stock.counts.get(article, 0), "for": who})


def make_app() -> FastAPI:
    """The application with both kinds of routes, and one container for them."""
    app = FastAPI()

    @app.put("/articles/{article}")
    async def put(article: str, count: int, who: Annotated[str, Depends(customer)]) -> dict[str, str | int]:
        container.get(Stock).counts[article] = count
        return {"article": article, "count": count, "by": who}

    container = register_controllers(app, Articles)  # all that an existing application needs
    return app
