"""Wait until the servers of a stack answer, and until there is something to judge; for a bounded time."""

import time
from collections.abc import Callable, Collection
from typing import Any

import httpx

from genesis_lib.demo.children import Children
from genesis_lib.errors import StackError

__all__ = ["judged", "page"]

_PAGE_WITHIN_S = 30.0
# Prometheus spreads first scrapes and evaluations over an interval of 15 s; a target that hangs adds its time-out of 10 s.
_JUDGED_WITHIN_S = 60.0
_EVERY_S = 0.05
_NEVER = "0001-01-01"


def page(url: str, children: Children) -> str:
    """The text at `url`, as soon as it is served with status 200.

    Raises:
        StackError: a child has ended, or the page was not there in time.

    """
    with _client() as client:
        return _until(lambda: _text(client, url), children, within_s=_PAGE_WITHIN_S, what=f"{url} answers")


def judged(prometheus: str, children: Children, *, jobs: Collection[str]) -> None:
    """Wait until Prometheus has scraped each target, those of all `jobs` among them, in vain or not, and evaluated each rule.

    Raises:
        StackError: a child has ended, or it has not done so in time.

    """

    def is_judged(client: httpx.Client) -> str | None:
        active = _data(client, f"{prometheus}/api/v1/targets?state=active").get("activeTargets", [])
        scraped = [target["labels"]["job"] for target in active if not target["lastScrape"].startswith(_NEVER)]
        groups = _data(client, f"{prometheus}/api/v1/rules").get("groups", [])
        rules = [rule for group in groups for rule in group["rules"]]
        evaluated = [rule for rule in rules if not rule["lastEvaluation"].startswith(_NEVER)]
        return (
            "yes"
            if len(scraped) == len(active) and set(jobs) <= set(scraped) and len(evaluated) == len(rules)
            else None
        )

    with _client() as client:
        what = "every target is scraped and every rule evaluated"
        _until(lambda: is_judged(client), children, within_s=_JUDGED_WITHIN_S, what=what)


def _client() -> httpx.Client:
    return httpx.Client(timeout=5.0, trust_env=False)  # a proxy of the environment has no business on loopback


def _until(attempt: Callable[[], str | None], children: Children, *, within_s: float, what: str) -> str:
    deadline = time.monotonic() + within_s
    while True:
        children.check()
        if (answer := attempt()) is not None:
            return answer
        if time.monotonic() > deadline:
            raise StackError(f"waited {within_s:.0f} s in vain until {what}; the ends of the logs:\n{children.logs()}")
        time.sleep(_EVERY_S)


def _text(client: httpx.Client, url: str) -> str | None:
    try:
        response = client.get(url)
    except httpx.HTTPError:
        return None
    return response.text if response.status_code == httpx.codes.OK else None


def _data(client: httpx.Client, url: str) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = client.get(url).json().get("data", {})
    except (httpx.HTTPError, ValueError):
        return {}
    return answer
