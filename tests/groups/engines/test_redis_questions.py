"""What was asked of a Redis, and has no answer yet."""

from __future__ import annotations

from functools import partial

from wscontrollers.groups.engines.redis_questions import Questions

TEA, MILK = (b"tea", b"teas"), (b"milk", b"milks")


def asked() -> tuple[Questions, list[object], list[bytes]]:
    """Two questions, what is answered to them, and their tokens."""
    questions, answers = Questions(60), list[object]()
    commands = [questions.add(keys, partial(lambda key, place: answers.append((key, place)), keys[0])) for keys in (TEA, MILK)]
    assert [command[2:6] for command in commands] == [(2, *TEA, 60), (2, *MILK, 60)]
    tokens = [command[-1] for command in commands]
    return questions, answers, [token for token in tokens if isinstance(token, bytes)]


def test_an_answer_belongs_to_its_question() -> None:
    """By the token, in whatever order they come; a second answer is nobody's."""
    questions, answers, (tea, milk) = asked()
    for token in (milk, tea, milk, b"strange"):
        questions.answer(token, b"e %b" % token)
    assert answers == [(b"milk", b"e %b" % milk), (b"tea", b"e %b" % tea)]


def test_asking_again() -> None:
    """What has no answer yet is asked with the token that it had."""
    questions, _, (tea, milk) = asked()
    questions.answer(tea, b"e 1")
    assert [command[3:] for command in questions.again()] == [(*MILK, 60, milk)]


def test_giving_up() -> None:
    """All are told why, once, and a late answer is nobody's."""
    questions, answers, (tea, _) = asked()
    error = ConnectionError()
    for _ in range(2):
        questions.fail(error)
    questions.answer(tea, b"e 1")
    assert answers == [(b"tea", error), (b"milk", error)]
