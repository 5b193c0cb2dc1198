"""The command line as a whole: ``python -m flask desk ...`` (``.flaskenv`` points here). It starts no desk.

It registers the command groups: ``services/ops/commands.py``, the tape, and what needs the routes.
"""

from __future__ import annotations

import json
from pathlib import Path

import click
from flask import Flask

from services.ops.commands import desk
from services.ops.config import PROJECT
from tape.command import tape_command

OPENAPI = PROJECT / "docs" / "openapi.json"


def create_cli() -> Flask:
    """Return an application that carries the commands and nothing else."""
    app = Flask("lockstep-cli")
    desk.add_command(tape_command)
    app.cli.add_command(desk)
    return app


@desk.command("openapi")
@click.option("--to", "path", type=click.Path(path_type=Path), default=OPENAPI, help="Where to write.")
def openapi_command(path: Path) -> None:
    """Write docs/openapi.json anew."""
    path.write_text(openapi_text(), "utf-8")
    click.echo(f"{path.name} is current.")


def openapi_text() -> str:
    """Return the API's document as it is committed, made of the blueprints alone."""
    from app import BLUEPRINTS  # the other commands need not wait for the web to be imported
    from routes.http.openapi import document

    app = Flask("lockstep")
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return json.dumps(document(app), indent=2, ensure_ascii=False) + "\n"
