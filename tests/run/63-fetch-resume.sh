#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fetch again after it was cut off: it goes on at the byte it had reached, as far as that can be proved, and whatever the server
# says then, and whenever it is killed, the destination has all of the old file or all of the new one.
# NX_SLOW=1: four times as many kills.
# shellcheck source-path=SCRIPTDIR source=fetch.sh
. "$(dirname "$0")/fetch.sh"

size=15000000
made f.bin $size
made g.bin $size
sum=$(sum_of "$files/f.bin") other_sum=$(sum_of "$files/g.bin")
serve web
http=$WEB

# one NAME TARGET [OPTION...]: one attempt; the old file stays when it fails
cut_off() {
	local name=$1 target=$2
	shift 2
	KEEPS=1 refused "$name: cut off" 1 "$http$target" '.' -- --retries 0 "$@" --output "$D/x" "$http$target"
}
# whole NAME: the last fetch ended well, with all of the file
whole() { is "$1" "$RC $OUT$ERR $(cmp "$files/f.bin" "$D/x" 2>&1)" "0 $D/x "; }
# no_more: nothing but x is there, not even what a download leaves
no_more() { is "$1: and only it is left" "$(ls -A "$D")" x; }

# --- within one run (H36) ---

fresh
target='/range/f.bin?-3.cut=4000000'
fetch --json --checksum "$sum" --output "$D/x" "$http$target"
is 'H36: three times cut, and whole' "$RC $(cmp "$files/f.bin" "$D/x" 2>&1)" '0 '
is 'H36: in four requests' "$(json attempts) $(asked web "$target")" '4 4'
is 'H36: no byte comes twice' "$(sent_bytes web "$target")" $size
is 'H36: where the second begins' "$(header web "$target" 2 Range)" bytes=4000000-
like 'H36: on which condition' "$(header web "$target" 2 If-Range)" '"[0-9a-f-]+"'
no_more H36

# --- in the next run (H06) ---

fresh
target='/range/f.bin?1.cut=10000000'
cut_off 'H06' "$target" --checksum "$sum"
is 'H06: a part is kept, which nobody else reads' "$(stat -c '%n %a %s' "$D"/.*.part)" "$D/.f.bin.part 600 10000000"
fetch --json --checksum "$sum" --output "$D/x" "$http$target"
is 'H06: then it is whole' "$RC $(cmp "$files/f.bin" "$D/x" 2>&1)" '0 '
is 'H06: it went on' "$(header web "$target" 2 Range) $(json resumed_from) $(sent_bytes web "$target")" "bytes=10000000- 10000000 $size"
no_more H06
fresh
target='/range/f.bin?1.cut=10000000&plain'
cut_off 'H06: without a checksum' "$target"
fetch --output "$D/x" "$http$target"
is 'H06: a strong ETag is proof enough' "$RC $(cmp "$files/f.bin" "$D/x" 2>&1) $(sent_bytes web "$target")" "0  $size"

# --- when nothing proves that it is the same ---

for etag in weak none; do
	fresh
	target="/range/f.bin?1.cut=10000000&etag=$etag"
	cut_off "ETag $etag" "$target"
	fetch --output "$D/x" "$http$target"
	is "ETag $etag, no checksum: from the beginning" "$RC $(cmp "$files/f.bin" "$D/x" 2>&1) $(header web "$target" 2 Range)" '0  '
	fresh
	target="/range/f.bin?1.cut=10000000&etag=$etag&sum"
	cut_off "ETag $etag, checksum" "$target" --checksum "$sum"
	fetch --checksum "$sum" --output "$D/x" "$http$target"
	whole "ETag $etag, but a checksum: whole"
	is "ETag $etag: a weak one is no condition" "$(header web "$target" 2 If-Range)" ''
done

# --- when it is not the same, or the server does not play (H07, H09) ---

# second NAME KEYS [OPTION...]: a first attempt is cut, the second gets an answer with these keys: it is whole in the end, at
# the latest in a third one, and never anything else
second() {
	local name=$1 target="/range/f.bin?1.cut=10000000&$2"
	shift 2
	fresh
	cut_off "$name" "$target" "$@"
	fetch --retries 0 "$@" --output "$D/x" "$http$target"
	if [ "$RC" != 0 ]; then
		only_says "$name: refused" "$RC" "$http/range/f.bin" '.'
		is "$name: the old file stays" "$(cat "$D/x")" old
		fetch "$@" --output "$D/x" "$http$target"
	fi
	is "$name: then whole" "$RC $(cmp "$files/f.bin" "$D/x" 2>&1)" '0 '
	no_more "$name"
}
second 'H07: 200 to a Range' '2.ignore=1' --checksum "$sum"
second 'H07: 200 without a length' '2.ignore=1&2.nolength=1' --checksum "$sum"
second 'H09: another ETag' 'etag=changing' --checksum "$sum"
second 'H09: another ETag, no checksum' 'etag=changing&proof=0'
for wrong in '2.start=1' '2.start=-1' '2.total=1' '2.total=-1' '2.length=-5' '2.content-range=' '2.content-range=garbage' \
	'2.content-range=bytes%20*/15000000' '2.content-range=bytes%205-4/3' '2.content-range=bytes%20-1-5/10' \
	'2.content-range=bytes%2010000000-14999999/99999999999999999999' \
	'2.content-range=bytes%2018446744073729551616-18446744073739551615/15000000' '2.content-range=bytes%200x989680-14999999/15000000' \
	'2.content-range=bytes%2010000000-14999999/15000000%20x' '2.header=Content-Encoding:gzip' '2.refuse=7' '2.refuse=garbage' '2.refuse=10000000'; do
	second "$wrong" "$wrong" --checksum "$sum"
done
second 'Content-Range of another start, no checksum' '2.start=1&proof=0'
second 'Content-Range of another total, no checksum' '2.total=1&proof=0'

fresh
cp -p "$files/f.bin" "$files/v.bin"
target='/range/v.bin?1.cut=10000000'
cut_off 'H09: a file that changes' "$target"
cp "$files/g.bin" "$files/v.new" && mv "$files/v.new" "$files/v.bin"
fetch --output "$D/x" "$http$target"
is 'H09: is whole in its new form' "$RC $(cmp "$files/g.bin" "$D/x" 2>&1)" '0 '

fresh
target='/range/f.bin?1.chunked=1&1.noend=1'
cut_off 'H11: all of it, but no end' "$target" --checksum "$sum"
fetch --checksum "$sum" --output "$D/x" "$http$target"
whole 'H11: 416 with that very length means that it is whole'
is 'H11: and nothing comes again' "$(sent_bytes web "$target")" $size

fresh
cut_off 'another URL' '/range/f.bin?cut=10000000' --checksum "$sum"
fetch --checksum "$other_sum" --output "$D/x" "$http/range/g.bin"
is 'another URL does not go on with it' "$RC $(cmp "$files/g.bin" "$D/x" 2>&1)" '0 '

# --- partial files that are not ours ---

fresh
echo victim >"$T/victim"
ln -s "$T/victim" "$D/.f.bin.part"
fetch --checksum "$sum" --output "$D/x" "$http/range/f.bin?link"
is 'a link in its place is not followed' "$(cat "$T/victim")" victim
like 'but replaced, or refused' "$RC $(head -c 3 "$D/x" | tr -d '\0\n' | grep -c old)" '0 0|1 1'
fresh
head -c 10000000 "$files/g.bin" >"$D/.f.bin.part"
fetch --checksum "$sum" --output "$D/x" "$http/range/f.bin?planted"
[ "$RC" = 0 ] || { is 'what somebody put there is not taken' "$RC $(cat "$D/x")" '3 old'; fetch --checksum "$sum" --output "$D/x" "$http/range/f.bin?planted"; }
whole 'what somebody put there does not stay in the way'

# --- two at once (H46) ---

fresh
target='/range/f.bin?rate=10000000&two'
for name in one two; do
	timeout "$patience" "$NX" fetch --no-cache --checksum "$sum" --output "$D/x" "$http$target" >"$T/$name.out" 2>"$T/$name.err" </dev/null &
	declare "$name=$!"
done
# shellcheck disable=SC2154 # declared above
for name in one two; do
	end_of $name "${!name}"
	whole "H46: two at once: $name"
done
is 'H46: one download' "$(sent_bytes web "$target")" $size
no_more H46

# --- killed at any moment (H47) ---

kills=25
[ "${NX_SLOW:-0}" = 1 ] && kills=100
target='/range/f.bin?rate=30000000&kill'
fresh
torn=0 ended=0
for ((i = 0; i < kills; i++)); do
	"$NX" fetch --no-cache --checksum "$sum" --output "$D/x" "$http$target" >/dev/null 2>&1 </dev/null &
	pid=$!
	sleep "0.$(printf '%03d' $((RANDOM % 500)))"
	kill -KILL $pid 2>/dev/null
	wait $pid 2>/dev/null
	if cmp -s "$files/f.bin" "$D/x"; then
		ended=$((ended + 1))
		echo old >"$D/x"
	elif [ "$(tr -d '\0' <"$D/x")" != old ]; then
		torn=$((torn + 1))
	fi
done
is "H47: killed $kills times: always the old file or the new one" "$torn" 0
is 'H47: nothing else is left but a part' "$(cd "$D" && find . -type f ! -name '.f.bin.part*')" ./x
fetch --checksum "$sum" --output "$D/x" "$http$target"
whole 'H47: then it is whole'
no_more H47
sleep 0.5 # the server writes down what it sent to the last one that was killed
sent=$(sent_bytes web "$target") most=$(((ended + 1) * size + kills * 3000000))
if [ "$sent" -le $most ]; then pass "H47: each went on where the one before was"; else
	fail 'H47: each went on where the one before was' "sent: $sent" "at most: $most, for $((ended + 1)) downloads and $kills kills"
fi

# --- several connections ---

made l.bin 64000000
large=$(sum_of "$files/l.bin")
# many NAME KEYS [OPTION...]: whole, whatever happens on one of the connections
many() {
	local name=$1 keys=$2
	shift 2
	fresh
	fetch --json --checksum "$large" "$@" --output "$D/x" "$http/range/l.bin?rate=30000000&$keys"
	is "several connections: $name" "$RC $(cmp "$files/l.bin" "$D/x" 2>&1)$(sed '/warning/d' "$T/err")" '0 '
	no_more "several connections: $name"
}
many 'as many as help' c1 --connections 4
like 'it says how many' "$(json connections)" '[1-4]'
is 'on a slow server more than one' "$(($(asked web '/range/l.bin?rate=30000000&c1') > 1))" 1
many 'one, when that is asked for' c2 --connections 1
is 'it was one' "$(json connections) $(asked web '/range/l.bin?rate=30000000&c2')" '1 1'
many 'one breaks' '2.cut=1000000' --connections 4
many 'the server has enough of it' '2.status=503&3.status=503' --connections 4
many 'the second answer is 200' '2.ignore=1' --connections 4
many 'the second answer is a lie' '2.start=1' --connections 4
many 'the entity changes' 'etag=changing' --connections 4
many 'no ranges' 'ignore=1' --connections 4

finish
