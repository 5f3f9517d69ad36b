"""Evaluate feature flags of a flagd file through OpenFeature, as a service does: a program of its own, for it starts threads.

    python -I flag_evaluation.py FILE FLAG...

The last line of its output is JSON: `refused` (why the provider would not take the file, or empty), and each flag's evaluation.
"""

import json
import logging
import sys

from openfeature import api
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.exception import OpenFeatureError

__all__ = ["main"]

_DOMAIN = "genesis-readiness"


def main(path: str, flags: list[str]) -> None:
    """Evaluate without a user, so that no rollout and no targeting applies."""
    logging.disable()
    provider = FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=path)
    refused = ""
    try:
        api.set_provider_and_wait(provider, domain=_DOMAIN)
    except (OpenFeatureError, ValueError, OSError) as error:
        refused = str(error.__cause__ or error) or type(error).__name__
    client = api.get_client(domain=_DOMAIN)
    found = {}
    for flag in flags:
        told = client.get_boolean_details(flag, default_value=False)
        found[flag] = {
            "value": told.value,
            "variant": told.variant,
            "reason": str(told.reason or ""),
            "error": f"{told.error_code.value}: {told.error_message or ''}" if told.error_code else "",
        }
    api.shutdown()
    sys.stdout.write("\n" + json.dumps({"refused": refused, "flags": found}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
