"""The token bucket."""

from __future__ import annotations

from wscontrollers.session.rate import TokenBucket


def test_tokens_come_back_with_time_up_to_the_burst() -> None:
    """The burst at once, then so many a second; a long pause gives no more than the burst."""
    bucket = TokenBucket(rate=2, burst=3, now=0)
    assert [bucket.take(0) for _ in range(4)] == [True, True, True, False]
    assert [bucket.take(0.5) for _ in range(2)] == [True, False]
    assert [bucket.take(1000) for _ in range(4)] == [True, True, True, False]
