"""Settings: defaults without a file, and one clear sentence for every mistake in one."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarterdeck.config.example import example
from quarterdeck.config.load import ConfigError, load
from quarterdeck.config.settings import Settings, port_numbers
from quarterdeck.contract.models.queues import QueueSettings


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def test_without_a_file_everything_is_as_documented(config: Path) -> None:
    assert load(config) == Settings()
    config.write_text("")
    assert load(config) == Settings()


def test_the_example_is_the_defaults_and_leaves_out_none(config: Path) -> None:
    config.write_text(example(), encoding="utf-8")
    assert load(config) == Settings()
    for section in fields(Settings):
        if section.name == "queues":
            continue
        for each in fields(getattr(Settings(), section.name)):
            assert f"\n{each.name} = " in example()


def test_what_is_set_counts_and_the_rest_stays(config: Path) -> None:
    config.write_bytes(b"\xef\xbb\xbf[console]\nmouse = false\nkeys = { assign = 'w' }\n")  # an editor's mark first
    settings = load(config)
    assert settings.console.mouse is False
    assert settings.console.keys == {"assign": "w"}
    assert settings.engine == Settings().engine


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[engine\n", "line 1"),
        ("[motor]\nx = 1\n", r"no section \[motor\]. Valid: engine, store, workers, queues, exceptions"),
        ("engine = 3\n", r"write it as \[engine\]"),
        ("[engine]\nidle_minuets = 3\n", "engine.idle_minuets is not a setting. See config.example.toml"),
        ("[engine]\nidle_minutes = -1\n", "engine.idle_minutes must be at least 0; it is -1"),
        ("[engine]\nidle_minutes = '15'\n", "engine.idle_minutes must be a whole number; it is '15'"),
        ("[engine]\nlog_level = 'loud'\n", "engine.log_level must be 'debug', 'info', 'warning' or 'error'"),
        ("[console]\nkeys = 3\n", "console.keys must be a table, as in"),
        ("[console]\nkeys = { assign = 1 }\n", "console.keys.assign must be text; it is 1"),
        ("[engine]\nallowed_addresses = ['10.0.0.0/40']\n", "engine.allowed_addresses: '10.0.0.0/40' is no CIDR"),
        ("[workers]\nurls = ['localhost:9100']\n", "workers.urls: 'localhost:9100' is no address such as http://"),
        ("[workers]\nports = '9109-9100'\n", "workers.ports: '9109-9100' is no port or range of ports"),
        ("queues = 3\n", r"write it as \[queues\]"),
        ("[queues]\nmail = 3\n", r"write it as \[queues.mail\]"),
        ("[queues.'so so']\n", "'so so' is no name of a queue"),
        ("[queues.mail]\nconcurrency = 0\n", "queues.mail.concurrency must be at least 1; it is 0"),
        ("[queues.mail]\nbackof = {}\n", "queues.mail.backof is not a setting"),
        ("[queues.mail]\nbackoff = { bse = 1 }\n", "queues.mail.backoff.bse is not a setting"),
        ("[queues.mail]\nhandler = 'engine'\n", "queues.mail.handler must be http, python or worker"),
        ("[queues.mail]\nreason = 'because'\n", "queues.mail.reason is not a setting"),
        ("[usage]\nlimits = { api_calls = 3 }\n", "usage.limits.api_calls must be a table"),
        ("[usage.limits]\napi_calls = { day = '3' }\n", "usage.limits.api_calls.day must be a whole number; it is '3'"),
        ("[usage.limits]\napi_calls = { day = 0 }\n", "usage.limits.api_calls.day must be from 1 to"),
        ("[usage.limits]\napi_calls = { hour = 3 }\n", "usage.limits.api_calls.hour is no period; name day, week or"),
        ("[usage.limits]\nSMS = { day = 3 }\n", "usage.limits: 'SMS' is no resource type"),
        ("[workers]\nports = '1-65535'\n", "workers.ports names 65535 ports; at most 1,000"),
    ],
)
def test_a_mistake_names_file_and_key(config: Path, text: str, sentence: str) -> None:
    config.write_text(text)
    with pytest.raises(ConfigError, match=sentence) as caught:
        load(config)
    assert str(config) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_limits_are_named_by_what_is_used_and_when(config: Path) -> None:
    config.write_text("[usage.limits]\napi_calls = { day = 10000, month = 200000 }\nsms_sent = { week = 5 }\n")
    assert load(config).usage.limits == {"api_calls": {"day": 10_000, "month": 200_000}, "sms_sent": {"week": 5}}


def test_of_a_queue_only_what_is_named_is_known(config: Path) -> None:
    config.write_text("[queues.mail]\nhandler = 'http'\nbackoff = { base = 2 }\n[queues.bulk]\nconcurrency = 2\n")
    assert load(config).queues == {"mail": {"handler": "http", "backoff": {"base": 2.0}}, "bulk": {"concurrency": 2}}


def test_the_example_says_all_that_a_queue_can_be_told(config: Path) -> None:
    defaults = QueueSettings().model_dump(mode="json", exclude_none=True)
    page = example()
    start = page.index("# [queues.refunds-api]")
    section = [line.removeprefix("# ") for line in page[start : page.index("\n\n", start)].splitlines()]
    settings = [line for line in section if re.match(r"\w+ = .", line)]
    config.write_text("\n".join(["[queues.refunds-api]", *settings]), encoding="utf-8")
    assert load(config).queues["refunds-api"] == defaults
    assert {line.split(" =")[0] for line in section if " =" in line} == set(QueueSettings.model_fields)


def test_ports_are_listed_one_by_one() -> None:
    assert port_numbers("9100-9102, 9101,9200") == [9100, 9101, 9102, 9200]
    assert port_numbers("") == []


def test_a_file_that_is_no_text_or_no_file_is_named(config: Path, tmp_path: Path) -> None:
    config.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(config)
    with pytest.raises(ConfigError, match="cannot be read"):
        load(tmp_path)


@given(st.text())
def test_no_text_is_more_than_a_config_error(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    try:
        load(path)
    except ConfigError as error:
        assert str(path) in str(error)  # noqa: PT017
