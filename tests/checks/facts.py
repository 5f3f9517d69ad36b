"""Facts of a healthy stack, to change one thing in."""

from genesis_lib.checks.ladder import LadderFacts
from genesis_lib.checks.targets import TargetFacts
from genesis_lib.clients.prometheus import Target as ScrapeTarget
from genesis_lib.clients.prometheus import Targets
from genesis_lib.model import Missing
from genesis_lib.params import Target
from tests.builders import AT, answer, vector

JOBS = ("node", "genesis-tests")


def scrape_target(job: str, *, error: str = "") -> ScrapeTarget:
    return ScrapeTarget(
        labels={"job": job, "instance": f"{job}:1"},
        discovered_labels={},
        scrape_pool=job,
        scrape_url=f"http://{job}:1/metrics",
        health="down" if error else "up",
        last_error=error,
        last_scrape=AT,
        interval_s=15.0,
    )


def target_facts(*, down: tuple[str, ...] = (), age_s: float = 5.0) -> TargetFacts:
    """Two jobs, `node` and `genesis-tests`, of which some are down."""
    errors = dict.fromkeys(down, "connection refused")
    return TargetFacts(
        expected={"node": Target(count=1), "genesis-tests": Target(count=1, metrics=("genesis_tests_total",))},
        listing=answer(Targets(active=tuple(scrape_target(j, error=errors.get(j, "")) for j in JOBS), dropped=0)),
        up=vector(*(({"job": j, "instance": f"{j}:1"}, 0.0 if j in down else 1.0) for j in JOBS)),
        scraped_at=vector(*(({"job": j}, AT.timestamp() - age_s) for j in JOBS)),
    )


def ladder_facts(
    *,
    answers: dict[str, object],
    alive: tuple[str, ...] = (),
    names: tuple[str, ...] | Missing = ("up", "genesis_tests_total", "node_load1"),
    down: tuple[str, ...] = (),
    dead: tuple[str, ...] = (),
) -> LadderFacts:
    """`answers` by expression; selectors in `alive` have a sample two seconds old, those in `dead` have none."""
    newest = {s: vector(({}, AT.timestamp() - 2)) for s in alive} | {s: vector() for s in dead}
    return LadderFacts(
        answers=answers,  # type: ignore[arg-type]
        newest=newest,
        names=names if isinstance(names, Missing) else answer(names),
        targets=target_facts(down=down),
    )


__all__ = ["ladder_facts", "scrape_target", "target_facts"]
