#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""make.py DIR: writes into DIR the archives that tests/run/56-unpack.sh unpacks, and DIR/cases, which says what has to
come of each. A line of cases has three fields with tabs between them:

    FILE  refused  the whole message after "unpack FILE: "; a * stands for anything
    FILE  is       what is then in the destination: NAME=KIND,MODE,SIZE[,TARGET] of everything, sorted, blanks between

Standard library alone. Nothing here is random, and nothing is larger than a few megabytes.
"""

import bz2
import gzip
import io
import lzma
import os
import struct
import sys
import tarfile
import zipfile
import zlib

OUT = sys.argv[1]
CASES = []
WHEN = 1_000_000_000  # 2001-09-09


def case(name, verdict, expected, data):
    with open(os.path.join(OUT, name), "wb") as file:
        file.write(data)
    CASES.append(f"{name}\t{verdict}\t{expected}\n")


# --- entries, as tar and as zip ---

KINDS = {"f": tarfile.REGTYPE, "d": tarfile.DIRTYPE, "l": tarfile.SYMTYPE, "h": tarfile.LNKTYPE,
         "c": tarfile.CHRTYPE, "b": tarfile.BLKTYPE, "p": tarfile.FIFOTYPE}
ZIP_KINDS = {"f": 0o100000, "d": 0o040000, "l": 0o120000, "c": 0o020000, "b": 0o060000, "p": 0o010000, "s": 0o140000}


class Entry:
    def __init__(self, kind, name, data="", mode=None, mtime=WHEN, pax=None):
        self.kind, self.name, self.mtime, self.pax = kind, name, mtime, pax or {}
        self.data = data.encode() if isinstance(data, str) else data
        self.mode = mode if mode is not None else (0o755 if kind == "d" else 0o644)


def f(name, data="foo\n", **kw):
    return Entry("f", name, data, **kw)


def d(name, **kw):
    return Entry("d", name, **kw)


def l(name, target):
    return Entry("l", name, target, 0o777)


def h(name, target):
    return Entry("h", name, target)


def tar(entries, form=tarfile.PAX_FORMAT, pax=None, end=True):
    """The bytes of a tar archive; names are written as they are."""
    out = io.BytesIO()
    writer = tarfile.open(fileobj=out, mode="w", format=form, pax_headers=pax or {}, errors="surrogateescape")
    for entry in entries:
        info = tarfile.TarInfo(entry.name)
        info.type, info.mode, info.mtime, info.pax_headers = KINDS[entry.kind], entry.mode, entry.mtime, entry.pax
        info.uid, info.gid, info.uname, info.gname = 1234, 1234, "root", "root"
        if entry.kind == "c":
            info.devmajor, info.devminor = 1, 3
        if entry.kind in "lh":
            info.linkname = entry.data.decode("utf-8", "surrogateescape")
            writer.addfile(info)
        else:
            info.size = len(entry.data)
            writer.addfile(info, io.BytesIO(entry.data))
    if end:
        writer.close()
    return out.getvalue()


def zipped(entries):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as writer:
        for entry in entries:
            info = zipfile.ZipInfo("x", (2001, 9, 9, 1, 46, 40))
            info.filename = entry.name + ("/" if entry.kind == "d" and not entry.name.endswith("/") else "")
            info.external_attr = (ZIP_KINDS[entry.kind] | entry.mode) << 16
            info.create_system = 3
            info.compress_type = zipfile.ZIP_DEFLATED
            writer.writestr(info, entry.data)
    return out.getvalue()


# --- compression ---

def zst(data, window=None):
    """A frame of RLE and raw blocks (RFC 8878): the library has no zstd."""
    head = b"\x28\xb5\x2f\xfd" + (b"\xa0" + struct.pack("<I", len(data)) if window is None else bytes([0, window]))
    out, at = [head], 0
    while True:
        part = data[at:at + 65536]
        at += len(part)
        out.append(struct.pack("<I", len(part) << 3 | (at >= len(data)))[:3] + part)
        if at >= len(data):
            return b"".join(out)


def zst_of_zeros(count):
    """A bomb: each block of four bytes is 128 KiB of zeros."""
    blocks = count >> 17
    body = (struct.pack("<I", 1 << 20 | 1 << 1)[:3] + b"\0") * blocks
    return b"\x28\xb5\x2f\xfd\x00\x38" + body + struct.pack("<I", 1)[:3]


def gz(data):
    return gzip.compress(data, mtime=0)


FILTERS = {"tar": lambda data: data, "tar.gz": gz, "tar.bz2": bz2.compress, "tar.xz": lzma.compress, "tar.zst": zst}


def both(name, expected, entries, tar_only=False, zip_expected=None):
    """Refused as tar and as zip."""
    case(name + ".tar", "refused", expected, tar(entries))
    if not tar_only:
        case(name + ".zip", "refused", zip_expected or expected, zipped(entries))


# --- names that lead elsewhere, or deceive ---

def names():
    dots, absolute = "it has a .. in it", "it is absolute"
    control = "it has a control character in it, or is not UTF-8"
    for label, name, why in (
            ("absolute", "/etc/x", absolute), ("double-slash", "//x", absolute),
            ("dots", "../x", dots), ("dots-behind-dot", "./../x", dots), ("dots-inside", "a/../../x", dots),
            ("dots-alone", "..", dots), ("dots-at-end", "a/..", dots),
            ("backslash", "..\\x", "it has a backslash in it"), ("backslash-inside", "a\\b", "it has a backslash in it"),
            ("drive", "C:x", "it begins with the name of a drive"),
            ("drive-directory", "c:/x", "it begins with the name of a drive"),
            ("ours", "a/.nomad-exec-place-1/x", "names that begin with .nomad-exec- are taken"),
            ("ours-alone", ".nomad-exec-x", "names that begin with .nomad-exec- are taken"),
            ("partial", ".other.bin.part", "it has the name of a partial download"),
            ("partial-state", "a/.other.bin.part.state", "it has the name of a partial download"),
            ("part-of-256", "a/" + "p" * 256, "a part of it is longer than 255 bytes"),
            ("depth-65", "d/" * 64 + "x", "it lies too deep"),
            ("depth-2000", "d/" * 2000 + "x", "it lies too deep")):
        both("name-" + label, f"entry {name[:255]}: {why}", [f("good"), f(name)])
    both("name-5000-bytes", "entry " + ("d" * 99 + "/") * 2 + "d" * 55 + ": it is longer than 4096 bytes",
         [f("good"), f(("d" * 99 + "/") * 50 + "x")])
    for label, name in (("newline", "a\nb"), ("escape", "a\x1b[31mb"), ("delete", "a\x7fb"), ("c1", "a\u009bb")):
        shown = "a??b" if label == "c1" else name.replace("\n", "?").replace("\x1b", "?").replace("\x7f", "?")
        both("name-" + label, f"entry {shown}: {control}", [f("good"), f(name)])
    case("name-not-utf8.tar", "refused", f"entry a??b: {control}",
         tar([f("good"), f("a\udcff\udcfeb")], tarfile.USTAR_FORMAT))
    case("name-not-utf8-pax.tar", "refused", "*entry a*", with_pax(b"path", b"a\xff\xfeb"))
    # What is behind a NUL is no part of any name: the file is what it would be without.
    case("name-nul-pax.tar", "is", "a=f,644,4", with_pax(b"path", b"a\0b"))
    case("name-empty.tar", "refused", "an entry has no name, or one that is not UTF-8", raw_tar(b""))
    both("name-demo", f"entry ../demo.poc: {dots}", [f("../demo.poc"), f("main.tf")])
    for form in ("tar.gz", "tar.zst", "tar.bz2", "tar.xz"):
        case("name-demo." + form, "refused", f"entry ../demo.poc: {dots}",
             FILTERS[form](tar([f("../demo.poc"), f("main.tf")])))
    # A header of the extended kind decides, whatever the plain one says.
    case("name-override.tar", "refused", f"entry ../x: {dots}", with_pax(b"path", b"../x"))
    case("name-override-link.tar", "refused", "entry harmless: it is a link to /etc/passwd: what it links to is absolute",
         with_pax(b"linkpath", b"/etc/passwd", kind=b"2"))
    case("name-gnu-long.tar", "refused", "entry ../" + "n" * 200 + f": {dots}",
         tar([f("../" + "n" * 200)], tarfile.GNU_FORMAT))


def header(name, size=0, kind=b"0", link=b"", mtime=b"%011o" % WHEN, size_field=None, magic=b"ustar\x0000"):
    """One block, with fields as they are given."""
    block = bytearray(512)
    block[0:len(name)] = name
    block[100:108] = b"0000644\0"
    block[108:124] = b"0000000\0" * 2
    block[124:136] = size_field or b"%011o\0" % size
    block[136:136 + len(mtime)] = mtime
    block[148:156] = b" " * 8
    block[156:157] = kind
    block[157:157 + len(link)] = link
    block[257:265] = magic
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(data):
    return data + bytes(-len(data) % 512)


def raw_tar(name, data=b"foo\n", **kw):
    return header(name, len(data), **kw) + padded(data) + bytes(1024)


def pax_record(key, value):
    size = len(key) + len(value) + 3
    while len(str(size)) + len(key) + len(value) + 3 != size:
        size = len(str(size)) + len(key) + len(value) + 3
    return b"%d %s=%s\n" % (size, key, value)


def with_pax(key, value, kind=b"0", data=b"foo\n"):
    record = pax_record(key, value)
    if kind != b"0":
        data = b""
    return header(b"pax", len(record), kind=b"x") + padded(record) + raw_tar(b"harmless", data, kind=kind, link=b"good")


# --- links ---

def links():
    absolute, outside = "what it links to is absolute", "it links to outside of the archive"
    for label, name, target, why in (
            ("absolute", "l", "/etc/passwd", absolute), ("dots", "l", "../x", outside),
            ("dots-alone", "l", "..", outside), ("dots-deep", "a/b/l", "../../../x", outside),
            ("dots-inside", "l", "a/../../x", "what it links to has a .. after a name"),
            ("dots-behind-link", "l", "deep/er/up/../x", "what it links to has a .. after a name"),
            ("dot-and-dots", "l", "./../x", outside), ("drive", "l", "C:x", absolute)):
        both("link-" + label, f"entry {name}: it is a link to {target}: {why}", [f("good"), l(name, target)])
    both("link-control", "entry l: it is a link to a?b: what it links to has a control character or a backslash in it, "
         "is not UTF-8, or too long", [l("l", "a\nb")])
    below = "it lies below {}, which is a link or a file in this archive"
    both("through-link", "entry l/x: " + below.format("l"), [d("a"), l("l", "a"), f("l/x")])
    both("through-link-deep", "entry a/l/b/x: " + below.format("l"), [d("a/b"), l("a/l", "b"), f("a/l/b/x")])
    both("through-file", "entry a/x: " + below.format("a"), [f("a"), f("a/x")])
    both("through-two-links", "entry b/x: " + below.format("b"), [d("a"), l("b", "a"), f("a/y"), f("b/x")])
    was = "it is a directory here, and was a link or a file before"
    both("directory-over-link", f"entry l/: {was}", [d("a"), l("l", "a"), d("l/")], zip_expected=f"entry l/: {was}")
    both("directory-over-file", f"entry l/: {was}", [f("l"), d("l/")])
    both("file-over-directory", "entry a: it was a directory before", [f("a/x"), f("a")])
    both("link-over-directory", "entry a: it was a directory before", [f("a/x"), l("a", "b")])
    # A link that was replaced by a file is a file; nothing was written through it.
    expected = "victim=f,644,7 x=f,644,4"
    case("file-over-link.tar", "is", expected, tar([f("victim", "victim\n"), l("x", "victim"), f("x")]))
    case("file-over-file.tar", "is", "x=f,644,4", tar([f("x", "old one\n"), f("x")]))
    case("link-over-link.tar", "is", "x=l,777,1,b", tar([l("x", "a"), l("x", "b")]))
    no_file = "which is no file of this archive"
    for label, target, why in (("absent", "none", f"it is a hard link to none, {no_file}"),
                               ("absolute", "/etc/passwd", "it is a hard link to /etc/passwd: it is absolute"),
                               ("dots", "../x", "it is a hard link to ../x: it has a .. in it"),
                               ("link", "l", f"it is a hard link to l, {no_file}"),
                               ("through-link", "al/f", f"it is a hard link to al/f, {no_file}"),
                               ("directory", "a", f"it is a hard link to a, {no_file}")):
        both("hard-" + label, f"entry h: {why}", [f("a/f"), l("l", "a/f"), l("al", "a"), h("h", target)], tar_only=True)
    # The file that is written to last is a new one, not the one with two names.
    case("hard-then-file.tar", "is", "a=f,644,4 b=f,644,8", tar([f("a"), h("b", "a"), f("b", "another\n")]))
    case("hard-to-itself.tar", "is", "a=f,644,4", tar([f("a"), h("a", "a")]))
    case("hard-good.tar", "is", "a=f,644,4 d=d,755 d/b=f,644,4", tar([f("a"), h("d/b", "./a")]))
    record = pax_record(b"size", b"4")
    case("hard-with-content.tar", "refused", "entry h: it is a hard link with a content",
         header(b"a", 4) + padded(b"foo\n") + header(b"pax", len(record), kind=b"x") + padded(record) +
         header(b"h", 4, kind=b"1", link=b"a") + padded(b"new\n") + bytes(1024))


def kinds():
    for label, kind, why in (("character-device", "c", "it is a device"), ("block-device", "b", "it is a device"),
                             ("fifo", "p", "it is a fifo")):
        both("kind-" + label, f"entry x: {why}", [f("good"), Entry(kind, "x")])
    case("kind-socket.zip", "refused", "entry x: it is a socket", zipped([f("good"), Entry("s", "x")]))
    data = zipped([f("good"), f("secret")])
    at = data.index(b"PK\3\4", 4)
    central = data.index(b"PK\1\2", data.index(b"PK\1\2") + 4)
    data = bytearray(data)
    data[at + 6] |= 1
    data[central + 8] |= 1
    case("encrypted.zip", "refused", "entry secret: it is encrypted", bytes(data))
    aes = bytearray(data)
    aes[at + 8:at + 10] = aes[central + 10:central + 12] = struct.pack("<H", 99)
    case("encrypted-aes.zip", "refused", "*entry secret*encrypted*", bytes(aes))


# --- what is empty, cut, broken or longer than it is ---

def broken():
    for form, compress in FILTERS.items():
        case("empty." + form, "refused", "the archive is empty", compress(bytes(10240)))
        case("top-alone." + form, "refused", "the archive is empty", compress(tar([d("./")])))
        case("endless-text." + form, "refused", f"it should be {form}, but its content is none of the formats that are "
             "known", b"just text\n" * 100)
        case("html." + form, "refused", f"it should be {form}, but its content is HTML or XML", b"<html>log in</html>")
        case("zero-bytes." + form, "refused", f"it should be {form}, but its content is empty", b"")
    case("empty.zip", "refused", "the archive is empty", zipped([]))
    case("zero-bytes.zip", "refused", "it should be zip, but its content is empty", b"")
    case("really-zip.tar.gz", "refused", "it should be tar.gz, but its content is zip", zipped([f("x")]))
    case("really-gz.zip", "refused", "it should be zip, but its content is gz", gz(b"x"))
    case("really-xz.tgz", "refused", "it should be tgz, but its content is xz", lzma.compress(tar([f("x")])))
    case("really-tar.tar.gz", "refused", "it should be tar.gz, but its content is tar", tar([f("x")]))
    case("no-tar-inside.tar.gz", "refused", "*the archive is damaged: *", gz(b"just text\n" * 200))
    case("twice.tar.gz", "refused", "*the archive is damaged: *", gz(gz(tar([f("x")]))))
    random = bytes(zlib.crc32(bytes([i & 255, i >> 8])) & 255 for i in range(60000))
    good = tar([f("a", random), f("b")])
    for form, compress in FILTERS.items():
        whole = compress(good)
        case("cut-half." + form, "refused", "*", whole[:len(whole) // 2])
        case("cut-last-byte." + form, "refused", "*", (whole if form != "tar" else whole.rstrip(b"\0"))[:-1])
        case("trailing-text." + form, "refused", "*", whole + b"trailing text, which is no part of it")
        case("data-behind-end." + form, "refused", "there is something behind its end", compress(good + tar([f("c")])))
        case("no-end." + form, "refused", "the archive is cut: its end is missing",
             compress(tar([f("a"), f("b", "x" * 512)], end=False)))
    zipfile_good = zipped([f("a", random), f("b")])
    case("cut-half.zip", "refused", "*", zipfile_good[:len(zipfile_good) // 2])
    case("cut-last-byte.zip", "refused", "*", zipfile_good[:-1])
    case("prefixed.zip", "refused", "it should be zip, but its content is none of the formats that are known",
         b"#!/bin/sh\n" + zipfile_good)
    for name, data, at in (("crc.tar.gz", gz(good), -8), ("length.tar.gz", gz(good), -4),
                           ("crc.gz", gz(random), -6), ("crc.tar.bz2", bz2.compress(good), 12),
                           ("crc.bz2", bz2.compress(random), 11), ("crc.tar.xz", lzma.compress(good), -40),
                           ("index.tar.xz", lzma.compress(good), -15), ("footer.tar.xz", lzma.compress(good), -3),
                           ("crc.zip", zipfile_good, zipfile_good.index(b"PK\3\4") + 14)):
        bad = bytearray(data)
        bad[at] ^= 0x55
        if name == "crc.zip":
            bad[zipfile_good.index(b"PK\1\2") + 16] ^= 0x55
        case("bad-" + name, "refused", "*", bytes(bad))
    bad = bytearray(good)
    bad[148] ^= 1
    case("bad-header.tar", "refused", "it should be tar, but its content is none of the formats that are known", bytes(bad))
    case("bad-second-header.tar", "refused", "*the archive is damaged: *", good[:512 + 60416 + 148] + b"9" +
         good[512 + 60416 + 149:])
    case("two-members.tar.gz", "is", "a=f,644,60000 b=f,644,4", gz(good[:30000]) + gz(good[30000:]))
    case("two-streams.tar.bz2", "is", "a=f,644,60000 b=f,644,4", bz2.compress(good[:30000]) + bz2.compress(good[30000:]))
    case("two-streams.tar.xz", "is", "a=f,644,60000 b=f,644,4", lzma.compress(good[:30000]) + lzma.compress(good[30000:]))
    case("two-frames.tar.zst", "is", "a=f,644,60000 b=f,644,4", zst(good[:30000]) + zst(good[30000:]))
    case("window-2-gib.tar.zst", "refused", "*", zst(good, window=21 << 3))
    case("size-8-eib.tar", "refused", "*", header(b"x", size_field=b"\x80" + b"\0" * 3 + b"\x7f" + b"\xff" * 7) + bytes(1536))
    case("size-negative.tar", "refused", "*", header(b"x", size_field=b"\xff" * 12) + bytes(1536))
    case("size-override.tar", "refused", "*", with_pax(b"size", b"9223372036854775807"))
    case("mtime-base-256.tar", "is", "x=f,644,4", raw_tar(b"x", mtime=b"\x80" + b"\0" * 10 + b"\x01"))
    case("mtime-before-1970.tar", "is", "x=f,644,4", raw_tar(b"x", mtime=b"\xff" * 11 + b"\x9c"))


def zips():
    """A local header and the directory at the end that do not agree, and the like."""
    data = zipped([f("inside", "content")])
    case("headers-differ-name.zip", "refused", "*", data.replace(b"inside", b"../abc", 1))
    central = data.index(b"PK\1\2")
    at = data.index(b"inside", central)
    case("headers-differ-central.zip", "refused", "*", data[:at] + b"../abc" + data[at + 6:])
    case("headers-differ-harmless.zip", "refused", "*", data[:at] + b"beside" + data[at + 6:])
    bad = bytearray(data)
    bad[central + 24:central + 28] = struct.pack("<I", 1 << 30)
    case("headers-differ-size.zip", "refused", "*", bytes(bad))
    bad = bytearray(data)
    bad[central + 42:central + 46] = struct.pack("<I", 1 << 29)
    case("header-outside.zip", "refused", "*", bytes(bad))
    end = data.index(b"PK\5\6")
    bad = bytearray(data)
    bad[end + 4:end + 8] = struct.pack("<HH", 1, 1)
    case("many-disks.zip", "refused", "*", bytes(bad))
    case("overlapping.zip", "refused", "*", overlapping(200))
    case("overlapping-same.zip", "refused", "*", overlapping(3, same=True))


def overlapping(count, same=False):
    """Directory entries that all mean one kernel of compressed zeros."""
    content = bytes(1 << 20)
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = packed.compress(content) + packed.flush()
    crc = zlib.crc32(content)

    def fields(name):
        return struct.pack("<HHHHHIIIHH", 20, 0, 8, 0, 0x2b29, crc, len(body), len(content), len(name), 0)
    local = b"PK\3\4" + fields(b"000") + b"000" + body
    central = b""
    for i in range(count):
        name = b"000" if same else b"%03d" % i
        central += b"PK\1\2" + struct.pack("<H", 0x314) + fields(name) + struct.pack("<HHHII", 0, 0, 0, 0o100644 << 16, 0)
        central += name
    return local + central + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count, count, len(central), len(local), 0)


def bombs():
    much = "entry zeros: it unpacks to more than * bytes, 200 times its size"
    # Members and streams that follow each other are one file.
    zeros, gz_zeros = bytes(16 << 20), gz(bytes(16 << 20))
    case("bomb.gz", "refused", "it unpacks to more than * bytes, 200 times its size", gz_zeros * 64)
    case("bomb.bz2", "refused", "it unpacks to more than * bytes, 200 times its size", bz2.compress(zeros) * 64)
    case("bomb.xz", "refused", "it unpacks to more than * bytes, 200 times its size", lzma.compress(zeros) * 64)
    case("bomb.zst", "refused", "it unpacks to more than * bytes, 200 times its size", zst_of_zeros(1 << 30))
    # 10 MB that are 10 GiB.
    case("bomb.tar.gz", "refused", much, gz(header(b"zeros", 640 << 24)) + gz_zeros * 640 + gz(bytes(1024)))
    case("bomb-of-many.tar.gz", "refused", "entry zeros/*: it unpacks to more than * bytes, 200 times its size",
         b"".join(gz(header(b"zeros/%d" % i, 16 << 20)) + gz_zeros for i in range(64)) + gz(bytes(1024)))
    case("bomb-behind-end.tar.gz", "refused", "it unpacks to more than is allowed",
         gz(header(b"x") + bytes(1024)) + gz_zeros * 64)
    case("bomb.zip", "refused", much, zipped([f("zeros", zeros * 5)]))
    # One block of content, and 8 TiB of nothing around it.
    records = (pax_record(b"GNU.sparse.major", b"1") + pax_record(b"GNU.sparse.minor", b"0") +
               pax_record(b"GNU.sparse.name", b"sparse") + pax_record(b"GNU.sparse.realsize", b"%d" % (8 << 40)))
    sparse = b"1\n0\n4\n"
    case("bomb-sparse.tar", "refused", "entry sparse: it unpacks to more than * bytes, 200 times its size",
         header(b"pax", len(records), kind=b"x") + padded(records) + header(b"GNUSparseFile.0/sparse", 512 + 4) +
         padded(sparse) + padded(b"foo\n") + bytes(1024))
    records = records.replace(pax_record(b"GNU.sparse.realsize", b"%d" % (8 << 40)),
                              pax_record(b"GNU.sparse.realsize", b"100000"))
    case("sparse.tar", "is", "sparse=f,644,100000",
         header(b"pax", len(records), kind=b"x") + padded(records) + header(b"GNUSparseFile.0/sparse", 512 + 4) +
         padded(sparse) + padded(b"foo\n") + bytes(1024))


# --- what has to come out ---

def good():
    two = [d("./"), d("./dir"), f("./dir/test2", "t2\n"), f("./test1", "t1\n")]
    expected = "dir=d,755 dir/test2=f,644,3 test1=f,644,3"
    for form, compress in FILTERS.items():
        case("two." + form, "is", expected, compress(tar(two)))
        case("one." + form, "is", "file=f,644,4", compress(tar([f("file")])))
    for short, form in (("tgz", "tar.gz"), ("tbz2", "tar.bz2"), ("txz", "tar.xz"), ("tzst", "tar.zst"), ("TAR.GZ", "tar.gz")):
        case("short." + short, "is", expected, FILTERS[form](tar(two)))
    case("two.zip", "is", expected, zipped(two))
    case("one.zip", "is", "file=f,644,4", zipped([f("file")]))
    for suffix, compress in (("gz", gz), ("bz2", bz2.compress), ("xz", lzma.compress), ("zst", zst)):
        case("hello." + suffix, "is", "hello=f,644,6", compress(b"Hello\n"))
        case("nothing." + suffix, "is", "nothing=f,644,0", compress(b""))
    case("members.gz", "is", "members=f,644,8", gz(b"foo\n") + gz(b"bar\n"))
    case("global-header.tar.gz", "is", "directory=d,755 directory/a=f,644,4 directory/b=f,644,4",
         gz(tar([d("directory"), f("directory/a"), f("directory/b")], pax={"comment": "0" * 40})))
    case("implied.tar", "is", "directory=d,755 directory/sub=d,755 directory/sub/a=f,644,4", tar([f("directory/sub/a")]))
    zip_tree = [d("subdir/"), f("subdir/a"), d("empty/"), f("missing/a")]
    case("directories.zip", "is", "empty=d,755 missing=d,755 missing/a=f,644,4 subdir=d,755 subdir/a=f,644,4",
         zipped(zip_tree))
    modes = [f("f666", mode=0o666), f("f600", mode=0o600), f("f755", mode=0o755), f("f0", mode=0), f("suid", mode=0o4755),
             f("sgid", mode=0o2775), f("sticky", mode=0o1644), d("shut", mode=0), f("shut/inside"),
             d("open", mode=0o7777), f("open/inside", mode=0o7777)]
    expected = ("f0=f,0,4 f600=f,600,4 f666=f,644,4 f755=f,755,4 open=d,755 open/inside=f,755,4 sgid=f,755,4 "
                "shut=d,700 shut/inside=f,644,4 sticky=f,644,4 suid=f,755,4")
    case("modes.tar", "is", expected, tar(modes))
    case("modes.zip", "is", expected, zipped(modes))
    attributes = {"SCHILY.xattr.user.x": "1", "SCHILY.xattr.trusted.x": "1", "LIBARCHIVE.xattr.user.y": "MQ==",
                  "SCHILY.xattr.security.capability": "\x01\x00\x00\x02", "SCHILY.fflags": "immutable,append",
                  "SCHILY.acl.access": "user::rw-,user:1234:rwx,group::r--,mask::rwx,other::r--"}
    case("attributes.tar", "is", "x=f,644,4", tar([f("x", pax=attributes)]))
    links = [f("bin/tool", mode=0o755), l("bin/t", "tool"), l("t", "./bin/tool"), l("a/b/up", "../../bin"), l("dangling", "none")]
    expected = ("a=d,755 a/b=d,755 a/b/up=l,777,9,../../bin bin=d,755 bin/t=l,777,4,tool bin/tool=f,755,4 "
                "dangling=l,777,4,none t=l,777,10,./bin/tool")
    case("links.tar", "is", expected, tar(links))
    case("links.zip", "is", expected, zipped(links))
    deep = "/".join(["d"] * 63 + ["x"])
    case("depth-64.tar", "is", " ".join("/".join(["d"] * i) + "=d,755" for i in range(1, 64)) + f" {deep}=f,644,4",
         tar([f(deep)]))
    case("utf8.tar", "is", "ä€😀=f,644,4", tar([f("ä€😀")]))
    case("utf8-ustar.tar", "is", "ä=f,644,4", tar([f("ä")], tarfile.USTAR_FORMAT))
    case("utf8.zip", "is", "ä€😀=f,644,4", zipped([f("ä€😀")]))
    case("gnu-long.tar", "is", "n" * 200 + "=f,644,4", tar([f("n" * 200)], tarfile.GNU_FORMAT))
    case("v7.tar", "is", "x=f,644,4", raw_tar(b"x", magic=b"\0" * 8))
    case("nested.tar", "is", f"inner.tar.gz=f,644,{len(gz(tar([f('x')])))}", tar([f("inner.tar.gz", gz(tar([f("x")])))]))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as writer:
        info = zipfile.ZipInfo("big", (2001, 9, 9, 1, 46, 40))
        info.external_attr = 0o100644 << 16
        info.create_system = 3
        with writer.open(info, "w", force_zip64=True) as file:
            file.write(b"foo\n")
    case("zip64.zip", "is", "big=f,644,4", out.getvalue())
    dos = zipfile.ZipInfo("dir/dos", (2001, 9, 9, 1, 46, 40))
    dos.create_system = 0
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as writer:
        writer.writestr(dos, b"foo\n")
    case("dos.zip", "is", "dir=d,755 dir/dos=f,644,4", out.getvalue())


os.makedirs(OUT, exist_ok=True)
for make in (names, links, kinds, broken, zips, bombs, good):
    make()
with open(os.path.join(OUT, "cases"), "w", encoding="utf-8") as table:
    table.writelines(CASES)
