"""Draw PromQL expressions: all kinds of operators, calls and selectors, oddly written."""

from hypothesis import strategies as st

_NAMES = st.sampled_from(
    ["up", "a:b:rate5m", "http_requests_total", "x_seconds_bucket", "sum", "and", "offset", "by", "inf_total", "e5m"]
)
_LABELS = st.sampled_from(["job", "instance", "le", "on", "or", "by"])
_STRINGS = st.sampled_from(['"v"', "'}'", '"#,)"', '"a\\"b{}"', r"`x\.y`", "'by (z)'", '""', '"[5m]"'])
_BLANKS = st.sampled_from([" ", "\n", "  ", " # (up{ `\n", "\t"])
_RANGES = st.sampled_from(["5m", "20s", "1h30m", "40d"])
_LISTS = st.lists(_LABELS, max_size=2).map(lambda labels: f"({', '.join(labels)})")


@st.composite
def _selectors(draw: st.DrawFn) -> str:
    matcher = st.tuples(_LABELS, _BLANKS, st.sampled_from(["=", "!=", "=~", "!~"]), _STRINGS).map("".join)
    matchers = draw(st.lists(matcher, max_size=3))
    trailing = draw(st.sampled_from(["", ","])) if matchers else ""
    inner = f"{{{draw(_BLANKS)}{','.join(matchers)}{trailing}}}"
    form = draw(st.sampled_from(["bare", "braces", "spaced", "nameless"]))
    match form:
        case "bare":
            return draw(_NAMES)
        case "braces":
            return draw(_NAMES) + inner
        case "spaced":
            return draw(_NAMES) + draw(_BLANKS) + inner
        case _:
            return '{__name__=~"up|x",' + inner.removeprefix("{")


def _shifted(selector: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.tuples(
        selector, st.sampled_from(["", "", " offset 5m", " offset -1m", " @ start()", " @ 1600000000"])
    ).map("".join)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    ranged = st.builds("{}[{}]{}".format, _selectors(), _RANGES, st.sampled_from(["", " offset 20d"]))
    subquery = st.builds("({})[{}:{}]".format, inner, _RANGES, st.sampled_from(["", "1m"]))
    over = st.sampled_from(["rate", "increase", "delta", "max_over_time", "absent_over_time", "holt_winters(0.5)"])
    calls = st.builds(
        lambda name, argument: (
            f"holt_winters({argument}, 0.5, 0.5)" if name.startswith("holt") else f"{name}({argument})"
        ),
        over,
        st.one_of(ranged, subquery),
    )
    grouping = st.tuples(st.sampled_from(["by", "without", "BY"]), _BLANKS, _LISTS).map("".join)
    matching = st.one_of(
        st.just(""),
        st.tuples(st.sampled_from(["on", "ignoring"]), _BLANKS, _LISTS).map("".join),
        st.just("on() group_left(le)"),
    )
    return st.one_of(
        calls,
        st.builds("{}{}{}({})".format, st.sampled_from(["sum", "count", "Max"]), _BLANKS, grouping, inner),
        st.builds(
            "{}({}){}{}".format, st.sampled_from(["sum", "avg"]), inner, _BLANKS, st.one_of(st.just(""), grouping)
        ),
        st.builds("topk(3,{}{})".format, _BLANKS, inner),
        st.builds("count_values({},{})".format, st.sampled_from(['"v"', "('v')"]), inner),
        st.builds("histogram_quantile(0.9, {})".format, inner),
        st.builds('label_replace({}, {}, "$1", "x", "(.*)")'.format, inner, st.sampled_from(['"job"', '(("job"))'])),
        st.builds("absent({})".format, inner),
        st.builds("-({})".format, inner),
        st.builds("({}){}{} {}({})".format, inner, _BLANKS, st.sampled_from(["/", "-", "*"]), matching, inner),
        st.builds("({}){}> bool({})".format, inner, _BLANKS, inner),
        st.builds("({}) {}{}({})".format, inner, st.sampled_from(["and", "or", "unless", "OR"]), _BLANKS, inner),
        st.builds(
            "{} {} {}".format, _selectors(), st.sampled_from(["and", "or", "/ on(job)", "== bool"]), _selectors()
        ),
        st.builds("{} * {}".format, st.sampled_from(["100", "1e-3", "0x1F", "Inf", "5m"]), inner),
        st.builds("({}) or on() vector({})".format, inner, st.sampled_from(["0", "NaN", "scalar(up)"])),
        st.builds("count({} == 0) or vector(0)".format, inner),
        st.builds("({}) or absent(up) * 0".format, inner),
    )


EXPRESSIONS = st.recursive(_shifted(_selectors()), _larger, max_leaves=6)
