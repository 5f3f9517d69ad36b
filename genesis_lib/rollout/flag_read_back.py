"""Have a real evaluator confirm what a flag file says: which users get a feature, and whether they are as many as they should be."""

import json
import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genesis_lib.formatting import plain, shortened
from genesis_lib.model import Missing
from genesis_lib.rollout import flag_store
from genesis_lib.rollout.flags import FlagError, percentage_of

__all__ = ["ReadBack", "bounds", "read_back"]

_EVALUATE = Path(__file__).with_name("flag_users.py")
_TIMEOUT_S = 60  # it starts in 1 s, and evaluates some ten thousand flags a second
# An evaluator that is right is doubted once in a million files. With 2,000 users one that gives 10 % where 5 % were to get the feature
# goes unnoticed once in ten thousand; all other stages of the shipped plan lie further apart.
_ERRS = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadBack:
    """One flag of one file, evaluated for many users.

    `percentage` is what the file says; `error` is why the evaluator could not tell, or empty.
    """

    name: str
    flag: str
    users: int
    with_it: frozenset[str]
    percentage: int | Missing
    error: str

    @property
    def share(self) -> float:
        """The part of the users that gets the feature, from 0 to 1."""
        return len(self.with_it) / self.users

    @property
    def agrees(self) -> bool:
        """Whether the evaluator gives the feature to as many users as the file says."""
        return not self.contradiction

    @property
    def contradiction(self) -> str:
        """What speaks against the file, or empty."""
        if self.error:
            return f"{self.flag}: the evaluator cannot tell: {self.error}"
        if isinstance(self.percentage, Missing):
            return f"{self.flag}: {self.percentage.detail}"
        least, most = bounds(self.users, self.percentage)
        if least <= len(self.with_it) <= most:
            return ""
        expected = f"{least:,} to {most:,}" if least < most else f"{least:,}"
        return (
            f"{self.flag}: {len(self.with_it):,} of {self.users:,} users get it, and {expected} were expected "
            f"at {self.percentage} %"
        )


def read_back(asked: Sequence[tuple[Path, str]], users: Sequence[str]) -> tuple[ReadBack, ...]:
    """Evaluate flags of flag files for these users, in one process that has OpenFeature's flagd provider read each file.

    Args:
        asked: the file and the flag; several share the second that the process takes to start.
        users: targeting keys, each once; none is empty, for flagd takes that for no key.

    Raises:
        FlagError: a file cannot be read or was changed meanwhile, or the process failed.

    """
    if not users or not all(users) or len(set(users)) < len(users):
        raise ValueError("users must be some, each with a key of its own")
    before = [flag_store.read(path) for path, _ in asked]
    told = _evaluate({"asked": [(str(path.absolute()), flag) for path, flag in asked], "users": list(users)})
    for (path, _), file in zip(asked, before, strict=True):
        if flag_store.found(path) != file:
            raise FlagError(f"{path}: was changed while it was evaluated; read it back again")
    return tuple(
        ReadBack(
            name=file.name,
            flag=flag,
            users=len(users),
            with_it=frozenset(user for user, value in zip(users, one["value"], strict=False) if value),
            percentage=percentage_of(file, flag),
            error=plain(one["error"]),
        )
        for (_, flag), file, one in zip(asked, before, told, strict=True)
    )


def bounds(users: int, percentage: int) -> tuple[int, int]:
    """How many of the users get the feature at least and at most, by the binomial distribution; exact at 0 and 100 %."""
    share = percentage / 100
    if share in (0, 1):
        return users * int(share), users * int(share)
    log_of_all = math.lgamma(users + 1)
    chances = [
        math.exp(
            log_of_all
            - math.lgamma(k + 1)
            - math.lgamma(users - k + 1)
            + k * math.log(share)
            + (users - k) * math.log1p(-share)
        )
        for k in range(users + 1)
    ]
    return _first_likely(chances), users - _first_likely(chances[::-1])


def _first_likely(chances: Sequence[float]) -> int:
    """How many of the first chances may be left out before what is left out is likely."""
    total = 0.0
    for number, chance in enumerate(chances):
        total += chance
        if total > _ERRS / 2:
            return number
    return len(chances) - 1


def _evaluate(question: dict[str, Any]) -> list[dict[str, Any]]:
    argv = [sys.executable, "-I", str(_EVALUATE)]
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            argv, input=json.dumps(question), capture_output=True, text=True, check=False, timeout=_TIMEOUT_S
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FlagError(f"{_EVALUATE.name}: flags cannot be evaluated ({error}); run it by hand") from error
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        said = (done.stderr.strip().splitlines() or ["nothing"])[-1]
        reason = f"exit code {done.returncode}: {plain(shortened(said))}"
        raise FlagError(f"{_EVALUATE.name}: flags cannot be evaluated ({reason}); is the environment installed?")
    return list(json.loads(lines[-1]))
