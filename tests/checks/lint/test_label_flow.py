"""What is said of the labels of an answer is what Prometheus answers."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from genesis_lib.checks.lint.label_flow import Labels, conflicts, labels_of
from genesis_lib.demo.stack import Stack
from genesis_lib.syntax import tree

Ask = Callable[[str], list[dict[str, str]] | None]

_LABELS = st.lists(st.sampled_from(["job", "instance", "mode", "device"]), max_size=2, unique=True).map(", ".join)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    grouping = st.one_of(st.just(""), st.builds("{} ({})".format, st.sampled_from(["by", "without"]), _LABELS))
    matching = st.one_of(
        st.just(""),
        st.builds("{} ({})".format, st.sampled_from(["on", "ignoring"]), _LABELS),
        # promql-parser cannot write `ignoring () group_left` again
        st.builds("{} ({}) {} ({})".format, st.sampled_from(["on", "ignoring"]), _LABELS.filter(bool),
                  st.sampled_from(["group_left", "group_right"]), st.sampled_from(["", "mode"])),
    )  # fmt: skip
    sets = st.builds(
        "{} {} ({})".format, st.sampled_from(["and", "or", "unless"]), st.sampled_from(["on", "ignoring"]), _LABELS
    )
    return st.one_of(
        st.builds("{} {} ({})".format, st.sampled_from(["sum", "max"]), grouping, inner),
        st.builds('count_values {} ("mode", {})'.format, grouping, inner),
        st.builds("topk(2, {})".format, inner),
        st.builds('label_replace({}, "{}", "{}", "job", "(.*)")'.format, inner, st.sampled_from(["mode", "instance"]),
                  st.sampled_from(["x", ""])),
        st.builds("absent({})".format, inner),
        st.builds("({}) {} {} ({})".format, inner, st.sampled_from(["/", ">", "<= bool"]), matching, inner),
        st.builds("({}) {} ({})".format, inner, sets, inner),
    )  # fmt: skip


_SELECTED = st.sampled_from(
    ["up", 'up{job="node"}', 'node_cpu_seconds_total{cpu="0"}', "node_memory_MemTotal_bytes", 'up{mode=""}', "vector(1)",
     "up * scalar(up)", "max_over_time(up[1m])"]
)  # fmt: skip
_EXPRESSIONS = st.recursive(_SELECTED, _larger, max_leaves=4)


@pytest.fixture(scope="session")
def ask(healthy_stack: Stack) -> Iterator[Ask]:
    """The labels of each series of the answer; None where Prometheus refuses, as where many match many."""

    def asked(expr: str) -> list[dict[str, str]] | None:
        url = f"http://{healthy_stack.addresses['prometheus']}/api/v1/query"
        answer = client.get(url, params={"query": expr}).json()
        if answer["status"] == "error":
            assert answer["errorType"] == "execution", (expr, answer["error"])
            return None
        data = answer["data"]
        return [series["metric"] for series in data["result"]] if data["resultType"] == "vector" else []

    with httpx.Client() as client:
        yield asked


@given(_EXPRESSIONS)
@settings(max_examples=400, deadline=None)
def test_labels_are_as_prometheus_answers_and_where_it_is_said_that_nothing_matches_nothing_does(
    ask: Ask, expr: str
) -> None:
    try:
        syntax_tree: Any = tree(expr)
    except ValueError:
        assume(False)  # noqa: FBT003 - hypothesis' way to pass over an example
    answered = ask(expr)
    if answered is None:
        return
    said = labels_of(syntax_tree, frozenset())
    for series in answered:
        labels = series.keys() - {"__name__"}
        assert said is not None
        assert said.sure <= labels
        assert all(said.may_have(label) for label in labels)
    for conflict in conflicts(syntax_tree, frozenset()):
        if str(conflict.operator.op) == "unless":
            lhs, whole = conflict.operator.lhs.prettify(), conflict.operator.prettify()
            assert ask(f"count({whole})") == ask(f"count({lhs})")
        else:
            assert ask(conflict.operator.prettify()) in ([], None)


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("up", Labels(sure=frozenset({"job", "instance"}))),
        ('up{job=""}', Labels(sure=frozenset({"instance"}), never=frozenset({"job"}))),
        ("sum(up)", Labels(only=frozenset())),
        ("sum by (job, x) (up)", Labels(sure=frozenset({"job"}), only=frozenset({"job", "x"}))),
        ("sum without (job) (up)", Labels(sure=frozenset({"instance"}), never=frozenset({"job"}))),
        ("a:b", Labels()),
        ("recorded", Labels()),
        ("ALERTS", Labels()),
        ("absent(up)", Labels()),
        ('count_values by (job) (("mode"), up)', Labels(sure=frozenset({"job"}), only=frozenset({"job", "mode"}))),
        ('label_replace(sum(up), ("mode"), "x", "", "")', Labels(only=frozenset({"mode"}))),
        ('label_join(sum(up), (("mode")), "-", "a")', Labels(only=frozenset({"mode"}))),
        ("scalar(up)", None),
        ("time()", None),
        ("vector(1)", Labels(only=frozenset())),
        ("histogram_quantile(0.9, sum by (le) (a_bucket))", Labels(only=frozenset(), never=frozenset({"le"}))),
    ],
)
def test_what_is_known_of_labels(text: str, labels: Labels | None) -> None:
    assert labels_of(tree(text), frozenset({"recorded"})) == labels
