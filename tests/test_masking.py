"""Credentials that stand in files and answers are masked, and nothing else is changed."""

import pytest
import yaml

from genesis_lib.masking import mask_json, mask_text, mask_urls

MASKED = "<secret>"
CONFIG = """\
# the password of nobody
global:
  slack_api_url: 'https://hooks.example.org/T0/hunter2'
  smtp_auth_password: "hunter2, quoted: yes"
  smtp_auth_password_file: /run/secrets/smtp
remote_write:
  - url: https://example.org
    basic_auth: {username: ann, password: hunter2}
    authorization:
      credentials: hunter2
    headers: {X-Api-Key: hunter2, X-Team: a}
  - bearer_token: |
      hunter2
      hunter2
    name: kept
services:
  grafana:
    environment:
      - GF_SECURITY_ADMIN_PASSWORD=hunter2
      - GF_SERVER_ROOT_URL=https://example.org
      - GF_DATABASE_PASSWORD=${DB_PASSWORD:?set it}
      - {token: hunter2}
    command: ["--api-token=hunter2", "--retention=15d"]
rules:
  - expr: rate(requests_total{token="kept"}[5m]) > 0
    labels: {severity: P1}
  - token: null
  - password: ${FROM_ENVIRONMENT}
"""


def test_credentials_in_yaml_are_masked_whatever_the_layout_and_all_else_is_kept() -> None:
    masked = mask_text(CONFIG.encode()).decode()
    assert "hunter2" not in masked
    expected = yaml.safe_load(CONFIG)
    expected["global"]["slack_api_url"] = expected["global"]["smtp_auth_password"] = MASKED
    write = expected["remote_write"]
    write[0]["basic_auth"]["password"] = write[0]["authorization"]["credentials"] = write[1]["bearer_token"] = MASKED
    write[0]["headers"]["X-Api-Key"] = MASKED
    grafana = expected["services"]["grafana"]
    grafana["environment"][0] = "GF_SECURITY_ADMIN_PASSWORD=<secret>"
    grafana["environment"][3]["token"] = MASKED
    grafana["command"][0] = "--api-token=<secret>"
    assert yaml.safe_load(masked) == expected
    assert "# the password of nobody" in masked


@pytest.mark.parametrize(
    ("script", "masked"),
    [
        pytest.param("export API_TOKEN=abc", "export API_TOKEN=<secret>", id="a shell variable"),
        pytest.param('PASSWORD="a b"  ', "PASSWORD=<secret>  ", id="a quoted one"),
        pytest.param('PASSWORD="$1"', 'PASSWORD="$1"', id="a reference is kept"),
        pytest.param("curl -u x --password=abc", "curl -u x --password=<secret>", id="an argument"),
        pytest.param("{{ if x }}\npassword: abc\n", "{{ if x }}\npassword: <secret>\n", id="a template of YAML"),
        pytest.param("echo nothing here", "echo nothing here", id="nothing to hide"),
        pytest.param('{"password": "a\\"b", "n": 1}', '{"password": "<secret>", "n": 1}', id="JSON"),
        pytest.param(
            "\udcff: token: x\n\tpassword: abc", "\udcff: token: <secret>\n\tpassword: <secret>", id="no UTF-8"
        ),
    ],
)
def test_files_that_are_not_yaml_are_masked_line_by_line(script: str, masked: str) -> None:
    assert mask_text(script.encode(errors="surrogateescape")) == masked.encode(errors="surrogateescape")


def test_passwords_in_addresses_are_masked() -> None:
    text = b'{"url":"https://ann:s3cret@example.org/x","mail":"a://b c:d@e","plain":"http://localhost:9090/@a"}'
    assert mask_urls(text) == text.replace(b"s3cret", b"<secret>")


def test_json_answers_are_masked_in_keys_and_arguments() -> None:
    text = b'{"basicAuthPassword":"abc","Cmd":["--db-password=abc","-p"],"tokens":3,"title":"Token use"}'
    assert (
        mask_json(text)
        == b'{"basicAuthPassword":"<secret>","Cmd":["--db-password=<secret>","-p"],"tokens":3,"title":"Token use"}'
    )
