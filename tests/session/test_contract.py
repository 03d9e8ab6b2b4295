"""What is declared of an endpoint's sessions is plain data."""

import subprocess
import sys

from wscontrollers import Limits
from wscontrollers.session.contract import Contract


def test_a_contract_that_says_nothing_leaves_all_to_the_app() -> None:
    """No limit is set, a slow client's session is closed, and the session is accepted before its endpoint."""
    contract = Contract()
    assert (contract.limits, contract.outbox, contract.accept) == (Limits(), "close", True)
    assert (contract.handlers, *contract.sends, *contract.type_arguments) == (None,)


def test_declaring_one_loads_nothing_of_messages() -> None:
    """Each route has a contract, most of them without a session; the numbers of its limits are all that it needs."""
    code = (
        "import sys\nfrom wscontrollers import App, WebSocket\n"
        "async def endpoint(websocket: WebSocket, limit: int = 1) -> None: ...\n"
        "App().add_api_websocket_route('/', endpoint)\n"
        "print([name for name in sys.modules if name.startswith(('wscontrollers.messages.', 'wscontrollers.session.'))])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == (
        "['wscontrollers.messages.limits', 'wscontrollers.session.limits', 'wscontrollers.session.contract']"
    )
