"""What `sidecar config check` says of channels, where secrets come from, and `sidecar channels`."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sidecar import config_file
from sidecar.automations.channels import gate, settings
from sidecar.automations.channels.webpush import decode
from sidecar.cli import cli
from sidecar.config import Config
from sidecar.config_channels import SECRETS, Channels, Email, Push, Sms, Telegram, WhatsApp
from sidecar.config_section import Section, secret
from sidecar.errors import ConfigError
from sidecar.state.database import State

WHOLE = """[shop]
table_prefix = "wp_"
[shop.database]
name = "shop"
user = "u"
unix_socket = "/nowhere.sock"
[state]
dir = "state"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "sidecar.toml"
    found.write_text(WHOLE)
    found.chmod(0o600)
    return found


def check(file: Path, more: str = "", env: dict[str, str] | None = None) -> Any:
    file.write_text(WHOLE + more)
    return CliRunner().invoke(cli, ["--config", str(file), "config", "check"], env=env or {})


def test_nothing_set_up_is_in_order(file: Path) -> None:
    assert settings.problems(Config(), "f") == []
    assert check(file).exit_code == 0


@pytest.mark.parametrize(
    ("section", "keys"),
    [
        ({"email": Email(smtp_host="h")}, ["email.smtp_from"]),
        ({"email": Email(smtp_from="a@b.example")}, ["email.smtp_host"]),
        ({"email": Email(by="smtp")}, ["email.smtp_host", "email.smtp_from"]),
        ({"email": Email(smtp_host="h", smtp_from="My shop")}, ["email.smtp_from"]),
        ({"email": Email(smtp_host="h", smtp_from="a@b.example", smtp_user="u")}, ["email.smtp_password"]),
        ({"email": Email(smtp_host="h", smtp_from="a@b.example", smtp_user="u", smtp_password="p", smtp_security="none")}, ["email.smtp_security"]),
        ({"email": Email(smtp_host="h", smtp_from="Shop <a@b.example>", reply_to="no")}, ["email.reply_to"]),
        ({"sms": Sms(sender="1000")}, ["sms.preset"]),
        ({"sms": Sms(preset="kavenegar")}, ["sms.sender", "sms.secret"]),
        ({"sms": Sms(preset="twilio", sender="+1")}, ["sms.account", "sms.secret"]),
        ({"sms": Sms(preset="kavenagar")}, ["sms.preset"]),
        ({"sms": Sms(gateway="/no/such/file.toml")}, ["sms.gateway"]),
        ({"sms": Sms(preset="twilio", gateway="/x")}, ["sms.gateway"]),
        ({"telegram": Telegram(token="t")}, ["telegram.chat_field"]),
        ({"telegram": Telegram(chat_field="f", api="nowhere")}, ["telegram.token", "telegram.api"]),
        ({"whatsapp": WhatsApp(token="t", version="23")}, ["whatsapp.phone_number_id", "whatsapp.version"]),
        ({"whatsapp": WhatsApp(token="t", phone_number_id="+48 600")}, ["whatsapp.phone_number_id"]),
        ({"push": Push(contact="me")}, ["push.contact"]),
    ],
)  # fmt: skip
def test_what_is_half_set_up_is_told(section: dict[str, Any], keys: list[str]) -> None:
    found = settings.problems(Config(channels=Channels(**section)), "sidecar.toml")
    assert [problem.key for problem in found] == [f"channels.{key}" for key in keys]


@pytest.mark.parametrize(
    "section",
    [
        {"email": Email(smtp_host="h", smtp_from="Sklep <a@b.example>", smtp_user="u", smtp_password="p")},
        {"email": Email(smtp_host="localhost", smtp_from="a@b.example", smtp_user="u", smtp_password="p", smtp_security="none")},
        {"sms": Sms(preset="kavenegar", sender="1", secret="s")}, {"sms": Sms(preset="twilio", sender="+1", secret="s", account="AC")},
        {"telegram": Telegram(token="t", chat_field="f")}, {"whatsapp": WhatsApp(token="t", phone_number_id="106540352242922")},
        {"push": Push(contact="me@b.example")}, {"push": Push(contact="https://b.example/contact")},
    ],
)  # fmt: skip
def test_what_is_whole_is_in_order(section: dict[str, Any]) -> None:
    assert settings.problems(Config(channels=Channels(**section)), "f") == []


def test_config_check_ends_with_3(file: Path) -> None:
    found = check(file, '[channels.sms]\npreset = "twilio"\n[channels.push]\ncontact = "me"\n')
    assert found.exit_code == 3
    for key in ("channels.sms.sender", "channels.sms.account", "channels.sms.secret", "channels.push.contact"):
        assert key in found.stderr


@pytest.mark.parametrize(("section", "key"), [(section, key) for section, keys in SECRETS.items() for key in keys])
def test_a_secret_comes_from_a_file_or_the_environment_only(file: Path, section: str, key: str) -> None:
    (file.parent / "key").write_text("gEh31m \n")
    file.write_text(f'{WHOLE}[channels.{section}]\n{key}_file = "key"\n')
    config = config_file.load(str(file), {})
    assert getattr(getattr(config.channels, section), key) == "gEh31m "
    variable = f"SIDECAR_CHANNELS__{section}__{key}".upper()
    assert getattr(getattr(config_file.load(str(file), {variable: "other"}).channels, section), key) == "other"
    file.write_text(f'{WHOLE}[channels.{section}]\n{key} = "gEh31m"\n')
    with pytest.raises(ConfigError, match="holds secrets") as caught:
        config_file.load(str(file), {})
    assert [problem.key for problem in caught.value.problems] == [f"channels.{section}.{key}"]
    assert variable in caught.value.problems[0].hint
    assert "gEh31m" not in str(caught.value.details) + caught.value.message
    file.write_text(f'{WHOLE}[channels.{section}]\n{key}_file = "missing"\n')
    with pytest.raises(ConfigError, match=f"{key}_file .*missing cannot be read"):
        config_file.load(str(file), {})


def test_every_secret_is_known_as_one() -> None:
    for section, keys in SECRETS.items():
        of = getattr(Channels(), section)
        assert isinstance(of, Section)
        assert [name for name in of.__struct_fields__ if secret(name)] == list(keys)
        assert all(f"{name}_file" in of.__struct_fields__ for name in keys)


def test_show_hides_them(file: Path) -> None:
    env = {"SIDECAR_CHANNELS__TELEGRAM__TOKEN": "gEh31m", "SIDECAR_CHANNELS__TELEGRAM__CHAT_FIELD": "chat"}
    found = CliRunner().invoke(cli, ["--config", str(file), "config", "show"], env=env)
    assert found.exit_code == 0
    assert "gEh31m" not in found.output
    assert tomllib.loads(found.stdout)["channels"]["telegram"]["token"] == "(hidden)"


def test_the_commands(file: Path) -> None:
    def run(*words: str) -> Any:
        return CliRunner().invoke(cli, ["--config", str(file), *words], env={"SIDECAR_CHANNELS__SMS__SECRET": "gEh31m"})

    assert "No channel is set up" in run("channels").stdout
    file.write_text(f'{WHOLE}[channels.sms]\npreset = "smsapi"\nsender = "Shop"\n')
    assert [line.split() for line in run("channels").stdout.splitlines()][-1] == ["sms", "smsapi", "ready"]
    with State(file.parent / "state") as state:
        gate.Gate(state).disable("smsapi", "smsapi says 103")
    said = run("channels")
    assert "switched off: smsapi says 103" in said.stdout
    assert "gEh31m" not in said.output
    data = json.loads(run("channels", "--json").stdout)
    assert data["channels"] == {"sms": "smsapi"}
    assert [(one["name"], one["disabled"]) for one in data["providers"]] == [("smsapi", "smsapi says 103")]
    missing = run("channels", "enable", "twilio")
    assert missing.exit_code == 1
    assert "smsapi" in missing.stderr
    assert run("channels", "enable", "smsapi").exit_code == 0
    with State(file.parent / "state") as state:
        gate.Gate(state).failed("smsapi", 90)
    assert "paused until 12:01:30 UTC, 1 failures in a row" in run("channels").stdout
    key = run("channels", "push-key").stdout.strip()
    assert len(decode(key)) == 65
    assert run("channels", "push-key").stdout.strip() == key
