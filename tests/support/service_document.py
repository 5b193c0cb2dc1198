"""Checks answers of a service against the OpenAPI document that it serves itself."""

from __future__ import annotations

import json
import re
from typing import Any

import requests
from jsonschema import Draft202012Validator, FormatChecker

from tests.support.api_document import closed


class ServiceDocument:
    """The document of one service."""

    def __init__(self, content: bytes) -> None:
        self.whole: dict[str, Any] = json.loads(content)

    def faults_of(self, schema: dict[str, Any], body: Any) -> list[str]:
        """Return what is wrong with a body, fields that the document does not name included."""
        whole = {**closed(schema), "components": {"schemas": closed(self.whole["components"]["schemas"])}}
        validator = Draft202012Validator(whole, format_checker=FormatChecker())
        return [f"{fault.json_path}: {fault.message[:200]}" for fault in validator.iter_errors(body)]

    def documented(self, answer: requests.Response) -> requests.Response:
        """Return the answer; fail when its status or a field is not documented."""
        method, path = str(answer.request.method).lower(), str(answer.request.path_url).split("?")[0]
        responses = self.whole["paths"][self._template_of(path)][method]["responses"]
        status = str(answer.status_code)
        assert status in responses, f"{method} {path} answered an undocumented {status}: {answer.text[:300]}"
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
        faults = self.faults_of(responses[status]["content"]["application/json"]["schema"], answer.json())
        assert faults == [], f"{method} {path} {status}: {faults[:5]}"
        if answer.status_code >= 400:
            assert f"`{answer.json()['error']}`" in responses[status]["description"]
        return answer

    def _template_of(self, path: str) -> str:
        def pattern(template: str) -> str:
            return re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template))

        found: list[str] = [one for one in self.whole["paths"] if re.fullmatch(pattern(one), path)]
        assert found, f"{path} is not documented"
        return found[0]
