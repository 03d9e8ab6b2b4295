"""From signatures to values: what a callable declares, the plan that is compiled of it, and its run.

`get_dependant` reads a signature, `make_plan` compiles it, `Plan.solve` runs it for one handshake.
"""

from typing import TYPE_CHECKING

from ..lazily import lazily
from .dependant import Dependant, Owner, Receiver
from .plan import Plan
from .planned import Planned
from .planning import make_plan
from .reading import get_dependant
from .resolution import Resolution

if TYPE_CHECKING:
    from .message_plan import MessagePlan
    from .solving import SolvedDependency, solve_dependencies
else:
    __getattr__, __dir__ = lazily(
        __name__, {".message_plan": ["MessagePlan"], ".solving": ["SolvedDependency", "solve_dependencies"]}
    )

__all__ = [
    "Dependant",
    "MessagePlan",
    "Owner",
    "Plan",
    "Planned",
    "Receiver",
    "Resolution",
    "SolvedDependency",
    "get_dependant",
    "make_plan",
    "solve_dependencies",
]
