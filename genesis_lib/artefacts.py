"""What an environment names of the judged service beside its servers: files that its tests left behind, its flags, its Python."""

from typing import Annotated, Literal

from pydantic import Field

from genesis_lib.strict_yaml import Absent, Name, Strict, Texts

__all__ = ["STACK_FILES", "HealthSources", "Interpreter", "TelemetrySources"]

STACK_FILES = "stack:"  # begins the name of a file that the embedded stack makes
# A file that something else makes: it may be absent when it is read. Empty: not named; None: declared not to exist.
Artefact = Annotated[str | None, Absent]


class TelemetrySources(Strict):
    """What the service's telemetry left behind: the JUnit file of its tests, and the result of benchmarks/telemetry_overhead.py."""

    tests: Artefact = ""
    overhead: Artefact = ""


class Interpreter(Strict):
    """The Python that runs the service.

    `interpreter` is its path on this machine, or `own`: the one that runs Genesis readiness. `job` is the scrape job whose
    `target_info` tells by which interpreter the service really runs; `lock` is its lock file, and `packages` are those that count.
    """

    interpreter: Name
    job: Name
    lock: Name
    packages: Texts = Field(min_length=1)


class HealthSources(Strict):
    """What the service's health is told by: files that its tests left behind, its feature flags, its files, its Python.

    `commit` is the commit that is judged; `commit_of_artefacts` is a file that holds the one of which tests and coverage are.
    """

    tests: Artefact = ""
    coverage: Artefact = ""
    flags: Artefact = ""
    files: Texts = ()
    python: Annotated[Interpreter | Literal[""] | None, Absent] = ""
    commit: str = ""
    commit_of_artefacts: Artefact = ""
