"""Typed messages in each framework, at the same paths.

/typed      each of the eight messages of `models` is answered with a `Noted`
/iterate    the same with `async for message in session`; ours alone
/stream     a `Count` is answered with as many `Item`s, and an end
/bare       a `Ping` is answered with a `Noted`; ours alone, and so are the next two
/scoped     the same with a message-scoped service
/unit       the same with a message-scoped service that is cleaned up

What goes over the wire is the same everywhere, save chanx, which has an envelope of its own.
"""
