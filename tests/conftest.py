"""Real stacks that all tests share: those that the chosen tests ask for are started together, once."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from genesis_lib.demo import stack
from genesis_lib.demo.stack import Stack
from tests import docker_engine
from tests.docker_engine import Engine

PROJECT = Path(__file__).parents[1]
SCENARIOS = ("healthy", "day0", "day1")


@pytest.fixture(scope="session")
def starting_stacks(request: pytest.FixtureRequest) -> Iterator[Mapping[str, Future[Stack]]]:
    """The stacks, by scenario; most of a start is waiting for first scrapes, so they wait at the same time."""
    asked_for = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}

    def start(scenario: str) -> Stack:
        return stack.start(
            scenario, environment=f"test-{scenario}", project=PROJECT, tie_to_caller=True, progress=lambda _: None
        )

    with ThreadPoolExecutor() as pool:
        starting = {name: pool.submit(start, name) for name in SCENARIOS if f"{name}_stack" in asked_for}
        yield starting
    for started in starting.values():
        if started.exception() is None:
            started.result().close()


@pytest.fixture(scope="session")
def healthy_stack(starting_stacks: Mapping[str, Future[Stack]]) -> Stack:
    """The embedded stack in good health, with its two weeks of history."""
    return starting_stacks["healthy"].result()


@pytest.fixture(scope="session")
def day0_stack(starting_stacks: Mapping[str, Future[Stack]]) -> Stack:
    """The embedded stack on the morning of the day-0 report."""
    return starting_stacks["day0"].result()


@pytest.fixture(scope="session")
def day1_stack(starting_stacks: Mapping[str, Future[Stack]]) -> Stack:
    """The embedded stack on the day after the day-0 report."""
    return starting_stacks["day1"].result()


@pytest.fixture(scope="session")
def docker_engine_up() -> Iterator[Engine]:
    """A real Docker engine; skips without root."""
    with docker_engine.started() as engine:
        yield engine
