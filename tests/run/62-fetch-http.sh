#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fetch against a server that is wrong in every way that the test server knows: each ends in its own message, and what was at the
# destination is whole: the old file, or the new one.
# shellcheck source-path=SCRIPTDIR source=fetch.sh
. "$(dirname "$0")/fetch.sh"

printf 'Hello\n' >"$files/hello"
made f.bin 3000000
hello=$(sum_of "$files/hello") sum=$(sum_of "$files/f.bin")
serve web
http=$WEB
fresh

# slowly NAME ARGUMENT...: in the background, with a directory of its own; slowly_ended waits for it and sets OUT, ERR, RC
slowly() {
	local name=$1
	shift
	mkdir "$T/$name"
	timeout --kill-after=5 "$patience" "$NX" fetch --no-cache --output "$T/$name/x" "$@" >"$T/$name.out" 2>"$T/$name.err" </dev/null &
	pids[$name]=$!
}
slowly_ended() {
	end_of "$1" "${pids[$1]}"
	cp "$T/$1.out" "$T/out"
	cp "$T/$1.err" "$T/err"
}
declare -A pids
slowly stall --retries 0 --checksum "$sum" "$http/range/f.bin?stall=1000"
slowly drip --retries 0 --checksum "$sum" "$http/range/f.bin?rate=100"
slowly silent --retries 0 --checksum "$sum" "$http/silent/x"
slowly again --retries 1 --checksum "$sum" "$http/range/f.bin?1.stall=2000000"

# wrong NAME TARGET REASON [OPTION...]: the answer is refused, over an old file
wrong() { local target=$2 reason=$3 name=$1; shift 3; refused "$name" 1 "$http$target" "$reason" -- --retries 0 "$@" --output "$D/x" "$http$target"; }

# --- what is asked ---

fetched 'H01: 200' "$files/hello" "$D/x" '' -- --checksum "$hello" --output "$D/x" "$http/file/hello"
like 'who asks' "$(header web /file/hello 1 User-Agent)" 'nomad-exec/[0-9.]+'
fetched 'H02: a header' "$files/hello" "$D/h" '' -- --header 'X-Foobar: foobar' --checksum "$hello" --output "$D/h" "$http/range/hello?need=X-Foobar:foobar"
wrong 'H02: without it' '/range/hello?need=X-Foobar:foobar' 'status 400'
printf 'X-Foobar: foobar\n' >"$T/headers"
fetched 'H02: headers from a file' "$files/hello" "$D/i" '' -- --header-file "$T/headers" --checksum "$hello" --output "$D/i" "$http/range/hello?need=X-Foobar:foobar"
fetched 'H03: user and password' "$files/hello" "$D/p" '' -- --checksum "$hello" --output "$D/p" "http://user:secret@${http#http://}/private/x"
fresh
fetch --retries 0 --output "$D/x" "http://user:wrong@${http#http://}/private/x"
only_says 'H03: a wrong password' 1 "$http/private/x" 'status 401'
is 'H03: which is not shown' "$(grep -c wrong "$T/err")" 0
printf 'machine 127.0.0.1 login user password secret\n' >"$T/netrc"
chmod 600 "$T/netrc"
fetched 'H04: netrc' "$files/hello" "$D/x" '' -- --netrc-file "$T/netrc" --checksum "$hello" --output "$D/x" "$http/private/x"
fresh
NETRC=$T/netrc fetched 'H04: the file that NETRC names' "$files/hello" "$D/x" '' -- --netrc --checksum "$hello" --output "$D/x" "$http/private/x"
fresh
cp "$T/netrc" "$HOME/.netrc"
fetched 'H04: the one in HOME' "$files/hello" "$D/x" '' -- --netrc --checksum "$hello" --output "$D/x" "$http/private/x"
rm "$HOME/.netrc"
fresh
wrong 'H04: without it' /private/x 'status 401'
fetched 'H05: what is in the URL wins over netrc' "$files/hello" "$D/x" '' -- --netrc-file "$T/netrc" --checksum "$hello" --output "$D/x" \
	"http://user:secret@${http#http://}/private/x"

# --- statuses ---

fresh
for code in 201 202 203 204 205 304 400 403 404 410 418 500 501 502; do
	wrong "H19: status $code" "/status/$code/x" "status $code"
done
is 'H19: 404 is asked for once' "$(fetch --output "$D/x" "$http/status/404/once"; asked web /status/404/once)" 1
wrong 'a 206 that was not asked for' '/range/hello?unasked=1' '206'
wrong 'an answer without a head' /http09/x '.'
wrong 'no answer' /reset/x '.'

# --- lengths ---

KEEPS=1
wrong 'H14: 60 of 100 bytes' /short/x '(60|40|ended|closed|remaining|before)'
wrong 'H14: cut' '/range/f.bin?cut=1000000' '.'
wrong 'H15: chunked, cut' '/range/f.bin?chunked=1&cut=1000000' '.'
wrong 'H15: cut within a chunk' /chunked-cut/x '.'
wrong 'reset' '/range/f.bin?reset=1000000' '.'
KEEPS=0
fresh
KEEPS=1 wrong 'more announced than comes' '/range/hello?length=10' '.'
fresh
fetch --retries 0 --checksum "$sum" --output "$D/x" "$http/range/f.bin?length=-10"
is 'less announced than comes' "$RC $OUT $(cat "$D/x")" '3  old'
fetched 'chunked' "$files/f.bin" "$D/y" '' -- --checksum "$sum" --output "$D/y" "$http/range/f.bin?chunked=1"
fresh
wrong 'H17: announced as more than may come' '/huge/x' 'larger|max-size|has [0-9]+ bytes'
wrong 'H17: --max-size, announced' '/range/f.bin?1' 'larger|max-size' --max-size 2999999
is 'H17: before the body' "$(($(sent_bytes web '/range/f.bin?1') < 3000000))" 1
wrong 'H18: --max-size, not announced' '/range/f.bin?chunked=1&2' 'larger|max-size' --max-size 2999999
wrong 'H18: --max-size, without an end' /endless/x 'larger|max-size' --max-size 10M
fetched 'exactly --max-size' "$files/f.bin" "$D/x" '' -- --max-size 3000000 --checksum "$sum" --output "$D/x" "$http/range/f.bin?3"

# --- headers ---

fresh
wrong 'H33: 1000 header lines' '/headers/x?lines=1000' '300 header lines|header'
wrong 'H33: a line of 300 KiB' '/headers/x?lines=1&bytes=307200' 'header'
wrong 'H33: interim answers without end' '/interim/x?count=10000' 'header'
fetched 'as many as anyone needs' "$files/hello" "$D/x" '' -- --checksum "$hello" --output "$D/x" "$http/headers/x?lines=200"
fresh
fetched 'H44: Content-Disposition says nothing' "$files/hello" "$D/hello" '' -- --checksum "$hello" --destination "$D" \
	"$http/range/hello?header=Content-Disposition:attachment%3B%20filename%3D../../.bashrc"
is 'H44: nothing else is there' "$(state | grep -c '^[^ ]* [fdl] ')" 2
fetched 'H24: X-Terraform-Get leads nowhere' "$files/hello" "$D/t" '' -- --checksum "$hello" --output "$D/t" \
	"$http/range/hello?header=X-Terraform-Get:$http/loop/x"
is 'H24: it was not asked for' "$(asked web /loop/)" 0

# --- redirects; what is carried along is 65's ---

fresh
fetched 'H25: 10 redirects' "$files/hello" "$D/x" '' -- --checksum "$hello" --output "$D/x" "$http/hops/10/hello"
fresh
for hops in 11 21; do refused "H25: $hops" 1 "$http/hops/$hops/hello" 'more than 10 redirects' -- --output "$D/x" "$http/hops/$hops/hello"; done
is 'H25: the eleventh is not followed' "$(asked web /hops/10/hello)" 2
refused 'a loop' 1 "$http/loop/x" 'more than 10 redirects' -- --output "$D/x" "$http/loop/x"
wrong 'a redirect to nowhere' /nowhere/x 'Location'
refused 'a failure at the end of a redirect names both' 1 "$http/status/404/x" 'status 404' -- --retries 0 --output "$D/x" "$http/redirect/x?to=/status/404/x"
like 'the first of them' "$ERR" ".*$http/redirect/x\?to=/status/404/x.*"

# followed NAME LOCATION: as it is written in a URL
followed() {
	fresh
	fetched "H30: $1" "$files/hello" "$D/x" '' -- --checksum "$hello" --output "$D/x" "$http/redirect/a/b/x?to=$2"
}
followed 'an absolute URL' "$http/file/hello"
followed 'a path' /file/hello
followed 'relative to what was asked for' ../../../file/hello
followed '//host' "//${http#http://}/file/hello"
followed 'a fragment, which is not sent' "/file/hello%23part"
followed 'a query' "/range/hello?x%3D1"
for code in 301 303 307 308; do followed "status $code" "/file/hello&status=$code"; done
printf 'Hello\n' >"$files/a b"
followed 'blanks' '/file/a%20b'

# --- again, and when (H35) ---

# again NAME REQUESTS TARGET [OPTION...]: it is right in the end
again() {
	local name=$1 requests=$2 target=$3
	shift 3
	fresh
	fetch --checksum "$hello" "$@" --output "$D/x" "$http$target"
	is "$name" "$RC $OUT $(cmp "$files/hello" "$D/x" 2>&1)" "0 $D/x "
	like "$name: it says so" "$ERR" "nomad-exec: warning: fetch .*trying again in [0-9.]+ s.*"
	is "$name: was asked for $requests times" "$(asked web "$target")" "$requests"
}
for code in 408 429 500 502 503 504; do again "H35: $code, then right" 2 "/range/hello?1.status=$code"; done
start=$SECONDS
again 'H35: Retry-After in seconds' 2 '/range/hello?1.status=503&1.retry-after=3'
is 'H35: was waited for' "$((SECONDS - start >= 2))" 1
start=$SECONDS
again 'H35: Retry-After as a date' 2 '/range/hello?1.status=429&1.retry-after=date:4'
is 'H35: that as well' "$((SECONDS - start >= 2))" 1
again 'an answer that was cut' 2 '/range/hello?1.cut=3'
again 'a reset' 2 '/range/hello?1.reset=0'
fresh
fetch --retries 2 --checksum "$hello" --output "$D/x" "$http/range/hello?status=503"
only_says 'no more often than asked' 1 "$http/range/hello" 'status 503'
is 'no more often: three requests' "$(asked web '/range/hello?status=503')" 3
fetch --json --retries 1 --checksum "$hello" --output "$D/x" "$http/range/hello?1.status=503&json"
is 'the result counts attempts' "$(json attempts)" 2

# A port where nobody listens, until somebody does.
serve late
port=$PORT
kill "$SERVER"
wait "$SERVER" 2>/dev/null
fresh
refused 'nobody listens' 1 "http://127.0.0.1:$port/file/hello" 'Connection refused' -- --retries 0 --output "$D/x" "http://127.0.0.1:$port/file/hello"
timeout "$patience" "$NX" fetch --no-cache --retries 8 --checksum "$hello" --output "$D/x" "http://127.0.0.1:$port/file/hello" >"$T/late.out" 2>"$T/late.err" &
pid=$!
sleep 1
serve late --port "$port"
end_of late "$pid"
is 'somebody listens later' "$RC $OUT $(cat "$D/x")" "0 $D/x Hello"

fresh
refused 'a time limit' 1 "$http/silent/limit" '--timeout|longer than|time' -- --timeout 1 --output "$D/x" "$http/silent/limit"
KEEPS=1 refused 'a time limit holds for all attempts' 1 "$http/range/f.bin" '--timeout|longer than|time' -- --timeout 2 --retries 100 --output "$D/x" \
	"$http/range/f.bin?cut=10000&limit"

# --- hosts (H48) ---

fresh
refused 'a host that is not there' 1 'http://nx.invalid/x' 'resolve|host' -- --retries 0 --output "$D/x" http://nx.invalid/x
refused 'an IPv6 literal' 1 'http://[::1]:1/x' 'refused|[Aa]ddress|unreachable' -- --retries 0 --output "$D/x" 'http://[::1]:1/x'

# --- proxies (H39) ---

serve proxy --proxy
proxy=$WEB
fresh
http_proxy=$proxy fetched 'H39: http_proxy' "$files/hello" "$D/x" '' -- --checksum "$hello" --output "$D/x" "http://somewhere.test:${http##*:}/file/hello?p1"
is 'H39: it went there' "$(asked proxy "http://somewhere.test:${http##*:}/file/hello?p1")" 1
fresh
http_proxy=$proxy no_proxy=127.0.0.0/8 fetched 'H39: no_proxy with a network' "$files/hello" "$D/x" '' -- --checksum "$hello" --output "$D/x" "$http/file/hello?p2"
is 'H39: it did not go there' "$(grep -c p2 "$T/proxy.log")" 0
fresh
HTTP_PROXY=$proxy fetched 'H39: HTTP_PROXY, which any CGI caller sets, means nothing' "$files/hello" "$D/x" '' -- --checksum "$hello" --output "$D/x" "$http/file/hello?p3"
is 'H39: nor did that' "$(grep -c p3 "$T/proxy.log")" 0
fresh
http_proxy=http://user:needle@127.0.0.1:1 fetch --retries 0 --checksum "$hello" --output "$D/x" "$http/file/hello"
like 'H39: a proxy that is not there, without its password' "$RC $OUT$(grep -c needle "$T/err") $(cat "$D/x")" '1 0 old'

# --- an end from outside (H23) ---

"$NX" fetch --no-cache --checksum "$sum" --output "$D/x" "$http/range/f.bin?rate=100000&h23" >"$T/term.out" 2>"$T/term.err" &
pid=$!
ok 'H23: it is under way' wait_for 60 grep -q h23 "$T/web.log"
kill -TERM $pid
end_of term $pid
is 'H23: SIGTERM: its status, and the old file' "$RC $OUT $(cat "$D/x")" '143  old'
like 'H23: its message' "$ERR" 'nomad-exec: .*SIGTERM.*'

# --- what was begun above: H34 ---

for name in stall drip silent; do
	slowly_ended $name
	only_says "H34: $name" 1 "$http/" 'slow|stall|1 KiB/s|bytes/sec|30 s|Timeout|timed out'
	is "H34: $name: nothing is there but a partial file" "$(cd "$T/$name" && find . -type f ! -name '.*.part*')" ''
done
slowly_ended again
is 'H34: a stall, then right' "$RC $OUT $(cmp "$files/f.bin" "$T/again/x" 2>&1)" "0 $T/again/x "

finish
