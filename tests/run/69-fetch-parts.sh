#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Where parts of a file meet: a server that lies there must not get a file published that is neither the old nor the new one.
# Without a checksum, which would notice: here nothing else does.
# shellcheck source-path=SCRIPTDIR source=fetch.sh
. "$(dirname "$0")/fetch.sh"

python3 "$here/../http/liar.py" --port-file "$T/port" --data "$files/all" 2>"$T/liar.err" &
servers+=($!)
wait_for 60 test -s "$T/port" || { echo "Bail out! no server: $(cat "$T/liar.err")"; exit 1; }
http=http://127.0.0.1:$(cat "$T/port")

# lies NAME PATH REASON ARGUMENT...: an error, and the old file
lies() {
	local name=$1 path=$2 reason=$3
	shift 3
	fresh
	fetch --output "$D/x" "$@" "$http/$path"
	only_says "$name" 1 "$http/$path" "$reason"
	is "$name: the old file is there" "$(cat "$D/x")" old
}

fresh
fetch --json --output "$D/x" "$http/boundary"
is 'the first connection breaks off where a block ends' "$RC $(tail -n 1 "$T/out" | grep -o '"bytes": [0-9]*')" '0 "bytes": 67108864'
ok '... and the file has no hole' cmp "$files/all" "$D/x"
fresh
fetch --json --output "$D/x" "$http/moved"
is 'a redirect in the middle' "$RC $(tail -n 1 "$T/out" | grep -o '"bytes": [0-9]*')" '0 "bytes": 67108864'
ok '... and the file has no hole' cmp "$files/all" "$D/x"
lies 'more than was announced' longer 'more than it announced' --retries 1
is '... and it is not kept' "$(partials)" ''
lies 'a part of nobody knows how much' unknown 'given up after 3 attempts|how much there is' --retries 2
fresh
fetch --output "$D/x" --retries 2 "$http/tagless"
is 'a part without the ETag of the first is not believed: all of it is fetched' "$RC $(cat "$D/x")" \
	"0 $(printf 'B%.0s' {1..40})"

finish
