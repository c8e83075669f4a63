# SPDX-License-Identifier: Apache-2.0
"""/range/NAME: a file, whole or the range that is asked for, and all that can be wrong with that.

It is right as it stands: 200 or 206, a strong ETag made of inode, size and time, If-Range obeyed, 416 beyond
the end. The query makes it otherwise, KEY=VALUE, each for every request or, with N. (the Nth request
of this very target), N-. (from it on) or -N. (up to it) before the key, for these only:

  etag=weak|none|changing|TEXT    last-modified=TEXT
  status=CODE                     instead of the file
  retry-after=SECONDS|date:SECONDS    besides
  delay=SECONDS                   before the answer
  together=N                      no answer before N requests with it have come
  cut=N, reset=N, stall=N         after N bytes: close, reset, be silent
  rate=N                          bytes a second
  ignore=1                        200 to a Range; unasked=1: 206 without; refuse=TOTAL: 416
  start=N, total=N, length=N      what is announced is N more (or -N)
  content-range=TEXT              verbatim
  chunked=1, nolength=1           without Content-Length; noend=1: without the last chunk
  header=NAME:VALUE               one more; need=NAME:VALUE: 400 without it
"""
import email.utils
import os
import re
import socket
import struct
import time

import ways


def wishes(request):
    """The query, as far as it is meant for this request."""
    result = {}
    for key, value in request.query.items():
        match = re.fullmatch(r"(-?)(\d+)(-?)\.(.+)", key)
        if not match:
            result.setdefault(key, value)
            continue
        upto, number, onward, name = match.groups()
        n = int(number)
        if request.nth == n or (upto and request.nth < n) or (onward and request.nth > n):
            result[name] = value
    return result


def etag_of(status, wish, nth):
    kind = wish.get("etag", "strong")
    tag = f'"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"'
    return {"strong": tag, "weak": "W/" + tag, "none": None,
            "changing": f'"{nth}"'}.get(kind, kind)


def range_of(request, size, etag):
    """(first, end) of what the client may have; None: all of it; (size, size): nothing is there."""
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("Range", ""))
    condition = request.headers.get("If-Range")
    if not match or (condition is not None and
                     (condition != etag or condition.startswith("W/"))):
        return None
    first = int(match[1])
    end = min(size, int(match[2]) + 1) if match[2] else size
    return (first, end) if first < end else (size, size)


def retry_after(text):
    if text.startswith("date:"):
        return email.utils.formatdate(time.time() + float(text[5:]), usegmt=True)
    return text


def common_headers(wish, etag):
    headers = [("Accept-Ranges", "bytes"), ("ETag", etag),
               ("Last-Modified", wish.get("last-modified")),
               ("Retry-After", wish.get("retry-after") and retry_after(wish["retry-after"])),
               tuple(wish["header"].split(":", 1)) if "header" in wish else ("", None)]
    return [(name, value) for name, value in headers if value]


def send_body(request, file, first, count, wish):
    """Up to the point where it is to break off; true if that was before the end."""
    stop = min([count] + [int(wish[key]) for key in ("cut", "reset", "stall") if key in wish])
    if "rate" in wish:
        step = max(1, min(ways.BLOCK, int(wish["rate"]) // 50))
        file.seek(first)
        sent = 0
        while sent < stop:
            block = file.read(min(step, stop - sent))
            request.body(block)
            request.wfile.flush()
            sent += len(block)
            time.sleep(len(block) / int(wish["rate"]))
    elif "chunked" in wish:
        file.seek(first)
        sent = 0
        while sent < stop:
            block = file.read(min(ways.BLOCK, stop - sent))
            request.wfile.write(b"%x\r\n" % len(block))
            request.body(block)
            request.wfile.write(b"\r\n")
            sent += len(block)
        if stop == count and "noend" not in wish:
            request.wfile.write(b"0\r\n\r\n")
    elif stop:
        request.body_of_file(file, first, stop)
    return stop < count


def break_off(request, wish):
    if "stall" in wish:
        while request.connection.recv(ways.BLOCK):
            pass
    if "reset" in wish:  # no FIN but RST
        request.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                      struct.pack("ii", 1, 0))
        request.connection.close()


def announced(size, part, wish):
    """Status and headers for this part of a file; part None: all of it."""
    first, end = part or (0, size)
    headers = []
    if part is not None:
        given = f"bytes {first + int(wish.get('start', 0))}-{end - 1}/{size + int(wish.get('total', 0))}"
        headers.append(("Content-Range", wish.get("content-range", given)))
    if "chunked" in wish:
        headers.append(("Transfer-Encoding", "chunked"))
    elif "nolength" not in wish:
        headers.append(("Content-Length", str(end - first + int(wish.get("length", 0)))))
    return (200 if part is None else 206), headers


def needed(request, wish):
    name, _, value = wish.get("need", "").partition(":")
    return not name or request.headers.get(name) == value


def serve_range(request):
    """/range/NAME[?KEY=VALUE&…]"""
    wish = wishes(request)
    time.sleep(float(wish.get("delay", 0)))
    if "together" in wish:
        request.server.gather(int(wish["together"]))
    file = ways.open_file(request)
    if file is None:
        return ways.not_found(request)
    with file:
        status = os.fstat(file.fileno())
        etag = etag_of(status, wish, request.nth)
        headers = common_headers(wish, etag)
        if not needed(request, wish):
            return request.send(400, b"a header is missing\n")
        if "status" in wish:
            return request.send(int(wish["status"]), b"not now\n", *headers)
        part = range_of(request, status.st_size, etag)
        if "ignore" in wish:
            part = None
        elif "unasked" in wish and part is None:
            part = (0, status.st_size)
        if "refuse" in wish or part == (status.st_size, status.st_size):
            total = wish.get("refuse", str(status.st_size))
            return request.send(416, b"", ("Content-Range", f"bytes */{total}"), *headers)
        code, more = announced(status.st_size, part, wish)
        request.start(code, *headers, *more)
        first, end = part or (0, status.st_size)
        if send_body(request, file, first, end - first, wish):
            break_off(request, wish)
    return None
