"""Requests and replies as the simulator's parts hand them on, free of any HTTP library."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.simulator.auth import Caller


@dataclasses.dataclass(slots=True)
class Reply:
    """What is sent back."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(slots=True, frozen=True)
class Ask:
    """A request that was routed and whose caller is known."""

    endpoint: str
    path: str
    params: tuple[str, ...]
    query: Mapping[str, str]
    caller: Caller
    base_url: str


class ApiError(Exception):
    """A refusal in Twilio's words."""

    def __init__(
        self, status: int, code: int, message: str, headers: dict[str, str] | None = None
    ) -> None:
        """Create a refusal.

        Args:
            status: The HTTP status.
            code: Twilio's error code.
            message: What Twilio says.
            headers: Headers of the reply.
        """
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}

    def reply(self) -> Reply:
        """Return the refusal as a reply."""
        body = {
            "code": self.code,
            "message": str(self),
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        return Reply(self.status, json.dumps(body).encode(), headers=dict(self.headers))


def unauthorized() -> ApiError:
    """Return what Twilio answers to credentials that it does not accept here."""
    headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'}
    return ApiError(401, 20003, "Authentication Error - invalid username", headers)


def not_found(path: str) -> ApiError:
    """Return what Twilio answers when a resource is missing, deleted or out of sight."""
    return ApiError(404, 20404, f"The requested resource {path} was not found")


def json_reply(body: Mapping[str, Any] | bytes, status: int = 200) -> Reply:
    """Return a JSON reply of an object, or of one already written."""
    return Reply(status, body if isinstance(body, bytes) else json.dumps(body).encode())


def envelope(head: Mapping[str, Any], key: str, rows: list[bytes]) -> Reply:
    """Return a list reply of rows already written, beside what the envelope says of them."""
    parts = [json.dumps(head)[:-1].encode(), b', "', key.encode(), b'": [', b", ".join(rows)]
    return Reply(200, b"".join([*parts, b"]}"]))
