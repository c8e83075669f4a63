# SPDX-License-Identifier: Apache-2.0
"""Fetching, verifying and unpacking, beside the programs that people use for that.

Promises that all get the same bytes from the same server on this host (tests/http/server.py, which sends
files with sendfile), and write them to the same place, from which each first removes what is there.
Writes only below the folder it is given. Runs as root; trusts what it starts.
"""
import contextlib
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
import time

from contestants import NX, Launch, present

SERVER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../http/server.py")
PEERS = ("curl", "wget2", "aria2c", "openssl", "sha256sum", "tar")
UNPACKED_FILES = 20000
MIB = 1 << 20

# What is compared with what: the row's name, ours, the other, the target of ours / other.
PAIRS = (
    ("fetch with sha256", "fetch", "curl, then sha256sum", "≤ 0.35"),
    ("fetch with sha256", "fetch", "curl", "≤ 1.20"),
    ("fetch with sha256", "fetch", "wget2", ""),
    ("fetch with sha256", "fetch", "aria2c", ""),
    ("fetch of what is cached", "fetch cached", None, "≤ 10 ms"),
    ("verify sha256", "verify", "openssl dgst", "≤ 1.05"),
    ("verify sha256", "verify", "sha256sum", "≤ 0.30"),
    (f"unpack {UNPACKED_FILES} files of a tar.gz", "unpack", "tar", "≤ 1.00"),
)
OURS = ("fetch", "fetch cached", "verify", "unpack")
# Alternating within a group only: the disk is still busy with what one group wrote when it ends.
GROUPS = (("fetch", "curl, then sha256sum", "curl", "wget2", "aria2c"), ("fetch cached",),
          ("verify", "openssl dgst", "sha256sum"), ("unpack", "tar"))
RSS_TARGET = "≤ 24 MiB"


def write_large(path, size_mib):
    """A file of blocks that do not compress; returns its sha256."""
    digest, block = hashlib.sha256(), os.urandom(MIB)
    with open(path, "wb") as file:
        for _ in range(size_mib):
            file.write(block)
            digest.update(block)
    return digest.hexdigest()


def write_archive(path):
    """A tar.gz of many small files, such as a source tree is; returns its sha256."""
    text = os.urandom(512).hex().encode()
    with tarfile.open(path, "w:gz", compresslevel=6) as archive:
        for n in range(UNPACKED_FILES):
            entry = tarfile.TarInfo(f"tree/{n % 200}/{n}")
            entry.size, entry.mode = len(text), 0o644
            archive.addfile(entry, io.BytesIO(text))
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


@contextlib.contextmanager
def server(tmp):
    """The address of a server of what is in the folder; it lasts as long as the context."""
    port_file = os.path.join(tmp, "port")
    with subprocess.Popen([sys.executable, SERVER, "--port-file", port_file, "--dir", tmp]) as own:
        try:
            while not os.path.exists(port_file):
                if own.poll() is not None:
                    raise OSError("the test server did not start")
                time.sleep(0.01)
            with open(port_file, encoding="ascii") as file:
                yield f"http://127.0.0.1:{file.read().strip()}"
        finally:
            own.terminate()


def shell(script, *arguments):
    return ["/bin/sh", "-c", script, "sh", *arguments]


def commands(tmp, web, large_sum, archive_sum):
    """{name: Launch}, of those that are here"""
    large, output = os.path.join(tmp, "large.bin"), os.path.join(tmp, "output")
    url, archive = web + "/range/large.bin", os.path.join(tmp, "tree.tar.gz")
    sha256 = "sha256:" + large_sum
    curl = ["curl", "-q", "-sS", "-o", output, url]
    # Each round unpacks into a folder of its own: removing the last one would be timed as well.
    into = 'd=$(mktemp -d "$1/tree.XXXXXX") || exit; shift; '
    # Nobody is made to wait for the disk to take what the one before has written.
    anew = 'out=$1; shift; rm -f "$out"; '
    found = {
        "fetch": shell(anew + 'exec "$@"', output, NX, "--quiet", "fetch", "--no-cache",
                       "--checksum", sha256, "--output", output, url),
        "curl, then sha256sum": shell(anew + '"$@" && exec sha256sum "$out" >/dev/null', output,
                                      *curl),
        "curl": shell(anew + 'exec "$@"', output, *curl),
        "wget2": shell(anew + 'exec "$@"', output, "wget2", "--no-config", "-q", "-O", output, url),
        "aria2c": shell(anew + 'exec "$@"', output, "aria2c", "--no-conf", "-q",
                        "--file-allocation=none", "-d", tmp, "-o", "output", url),
        "fetch cached": [NX, "--quiet", "fetch", "--cache-dir", os.path.join(tmp, "cache"), "--force",
                         "--checksum", sha256, "--output", os.path.join(tmp, "cached"), url],
        "verify": [NX, "verify", "--checksum", sha256, large],
        "openssl dgst": ["openssl", "dgst", "-sha256", large],
        "sha256sum": ["sha256sum", large],
        "unpack": shell(into + f'exec {NX} --quiet fetch --checksum sha256:{archive_sum} --no-cache '
                        '--destination "$d" "$@"', tmp, archive),
        "tar": shell(into + 'exec tar -xzf "$1" -C "$d"', tmp, archive),
    }
    programs = {name: NX if name in OURS else shutil.which(name.split(",")[0].split(" ")[0])
                for name in found}
    return {name: Launch([argv[0] if "/" in argv[0] else programs[name], *argv[1:]])
            for name, argv in found.items() if programs[name] and present(programs[name])}


def run(timer, tmp, size_mib, rounds):
    """What each round cost: one to warm up, which also fills the cache, and these."""
    large_sum = write_large(os.path.join(tmp, "large.bin"), size_mib)
    archive_sum = write_archive(os.path.join(tmp, "tree.tar.gz"))
    samples = {}
    with server(tmp) as web:
        here = commands(tmp, web, large_sum, archive_sum)
        for group in GROUPS:
            samples |= timer.run({name: here[name] for name in group if name in here}, rounds, 1)
            os.sync()
    return samples
