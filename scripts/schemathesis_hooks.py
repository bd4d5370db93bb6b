"""What runs of schemathesis need here: names, and a check of refusals that knows what is meant to be accepted."""

import socket

import schemathesis
from schemathesis.specs.openapi.checks import negative_data_rejection

_resolve = socket.getaddrinfo


def _getaddrinfo(host, *rest, **named):
    """Names below `.localhost` are this machine's, also where the system's resolver does not know it."""
    if isinstance(host, str) and host.endswith(".localhost"):
        host = "127.0.0.1"
    return _resolve(host, *rest, **named)


socket.getaddrinfo = _getaddrinfo


@schemathesis.check
def invalid_data_is_refused(ctx, response, case):
    """What breaks the description is refused, except what clients of the reference rely on."""
    if response.status_code < 300 and _is_meant(case):
        return None
    return negative_data_rejection(ctx, response, case)


def _is_meant(case):
    # Forms hold texts alone; the description of the entity decides what they mean.
    if not (case.media_type or "application/json").startswith("application/json"):
        return True
    # Lua has one empty table, so clients send `{}` for empty lists.
    if _has_empty_object(case.body):
        return True
    # The path of a PUT says what the entity is called and what it lies in, whatever the body says.
    return case.method.upper() == "PUT" and _said_of(case).startswith(GIVEN_BY_PATH)


_MEMBERS = ("id", "name", "username", "prefix", "consumer", "service", "certificate", "set", "upstream")
GIVEN_BY_PATH = tuple(f"{before}{member}" for before in ("", "Missing required property: ") for member in _MEMBERS)


def _said_of(case):
    """What was made wrong, in the words of schemathesis."""
    return getattr(getattr(getattr(case.meta, "phase", None), "data", None), "description", None) or ""


def _has_empty_object(value):
    if isinstance(value, dict):
        return not value or any(_has_empty_object(member) for member in value.values())
    return isinstance(value, list) and any(_has_empty_object(item) for item in value)
