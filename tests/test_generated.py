"""Functions that are generated."""

import linecache
import traceback

import pytest

from wscontrollers.generated import Generated


def test_names_stand_for_objects() -> None:
    """One object has one name, and another one has another, however alike they are."""
    generated = Generated("test")
    one, other = [1], [1]
    assert generated.name(one) == generated.name(one) != generated.name(other)
    assert generated.function(f"def both(): return {generated.name(one)}, {generated.name(other)}\n")() == ([1], [1])


@pytest.mark.parametrize("like", ["", "<lambda>", "3rd", "class", "größe", "a b", "None", "__builtins__"])
def test_any_text_can_be_what_a_name_is_like(like: str) -> None:
    """What a user calls a function is no code."""
    generated = Generated("test")
    name = generated.name("it", like)
    assert name.isascii()
    assert name.isidentifier()
    assert generated.function(f"def get(): return {name}\n")() == "it"


def test_tracebacks_show_its_lines() -> None:
    """And say whose they are; two functions of one title are told apart."""

    def fail() -> None:
        raise LookupError

    for spare in ("", "    pass\n"):
        generated = Generated("routine of fail")
        function = generated.function(f"def run():\n{spare}    {generated.name(fail, 'fail')}()\n")
        with pytest.raises(LookupError) as raised:
            function()
        *_, shown, _ = traceback.extract_tb(raised.value.__traceback__)
        assert shown.line == "fail_0()"
        assert shown.filename.endswith("> routine of fail")


def test_debuggers_find_its_lines() -> None:
    """They ask linecache, with the globals of the frame."""
    function = Generated("test").function("def run():\n    return 1\n")
    assert linecache.getline(function.__code__.co_filename, 2, function.__globals__) == "    return 1\n"
