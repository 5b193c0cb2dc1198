"""The commands of ``flask desk ...`` that set up and maintain the desk. They do not start it."""

from __future__ import annotations

import secrets
from pathlib import Path

import click
from argon2 import PasswordHasher
from flask.cli import AppGroup

from services.notifications.delivery import WrongTarget, open_targets
from services.ops.config import GENERATED, PROJECT, SECRETS, Config, ConfigError
from services.ops.dotenv_file import add_generated
from services.ops.firm_commands import firm_group
from services.ops.history_commands import export_command, prune_command, replay_command
from services.ops.key_commands import keys_group
from services.ops.roll_commands import rolls_command
from services.ops.rule_tables import renew
from services.ops.settings_table import renew_settings
from services.ops.webhook_tables import renew_webhooks

desk = AppGroup("desk", help="Set up, feed and look after the desk.")
for command in (replay_command, export_command, prune_command, keys_group, rolls_command, firm_group):
    desk.add_command(command)


@desk.command("init")
@click.option("--env-file", type=click.Path(path_type=Path), default=PROJECT / ".env", help="Where to write.")
def init_command(env_file: Path) -> None:
    """Write a .env with generated secrets; to an existing one add the secrets that are new since, change no line."""
    if env_file.exists():
        try:
            added = add_generated(env_file, GENERATED)
        except (OSError, UnicodeDecodeError) as error:
            raise click.ClickException(f"{env_file.name} cannot be read or written: {error}") from error
        gained = f" It gained {', '.join(added)}." if added else ""
        click.echo(f"{env_file.name} exists already; the password is in it as DASHBOARD_PASSWORD.{gained}")
        return
    password = secrets.token_urlsafe(12)
    lines = [f"{name}={secrets.token_urlsafe(32)}" for name in (*SECRETS, *GENERATED)]
    text = "\n".join(["# Generated at the first start. Keep it private.", *lines, f"DASHBOARD_PASSWORD={password}", ""])
    env_file.touch(mode=0o600)
    env_file.write_text(text, "utf-8")
    click.echo(f"Wrote {env_file.name} with generated secrets. The dashboard's password, shown this once: {password}")


@desk.command("hash-password")
@click.password_option(help="The password to hash; asked for when not given.")
def hash_password_command(password: str) -> None:
    """Print the value for DASHBOARD_PASSWORD_HASH."""
    click.echo(PasswordHasher().hash(password))


@desk.command("notify-test")
def notify_test_command() -> None:
    """Send one message to every target of NOTIFY_URLS and print whether it was delivered."""
    try:
        targets = open_targets(Config.from_env().notify_urls)
    except (ConfigError, WrongTarget) as error:
        raise click.ClickException(str(error)) from None
    if not targets:
        raise click.ClickException("NOTIFY_URLS is empty: there is nobody to notify.")
    failed = 0
    for target in targets:
        problem = target.send("[TEST] Lockstep can reach you", "Nothing happened at the desk.", "info")
        failed += problem is not None
        click.echo(f"{target.place}. {target.scheme}: {problem or 'delivered'}")
    if failed:
        raise click.ClickException(f"{failed} of {len(targets)} targets did not take the message.")


@desk.command("rules")
def rules_command() -> None:
    """Regenerate the tables of docs/reference/rules.md."""
    renew()
    click.echo("docs/reference/rules.md is current.")


@desk.command("settings")
def settings_command() -> None:
    """Regenerate the tables of settings and webhooks: README, .env.example, settings.md, tradingview.md."""
    renew_settings()
    renew_webhooks()
    click.echo("README.md, .env.example, docs/reference/settings.md and docs/how-to/tradingview.md are current.")
