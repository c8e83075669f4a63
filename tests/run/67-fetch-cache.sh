#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The cache of fetch: the second who wants the same bytes gets them without a server, twenty at once cause one download, and nothing
# that is in it is believed for being there.
# shellcheck source-path=SCRIPTDIR source=fetch.sh
. "$(dirname "$0")/fetch.sh"

cache=$NOMAD_EXEC_CACHE_DIR
for name in a b c d; do made $name.bin 2000000; done
serve web
http=$WEB
D=$T/d
declare -A sums
for name in a b c d; do sums[$name]=$(sum_of "$files/$name.bin"); done
a=${sums[a]#sha256:}
entry=$cache/sha256/${a:0:2}/$a

# cached ARGUMENT...: fetch with the cache
cached() {
	timeout --kill-after=5 "$patience" "$NX" fetch "$@" >"$T/out" 2>"$T/err" </dev/null
	RC=$? OUT=$(cat "$T/out") ERR=$(cat "$T/err")
}
# gets NAME FILE REQUESTS FROM_CACHE [OPTION...]: with its checksum; so often it was asked for by now, and where it came from
gets() {
	local name=$1 file=$2 requests=$3 from=$4
	shift 4
	fresh
	cached --json --checksum "${sums[$file]}" "$@" --output "$D/x" "$http/range/$file.bin"
	is "$name" "$RC $(cmp "$files/$file.bin" "$D/x" 2>&1) $(asked web "/range/$file.bin") $(json from_cache)" "0  $requests $from"
	is "$name: nothing else is there" "$(ls -A "$D")" x
}
# entries: what files the cache has, of those that are no lock
entries() { find "$cache" -type f ! -name '*lock*' -printf '%f\n' 2>/dev/null | sort; }

# --- hit and miss ---

gets 'the first time it is asked for' a 1 false
is 'and kept under its digest' "$(stat -c '%F %a %u:%g %s' "$entry")" 'regular file 444 0:0 2000000'
is 'alone' "$(entries)" "$a"
gets 'the second time it is not' a 1 true
is 'the copy is a file of its own' "$(stat -c '%h %a' "$D/x" "$entry" | tr '\n' ' ')" '1 644 1 444 '
fresh
cached --checksum "${sums[a]}" --output "$D/x" http://127.0.0.1:1/gone
is 'whatever its URL' "$RC $OUT$ERR $(cmp "$files/a.bin" "$D/x" 2>&1)" "0 $D/x "
fresh
cached --checksum "sha256:${a^^}" --chmod 700 --output "$D/x" "$http/range/a.bin"
is 'in capitals, and with a mode' "$RC $OUT $(stat -c %a "$D/x") $(asked web /range/a.bin)" "0 $D/x 700 1"
fresh
cached --output "$D/x" "$http/range/a.bin"
is 'without a checksum nothing says that it is the same' "$RC $(asked web /range/a.bin)" '0 2'
gets '--no-cache: it is asked for' a 3 false --no-cache
gets '--no-cache: and not kept' b 1 false --no-cache
is '--no-cache: not there' "$(entries)" "$a"
for type in sha384 sha512; do
	fresh
	value=$(${type}sum <"$files/c.bin" | cut -d' ' -f1)
	for _ in 1 2; do cached --checksum "$type:$value" --output "$D/x" "$http/range/c.bin?$type"; echo old >"$D/x"; done
	is "$type is a key as well" "$(asked web "/range/c.bin?$type") $(stat -c %a "$cache/$type/${value:0:2}/$value")" '1 444'
done
for type in md5 sha1; do
	fresh
	value=$(${type}sum <"$files/d.bin" | cut -d' ' -f1)
	for _ in 1 2; do cached --checksum "$type:$value" --output "$D/x" "$http/range/d.bin?$type"; echo old >"$D/x"; done
	is "$type is none" "$(asked web "/range/d.bin?$type") $(ls -d "$cache/$type" 2>/dev/null)" '2 '
done
fresh
before=$(entries)
cached --checksum "sha256:$(printf '%064d' 0)" --output "$D/x" "$http/range/a.bin"
is 'what does not match is not kept' "$RC $(cat "$D/x") $(entries)" "3 old $before"

# --- twenty at once ---

rm -rf "$cache"
fresh
pids=()
for i in $(seq 20); do
	timeout "$patience" "$NX" fetch --checksum "${sums[d]}" --output "$D/$i" "$http/range/d.bin?rate=2000000&many" >"$T/many.$i" 2>&1 </dev/null &
	pids+=($!)
done
bad=''
for i in $(seq 20); do
	wait "${pids[i - 1]}" || bad="$bad $i: $(cat "$T/many.$i")"
	cmp -s "$files/d.bin" "$D/$i" || bad="$bad $i differs"
done
is 'twenty at once: all have it' "$bad" ''
is 'twenty at once: one request' "$(asked web '/range/d.bin?rate=2000000&many')" 1
is 'twenty at once: nothing else is left' "$(cd "$D" && find . -mindepth 1 ! -name '[0-9]*' ! -name x) $(entries)" " ${sums[d]#sha256:}"
# The one that downloads is killed: another takes over.
rm -rf "$cache"
fresh
"$NX" fetch --checksum "${sums[d]}" --output "$D/1" "$http/range/d.bin?1.rate=100000&killed" >/dev/null 2>&1 </dev/null &
first=$!
ok 'one downloads' wait_for 60 grep -q killed "$T/web.log"
timeout "$patience" "$NX" fetch --checksum "${sums[d]}" --output "$D/2" "$http/range/d.bin?1.rate=100000&killed" >"$T/two.out" 2>"$T/two.err" </dev/null &
second=$!
sleep 0.5
kill -KILL $first
wait $first 2>/dev/null
end_of two $second
is 'it is killed: who waited downloads' "$RC $OUT $(cmp "$files/d.bin" "$D/2" 2>&1)" "0 $D/2 "

# --- entries that are wrong ---

rm -rf "$cache"
requests=$(asked web /range/a.bin)
gets 'anew' a $((requests + 1)) false
# spoiled NAME COMMAND...: after it the file is asked for once more, is right, and so is the entry
spoiled() {
	local name=$1
	shift
	"$@"
	requests=$(asked web /range/a.bin)
	gets "$name" a $((requests + 1)) false
	is "$name: the entry is right again" "$(stat -c '%F %a' "$entry") $(cmp "$files/a.bin" "$entry" 2>&1)" 'regular file 444 '
}
# shellcheck disable=SC2317 # called by spoiled
flip() { printf X | dd of="$entry" bs=1 seek=1000 conv=notrunc status=none; touch -r "$files/a.bin" "$entry"; }
spoiled 'one byte is another' flip
spoiled 'it is short' truncate -s 1000000 "$entry"
spoiled 'it is empty' truncate -s 0 "$entry"
spoiled 'it is a link' ln -sf "$files/b.bin" "$entry"
is 'which is not written through' "$(sum_of "$files/b.bin")" "${sums[b]}"

# --- how much it keeps ---

rm -rf "$cache"
for name in a b; do
	cached --cache-max 5M --checksum "${sums[$name]}" --output "$D/$name" "$http/range/$name.bin?lru"
	sleep 1.1 # so that times differ on every file system
done
cached --cache-max 5M --checksum "${sums[a]}" --output "$D/a2" "$http/range/a.bin?lru"
sleep 1.1
cached --cache-max 5M --checksum "${sums[c]}" --output "$D/c" "$http/range/c.bin?lru"
is '--cache-max: what was not used for longest goes' "$(entries)" "$(printf '%s\n' "$a" "${sums[c]#sha256:}" | sort)"
fresh
cached --cache-max 1M --checksum "${sums[b]}" --output "$D/x" "$http/range/b.bin?lru"
is '--cache-max: what is larger is fetched, and not kept' "$RC $OUT $(entries | grep -c "${sums[b]#sha256:}")" "0 $D/x 0"

# --- a cache that cannot be used ---

# useless NAME [WARNING]: the file comes all the same
useless() {
	fresh
	cached --checksum "${sums[a]}" --output "$D/x" "$http/range/a.bin"
	is "$1: the file comes all the same" "$RC $OUT $(cmp "$files/a.bin" "$D/x" 2>&1)" "0 $D/x "
	[ $# = 1 ] || like "$1: with a warning" "$ERR" "$2"
}
rm -rf "$cache"
mkdir -p "$(dirname "$entry")"
cp "$files/b.bin" "$entry"
chown -R 65534 "$cache"
useless 'not root'"'"'s' "nomad-exec: warning: .*$cache.*"
is 'and is left alone' "$(cmp "$files/b.bin" "$entry" 2>&1)" ''
chown -R 0 "$cache"
chmod 777 "$cache"
useless 'everybody may write' "nomad-exec: warning: .*$cache.*"
rm -rf "$cache"
: >"$cache"
useless 'no directory'
rm "$cache"
ln -s "$T/elsewhere" "$cache"
mkdir "$T/elsewhere"
chown 65534 "$T/elsewhere"
useless 'a link to what is not root'"'"'s'
is 'where nothing is made' "$(ls -A "$T/elsewhere")" ''
rm "$cache"

cp "$NX" "$T/nx"
mkdir "$T/theirs"
chown 65534 "$T/theirs"
# not_root NAME SCRIPT: as nobody with the usual cache, after root has run this in a /var/cache of its own
not_root() {
	rm -f "$T/theirs/x"
	# shellcheck disable=SC2016 # for the inner shell
	timeout 60 env -u NOMAD_EXEC_CACHE_DIR unshare --mount sh -c 'mount -t tmpfs none /var/cache && eval "$1" && shift && exec "$@"' sh "$2" \
		setpriv --reuid 65534 --regid 65534 --clear-groups "$T/nx" fetch --checksum "${sums[a]}" --output "$T/theirs/x" "$http/range/a.bin" \
		>"$T/out" 2>"$T/err" </dev/null
	is "whoever is not root has no cache, and no warning: $1" "$? $(cat "$T/out" "$T/err") $(cmp "$files/a.bin" "$T/theirs/x" 2>&1)" "0 $T/theirs/x "
}
if can_mount; then
	not_root 'there is none' true
	not_root 'there is that of root' 'mkdir -p /var/cache/nomad-exec/sha256'
else
	skip 'the cache of whoever is not root' 'no mounts here'
fi

finish
