"""What somebody who sets up channels does on the command line."""

from __future__ import annotations

from tests.cli.lines import Shell

_CHANNELS = ("alerts", "channels")


def whole_day(shell: Shell) -> None:
    assert "There is no channel" in shell(*_CHANNELS, "list").err
    said = shell(*_CHANNELS, "add", "webhook", "hooks", "--url", "https://hooks.invalid/x").out
    assert "qd alerts channels verify hooks" in said
    mail = ("--host", "mail.invalid", "--from", "qd@example.org", "--to", "a@example.org", "--to", "b@example.org")
    made = shell.json(*_CHANNELS, "add", "email", "mail", *mail, "--tenant", "acme")
    assert (made["settings"]["port"], made["settings"]["security"], made["tenant_id"]) == (587, "starttls", "acme")
    secret = ("--secret-env", "QUARTERDECK_CHANNEL_DUTY")
    assert shell.json(*_CHANNELS, "add", "pagerduty", "duty", *secret)["secret_env"] == "QUARTERDECK_CHANNEL_DUTY"

    assert "--host is not for slack" in shell(*_CHANNELS, "add", "slack", "s", "--host", "h", code=2).err
    assert "needs --url" in shell(*_CHANNELS, "add", "webhook", "w", code=2).err
    assert "needs its secret" in shell(*_CHANNELS, "add", "slack", "s", code=2).err
    inward = ("--url", "http://127.0.0.1:9/x")
    assert "is loopback" in shell(*_CHANNELS, "add", "webhook", "w", *inward, code=None).err
    assert "is called hooks already" in shell(*_CHANNELS, "add", "webhook", "hooks", "--url", "https://x.y", code=1).err

    listed = shell(*_CHANNELS, "list").out
    assert "$QUARTERDECK_CHANNEL_DUTY" in listed
    assert "a@example.org, b@example.org" in listed
    unsent = shell(*_CHANNELS, "verify", "hooks", code=1)
    assert "has no address" in unsent.err
    assert shell.json(*_CHANNELS, "verify", "duty", code=1)["code"] == "no_secret"

    changed = shell(*_CHANNELS, "change", "hooks", "--url", "https://hooks.invalid/y", "--off", "--reason", "moved").out
    assert "https://hooks.invalid/y" in changed
    assert shell.json(*_CHANNELS, "show", "hooks")["enabled"] is False
    assert "Say what to change" in shell(*_CHANNELS, "change", "hooks", code=2).err
    shell(*_CHANNELS, "delete", "hooks")
    assert "There is no channel hooks" in shell(*_CHANNELS, "show", "hooks", code=4).err
