"""Evaluate flags of flagd files for many users through OpenFeature, as a service does: a program of its own, for it starts threads.

    python -I flag_users.py < {"asked": [[FILE, FLAG]...], "users": [KEY...]}

The last line of its output is a JSON list: for each of `asked`, a `value` per user as true or false, and an `error`, empty or the first
reason why the evaluator could not tell.
"""

import json
import logging
import sys
from collections.abc import Sequence
from typing import Any

from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import OpenFeatureError

__all__ = ["main"]


def main(asked: Sequence[tuple[str, str]], users: Sequence[str]) -> None:
    """Ask one provider per file: each would otherwise go on showing the file before."""
    logging.disable()
    clients: dict[str, OpenFeatureClient | str] = {}
    for path, _ in asked:
        if path not in clients:
            clients[path] = _client(path)
    told = [_evaluated(clients[path], flag, users) for path, flag in asked]
    api.shutdown()
    sys.stdout.write("\n" + json.dumps(told) + "\n")


def _client(path: str) -> OpenFeatureClient | str:
    """Who answers for a file, or why its provider refuses it."""
    provider = FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=path)
    try:
        api.set_provider_and_wait(provider, domain=path)
    except (OpenFeatureError, ValueError, OSError) as error:
        return str(error.__cause__ or error) or type(error).__name__
    return api.get_client(domain=path)


def _evaluated(client: OpenFeatureClient | str, flag: str, users: Sequence[str]) -> dict[str, Any]:
    if isinstance(client, str):
        return {"value": [], "error": client}
    values, error = [], ""
    for user in users:
        told = client.get_boolean_details(flag, default_value=False, evaluation_context=EvaluationContext(user))
        values.append(told.value)
        if told.error_code:
            error = error or f"{told.error_code.value}: {told.error_message or ''}"
        elif told.variant is None:
            error = error or f"{told.reason}: the value is left to the default in the code"
    return {"value": values, "error": error}


if __name__ == "__main__":
    question = json.load(sys.stdin)
    main(question["asked"], question["users"])
