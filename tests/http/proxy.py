# SPDX-License-Identifier: Apache-2.0
"""The test server as a proxy: http by absolute targets, https through CONNECT.

Promises to reach 127.0.0.1 alone, whatever host is asked for, so that a test can tell by any name that
its request went through here. Each connection serves one request.
"""
import os
import select
import socket

BLOCK = 64 * 1024


def connect(port):
    return socket.create_connection(("127.0.0.1", port))


def forward(request, parts):
    """A GET of an absolute URL: asked for as it came, without what is meant for a proxy."""
    target = (parts.path or "/") + ("?" + parts.query if parts.query else "")
    lines = [f"GET {target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()
              if not name.lower().startswith("proxy-") and name.lower() != "connection"]
    with connect(parts.port or 80) as upstream:
        upstream.sendall("\r\n".join(lines + ["Connection: close", "", ""]).encode("latin-1"))
        while data := upstream.recv(BLOCK):
            request.body(data)


def tunnel(request):
    """CONNECT HOST:PORT; port 1 is refused, with status 502."""
    port = int(request.path.rpartition(":")[2])
    if port == 1:
        request.send(502)
        return
    with connect(port) as upstream:
        request.send_response_only(200, "established")
        request.end_headers()
        pump(request.connection, upstream)


def pump(one, other):
    """Both ways, until one side ends."""
    peers = {one.fileno(): other, other.fileno(): one}
    while True:
        ready, _, _ = select.select(list(peers), [], [])
        for fd in ready:
            data = os.read(fd, BLOCK)
            if not data:
                return
            peers[fd].sendall(data)
