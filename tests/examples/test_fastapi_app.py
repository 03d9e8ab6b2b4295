"""The example `fastapi_app`."""

from __future__ import annotations

from examples.fastapi_app.app import make_app
from wscontrollers.testing import TestClient


def test_both_kinds_of_routes_share_the_services() -> None:
    """What an HTTP route of FastAPI writes, a controller reads; FastAPI's own routes and documents are as before."""
    with TestClient(make_app()) as client:
        put = client.put("/articles/tea?count=3", headers={"x-customer": "ann"})
        with client.websocket_connect("/articles/tea", headers={"x-customer": "bob"}) as session:
            session.send_text("?")
            told = session.receive_json()

        assert put.json() == {"article": "tea", "count": 3, "by": "ann"}
        assert told == {"article": "tea", "count": 3, "for": "bob"}
        assert client.put("/articles/tea?count=3").status_code == 401
        assert list(client.get("/openapi.json").json()["paths"]) == ["/articles/{article}"]
