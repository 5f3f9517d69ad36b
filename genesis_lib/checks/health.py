"""The five health checks of the day-0 report, with proof: tests, coverage, feature flags, required files, Python environment."""

from dataclasses import dataclass
from datetime import datetime

from genesis_lib.checks import targets
from genesis_lib.checks.targets import TargetFacts
from genesis_lib.checks.vitals import coverage, feature_flags, python_environment, required_files, test_results
from genesis_lib.checks.vitals.coverage import CoverageFacts
from genesis_lib.checks.vitals.feature_flags import FlagFacts
from genesis_lib.checks.vitals.python_environment import PythonFacts
from genesis_lib.checks.vitals.required_files import Files
from genesis_lib.checks.vitals.test_results import TestFacts
from genesis_lib.model import Finding
from genesis_lib.policy import Policy
from genesis_lib.run import Run

__all__ = ["CLAIMS", "NAME", "HealthFacts", "gather", "judge"]

NAME = "health"
CLAIMS = (test_results.CLAIM, coverage.CLAIM, feature_flags.CLAIM, required_files.CLAIM, python_environment.CLAIM)


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthFacts:
    """What each health check stands on, None where the environment declares that there is no such thing; and the scrape targets."""

    tests: TestFacts | None
    coverage: CoverageFacts | None
    flags: FlagFacts | None
    files: Files
    python: PythonFacts | str | None
    targets: TargetFacts


def gather(run: Run) -> HealthFacts:
    """Read the files that the environment names, ask its interpreter, and ask Prometheus what it knows of the same."""
    return HealthFacts(
        tests=test_results.gather(run),
        coverage=coverage.gather(run),
        flags=feature_flags.gather(run),
        files=required_files.gather(run),
        python=python_environment.gather(run),
        targets=targets.gather(run),
    )


def judge(facts: HealthFacts, policy: Policy, *, at: datetime) -> list[Finding]:
    """One finding for each of the five that the environment does not declare away."""
    jobs = targets.down_jobs(facts.targets, policy)
    metrics = {m: found for job, found in jobs.items() for m in facts.targets.expected[job].metrics}
    found = [
        test_results.judge(facts.tests, policy, at=at, down=metrics) if facts.tests else None,
        coverage.judge(facts.coverage, policy, at=at) if facts.coverage else None,
        feature_flags.judge(facts.flags, policy) if facts.flags else None,
        required_files.judge(facts.files, policy),
        python_environment.judge(facts.python, policy, down=jobs) if facts.python is not None else None,
    ]
    return [finding for finding in found if finding is not None]
