#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares requests that tests/s3/sign signs with those of botocore, Amazon's own client library.

    compare.py SIGN [COUNT [SEED]]

Makes COUNT random sources (300): buckets, keys of any bytes, queries, regions, times, credentials with
and without a token, each written with more or less percent-encoding. URL, signed headers and the
Authorization header must be the same. Prints the first difference with its source and ends with status
1, or "COUNT requests are the same". Needs botocore; no network, no privilege.
"""
import datetime
import random
import string
import subprocess
import sys
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.utils

BASE64 = string.ascii_letters + string.digits + "+/"
REGIONS = ["us-east-1", "eu-west-1", "ap-southeast-2", "us-gov-west-1"]
RAW = set(string.printable.encode()) - set(string.whitespace.encode()) - set(b"%?#&+=") | {0x20}


def write(data, raw):
    """The bytes as a user might write them: those of raw sometimes as they are."""
    return b"".join(bytes([b]) if b in raw and random.random() < 0.7 else b"%%%02x" % b for b in data)


def text(alphabet, shortest, longest):
    return "".join(random.choices(alphabet, k=random.randint(shortest, longest)))


def make_key():
    """Of any bytes but NUL, without the segments of dots, which are refused."""
    while True:
        if random.random() < 0.5:
            key = bytes(random.choices(range(1, 256), k=random.randint(1, 40)))
        else:
            key = text(string.printable.strip() + " /äß語🙂", 1, 60).encode()
        if not any(part in (b".", b"..") for part in key.split(b"/")):
            return key


def make_case():
    """(source, seconds, URL without query, query, region, credentials)"""
    bucket = text(string.ascii_lowercase + string.digits, 3, 20)
    key, region = make_key(), random.choice(REGIONS)
    path = "/" + botocore.utils.percent_encode(key, safe="/~")
    raw = RAW | {*b"/+&=", *range(0x80, 0x100)}
    written = b"/" + write(key, raw)
    forms = [
        (b"s3://%s" % bucket.encode() + written, f"https://{bucket}.s3.{region}.amazonaws.com{path}"),
        (b"s3::https://%s.s3.%s.amazonaws.com" % (bucket.encode(), region.encode()) + written,
         f"https://{bucket}.s3.{region}.amazonaws.com{path}"),
        (b"s3::https://s3-%s.amazonaws.com/%s" % (region.encode(), bucket.encode()) + written,
         f"https://s3-{region}.amazonaws.com/{bucket}{path}"),
        (b"s3::http://127.0.0.1:9000/%s" % bucket.encode() + written, f"http://127.0.0.1:9000/{bucket}{path}"),
        (b"s3::http://LocalHost:80/%s" % bucket.encode() + written, f"http://localhost/{bucket}{path}"),
    ]
    source, url = random.choice(forms)
    credentials = botocore.credentials.Credentials(
        text(string.ascii_uppercase, 16, 20), text(BASE64, 20, 40), random.choice([None, text(BASE64 + "=", 30, 400)]))
    query = [(text(string.printable.strip() + "ä", 1, 8), text(string.printable.strip() + " ä\n", 0, 20))
             for _ in range(random.choice([0, 0, 1, 2, 6]))]
    own = {"region": region, "aws_access_key_id": credentials.access_key,
           "aws_access_key_secret": credentials.secret_key, "aws_access_token": credentials.token or ""}
    version = text(BASE64, 8, 32) if random.random() < 0.3 else None
    pairs = query + list(own.items()) + ([("version", version)] if version else [])
    random.shuffle(pairs)
    source += b"?" + b"&".join(write(n.encode(), RAW) + b"=" + write(v.encode(), RAW | {*b"="}) for n, v in pairs)
    query += [("versionId", version)] if version else []
    return source, random.randint(0, 4102444800), url, query, region, credentials


def expected(seconds, url, query, region, credentials):
    """The headers that botocore makes, at that time; its add_auth() would take the time of now."""
    request = botocore.awsrequest.AWSRequest(method="GET", url=url, params=query)
    auth = botocore.auth.S3SigV4Auth(credentials, "s3", region)
    when = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    request.context["timestamp"] = when.strftime("%Y%m%dT%H%M%SZ")
    auth._modify_request_before_signing(request)
    canonical = auth.canonical_request(request)
    signature = auth.signature(auth.string_to_sign(request, canonical), request)
    auth._inject_signature_to_request(request, signature)
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers["host"] = urllib.parse.urlsplit(url).netloc
    return headers, canonical


def main():
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 300
    random.seed(int(sys.argv[3]) if len(sys.argv) > 3 else 4)
    cases = [make_case() for _ in range(count)]
    lines = b"".join(b"%d %s\n" % (case[1], case[0]) for case in cases)
    done = subprocess.run([sys.argv[1]], input=lines, stdout=subprocess.PIPE, env={}, check=True)
    answers = done.stdout.decode().split("\n\n")[:-1]
    if len(answers) != count:
        sys.exit(f"{count} sources, but {len(answers)} answers")
    for (source, seconds, url, query, region, credentials), answer in zip(cases, answers):
        sent, *headers = answer.split("\n")
        base, _, sent_query = sent.partition("?")
        got = dict(header.split(": ", 1) for header in headers)
        want, canonical = expected(seconds, url, query, region, credentials)
        pairs = urllib.parse.parse_qsl(sent_query, keep_blank_values=True)
        if (base, sorted(pairs), got) != (url, sorted(query), want) or sent_query != canonical.split("\n")[2]:
            sys.exit(f"source: {source}\nexpected: {url} {query} {want}\ngot: {sent} {got}\n{canonical}")
    print(f"{count} requests are the same")


if __name__ == "__main__":
    main()
