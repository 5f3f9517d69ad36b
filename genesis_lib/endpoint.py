"""How to reach one source: its address, its limits, and its credentials by reference."""

import os
import re
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, PositiveFloat, model_validator

from genesis_lib.errors import ParameterError
from genesis_lib.strict_yaml import Strict

__all__ = ["Credential", "Endpoint", "Url", "resolve"]


def _is_reference(value: str) -> str:
    if not re.fullmatch(r"env:[A-Za-z_]\w*|file:\S+", value):
        raise ValueError(
            "must be a reference, env:NAME or file:/path; a credential itself never stands in a parameter file"
        )
    return value


def _is_url(value: str) -> str:
    parts = urlsplit(value)
    try:
        parts.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        raise ValueError("must name a port between 0 and 65535, or none") from None
    if parts.scheme not in {"http", "https", "unix"} or not (parts.hostname or parts.path):
        raise ValueError("must be a URL that starts with http://, https:// or unix://")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError(
            "must hold no user, password, query or fragment; credentials go under bearer, or username and password"
        )
    return value.rstrip("/")


Credential = Annotated[str, AfterValidator(_is_reference)]
Url = Annotated[str, AfterValidator(_is_url)]


class Endpoint(Strict):
    """How to reach one source: address, time limits, and credentials by reference. Times in seconds."""

    url: Url
    timeout_s: PositiveFloat = 10.0
    retries: int = Field(default=2, ge=0, le=10)
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""
    bearer: Credential | None = None
    username: str = ""
    password: Credential | None = None
    tenant: str = ""

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> Self:
        if self.bearer and self.username:
            raise ValueError("bearer and username exclude each other; keep one")
        if bool(self.username) != bool(self.password):
            raise ValueError("username and password go together")
        if bool(self.client_cert) != bool(self.client_key):
            raise ValueError("client_cert and client_key go together")
        return self


def resolve(reference: str) -> str:
    """The credential that `env:NAME` or `file:/path` stands for.

    Raises:
        ParameterError: the variable is not set, or the file cannot be read.

    """
    kind, _, where = reference.partition(":")
    if kind == "env":
        value = os.environ.get(where, "")
        if not value:
            raise ParameterError(f"credential {reference}: the environment variable {where} is not set")
        return value
    try:
        return Path(where).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ParameterError(f"credential {reference}: {error.strerror}") from error
