#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small S3: objects for who signs well, 403 for all others.

    s3_server.py --port-file FILE --dir DIR --key-id ID --secret SECRET [--token TOKEN] [--region REGION] [--log FILE]

Promises to listen on 127.0.0.1 alone, on a port of the kernel's choice that appears in FILE, whole, once
it listens; to write every request, headers included, as one JSON object a line to the log before it
answers; to end on SIGTERM with status 0. GET /BUCKET/KEY is the regular file DIR/BUCKET/KEY; in the
bucket `public` without any signature, too. A signature is computed again from the request as it came,
after the description of Amazon ("Signature Calculations for the Authorization Header", Amazon S3 API
reference), and not with anything of this project. Signed for another region: 400 that names the right
one. Needs no privilege; its clients are the tests.
"""
import argparse
import contextlib
import datetime
import hashlib
import hmac
import http.server
import json
import os
import re
import signal
import sys
import threading
import urllib.parse

UNRESERVED = "-._~"  # with letters and digits, which quote() never touches
SKEW_SECONDS = 15 * 60
AUTHORIZATION = re.compile(r"AWS4-HMAC-SHA256 Credential=([^/,]+)/(\d{8})/([^/,]+)/s3/aws4_request, *"
                           r"SignedHeaders=([a-z0-9;-]+), *Signature=([0-9a-f]{64})")


class Refused(Exception):
    """status, S3's code, headers"""


def canonical_query(query):
    pairs = [part.partition("=") for part in query.split("&") if part]
    quoted = [[urllib.parse.quote_from_bytes(urllib.parse.unquote_to_bytes(text.replace("+", " ")), safe=UNRESERVED)
               for text in (name, value)] for name, _, value in pairs]
    return "&".join(f"{name}={value}" for name, value in sorted(quoted))


def compute(request, names, date, region, secret):
    """The signature that the request should have."""
    path, _, query = request.path.partition("?")
    lines = [f"{name}:{' '.join(','.join(request.headers.get_all(name, [])).split())}\n" for name in names]
    canonical = "\n".join([
        request.command,
        urllib.parse.quote_from_bytes(urllib.parse.unquote_to_bytes(path), safe="/" + UNRESERVED),
        canonical_query(query), "".join(lines), ";".join(names), request.headers["x-amz-content-sha256"]])
    text = "\n".join(["AWS4-HMAC-SHA256", request.headers["x-amz-date"], f"{date}/{region}/s3/aws4_request",
                      hashlib.sha256(canonical.encode("latin-1")).hexdigest()])
    key = b"AWS4" + secret.encode()
    for part in (date, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def check(request, options):
    """Raises Refused unless the request is signed by the one who may read."""
    found = AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
    if not found:
        raise Refused(403, "AccessDenied")
    key_id, date, region, names, signature = found.groups()
    names = names.split(";")
    if key_id != options.key_id:
        raise Refused(403, "InvalidAccessKeyId")
    if request.headers.get("x-amz-security-token") != options.token:
        raise Refused(403, "InvalidToken")
    if region != options.region:
        raise Refused(400, "AuthorizationHeaderMalformed", ("x-amz-bucket-region", options.region))
    must = {"host"} | {name.lower() for name in request.headers if name.lower().startswith("x-amz-")}
    if names != sorted(set(names)) or not must <= set(names):
        raise Refused(403, "AccessDenied")
    if request.headers.get("x-amz-content-sha256") != hashlib.sha256(b"").hexdigest():
        raise Refused(400, "XAmzContentSHA256Mismatch")
    try:
        when = datetime.datetime.strptime(request.headers.get("x-amz-date", ""), "%Y%m%dT%H%M%SZ")
    except ValueError:
        raise Refused(403, "AccessDenied") from None
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    if when.strftime("%Y%m%d") != date or abs((when - now).total_seconds()) > SKEW_SECONDS:
        raise Refused(403, "RequestTimeTooSkewed")
    if not hmac.compare_digest(signature, compute(request, names, date, region, options.secret)):
        raise Refused(403, "SignatureDoesNotMatch")


class Request(http.server.BaseHTTPRequestHandler):
    """One connection, one answer."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "s3", ""

    def do_GET(self):
        self.close_connection = True
        self.server.log(self)
        path = urllib.parse.unquote_to_bytes(self.path.partition("?")[0])
        try:
            if "Authorization" in self.headers or not path.startswith(b"/public/"):
                check(self, self.server.options)
            self.send(200, self.read(path))
        except Refused as refused:
            status, code, *headers = refused.args
            self.send(status, f"<Error><Code>{code}</Code></Error>\n".encode(), *headers)

    def read(self, path):
        if any(part in (b"", b".", b"..") for part in path.split(b"/")[1:]):
            raise Refused(404, "NoSuchKey")
        try:
            with open(os.fsencode(self.server.options.dir) + path, "rb") as file:
                return file.read()
        except OSError:
            raise Refused(404, "NoSuchKey") from None

    def send(self, status, body, *headers):
        self.send_response_only(status)
        for name, value in (("Content-Length", str(len(body))), ("Connection", "close"), *headers):
            self.send_header(name, value)
        self.end_headers()
        with contextlib.suppress(ConnectionError):
            self.wfile.write(body)

    def log_message(self, format, *args):  # pylint: disable=redefined-builtin
        """Silent: the log has it."""


class Server(http.server.ThreadingHTTPServer):
    """A thread for each connection; none of them outlives the server."""

    daemon_threads = True

    def __init__(self, options, log):
        super().__init__(("127.0.0.1", 0), Request)
        self.options = options
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


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port-file", required=True, help="where the port is written")
    parser.add_argument("--dir", required=True, help="has a directory for each bucket")
    parser.add_argument("--key-id", required=True)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--token", help="what must come along with the key")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--log", help="where requests are written, one JSON object a line")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with contextlib.ExitStack() as stack:
        log = options.log and stack.enter_context(open(options.log, "a", encoding="utf-8"))
        server = stack.enter_context(Server(options, log or None))
        with open(options.port_file + ".new", "w", encoding="ascii") as file:
            file.write(f"{server.server_address[1]}\n")
        os.rename(options.port_file + ".new", options.port_file)
        server.serve_forever()


if __name__ == "__main__":
    main()
