"""The command line ``flask desk ...`` (``.flaskenv`` names this module). It starts no desk.

It registers the commands of ``services/ops/commands.py``, the tape, and the command that needs the routes.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
from flask import Flask

from services.ops.commands import desk
from services.ops.config import PROJECT
from tape.command import tape_command

OPENAPI = PROJECT / "docs" / "reference" / "openapi.json"


def create_cli() -> Flask:
    """Return an application with the commands and nothing else."""
    app = Flask("lockstep-cli")
    desk.add_command(tape_command)
    app.cli.add_command(desk)
    return app


@desk.command("openapi")
@click.option("--to", "path", type=click.Path(path_type=Path), default=OPENAPI, help="Where to write.")
def openapi_command(path: Path) -> None:
    """Regenerate docs/reference/openapi.json."""
    path.write_text(openapi_text(), "utf-8")
    click.echo(f"{path.name} is current.")


def openapi_text() -> str:
    """Return the text of docs/reference/openapi.json, generated from the blueprints alone."""
    from app import BLUEPRINTS  # imported here, because importing the web takes long and no other command needs it
    from routes.http.openapi import document

    app = Flask("lockstep")
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return json.dumps(document(app), indent=2, ensure_ascii=False) + "\n"
