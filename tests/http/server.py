#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The misbehaving HTTP server of the tests: each path is one way to be wrong, or right.

    server.py --port-file FILE [--port N] [--dir DIR] [--log FILE] [--served FILE]
              [--cert FILE [--tls-1.1]] [--proxy]

ways.py and ranges.py tell the paths. Promises to listen on 127.0.0.1 alone, on a port of the kernel's choice or on
N; the port appears in FILE, whole, once it listens; to write every request, headers included, as one
JSON object a line to the log before it answers, and to `served` how many bytes of body it sent once
that is over; to end on SIGTERM with status 0. Needs no privilege. Its clients are the tests; it serves nothing but
regular files that lie directly in DIR. With --proxy it is a proxy for http and https as well.
"""
import argparse
import collections
import contextlib
import http.server
import json
import os
import signal
import socket
import ssl
import sys
import threading
import urllib.parse

sys.dont_write_bytecode = True  # leave no __pycache__ in the source tree
import proxy  # noqa: E402
import ranges  # noqa: E402
import ways  # noqa: E402

HANDLERS = {**ways.HANDLERS, "range": ranges.serve_range}
GONE = (BrokenPipeError, ConnectionResetError, ssl.SSLError)  # the client, and that is its right


class Request(http.server.BaseHTTPRequestHandler):
    """One connection, one answer: what a handler sends is all that the client gets."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "misbehaving", ""

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        self.name, _, self.rest = parts.path[1:].partition("/")
        self.query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        self.sent = 0
        self.close_connection = True
        self.nth = self.server.note(self)
        try:
            with contextlib.suppress(*GONE):
                if self.server.is_proxy and parts.scheme:
                    proxy.forward(self, parts)
                else:
                    HANDLERS.get(self.name, ways.not_found)(self)
        finally:
            self.server.note_served(self)

    def do_HEAD(self):  # nobody may ask: it shows in the log
        self.close_connection = True
        self.server.note(self)
        self.send(405)

    def do_CONNECT(self):
        self.close_connection = True
        self.server.note(self)
        with contextlib.suppress(*GONE):
            if self.server.is_proxy:
                proxy.tunnel(self)
            else:
                self.send(405)

    def start(self, status, *headers):
        """The head of an answer: exactly these headers, given as (name, value)."""
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def body(self, data):
        self.wfile.write(data)
        self.sent += len(data)

    def body_of_file(self, file, offset, count):
        """Counted also when the client leaves in the midst of it."""
        try:
            self.connection.sendfile(file, offset, count)
        finally:
            self.sent += file.tell() - offset

    def send(self, status, body=b"", *headers):
        """A whole and correct answer."""
        self.start(status, ("Content-Length", str(len(body))), *headers)
        self.body(body)

    def redirect(self, target, status=302):
        self.send(status, b"elsewhere\n", ("Location", target))

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Silent: the log has it."""


class Server(http.server.ThreadingHTTPServer):
    """A thread for each connection; none of them outlives the server."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, options, log, served):
        super().__init__(("127.0.0.1", options.port), Request)
        self.directory = options.dir
        self.is_proxy = options.proxy
        self._log, self._served = log, served
        self._asked = collections.Counter()
        self._lock = threading.Lock()
        self._gathered, self._more = 0, threading.Condition()

    def _write(self, file, line):
        if file:
            file.write(json.dumps(line) + "\n")
            file.flush()

    def note(self, request):
        """Writes the request down; returns how often its target has been asked for by now."""
        with self._lock:
            self._asked[request.path] += 1
            self._write(self._log, {"method": request.command, "target": request.path,
                                    "headers": dict(request.headers.items())})
            return self._asked[request.path]

    def gather(self, count):
        """Waits until it has been called that often."""
        with self._more:
            self._gathered += 1
            self._more.notify_all()
            self._more.wait_for(lambda: self._gathered >= count)

    def note_served(self, request):
        with self._lock:
            self._write(self._served, {"target": request.path, "bytes": request.sent})

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, ssl.SSLError)):
            super().handle_error(request, client_address)


def publish(path, text):
    """Whoever sees the file sees all of it."""
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(text)
    os.rename(path + ".new", path)


def tls(options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if options.tls_1_1:  # a level at which OpenSSL 3 still speaks it
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.load_cert_chain(options.cert)
    return context


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port-file", required=True, help="where the port is written")
    parser.add_argument("--port", type=int, default=0, help="the port (0: any)")
    parser.add_argument("--dir", help="where the files are")
    parser.add_argument("--log", help="where requests are written, one JSON object a line")
    parser.add_argument("--served", help="where the bytes that were sent are written, the same way")
    parser.add_argument("--cert", help="certificate and key in one PEM file: serve https")
    parser.add_argument("--tls-1.1", action="store_true", dest="tls_1_1", help="that alone")
    parser.add_argument("--proxy", action="store_true", help="be a proxy as well")
    return parser.parse_args()


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.ExitStack() as stack:
        files = [path and stack.enter_context(open(path, "a", encoding="utf-8"))
                 for path in (options.log, options.served)]
        server = stack.enter_context(Server(options, *files))
        # What is on its way to a slow client is not taken for served.
        server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 256 * 1024)
        if options.cert:
            server.socket = tls(options).wrap_socket(server.socket, server_side=True,
                                                     do_handshake_on_connect=False)
        publish(options.port_file, f"{server.server_address[1]}\n")
        server.serve_forever()


if __name__ == "__main__":
    main()
