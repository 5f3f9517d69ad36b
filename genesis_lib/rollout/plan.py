"""The rollout plan, `rollout.yaml`: its stages, and what each demands before the next."""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, NonNegativeInt, ValidationInfo, field_validator, model_validator

from genesis_lib import strict_yaml, syntax
from genesis_lib.errors import ParameterError
from genesis_lib.objectives.indicator import Duration
from genesis_lib.rollout.way_back import Blindness, Names, Rollback, Triggers
from genesis_lib.strict_yaml import Listed, Name, Strict

__all__ = ["Approval", "Demands", "HandOver", "Phase", "Plan", "Scheduled", "Stage", "load_plan"]

Phase = Literal["intensive", "standard", "validation", "handover"]
Soak = Annotated[Duration, BeforeValidator(lambda value: timedelta(0) if value == "none" else value)]


class Demands(Strict):
    """What must be true before the rollout moves on.

    `soak` is how long a stage is watched, every `check_interval`; `min_operations` is how many operations must be seen meanwhile;
    `objectives` are those that block; `budget_floor` is the share of each one's error budget that must be left.
    """

    soak: Duration
    check_interval: Duration
    min_operations: NonNegativeInt
    objectives: Names
    budget_floor: Annotated[float, Field(ge=0, lt=1)]

    @model_validator(mode="after")
    def _asked_while_it_soaks(self) -> Self:
        if self.soak and self.check_interval >= self.soak:
            raise ValueError(
                f"check_interval {syntax.duration(self.check_interval)} must be shorter than soak {syntax.duration(self.soak)}"
            )
        return self


class Stage(Demands):
    """A percentage of users, and what must be true there before the next one. Only 0 % may do without a soak."""

    percentage: Annotated[int, Field(ge=0, le=100)]
    phase: Literal["intensive", "standard", "validation"]
    soak: Soak

    @model_validator(mode="after")
    def _soaks(self) -> Self:
        if self.percentage and not self.soak:
            raise ValueError(f"soak none does not fit {self.percentage} %: only 0 % may do without; give a duration")
        return self


class HandOver(Demands):
    """What must be true at 100 %, after its own soak, before the rollout is over."""

    percentage: ClassVar[int] = 100
    phase: ClassVar[Phase] = "handover"


class Approval(Strict):
    """How old the run may be that a person approved for the first step."""

    max_age: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduled:
    """A stage, or the hand-over, on the plan's timeline: when it begins and ends if nothing holds."""

    stage: Stage | HandOver
    begins: datetime
    ends: datetime


class Plan(Strict):
    """How a feature reaches everybody. `defaults` are the demands of stages, and of the hand-over, that state none of their own.

    `flag` is raised; `dilution_accepted` lets a stage below 100 % be judged without series of the canary's own; `checkpoints` are the
    instants, counted from the first, at which a backtest asks the gate.
    """

    flag: Name
    defaults: Demands
    stages: Annotated[tuple[Stage, ...], Listed]
    handover: HandOver
    approval: Approval
    triggers: Triggers
    blindness: Blindness
    dilution_accepted: bool
    rollback: Rollback
    checkpoints: Annotated[tuple[Duration, ...], Listed, Field(min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _share_defaults(cls, data: Any) -> Any:
        """Fill in what stages leave to the defaults; whatever is wrong with the shape is refused by what follows."""
        if not isinstance(data, dict) or not isinstance(data.get("defaults"), dict):
            return data
        shared = {key: value for key, value in data["defaults"].items() if key in Demands.model_fields}
        filled: dict[str, Any] = {}
        if isinstance(data.get("stages"), list):
            filled["stages"] = [shared | one if isinstance(one, dict) else one for one in data["stages"]]
        if isinstance(data.get("handover"), dict):
            filled["handover"] = shared | data["handover"]
        return data | filled

    @field_validator("stages")
    @classmethod
    def _rise_from_none_to_all(cls, stages: tuple[Stage, ...]) -> tuple[Stage, ...]:
        percentages = [stage.percentage for stage in stages]
        if not percentages or percentages[0] != 0 or percentages[-1] != HandOver.percentage:
            shown = ", ".join(map(str, percentages)) or "none"
            raise ValueError(f"must begin at 0 % and end at 100 %, not: {shown}")
        for lower, higher in pairwise(percentages):
            if higher <= lower:
                raise ValueError(f"must rise, and {higher} % follows {lower} %; put them in order, each once")
        return stages

    @field_validator("triggers")
    @classmethod
    def _see_all_time(cls, triggers: Triggers, info: ValidationInfo) -> Triggers:
        longest = _longest_interval(info)
        if longest > triggers.window:
            raise ValueError(
                f"window {syntax.duration(triggers.window)} is shorter than check_interval {syntax.duration(longest)}: "
                "what happens between two windows would go unseen"
            )
        return triggers

    @field_validator("blindness")
    @classmethod
    def _outlasts_a_check(cls, blindness: Blindness, info: ValidationInfo) -> Blindness:
        longest = _longest_interval(info)
        if blindness.limit <= longest:
            raise ValueError(
                f"limit {syntax.duration(blindness.limit)} must be longer than check_interval {syntax.duration(longest)}: "
                "it would be reached between two checks"
            )
        return blindness

    @field_validator("rollback")
    @classmethod
    def _takes_the_feature_back(cls, rollback: Rollback, info: ValidationInfo) -> Rollback:
        flag = info.data.get("flag")
        if flag and flag not in rollback.flags_off:
            raise ValueError(f"flags_off must name {flag}, the flag that is raised; add it")
        return rollback

    @field_validator("checkpoints")
    @classmethod
    def _rise(cls, checkpoints: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
        for earlier, later in pairwise(checkpoints):
            if later <= earlier:
                raise ValueError(
                    f"must rise, and {syntax.duration(later)} follows {syntax.duration(earlier)}; put them in order, each once"
                )
        return checkpoints

    @property
    def digest(self) -> str:
        """A digest of all that the rollout goes by, so that a change in its course is noticed; layout and checkpoints are no part of it."""
        return hashlib.sha256(self.model_dump_json(exclude={"defaults", "checkpoints"}).encode()).hexdigest()

    @property
    def total_soak(self) -> timedelta:
        """How long the rollout takes if nothing holds, hand-over included."""
        return sum((one.soak for one in self._in_order), timedelta(0))

    def stage_at(self, percentage: int) -> Stage | None:
        """The stage of exactly this percentage; None where the plan has none, so that something else went there."""
        return next((stage for stage in self.stages if stage.percentage == percentage), None)

    def next_after(self, percentage: int) -> Stage | None:
        """The lowest stage above this percentage, which need not be one of the plan's; None at 100 %: only the hand-over is left."""
        return next((stage for stage in self.stages if stage.percentage > percentage), None)

    def timeline(self, start: datetime) -> tuple[Scheduled, ...]:
        """All stages and the hand-over, one after the other from this instant on."""
        return tuple(self._scheduled(start))

    @property
    def _in_order(self) -> tuple[Stage | HandOver, ...]:
        return (*self.stages, self.handover)

    def _scheduled(self, start: datetime) -> Iterator[Scheduled]:
        for stage in self._in_order:
            yield Scheduled(stage=stage, begins=start, ends=start + stage.soak)
            start += stage.soak

    def check_names(self, *, objectives: Collection[str], flags: Collection[str], shown_as: str) -> None:
        """Refuse what the plan names and there is not; `shown_as` is its file, for messages.

        Raises:
            ParameterError: an objective or a flag is not among these.

        """
        for kind, place, name in self._names():
            known = objectives if kind == "objective" else flags
            if name not in known:
                raise ParameterError(f"{shown_as}: {place}: {name} is no {kind} of policy; known: {', '.join(known)}")

    def _names(self) -> Iterator[tuple[Literal["objective", "flag"], str, str]]:
        stages = ((f"stages.{index}", stage) for index, stage in enumerate(self.stages))
        for place, demands in (("defaults", self.defaults), *stages, ("handover", self.handover)):
            for name in demands.objectives:
                yield "objective", f"{place}.objectives", name
        yield "objective", "triggers.error_rate.objective", self.triggers.error_rate.objective
        yield "objective", "triggers.latency.objective", self.triggers.latency.objective
        yield "flag", "flag", self.flag
        for name in self.rollback.flags_off:
            yield "flag", "rollback.flags_off", name


def load_plan(path: Path, *, shown_as: str) -> Plan:
    """The plan in this file; `shown_as` is its name in messages.

    Raises:
        ParameterError: the file is missing, or holds what no plan can mean, with file, line, key and mend.

    """
    return strict_yaml.load(path, shown_as=shown_as).parse(Plan)


def _longest_interval(info: ValidationInfo) -> timedelta:
    """The longest check interval of those parts that were valid; those that were not are refused themselves."""
    parts = (*info.data.get("stages", ()), info.data.get("handover"))
    return max((part.check_interval for part in parts if part), default=timedelta(0))
