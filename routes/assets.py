"""What the pages load: styles, scripts, icons, browser libraries.

Every address names the edition, a hash over all of them, so browsers keep what they have for good and a new version
is a new address; modules that import each other by relative paths stay within one edition.
"""

from __future__ import annotations

import mimetypes
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, send_from_directory, url_for
from flask_compress import Compress

FOLDER = Path(__file__).resolve().parent.parent / "static"
VENDOR = "vendor"
KEPT_FOR_GOOD = "public, max-age=31536000, immutable"
DIGITS = 12
LONG_ENOUGH_TO_COMPRESS = 1_000  # bytes: most answers to bridges and webhooks are shorter
COMPRESSED = (
    *("text/html", "text/css", "text/javascript", "image/svg+xml"),
    *("application/javascript", "application/manifest+json", "application/json"),
)
ENCODINGS = ["zstd", "br", "gzip"]

Listing = tuple[tuple[str, int, int], ...]


def install(app: Flask) -> None:
    """Serve the folder under ``/static/<edition>/``, and whatever is long compressed."""
    mimetypes.add_type("application/manifest+json", ".webmanifest")
    app.config.update(
        COMPRESS_MIMETYPES=list(COMPRESSED),
        COMPRESS_MIN_SIZE=LONG_ENOUGH_TO_COMPRESS,
        COMPRESS_ALGORITHM=ENCODINGS,
        COMPRESS_ALGORITHM_STREAMING=ENCODINGS,  # files are streamed
    )
    Compress(app)
    app.add_url_rule("/static/<edition>/<path:filename>", endpoint="static", view_func=serve)
    app.url_defaults(_name_the_edition)
    app.add_template_global(vendor_url)


def serve(edition: str, filename: str) -> Response:
    """Return a file; browsers keep it for good when they asked for the present edition."""
    response = send_from_directory(FOLDER, filename, conditional=True)
    response.headers["Cache-Control"] = KEPT_FOR_GOOD if edition == present_edition() else "no-cache"
    return response


def vendor_url(name: str) -> str | None:
    """Return the address of a browser library; None when ``make`` has not installed it."""
    path = f"{VENDOR}/{name}"
    return url_for("static", filename=path) if (FOLDER / path).is_file() else None


def present_edition() -> str:
    """Return the hash over all files as they lie there now; looked up once a request."""
    if "edition" not in g:
        g.edition = _edition_of(_listing())
    edition: str = g.edition
    return edition


def _name_the_edition(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint == "static":
        values.setdefault("edition", present_edition())


def _listing() -> Listing:
    found = ((path, path.stat()) for path in sorted(FOLDER.rglob("*")) if path.is_file())
    return tuple((path.relative_to(FOLDER).as_posix(), stat.st_mtime_ns, stat.st_size) for path, stat in found)


@lru_cache(maxsize=2)
def _edition_of(listing: Listing) -> str:
    """Return the hash over names and contents; read again only when a file was changed."""
    digest = sha256()
    for name, _, size in listing:
        digest.update(f"{name} {size}\n".encode())
        digest.update((FOLDER / name).read_bytes())
    return digest.hexdigest()[:DIGITS]
