"""Names as NATS knows them: a stream's subjects have one token for each part of what they name.

wsc.m.<numbering>.<kind>.<channel>    what is published, in the stream wsc_messages
wsc.l.<numbering>.<kind>.<channel>    the same on its way to the subscriptions, once it has its number
wsc.r.s.<space>.<key>                 a value, in the stream wsc_registry
wsc.r.n.<node>                        a process that is alive
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote

KEPT: Final = "k"
"""The kind of a message that is kept."""
PLAIN: Final = "p"
"""The kind of a message that is not kept: the stream has the last one of each channel, for its number."""
BEGIN: Final = "begin"
"""The first message of a numbering; it says nothing, and is there so that a look-up always finds something."""


@lru_cache(4096)
def token_of(text: str) -> str:
    """Any text as one token of a subject; no two texts have the same one."""
    # quote leaves letters, digits and "_.-~" alone.
    return quote(text, safe="/:@", errors="surrogatepass").replace(".", "%2E")


def text_of(token: str) -> str:
    """The text that `token_of` made a token of."""
    return unquote(token, errors="surrogatepass")


class Subjects:
    """The names of one prefix.

    Args:
        prefix: Letters, digits, `-` and `_`.
    """

    def __init__(self, prefix: str) -> None:
        self.messages: Final = f"{prefix}_messages"
        self.registry: Final = f"{prefix}_registry"
        self.values: Final = f"{prefix}.r."
        self._published = f"{prefix}.m."
        self._live = f"{prefix}.l."

    def of_numbering(self, numbering: str) -> str:
        """What the stream of a numbering takes."""
        return f"{self._published}{numbering}.>"

    def numbering_of(self, pattern: str) -> str:
        """The numbering of what `of_numbering` made."""
        return pattern.removeprefix(self._published).removesuffix(".>")

    def live(self, numbering: str) -> str:
        """Where the stream of a numbering sends on what it took."""
        return f"{self._live}{numbering}.>"

    def begin(self, numbering: str) -> str:
        """The first message of a numbering."""
        return f"{self._published}{numbering}.{BEGIN}"

    def message(self, numbering: str, kind: str, channel: str) -> str:
        """A message of a channel; a kind of `*` stands for both."""
        return f"{self._published}{numbering}.{kind}.{token_of(channel)}"

    def subscription(self, channel: str) -> str:
        """All messages of a channel on their way, whatever their numbering and their kind."""
        return f"{self._live}*.*.{token_of(channel)}"

    def value(self, space: str, key: str) -> str:
        """A value."""
        return f"{self.values}s.{token_of(space)}.{token_of(key)}"

    def space(self, space: str) -> str:
        """All values of a space."""
        return f"{self.values}s.{token_of(space)}.*"

    def node(self, node: str) -> str:
        """A process."""
        return f"{self.values}n.{token_of(node)}"

    def nodes(self) -> str:
        """All processes."""
        return f"{self.values}n.*"


def last_token(subject: str) -> str:
    """The text of the last token of a subject."""
    return text_of(subject[subject.rindex(".") + 1 :])
