"""The one look of figures, tables and pages: colours that colour-blind readers tell apart, and never colour alone.

Series colours are from Okabe and Ito, "Color Universal Design" (2008); text colours are darker (or, on dark paper, lighter) shades of
the same hues, at a contrast of at least 4.5 to their ground (WCAG 2.1 AA).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from genesis_lib.model import Verdict
from genesis_lib.readiness.decision import Call

__all__ = [
    "CALL_LOOKS",
    "DARK",
    "LIGHT",
    "SERIES_COLOURS",
    "VERDICT_LOOKS",
    "WORST_FIRST",
    "Look",
    "css_variables",
    "figure_style",
    "notebook_stylesheet",
    "stylesheet",
]

WORST_FIRST = (Verdict.FAIL, Verdict.UNKNOWN, Verdict.WARN, Verdict.PASS)

# Blue, orange, bluish green, vermillion, reddish purple, sky blue; Okabe-Ito's black and yellow vanish on one of the two papers.
SERIES_COLOURS = ("#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9")

LIGHT: Mapping[str, str] = {
    "ink": "#1b2026",
    "muted": "#59626d",
    "line": "#d9dee4",
    "paper": "#ffffff",
    "wash": "#f5f7f9",
    "link": "#005a8e",
    "pass": "#00664a",
    "pass-wash": "#e8f5f0",
    "warn": "#7d4e00",
    "warn-wash": "#fdf4e3",
    "fail": "#a83600",
    "fail-wash": "#fcefe8",
    "unknown": "#85346a",
    "unknown-wash": "#f9eef5",
}
DARK: Mapping[str, str] = {
    "ink": "#e6eaef",
    "muted": "#9ca6b2",
    "line": "#343c46",
    "paper": "#12161b",
    "wash": "#1a2027",
    "link": "#7cc4f2",
    "pass": "#5fd3ac",
    "pass-wash": "#12291f",
    "warn": "#f2bd55",
    "warn-wash": "#2d230f",
    "fail": "#ff9c6e",
    "fail-wash": "#331a10",
    "unknown": "#e6a5cb",
    "unknown-wash": "#2e1a27",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How one of a closed set looks: a glyph, a word, and the name of its colour in the palettes."""

    glyph: str
    word: str
    colour: str


VERDICT_LOOKS: Mapping[Verdict, Look] = {
    Verdict.PASS: Look(glyph="✓", word="PASS", colour="pass"),
    Verdict.WARN: Look(glyph="!", word="WARN", colour="warn"),
    Verdict.UNKNOWN: Look(glyph="?", word="UNKNOWN", colour="unknown"),
    Verdict.FAIL: Look(glyph="✕", word="FAIL", colour="fail"),
}
CALL_LOOKS: Mapping[Call, Look] = {
    Call.GO: Look(glyph="✓", word="GO", colour="pass"),
    Call.HOLD: Look(glyph="!", word="HOLD", colour="warn"),
    Call.NO_GO: Look(glyph="✕", word="NO GO", colour="fail"),
}


def css_variables(palette: Mapping[str, str]) -> str:
    """The palette as CSS custom properties, `--g-ink: #1b2026; ...`."""
    return " ".join(f"--g-{name}: {colour};" for name, colour in palette.items())


def stylesheet() -> str:
    """The CSS of tables; it touches nothing outside an element of class `genesis`, and follows JupyterLab's theme."""
    rules = (files(__package__) / "style.css").read_text(encoding="utf-8")
    return (
        f".genesis {{ {css_variables(LIGHT)} }}\n"
        f'[data-jp-theme-light="false"] .genesis {{ {css_variables(DARK)} }}\n{rules}'
    )


def notebook_stylesheet() -> str:
    """The same for a notebook's outputs, each rule so specific that JupyterLab's own for tables (right-aligned, equal columns) yield."""
    return stylesheet().replace(".genesis ", ".genesis.genesis.genesis ")


@contextmanager
def figure_style() -> Iterator[None]:
    """Matplotlib's settings for our figures, while a figure is made or drawn; nothing global changes."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()  # a reader's own matplotlibrc changes nothing
        mpl.rcParams.update(_figure_settings())  # type: ignore[arg-type] # stubs want a literal dict
        yield


def _figure_settings() -> dict[str, Any]:
    ink, muted, line, paper = (LIGHT[name] for name in ("ink", "muted", "line", "paper"))
    return {
        "axes.axisbelow": True,
        "axes.edgecolor": line,
        "axes.grid": True,
        "axes.grid.axis": "y",
        "axes.labelcolor": muted,
        "axes.labelsize": 8.5,
        "axes.spines.left": False,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlecolor": ink,
        "axes.titlelocation": "left",
        "axes.titlesize": 10,
        "axes.titleweight": "bold",
        "figure.facecolor": paper,
        "axes.facecolor": paper,
        "savefig.facecolor": paper,
        "font.family": ["DejaVu Sans"],  # comes with matplotlib: the same on every machine
        "font.size": 9,
        "grid.color": line,
        "grid.linewidth": 0.6,
        "lines.linewidth": 1.4,
        "svg.fonttype": "none",  # text stays text: searchable, and small
        "text.color": ink,
        "text.parse_math": False,  # a `$` in a label is a dollar, not mathematics
        "xtick.color": line,
        "xtick.labelcolor": muted,
        "xtick.labelsize": 8,
        "ytick.color": line,
        "ytick.labelcolor": muted,
        "ytick.labelsize": 8,
        "ytick.major.size": 0,
    }
