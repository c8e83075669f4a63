#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The misbehaving HTTP server of the tests: each path of HANDLERS is one way to be wrong, or right.

    server.py --port-file FILE [--dir DIR] [--log FILE] [--cert FILE]

Promises to listen on 127.0.0.1 alone, on a port of the kernel's choice that appears in FILE, whole, once it
listens; to write every request, headers included, as one JSON object a line to the log before it
answers; to end on SIGTERM with status 0. Needs no privilege. Its clients are the tests; it serves
nothing but regular files that lie directly in DIR.
"""
import argparse
import contextlib
import http.server
import json
import os
import signal
import ssl
import stat
import sys
import threading
import time
import urllib.parse

BLOCK = 64 * 1024


class Request(http.server.BaseHTTPRequestHandler):
    """One connection, one answer: what a handler sends is all that the client gets."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "misbehaving", ""

    def do_GET(self):
        parts = urllib.parse.urlsplit(self.path)
        name, _, self.rest = parts.path[1:].partition("/")
        self.query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        self.close_connection = True
        self.server.log(self)
        with contextlib.suppress(BrokenPipeError, ConnectionResetError, ssl.SSLError):
            HANDLERS.get(name, not_found)(self)

    def do_HEAD(self):  # nobody may ask: it shows in the log
        self.server.log(self)
        self.send(405)

    def start(self, status, *headers):
        """The head of an answer: exactly these headers, given as (name, value)."""
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Connection", "close")
        self.end_headers()

    def send(self, status, body=b"", *headers):
        """A whole and correct answer."""
        self.start(status, ("Content-Length", str(len(body))), *headers)
        self.wfile.write(body)

    def redirect(self, target, status=302):
        self.send(status, b"elsewhere\n", ("Location", target))

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Silent: the log has it."""


# --- the ways to answer -------------------------------------------------------------------------------

def serve_file(request):
    """/file/NAME"""
    name = urllib.parse.unquote(request.rest)
    directory = request.server.directory
    if directory is None or "/" in name or name in ("", ".", ".."):
        return not_found(request)
    try:
        fd = os.open(os.path.join(directory, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return not_found(request)
    with open(fd, "rb") as file:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            return not_found(request)
        request.start(200, ("Content-Length", str(status.st_size)))
        while block := file.read(BLOCK):
            request.wfile.write(block)
    return None


def serve_status(request):
    """/status/CODE[/NAME]: with a body, where that status has one"""
    status = int(request.rest.partition("/")[0])
    request.send(status, b"" if status < 200 or status in (204, 304) else b"this is no artifact\n")


def serve_redirect(request):
    """/redirect[/…]?to=URL[&status=CODE]"""
    request.redirect(request.query["to"], int(request.query.get("status", "302")))


def serve_hops(request):
    """/hops/N/NAME: N redirects, then the file"""
    count, _, name = request.rest.partition("/")
    request.redirect(f"/hops/{int(count) - 1}/{name}" if int(count) > 1 else f"/file/{name}")


def serve_loop(request):
    """/loop/NAME: to itself"""
    request.redirect(request.path)


def serve_nowhere(request):
    """/nowhere/NAME: a redirect without Location"""
    request.send(302, b"guess\n")


def serve_short(request):
    """/short/NAME: 60 of 100 bytes"""
    request.start(200, ("Content-Length", "100"))
    request.wfile.write(b"s" * 60)


def serve_chunked(request):
    """/chunked/NAME: right"""
    request.start(200, ("Transfer-Encoding", "chunked"))
    request.wfile.write(b"3\r\nHel\r\n3\r\nlo\n\r\n0\r\n\r\n")


def serve_chunked_cut(request):
    """/chunked-cut/NAME: ends within a chunk"""
    request.start(200, ("Transfer-Encoding", "chunked"))
    request.wfile.write(b"40\r\n" + b"c" * 30)


def serve_until_close(request):
    """/until-close/NAME: no length; whole, but nothing proves it"""
    request.start(200)
    request.wfile.write(b"Hello\n")


def serve_endless(request):
    """/endless/NAME[?status=CODE]: no length and no end"""
    request.start(int(request.query.get("status", "200")))
    while True:
        request.wfile.write(b"e" * BLOCK)


def serve_huge(request):
    """/huge/NAME: announces 1 EiB"""
    request.start(200, ("Content-Length", str(1 << 60)))
    request.wfile.write(b"h" * BLOCK)


def serve_gzip(request):
    """/gzip/NAME: encoded, whether the client wants that or not"""
    body = bytes.fromhex("1f8b0800000000000003f348cdc9c9e702001635963106000000")
    request.send(200, body, ("Content-Encoding", "gzip"))


def serve_identity(request):
    """/identity/NAME: says in so many words that it is not encoded"""
    request.send(200, b"Hello\n", ("Content-Encoding", "Identity"))


def serve_slow(request):
    """/slow/NAME: a byte a second, of 1000"""
    request.start(200, ("Content-Length", "1000"))
    for _ in range(1000):
        request.wfile.write(b".")
        request.wfile.flush()
        time.sleep(1)


def serve_silent(request):
    """/silent/NAME: accepts, and never answers"""
    while request.connection.recv(BLOCK):
        pass


def serve_reset(request):
    """/reset/NAME: ends without any answer"""
    request.close_connection = True


def serve_headers(request):
    """/headers/NAME[?lines=N&bytes=N]: that many more header lines, each with that many bytes"""
    lines, size = int(request.query.get("lines", "1000")), int(request.query.get("bytes", "10"))
    more = [(f"X-{n}", "x" * size) for n in range(lines)]
    request.send(200, b"Hello\n", *more)


def serve_interim(request):
    """/interim/NAME[?count=N]: that many 103 answers, then the right one"""
    for _ in range(int(request.query.get("count", "1"))):
        request.wfile.write(b"HTTP/1.1 103 Early Hints\r\nContent-Encoding: gzip\r\n\r\n")
    request.send(200, b"Hello\n")


def serve_old(request):
    """/http09/NAME: bytes without any head"""
    request.wfile.write(b"Hello\n")


def serve_private(request):
    """/private/NAME: for user `user` with password `secret` alone"""
    if request.headers.get("Authorization") == "Basic dXNlcjpzZWNyZXQ=":
        request.send(200, b"Hello\n")
    else:
        request.send(401, b"who are you?\n", ("WWW-Authenticate", 'Basic realm="tests"'))


def serve_noname(request):
    """/noname/: right, but the URL has no file name"""
    request.send(200, b"Hello\n")


def not_found(request):
    request.send(404, b"not found\n")


HANDLERS = {
    "file": serve_file,
    "status": serve_status,
    "redirect": serve_redirect,
    "hops": serve_hops,
    "loop": serve_loop,
    "nowhere": serve_nowhere,
    "short": serve_short,
    "chunked": serve_chunked,
    "chunked-cut": serve_chunked_cut,
    "until-close": serve_until_close,
    "endless": serve_endless,
    "huge": serve_huge,
    "gzip": serve_gzip,
    "identity": serve_identity,
    "slow": serve_slow,
    "silent": serve_silent,
    "reset": serve_reset,
    "headers": serve_headers,
    "interim": serve_interim,
    "http09": serve_old,
    "private": serve_private,
    "noname": serve_noname,
}


# --- the server ---------------------------------------------------------------------------------------

class Server(http.server.ThreadingHTTPServer):
    """A thread for each connection; none of them outlives the server."""

    daemon_threads = True

    def __init__(self, directory, log):
        super().__init__(("127.0.0.1", 0), Request)
        self.directory = directory
        self._log = log
        self._lock = threading.Lock()

    def log(self, request):
        if self._log is None:
            return
        line = json.dumps({"method": request.command, "target": request.path,
                           "headers": dict(request.headers.items())})
        with self._lock:
            self._log.write(line + "\n")
            self._log.flush()

    def handle_error(self, request, client_address):
        error = sys.exc_info()[1]
        if not isinstance(error, (ConnectionError, ssl.SSLError)):
            super().handle_error(request, client_address)


def publish(path, text):
    """Whoever sees the file sees all of it."""
    with open(path + ".new", "w", encoding="ascii") as file:
        file.write(text)
    os.rename(path + ".new", path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port-file", required=True, help="where the port is written")
    parser.add_argument("--dir", help="what /file/ serves")
    parser.add_argument("--log", help="where requests are written, one JSON object a line")
    parser.add_argument("--cert", help="certificate and key in one PEM file: serve https")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.ExitStack() as stack:
        log = options.log and stack.enter_context(open(options.log, "a", encoding="utf-8"))
        server = stack.enter_context(Server(options.dir, log or None))
        if options.cert:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(options.cert)
            server.socket = context.wrap_socket(server.socket, server_side=True,
                                                do_handshake_on_connect=False)
        publish(options.port_file, f"{server.server_address[1]}\n")
        server.serve_forever()


if __name__ == "__main__":
    main()
