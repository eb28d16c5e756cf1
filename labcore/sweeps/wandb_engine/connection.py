"""Requests to W&B's server, and what its refusals and silences mean."""

import base64
import http.client
import json
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from labcore.errors import LabError, RequirementError

__all__ = ["Connection", "NotThere", "Unreachable"]

_TIMEOUT_S = 30.0
_PASSING = {408, 425, 429}
"""Client errors that are gone when asked again later; those from 500 on all are."""
_DENIED = {401, 403}


class Unreachable(LabError):
    """The server does not answer now; it may later."""


class NotThere(LabError):
    """The server answers, and does not know what was asked for."""


class Connection:
    """Posts JSON as the owner of an API key.

    Proxies are taken from the environment, certificates from ``SSL_CERT_FILE`` or
    ``REQUESTS_CA_BUNDLE`` when they are set.

    Args:
        base_url: The server's address.
        api_key: Whose requests these are.
        timeout_s: Seconds of silence after which the server counts as unreachable.
    """

    def __init__(self, base_url: str, api_key: str, *, timeout_s: float = _TIMEOUT_S) -> None:
        self.base_url = base_url
        token = base64.b64encode(f"api:{api_key}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}", "Content-Type": "application/json"}
        self._timeout_s = timeout_s

    def graphql(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Runs a GraphQL operation and returns its data.

        Raises:
            LabError: As :meth:`post`, or the operation failed.
        """
        answer = self.post("/graphql", {"query": query, "variables": dict(variables)})
        errors = answer.get("errors")
        if errors:
            raise LabError(f"W&B refuses: {_told(answer)}")
        data = answer.get("data")
        if not isinstance(data, dict):
            raise Unreachable(f"{self.base_url} does not answer as W&B does")
        return data

    def post(self, path: str, value: Mapping[str, Any]) -> dict[str, Any]:
        """Posts a value and returns the answer.

        Raises:
            Unreachable: There is no answer, or none that counts.
            NotThere: Status 404.
            RequirementError: The API key is refused.
            LabError: The request is refused otherwise.
        """
        # Only http and https: the address is the user's own setting.
        request = urllib.request.Request(  # noqa: S310
            self.base_url + path, json.dumps(value).encode(), self._headers
        )
        try:
            with urllib.request.urlopen(  # noqa: S310
                request, timeout=self._timeout_s, context=self._certificates()
            ) as response:
                answer = json.loads(response.read())
        except urllib.error.HTTPError as error:
            raise self._refusal(error) from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", None) or error
            raise Unreachable(f"{self.base_url} does not answer: {reason}") from error
        except ValueError as error:
            raise Unreachable(f"{self.base_url} does not answer as W&B does") from error
        if not isinstance(answer, dict):
            raise Unreachable(f"{self.base_url} does not answer as W&B does")
        return answer

    def _certificates(self) -> ssl.SSLContext | None:
        bundle = os.environ.get("REQUESTS_CA_BUNDLE")
        if not self.base_url.startswith("https:") or not bundle:
            return None  # urllib's own, which are OpenSSL's, which honours SSL_CERT_FILE
        return ssl.create_default_context(cafile=bundle)

    def _refusal(self, error: urllib.error.HTTPError) -> LabError:
        try:
            with error:
                told = _told(json.loads(error.read()))
        except (OSError, ValueError, http.client.HTTPException):
            told = error.reason
        if error.code in _DENIED:
            return RequirementError(
                f"W&B at {self.base_url} refuses the API key: {told}", fix="wandb login --relogin"
            )
        if error.code == 404:
            return NotThere(f"W&B does not know it: {told}")
        if error.code in _PASSING or error.code >= 500:
            return Unreachable(f"{self.base_url} answers with status {error.code}")
        return LabError(f"W&B refuses with status {error.code}: {told}")


def _told(answer: Any) -> str:
    """Returns the messages of an error's answer."""
    errors = answer.get("errors") if isinstance(answer, dict) else None
    if not isinstance(errors, list):
        return str(answer)[:200]
    return "; ".join(
        str(row.get("message", row) if isinstance(row, dict) else row) for row in errors
    )
