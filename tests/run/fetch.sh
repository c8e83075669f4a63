# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Helpers of the tests of `fetch`, beside those of lib.sh, which it sources: servers and what they were asked, the command, and
# the directory that it works in. Everything is below $T: what is served in $files, what is fetched in $D.
# SERVER, PORT and WEB are results, for the tests that source this file.
# shellcheck disable=SC2034
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1
unset http_proxy https_proxy all_proxy no_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY NO_PROXY NETRC SSL_CERT_FILE SSL_CERT_DIR \
	CURL_CA_BUNDLE
# Of those, only what a test sets is used.
export HOME=$T/home NOMAD_EXEC_CACHE_DIR=$T/cache
unset NOMAD_EXEC_RETRIES # lib.sh has none; here the usual number is what is tested
umask 022

files=$T/files D=$T/d
mkdir "$files" "$D" "$HOME"
servers=()
trap 'kill "${servers[@]}" 2>/dev/null; rm -rf "$T"' EXIT

# What the command may take at most; it is never what a check waits for.
patience=${NX_PATIENCE:-150}

# serve NAME [OPTION...]: starts a server of $files; its address is in WEB, what it is asked in $T/NAME.log, what it sends in
# $T/NAME.served, its pid in SERVER.
serve() {
	local name=$1 scheme=http
	shift
	[[ " $* " = *' --cert '* ]] && scheme=https
	rm -f "$T/$name.port"
	python3 "$here/../http/server.py" --port-file "$T/$name.port" --dir "$files" --log "$T/$name.log" \
		--served "$T/$name.served" "$@" 2>"$T/$name.server" &
	SERVER=$!
	servers+=("$SERVER")
	wait_for 60 test -s "$T/$name.port" || { echo "Bail out! no server: $(cat "$T/$name.server")"; exit 1; }
	PORT=$(cat "$T/$name.port")
	WEB=$scheme://127.0.0.1:$PORT
}

# asked NAME TARGET: how many requests of server NAME had targets that begin so
asked() { grep -cF "\"target\": \"$2" "$T/$1.log"; }

# sent_bytes NAME TARGET: how many bytes of body the server sent for targets that begin so
sent_bytes() { grep -F "\"target\": \"$2" "$T/$1.served" | awk '{ gsub(/[^0-9]/, "", $NF); n += $NF } END { print n + 0 }'; }

# header NAME TARGET NTH FIELD: this header field of the NTH request for such a target; '' if it had none
header() { grep -F "\"target\": \"$2" "$T/$1.log" | sed -n "$3p" | grep -oiP "\"$4\": \"\\K([^\"\\\\]|\\\\.)*" | sed 's/\\"/"/g'; }

# sum_of FILE: its checksum as an option's value
sum_of() { printf 'sha256:%s' "$(sha256sum <"$1" | cut -c-64)"; }

# made NAME BYTES: a file of that many bytes that do not repeat, in $files
made() { head -c "$2" /dev/urandom >"$files/$1"; }

# unproved URL: what is said when no checksum was given
unproved() {
	printf 'nomad-exec: warning: artifact %s: not verified, because no --checksum was given' "$1"
	[[ $1 != http:* ]] || printf '; over plain http anyone on the way can replace it'
}

# fresh: $D has one file, x, that says "old"
fresh() {
	rm -rf "$D"
	mkdir "$D"
	echo old >"$D/x"
}

# state: all that is in $D but partial downloads: name, type, mode, size and content
state() {
	(cd "$D" && find . -mindepth 1 ! -name '.*.part*' -printf '%P %y %m %u:%g %s %l\n' | sort
	find . -type f ! -name '.*.part*' -exec cat {} + | sha256sum)
}

# partials: the partial downloads in $D
partials() { (cd "$D" && find . -mindepth 1 -name '.*.part*' -printf '%P\n' | sort); }

# fetch ARGUMENTS...: runs it without a cache, started by the command in `under`; OUT, ERR and RC as with nx
under=()
fetch() {
	timeout --kill-after=5 "$patience" "${under[@]}" "$NX" fetch --no-cache "$@" >"$T/out" 2>"$T/err" </dev/null
	RC=$?
	OUT=$(cat "$T/out") ERR=$(cat "$T/err")
}

# fetched NAME FILE PATH STDERR -- ARGUMENTS...: status 0, PATH on stdout, which now has FILE's content, and all of stderr
fetched() {
	local name=$1 file=$2 path=$3 stderr=$4
	shift 5
	fetch "$@"
	if [ "$RC" = 0 ] && [ "$OUT" = "$path" ] && [ "$ERR" = "$stderr" ] && cmp -s "$file" "$path"; then
		pass "$name"
	else
		fail "$name" "expected status 0, got $RC" "expected stdout: $path" "got stdout:      $OUT" \
			"expected stderr: $stderr" "got stderr:      $ERR" "$(cmp "$file" "$path" 2>&1)"
	fi
}

# only_says NAME STATUS OBJECT REASON: the last fetch ended with this status and one error, which names the object and matches
# the reason; nothing on stdout. What stands in OBJECT is plain text, REASON is an extended regular expression.
only_says() {
	local errors
	errors=$(grep -v -e '^nomad-exec: warning: ' -e '^nomad-exec: try: ' "$T/err")
	if [ "$RC" = "$2" ] && [ -z "$OUT" ] && [ "$(grep -c . <<<"$errors")" = 1 ] && [[ $errors = 'nomad-exec: '*"$3"* ]] &&
		grep -Eq -- "$4" <<<"$errors"; then
		pass "$1"
	else
		fail "$1" "expected status $2, got $RC" "expected one error about $3 that matches: $4" "got stderr: $ERR" \
			"got stdout: $OUT"
	fi
}

# refused NAME STATUS OBJECT REASON -- ARGUMENTS...: it fails like only_says, and what was in $D is all that is there: with
# KEEPS=1 a partial download may be left beside it.
refused() {
	local name=$1 status=$2 object=$3 reason=$4 before
	shift 5
	before=$(state)
	fetch "$@"
	only_says "$name" "$status" "$object" "$reason"
	is "$name: the destination is as it was" "$(state)" "$before"
	[ "${KEEPS:-0}" = 1 ] || is "$name: and nothing is beside it" "$(partials)" ''
}

# json KEY...: these values of the last object on stdout, one a line, as JSON
json() {
	python3 -c 'import json, sys
last = json.loads(open(sys.argv[1], encoding="utf-8").read().splitlines()[-1])
for key in sys.argv[2:]: print(json.dumps(last.get(key, "(missing)"), sort_keys=True))' "$T/out" "$@" 2>&1
}

# can_mount: this host lets a test have mounts of its own
can_mount() { unshare --mount true 2>/dev/null; }
