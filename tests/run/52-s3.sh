#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Requests for sources in S3 are signed as Amazon's own client library signs them. Needs no server: the program under test is
# tests/s3/sign, which `make check-run` builds beside the launcher.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
sign=${NX%/*}/tests/s3/sign

# The first python3 that has botocore: another one may stand before the system's in PATH.
for python in python3 /usr/bin/python3 ''; do
	[ -n "$python" ] && "$python" -c 'import botocore.auth' 2>/dev/null && break
done
if [ ! -x "$sign" ]; then
	skip 'signatures as those of botocore' "$sign is not there: run make check-run"
elif [ -z "$python" ]; then
	skip 'signatures as those of botocore' 'there is no python3 with botocore: install python3-botocore'
else
	ok 'signatures as those of botocore, always the same' "$python" "$root/tests/s3/compare.py" "$sign" 300
	seed=$(date +%s)
	ok "signatures as those of botocore, seed $seed" "$python" "$root/tests/s3/compare.py" "$sign" 300 "$seed"
fi
finish
