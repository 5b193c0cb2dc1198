"""Checks answers of the data service against the OpenAPI document that it serves itself."""

from __future__ import annotations

from functools import cache
from typing import Any

import requests

from feeds.channels.data_openapi import openapi_document
from tests.support.service_document import ServiceDocument


@cache
def _service() -> ServiceDocument:
    return ServiceDocument(openapi_document())


def document() -> dict[str, Any]:
    """Return the document."""
    return _service().whole


def message_faults(message: dict[str, Any]) -> list[str]:
    """Return what is wrong with a message of the stream."""
    name = f"{message['type'].capitalize()}Message".replace("ErrorMessage", "StreamErrorMessage")
    return _service().faults_of({"$ref": f"#/components/schemas/{name}"}, message)


def documented(answer: requests.Response) -> requests.Response:
    """Return the answer; fail when its status or a field is not documented."""
    return _service().documented(answer)
