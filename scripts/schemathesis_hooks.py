"""Names below `.localhost` are this machine's, also where the system's resolver does not know it."""

import socket

_resolve = socket.getaddrinfo


def _getaddrinfo(host, *rest, **named):
    if isinstance(host, str) and host.endswith(".localhost"):
        host = "127.0.0.1"
    return _resolve(host, *rest, **named)


socket.getaddrinfo = _getaddrinfo
