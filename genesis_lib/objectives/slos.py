"""All objectives of a policy, what they share, and what one environment wants otherwise."""

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import ValidationError, model_validator

from genesis_lib import syntax
from genesis_lib.errors import ParameterError
from genesis_lib.objectives.indicator import Duration, Query, Share
from genesis_lib.objectives.objective import Objective, ObjectiveOverride
from genesis_lib.strict_yaml import Listed, Strict

__all__ = ["BurnWindow", "Slos"]


class BurnWindow(Strict):
    """A pair of alert windows: burning more than `budget` (a share of the whole) within `long`, and still doing so in `short`."""

    long: Duration
    short: Duration
    budget: Share
    severity: Literal["page", "ticket"]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.short >= self.long:
            raise ValueError("short must be shorter than long")
        return self

    def factor(self, period: timedelta) -> float:
        """The burn rate at which that share is spent in the long window: share * period / long."""
        return self.budget * (period / self.long)


class Slos(Strict):
    """All objectives, and what they share.

    `period` and `confidence` are those of objectives that name none; `scrape_interval` is the longest interval of the series behind
    them; `deployments` is a query that has a series for each version that is deployed; `burn_windows` are by period.
    """

    period: Duration
    confidence: Share
    scrape_interval: Duration
    deployments: Query | None = None
    burn_windows: Mapping[str, Annotated[tuple[BurnWindow, ...], Listed]]
    slos: Annotated[tuple[Objective, ...], Listed]

    @model_validator(mode="before")
    @classmethod
    def _share_defaults(cls, data: Any) -> Any:
        """Fill in what objectives leave to all of them; whatever is wrong with the shape is refused by what follows."""
        if not isinstance(data, dict) or not isinstance(data.get("slos"), list):
            return data
        shared = {key: data[key] for key in ("period", "confidence") if key in data}
        return data | {"slos": [shared | one if isinstance(one, dict) else one for one in data["slos"]]}

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        names = [objective.name for objective in self.slos]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"names {twice[0]} twice; names are unique")
        titles = [objective.title for objective in self.slos]
        same = sorted({title for title in titles if titles.count(title) > 1})
        if same:
            raise ValueError(f"has the title {same[0]!r} twice; titles name findings, so they are unique")
        for objective in self.slos:
            self.windows_of(objective.period)
        return self

    @property
    def longest_period(self) -> timedelta:
        """How far back Prometheus must remember."""
        return max((objective.period for objective in self.slos), default=self.period)

    def windows_of(self, period: timedelta) -> tuple[BurnWindow, ...]:
        """The alert windows for objectives of this period."""
        found = self.burn_windows.get(syntax.duration(period))
        if not found:
            known = ", ".join(self.burn_windows)
            raise ValueError(f"has no burn_windows for the period {syntax.duration(period)}; known: {known}; add them")
        too_long = next((w for w in found if w.long > period), None)
        if too_long:
            raise ValueError(f"burn_windows: {syntax.duration(too_long.long)} is longer than {syntax.duration(period)}")
        return found

    def in_environment(self, overrides: Mapping[str, ObjectiveOverride], *, shown_as: str) -> tuple[Objective, ...]:
        """The objectives as one environment wants them; `shown_as` is its parameter file, for messages.

        Raises:
            ParameterError: an override names no objective, or makes one that cannot be.

        """
        unknown = sorted(overrides.keys() - {objective.name for objective in self.slos})
        if unknown:
            known = ", ".join(objective.name for objective in self.slos)
            raise ParameterError(f"{shown_as}: slos.{unknown[0]} is no objective of policy; known: {known}")
        return tuple(self._overridden(one, overrides.get(one.name), shown_as=shown_as) for one in self.slos)

    def _overridden(self, objective: Objective, override: ObjectiveOverride | None, *, shown_as: str) -> Objective:
        if override is None:
            return objective
        changes = {
            key: value for key in override.model_fields_set if (value := getattr(override, key)) not in (None, "")
        }
        try:
            changed = Objective.model_validate(dict(_fields(objective)) | changes)
            self.windows_of(changed.period)
        except ValidationError as error:
            message = error.errors(include_url=False)[0]["msg"].removeprefix("Value error, ")
            raise ParameterError(f"{shown_as}: slos.{objective.name}: {message}") from None
        except ValueError as error:
            raise ParameterError(f"{shown_as}: slos.{objective.name} {error}") from None
        return changed


def _fields(objective: Objective) -> Iterable[tuple[str, Any]]:
    return ((key, getattr(objective, key)) for key in type(objective).model_fields)
