#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fetch where all is well, and what the command line alone decides: where the file goes, under which name, mode and owner, what is
# on stdout and stderr, and every status. Nothing but what was asked for is left in any directory.
# shellcheck source-path=SCRIPTDIR source=fetch.sh
. "$(dirname "$0")/fetch.sh"

printf 'Hello\n' >"$files/hello"
printf 'other\n' >"$files/other"
made big.bin 3000000
hello=$(sum_of "$files/hello") big=$(sum_of "$files/big.bin")
serve web
http=$WEB
local_hello=$(unproved "$files/hello") local_other=$(unproved "$files/other")

# holds NAME ENTRY...: $D has exactly these entries
holds() { local name=$1; shift; is "$name" "$(cd "$D" && find . -mindepth 1 -printf '%P\n' | sort)" "$(printf '%s\n' "$@")"; }

# clean: $D is empty
clean() { rm -rf "$D"; mkdir "$D"; }

# --- sources and destinations ---

clean
fetched 'an absolute path, into a directory' "$files/hello" "$D/hello" "$local_hello" -- --destination "$D" "$files/hello"
holds 'and nothing else is there' hello
is 'with the mode of any new file' "$(stat -c '%a %u:%g' "$D/hello")" '644 0:0'
clean
fetched 'a file URL' "$files/hello" "$D/hello" "$(unproved "file://$files/%68ello")" -- --destination "$D" "file://$files/%68ello"
clean
fetched 'http' "$files/hello" "$D/hello" '' -- --destination "$D" --checksum "$hello" "$http/file/hello"
holds 'and nothing else is there (http)' hello
is 'it was asked for once, with GET' "$(asked web /file/hello) $(grep -c '"method": "GET"' "$T/web.log")" '1 1'
fetched 'a name of its own' "$files/big.bin" "$D/other name" '' -- --output "$D/other name" --checksum "$big" "$http/range/big.bin"
holds 'and nothing else is there (--output)' hello 'other name'
clean
fetched 'plain http without a checksum, with a warning' "$files/hello" "$D/hello" "$(unproved "$http/file/hello")" -- --destination "$D" "$http/file/hello"
nx --quiet fetch --no-cache --destination "$D" "$http/file/hello"
is '--quiet: without it' "$RC $OUT$ERR" "0 $D/hello"
clean
(cd "$D" && fetch --checksum "$hello" "$http/file/hello" && printf '%s' "$RC" >"$T/rc")
is 'without a destination it goes where one is' "$(cd "$D" && cat "$T/rc" && realpath -- "$(cat "$T/out")")" "0$(realpath "$D")/hello"
holds 'and nothing else is there (no destination)' hello
(cd "$T" && fetch --destination d --checksum "$hello" "$http/file/hello" && printf '%s' "$RC" >"$T/rc")
is 'a relative directory' "$(cat "$T/rc" "$T/out")" '0d/hello'
clean
fetched 'a directory that is not there is made' "$files/hello" "$D/a/b/hello" "$local_hello" -- --destination "$D/a/b" "$files/hello"
holds 'and nothing else is there (new directory)' a a/b a/b/hello
clean
fetched 'through redirects, under the name that was asked for' "$files/hello" "$D/asked" '' -- \
	--destination "$D" --checksum "$hello" "$http/redirect/asked?to=$http/hops/3/hello"
fetched 'the query key filename' "$files/hello" "$D/bar.txt" '' -- --destination "$D" --checksum "$hello" "$http/file/hello?filename=bar.txt"
is 'which the server does not see' "$(asked web '/file/hello?')" 0
fetched 'a name with escapes' "$files/hello" "$D/a b" '' -- --destination "$D" --checksum "$hello" "$http/redirect/a%20b?to=/file/hello"
: >"$files/empty"
fetched 'an empty file' "$files/empty" "$D/empty" '' -- --destination "$D" --checksum "$(sum_of "$files/empty")" "$http/file/empty"
holds 'and nothing else is there (names)' 'a b' asked bar.txt empty
fetched 'a body without a length' "$files/hello" "$D/u" '' -- --output "$D/u" --checksum "$hello" "$http/until-close/hello"
fetched 'a chunked body' "$files/hello" "$D/u" '' -- --output "$D/u" --checksum "$hello" --force "$http/chunked/hello"

# --- what is there already ---

clean
echo old >"$D/hello"
chmod 600 "$D/hello"
fetched 'an old file is replaced' "$files/hello" "$D/hello" '' -- --destination "$D" --checksum "$hello" "$http/file/hello?1"
inode=$(stat -c %i "$D/hello")
fetch --destination "$D" --checksum "$hello" "$http/file/hello?2"
is 'one that is right stays, and nothing is asked for' "$RC $OUT $(stat -c %i "$D/hello") $(asked web '/file/hello?2')" "0 $D/hello $inode 0"
fetch --destination "$D" --json --checksum "$hello" "$http/file/hello?2"
like 'and says so' "$OUT $ERR" '.*(unchanged|already).*'
fetched '--force: it is fetched all the same' "$files/hello" "$D/hello" '' -- --force --destination "$D" --checksum "$hello" "$http/file/hello?3"
is 'and was asked for' "$(asked web '/file/hello?3')" 1
refused '--no-clobber: one that is there' 1 "$D/hello" '(exists|already there|--no-clobber)' -- --no-clobber --output "$D/hello" "$files/other"
fetched '--no-clobber: none is there' "$files/other" "$D/other" "$local_other" -- --no-clobber --destination "$D" "$files/other"
holds 'and nothing else is there (clobber)' hello other

# What is right now must stay so: only a file that nobody else can write to counts.
# doubted NAME COMMAND...: once the command has made it writable for others, it is replaced
doubted() {
	local name=$1
	shift
	rm -rf "$D" "$T/link"
	mkdir "$D"
	cp "$files/hello" "$D/hello"
	exec 9<"$D/hello" # keeps its inode from being used again
	"$@"
	fetched "$name" "$files/hello" "$D/hello" '' -- --destination "$D" --checksum "$hello" "$http/file/hello"
	is "$name: it is another file" "$([ "$D/hello" -ef /proc/self/fd/9 ] || stat -c '%u %a %h' "$D/hello")" '0 644 1'
	exec 9<&-
}
doubted 'one of another user is replaced' chown 65534 "$D/hello"
doubted 'one that a group can write to' chmod 664 "$D/hello"
doubted 'one that anyone can write to' chmod 646 "$D/hello"
doubted 'one with a second name' ln "$D/hello" "$T/link"
chmod 666 "$D/hello"
refused '--no-clobber: one that anyone can write to' 1 "$D/hello" 'no-clobber' -- --no-clobber --destination "$D" --checksum "$hello" "$http/file/hello"
chmod 600 "$D/hello"
inode=$(stat -c %i "$D/hello") before=$(asked web /file/hello)
fetch --destination "$D" --checksum "$hello" --chmod 751 --chown 65534:12 "$http/file/hello"
is 'one that stays gets the mode and the owner that are asked for' \
	"$RC $OUT$ERR $(stat -c '%i %a %u:%g' "$D/hello") $(asked web /file/hello)" "0 $D/hello $inode 751 65534:12 $before"

# It looks for signals while it hashes: this file has no end that a test could wait for.
truncate -s 1T "$D/endless"
"$NX" fetch --no-cache --output "$D/endless" --checksum "$hello" "$http/file/hello" >"$T/out" 2>"$T/err" </dev/null &
pid=$!
# shellcheck disable=SC2317 # wait_for calls these
hashing() { find "/proc/$pid/fd" -lname "$D/endless" | grep -q .; }
# shellcheck disable=SC2317
ended() { ! [ -e "/proc/$pid/exe" ]; }
ok 'an old file that takes long is hashed' wait_for 60 hashing
kill -TERM $pid
ok 'until a signal comes' wait_for 60 ended
kill -KILL $pid 2>/dev/null
wait $pid
is 'which is its status, and said' "$? $(cat "$T/out" "$T/err")" '143 nomad-exec: interrupted by SIGTERM'

clean
echo victim >"$T/victim"
ln -s "$T/victim" "$D/hello"
fetch --destination "$D" --checksum "$hello" "$http/file/hello"
is 'a link is never written through' "$(cat "$T/victim")" victim
like 'but replaced, or refused' "$RC $(stat -c %F "$D/hello")" '0 regular file|1 symbolic link'
ln -sf "$files/hello" "$D/hello"
fetch --destination "$D" --checksum "$hello" "$http/file/hello"
like 'also a link to what is right' "$RC $(stat -c %F "$D/hello")" '0 regular file|1 symbolic link'
clean
mkdir "$D/hello" "$D/real"
refused 'a directory is not replaced' 1 "$D/hello" '[Dd]irectory' -- --destination "$D" "$files/hello"
refused 'nor with --output' 1 "$D/real" '[Dd]irectory' -- --output "$D/real" "$files/hello"
mkfifo "$D/fifo"
fetch --output "$D/fifo" --checksum "$hello" "$files/hello"
like 'a fifo is not waited for' "$RC $(stat -c %F "$D/fifo")" '0 regular file|1 fifo'
refused 'a file as directory' 1 "$files/hello" 'Not a directory' -- --destination "$files/hello" "$files/other"
clean
fetch --output "$D/none/x" --checksum "$hello" "$files/hello"
like 'an output in a directory that is not there: made, or named' "$RC $OUT$ERR" "0 $D/none/x|1 nomad-exec: .*$D/none.*No such file or directory.*"
clean
if can_mount; then
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount sh -c 'mount -t tmpfs -o ro none "$1" && shift && exec timeout 60 "$@"' sh "$D" "$NX" fetch --destination "$D" "$files/hello" \
		>"$T/out" 2>"$T/err"
	RC=$? OUT=$(cat "$T/out") ERR=$(cat "$T/err")
	only_says 'a read-only file system' 1 "$D" 'Read-only file system'
else
	skip 'a read-only file system' 'no mounts here'
fi

# --- mode and owner ---

clean
fetched '--chmod' "$files/hello" "$D/hello" "$local_hello" -- --chmod 750 --destination "$D" "$files/hello"
is '--chmod: it has that mode' "$(stat -c %a "$D/hello")" 750
fetched '--chown with numbers' "$files/other" "$D/other" "$local_other" -- --chown 65534:12 --destination "$D" "$files/other"
is '--chown: it has that owner' "$(stat -c %u:%g "$D/other")" 65534:12
fetched '--chown with names' "$files/other" "$D/o" "$local_other" -- --chown nobody --output "$D/o" "$files/other"
is '--chown: it has that user' "$(stat -c %u "$D/o")" 65534
is 'the source stays as it was' "$(stat -c '%a %u' "$files/hello" "$files/other")" '644 0
644 0'

# --- someone who is not root ---

cp "$NX" "$T/nx"
mkdir "$T/theirs"
chown 65534 "$T/theirs"
nobody() {
	timeout 60 setpriv --reuid 65534 --regid 65534 --clear-groups "$T/nx" fetch "$@" >"$T/out" 2>"$T/err" </dev/null
	RC=$? OUT=$(cat "$T/out") ERR=$(cat "$T/err")
}
nobody --no-cache --destination "$T/theirs" --checksum "$hello" "$http/file/hello"
is 'anyone may fetch' "$RC $OUT$ERR $(stat -c %u "$T/theirs/hello")" "0 $T/theirs/hello 65534"
nobody --no-cache --destination "$D" --checksum "$hello" "$http/file/hello"
only_says 'but not into what is not theirs' 1 "$D" 'Permission denied'

# --- the result as JSON ---

clean
fetch --json --destination "$D" --checksum "$big" "$http/redirect/big.bin?to=/range/big.bin"
is 'JSON: what it says' "$RC
$(json url final_url status bytes resumed_from attempts from_cache checksum path error)" "0
\"$http/redirect/big.bin?to=/range/big.bin\"
\"$http/range/big.bin\"
200
3000000
0
1
false
\"$big\"
\"$D/big.bin\"
null"
is 'JSON: every key is there' "$(json connections files times | grep -c missing)" 0
is 'JSON: every line is an object' "$(python3 -c 'import json, sys
for line in open(sys.argv[1], encoding="utf-8"): assert isinstance(json.loads(line), dict)' "$T/out" 2>&1)" ''
fetch --json --retries 0 --destination "$D" "$http/status/404/x"
is 'JSON: a failure has its status and its error' "$RC $(json status | head -1) $(json error | grep -c 'status 404')" '1 404 1'

# --- the command line ---

clean
hint='try: nomad-exec fetch --help'
# misused NAME OBJECT REASON ARGUMENT...: status 2 and the hint, before anything is asked for
misused() {
	local before
	before=$(wc -l <"$T/web.log")
	refused "$1" 2 "$2" "$3" -- "${@:4}"
	is "$1: with a hint, and nothing was asked for" "$(tail -n 1 "$T/err") $(wc -l <"$T/web.log")" "nomad-exec: $hint $before"
}
misused 'no URL' '' 'URL'
misused 'two URLs' "$files/other" 'unexpected|one URL' "$files/hello" "$files/other"
misused 'an option that is not there' --no-such 'no-such' --no-such "$files/hello"
misused 'two destinations' --output '--destination' --output "$D/x" --destination "$D" "$files/hello"
misused 'a mode that is none' weird 'any.*file.*dir' --mode weird --destination "$D" "$files/hello"
misused 'an unpack format that is none' weird 'unpack' --unpack weird --destination "$D" "$files/hello"
misused 'no connection' --connections '1' --connections 0 --destination "$D" "$files/hello"
misused 'a size that is none' 12Q 'max-size' --max-size 12Q --destination "$D" "$files/hello"
misused 'a negative number of retries' -1 'retries' --retries -1 --destination "$D" "$files/hello"
misused 'a mode of letters' u+x 'chmod' --chmod u+x --destination "$D" "$files/hello"
misused 'a mode beyond all' 77777 'chmod' --chmod 77777 --destination "$D" "$files/hello"
misused 'an owner who is not there' nx-none 'chown|user' --chown nx-none --destination "$D" "$files/hello"
misused 'a header without a colon' '' '^nomad-exec: a header without a colon: expected NAME: VALUE$' --header nocolon --destination "$D" "$http/file/hello"
misused 'a header with a line break' '' 'header.*control|control.*header' --header $'A: b\r\nC: d' --destination "$D" "$http/file/hello"
misused 'a header name with a blank' '' '^nomad-exec: header "A": expected NAME: VALUE$' --header 'A B: c' --destination "$D" "$http/file/hello"
misused 'a URL with a line break' "$http/file/" 'control character' --destination "$D" "$http/file/"$'\n'hello
misused 'a name with an encoded line break' "$http/" 'control character' --destination "$D" "$http/%0d%0aX:1"
misused 'a host with an encoded slash' '' 'host|URL|userinfo' --destination "$D" 'http://h%2f@evil.invalid:1/x'
misused 'a URL that ends with the host' "$http" 'no file' --destination "$D" "$http"
misused 'a URL that ends with a slash' "$http/noname/" 'no file' --destination "$D" "$http/noname/"
for name in ../../tmp/x a/b /abs .. . .hidden -x '' "a%00b" "a%0ab" "$(printf '%0256d' 0)"; do
	misused "filename=${name:0:20}" 'filename' '.' --destination "$D" "$http/file/hello?filename=$name"
done
for name in .. . .hidden -x a%2fb; do misused "the name $name" "$name" 'name' --destination "$D" "$http/file/$name"; done
misused 'port 99999' ':99999' '[Pp]ort' --destination "$D" http://127.0.0.1:99999/x
misused 'port 0' ':0' '[Pp]ort' --destination "$D" http://127.0.0.1:0/x
for source in git::https://h/r.git hg::http://h/r gcs::https://h/o ftp://h/x ssh://h/x "HTTP:/h/x" relative/x ./x ''; do
	misused "source \"$source\"" "$source" 'supported are .*http.*https.*file' --destination "$D" "$source"
done
misused 'a checksum that is none' sha257:00 'supported' --checksum sha257:00 --destination "$D" "$http/file/hello"
misused '--insecure without a checksum' --insecure 'sha256|checksum' --insecure --destination "$D" https://127.0.0.1:1/x
refused 'a file that is not there' 1 "$files/none" 'No such file or directory' -- --destination "$D" "$files/none"
refused 'a directory as source' 1 "$files" 'not a regular file' -- --output "$D/x" "$files"
mkfifo "$files/fifo"
refused 'a fifo, without waiting' 1 "$files/fifo" 'not a regular file' -- --destination "$D" "$files/fifo"
refused 'a mismatch has a status of its own' 3 "$files/other" "expected $hello, got $(sum_of "$files/other")" -- \
	--destination "$D" --checksum "$hello" "$files/other"
timeout 60 "$NX" fetch --no-cache --destination "$D" "$files/hello" >/dev/full 2>"$T/err"
is 'a path that cannot be printed is a failure' "$? $(grep -c 'standard output: No space left' "$T/err")" '1 1'
nx fetch --help
is '--help' "$RC $(grep -c -e '--checksum' "$T/out")" '0 1'

finish
