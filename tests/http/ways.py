# SPDX-License-Identifier: Apache-2.0
"""The ways in which the test server answers: each path of HANDLERS is one way to be wrong, or right.

What a path takes stands at its function. Files come from the server's directory alone.
"""
import base64
import os
import stat
import time
import urllib.parse

BLOCK = 64 * 1024


def open_file(request):
    """The file that the rest of the path names; None if there is none."""
    name = urllib.parse.unquote(request.rest)
    directory = request.server.directory
    if directory is None or "/" in name or name in ("", ".", ".."):
        return None
    try:
        fd = os.open(os.path.join(directory, name), os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        return None
    return open(fd, "rb")


def serve_file(request):
    """/file/NAME"""
    file = open_file(request)
    if file is None:
        return not_found(request)
    with file:
        size = os.fstat(file.fileno()).st_size
        request.start(200, ("Content-Length", str(size)))
        if size:
            request.body_of_file(file, 0, size)
    return None


def serve_status(request):
    """/status/CODE[/NAME]: with a body, where that status has one"""
    status = int(request.rest.partition("/")[0])
    request.send(status, b"" if status < 200 or status in (204, 304) else b"this is no artifact\n")


def serve_redirect(request):
    """/redirect[/…]?to=URL[&status=CODE&pad=N]: to64: the same in base64; pad: N more bytes"""
    query = request.query
    target = query["to"] if "to" in query else base64.b64decode(query["to64"]).decode()
    request.redirect(target + "0" * int(query.get("pad", "0")), int(query.get("status", "302")))


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
    request.body(b"s" * 60)


def serve_chunked(request):
    """/chunked/NAME: right"""
    request.start(200, ("Transfer-Encoding", "chunked"))
    request.body(b"3\r\nHel\r\n3\r\nlo\n\r\n0\r\n\r\n")


def serve_chunked_cut(request):
    """/chunked-cut/NAME: ends within a chunk"""
    request.start(200, ("Transfer-Encoding", "chunked"))
    request.body(b"40\r\n" + b"c" * 30)


def serve_until_close(request):
    """/until-close/NAME: no length; whole, but nothing proves it"""
    request.start(200)
    request.body(b"Hello\n")


def serve_endless(request):
    """/endless/NAME[?status=CODE]: no length and no end"""
    request.start(int(request.query.get("status", "200")))
    while True:
        request.body(b"e" * BLOCK)


def serve_huge(request):
    """/huge/NAME: announces 1 EiB"""
    request.start(200, ("Content-Length", str(1 << 60)))
    request.body(b"h" * BLOCK)


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
        request.body(b".")
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
        request.body(b"HTTP/1.1 103 Early Hints\r\nContent-Encoding: gzip\r\n\r\n")
    request.send(200, b"Hello\n")


def serve_old(request):
    """/http09/NAME: bytes without any head"""
    request.body(b"Hello\n")


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
