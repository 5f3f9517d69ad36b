"""Read any `/metrics` page, in Prometheus' text format or in OpenMetrics."""

from collections.abc import Mapping
from dataclasses import dataclass

from genesis_lib.clients.http import Http, Reply
from genesis_lib.clients.shapes import as_number
from genesis_lib.model import Answer, Missing

__all__ = ["Exposition", "Family", "PageSample"]

# The plain format first: every program that exposes metrics has it.
_ACCEPT = "text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.5"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSample:
    """One line of a page. `value` is Missing where it is NaN or infinite, as an empty quantile is."""

    name: str
    labels: Mapping[str, str]
    value: float | Missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One metric with all its samples. `kind` is `counter`, `gauge`, `histogram`…; a counter's `name` lacks its `_total`."""

    name: str
    kind: str
    help: str
    samples: tuple[PageSample, ...]


class Exposition:
    """A program that is known by its page of metrics; the endpoint's address is that of the page itself."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def families(self) -> Answer[tuple[Family, ...]]:
        """Everything on the page.

        Raises:
            SourceError: no page, or one that holds something else than metrics.

        """
        reply = self._http.get("", accept=_ACCEPT)
        return reply.answer(tuple(_families(reply)))


def _families(reply: Reply) -> list[Family]:
    # Imported here: the package makes collectors and costs 50 ms, which who only names this client need not pay.
    from prometheus_client import parser
    from prometheus_client.openmetrics import parser as openmetrics

    is_openmetrics = reply.media_type == "application/openmetrics-text"
    parse = (openmetrics if is_openmetrics else parser).text_string_to_metric_families
    text = reply.text()
    try:
        return [
            Family(
                name=family.name,
                kind=family.type,
                help=family.documentation,
                samples=tuple(
                    PageSample(name=sample.name, labels=dict(sample.labels), value=as_number(sample.value))
                    for sample in family.samples
                ),
            )
            for family in parse(text)
        ]
    except (ValueError, KeyError, IndexError) as error:
        raise reply.malformed(
            f"answered with a page that holds no metrics ({error}); is the address that of its /metrics page?"
        ) from error
