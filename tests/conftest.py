"""Real stacks that all tests share: each is started once, when the first test asks for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from genesis_lib.demo import stack
from genesis_lib.demo.stack import Stack

PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def healthy_stack() -> Iterator[Stack]:
    """The embedded stack in good health, with its two weeks of history."""
    with stack.start("healthy", environment="test-healthy", project=PROJECT, tie_to_caller=True, progress=print) as up:
        yield up


@pytest.fixture(scope="session")
def day0_stack() -> Iterator[Stack]:
    """The embedded stack on the morning of the day-0 report."""
    with stack.start("day0", environment="test-day0", project=PROJECT, tie_to_caller=True, progress=print) as up:
        yield up
