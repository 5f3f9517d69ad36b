"""What a small chart shows; apart from the figures, so that whoever only fills it need not load the drawing."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from genesis_lib.formatting import Unit

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Panel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One small chart of a dashboard. `empty_because` says in words why there is nothing to draw."""

    title: str
    frame: "pd.DataFrame"
    unit: Unit
    thresholds: tuple[tuple[str, float], ...]
    empty_because: str
