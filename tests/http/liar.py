# SPDX-License-Identifier: Apache-2.0
"""Answers that are wrong where parts of a file meet, each by its path, one a connection.

  /boundary   all of it, but the first connection sends 8 MiB exactly, pauses, and breaks off
  /longer     first 16 bytes of a chunked body; then a part that has no end, of 100 bytes in all
  /unknown    first 16 bytes of a chunked body; then four more, of a total that is not told
  /tagless    first 20 of 40 bytes with an ETag; then the rest, of another file, without one
  /moved      all of it; parts that begin behind 24 MiB are redirected, once
"""
import argparse
import os
import random
import re
import socketserver
import threading
import time

SIZE = 64 << 20
BLOCK = 8 << 20
DATA = random.Random(7).randbytes(1 << 20) * (SIZE >> 20)
asked = {}
lock = threading.Lock()


def head(status, *lines):
    return "\r\n".join([f"HTTP/1.1 {status}", "Connection: close", *lines, "", ""]).encode()


def part(first, last, total, *lines):
    return head("206 Part", f"Content-Range: bytes {first}-{last}/{total}", *lines)


def whole_or_part(send, first, last):
    if first is None:
        send(head("200 OK", f"Content-Length: {SIZE}", 'ETag: "a"', "Accept-Ranges: bytes"))
        return 0, SIZE
    last = min(last or SIZE - 1, SIZE - 1)
    send(part(first, last, SIZE, f"Content-Length: {last + 1 - first}", 'ETag: "a"'))
    return first, last + 1


def boundary(send, first, last, nth):
    start, end = whole_or_part(send, first, last)
    if nth == 1:
        send(DATA[:BLOCK])
        time.sleep(1.8)  # long enough to be helped
        return
    for at in range(start, end, 1 << 18):
        send(DATA[at:min(at + (1 << 18), end)])
        time.sleep(0.01)


def longer(send, first, _last, nth):
    if first is None:
        send(head("200 OK", "Transfer-Encoding: chunked", 'ETag: "a"', "Accept-Ranges: bytes") + b"10\r\n" + b"x" * 16 + b"\r\n")
        return
    send(part(first, 99, 100, "Transfer-Encoding: chunked", 'ETag: "a"'))
    for _ in range(4000):
        send(b"10000\r\n" + b"y" * 65536 + b"\r\n")


def unknown(send, first, _last, nth):
    if first is None:
        send(head("200 OK", "Transfer-Encoding: chunked", 'ETag: "a"', "Accept-Ranges: bytes") + b"10\r\n" + b"x" * 16 + b"\r\n")
    else:
        send(part(first, first + 3, "*", "Content-Length: 4", 'ETag: "a"') + b"zzzz")


def tagless(send, first, _last, nth):
    if first is None and nth == 1:
        send(head("200 OK", "Content-Length: 40", 'ETag: "old"', "Accept-Ranges: bytes") + b"A" * 20)
    elif first is None:
        send(head("200 OK", "Content-Length: 40", 'ETag: "new"') + b"B" * 40)
    else:
        send(part(first, 39, 40, f"Content-Length: {40 - first}") + b"B" * (40 - first))


def moved(send, first, last, nth):
    if first is not None and first >= 3 * BLOCK and "moved" not in asked:
        asked["moved"] = True
        send(head("302 Found", "Location: /moved?2", "Content-Length: 0"))
        return
    boundary(send, first, last, 2)


class Connection(socketserver.BaseRequestHandler):
    def handle(self):
        text = b""
        while b"\r\n\r\n" not in text:
            got = self.request.recv(65536)
            if not got:
                return
            text += got
        target = text.split(b" ")[1].decode()
        with lock:
            nth = asked[target] = asked.get(target, 0) + 1
        wish = re.search(rb"(?i)\r\nrange: bytes=(\d+)-(\d*)\r\n", text)
        first = int(wish[1]) if wish else None
        last = int(wish[2]) if wish and wish[2] else None
        try:
            globals()[target.split("?")[0].strip("/")](self.request.sendall, first, last, nth)
        except OSError:
            pass  # the client has had enough


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port-file", required=True)
    parser.add_argument("--data", required=True, help="where what /boundary and /moved send is written")
    options = parser.parse_args()
    with open(options.data, "wb") as file:
        file.write(DATA)
    socketserver.ThreadingTCPServer.daemon_threads = True
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Connection) as server:
        with open(options.port_file + ".new", "w", encoding="ascii") as file:
            file.write(str(server.server_address[1]))
        os.rename(options.port_file + ".new", options.port_file)
        server.serve_forever()


main()
