"""A controller with a door for programs and a door for pages."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated

from examples.auth.guards import user_of_first_message, user_of_header
from examples.auth.users import User, Users
from wscontrollers import App, Container, Controller, Depends, WebSocket, websocket


class Greetings(Controller):
    """Says who it takes you for."""

    prefix = "/greetings"

    @websocket("/program")
    async def program(self, websocket: WebSocket, user: Annotated[User, Depends(user_of_header)]) -> None:
        """For whoever can send headers: refused before the handshake is accepted."""
        await websocket.accept()
        await self.greet(websocket, user)

    @websocket("/page")
    async def page(self, websocket: WebSocket, user: Annotated[User, Depends(user_of_first_message)]) -> None:
        """For browsers: the handshake is accepted already, to receive the first message."""
        await self.greet(websocket, user)

    async def greet(self, websocket: WebSocket, user: User) -> None:
        """What both do, once they know the user."""
        await websocket.send_json({"hello": user.name})


def make_app(tokens: dict[str, str]) -> App:
    """The application for these users, by their tokens."""
    users = Users({name: sha256(token.encode()).hexdigest() for name, token in tokens.items()})
    return App(controllers=[Greetings], container=Container(users))
