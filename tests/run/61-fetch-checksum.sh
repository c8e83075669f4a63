#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fetch and checksums: what is no checksum is found out before any network, what does not match never arrives, and a sums file, which
# is as hostile as its server, yields one value or a refusal.
# shellcheck source-path=SCRIPTDIR source=fetch.sh
. "$(dirname "$0")/fetch.sh"

printf 'Hello\n' >"$files/tool"
mkdir -p "$files/netboot" "$files/hwe-netboot"
serve web
http=$WEB
web=$http/file/tool
declare -A digest=(
	[md5]=09f7e02f1290be211da707a266f153b3
	[sha1]=1d229271928d3f9e2bb0375bd6ce5db6c6d348d9
	[sha256]=66a045b452102c59d840ec097d59d9467e13a3f34f6494e539ffd32c1bb35f18
	[sha384]=$(sha384sum <"$files/tool" | cut -d' ' -f1)
	[sha512]=c2bad2223811194582af4d1508ac02cd69eeeeedeeb98d54fcae4dcefb13cc882e7640328206603d3fb9cd5f949a9be0db054dd34fbfa190c498a5fe09750cef
)
sha256=${digest[sha256]}
zeros=$(printf '%064d' 0)
# broken TYPE: what is said about one that proves little
broken() { case $1 in md5 | sha1) printf 'nomad-exec: warning: checksum type %s is broken: different files with one checksum can be made; use sha256' "$1" ;; esac; }
# wrong HEX: the same with another last digit
wrong() { printf '%s%s' "${1%?}" "$(tr 0-9a-f 1-9a-f0 <<<"${1: -1}")"; }

# --- right, wrong, and none (K01-K18) ---

fresh
fetched 'K01: without a checksum' "$files/tool" "$D/tool" "$(unproved "$files/tool")" -- --destination "$D" "$files/tool"
for type in md5 sha1 sha256 sha384 sha512; do
	value=${digest[$type]} bad=$(wrong "${digest[$type]}")
	fresh
	fetched "K02-05: $type" "$files/tool" "$D/tool" "$(broken $type)" -- --checksum "$type:$value" --destination "$D" "$web"
	fetched "K06-09: $type alone" "$files/tool" "$D/x" "$(broken $type)" -- --checksum "$value" --output "$D/x" "$web"
	fresh
	refused "K10-13: $type that does not match" 3 "$web" "expected $type:$bad, got $type:$value" -- \
		--checksum "$type:$bad" --output "$D/x" "$web"
	for text in "$type:${value%?}" "$type:${value}0" "$type:${value%?}g" "$type:" "$type:${value%??}"; do
		before=$(wc -l <"$T/web.log")
		refused "K15-16: $text" 2 "$text" 'hex digits' -- --checksum "$text" --output "$D/x" "$web"
		is "K15-16: $text: before any network" "$(wc -l <"$T/web.log")" "$before"
	done
done
fresh
fetched 'K14: capitals' "$files/tool" "$D/x" '' -- --checksum "SHA256:${sha256^^}" --output "$D/x" "$web"
fresh
for text in 0123456789 crc32:deadbeef : '' sha256 "$sha256:"; do
	refused "K17-18: \"$text\"" 2 "checksum $text" 'supported|expected TYPE:HEX' -- --checksum "$text" --output "$D/x" "$web"
done
fetched '--min-hash: strong enough' "$files/tool" "$D/x" '' -- --min-hash sha256 --checksum "sha256:$sha256" --output "$D/x" "$web"
fresh
for type in md5 sha1; do
	refused "--min-hash: $type" 2 "$type" 'min-hash' -- --min-hash sha256 --checksum "$type:${digest[$type]}" --output "$D/x" "$web"
done

# --- in the query, as go-getter takes it ---

fetched 'the query key checksum' "$files/tool" "$D/x" '' -- --output "$D/x" "$web?checksum=sha256:$sha256&a=b%26c"
is 'the server sees all the rest of the query, unchanged' "$(asked web '/file/tool?a=b%26c"')" 1
is 'K37: and no checksum' "$(grep -c checksum "$T/web.log")" 0
fresh
refused 'the query key with a wrong value' 3 "$web" "expected sha256:$(wrong "$sha256"), got sha256:$sha256" -- \
	--output "$D/x" "$web?checksum=sha256:$(wrong "$sha256")"
refused 'the query key with what is none (N05)' 2 sha256:toosmall 'checksum' -- --output "$D/x" "$web?checksum=sha256:toosmall"
refused 'two checksums that differ' 2 checksum '.' -- --checksum "sha256:$zeros" --output "$D/x" "$web?checksum=sha256:$sha256"

# --- what is there already (K20) ---

fetched 'K20: into an empty place' "$files/tool" "$D/tool" '' -- --checksum "sha256:$sha256" --destination "$D" "$web?k20"
fetch --json --checksum "sha256:$sha256" --destination "$D" "$web?k20"
is 'K20: the same again asks for nothing' "$RC $(asked web '/file/tool?k20') $(json path)" "0 1 \"$D/tool\""
echo longer than the other >"$D/tool"
fetched 'H12: what is there is longer, and is replaced' "$files/tool" "$D/tool" '' -- --checksum "sha256:$sha256" --destination "$D" "$web?k20"

# --- sums files (K22-K35) ---

# sums NAME CONTENT: with printf's escapes
sums() { printf '%b' "$2" >"$files/$1"; }
# found NAME SUMS: the file with these sums proves the tool
found() {
	fresh
	sums SUMS "$2"
	fetched "$1" "$files/tool" "$D/x" "${3:-}" -- --checksum "file:$http/file/SUMS" --output "$D/x" "$web"
}
# not_found NAME STATUS SUMS REASON: it does not; a mismatch is one of the tool
not_found() {
	fresh
	sums SUMS "$3"
	refused "$1" "$2" "$([ "$2" = 3 ] && echo "$web" || echo SUMS)" "$4" -- --checksum "file:$http/file/SUMS" --output "$D/x" "$web"
}
found 'K22: GNU, two blanks' "$sha256  tool\n"
found 'K22: GNU, without a last line break' "$sha256  tool"
found 'K23: GNU, binary' "$sha256 *tool\n"
found 'K23: BSD' "SHA256 (tool) = $sha256\n"
found 'K25: the value alone' "$sha256\n"
found 'K25: the value alone, without a line break' "$sha256"
not_found 'K25: two values alone' 1 "$sha256\n$zeros\n" '.'
found 'K26: other names as well' "$sha256  tool\n$zeros  other\n"
not_found 'K27: other names alone are listed' 1 "$zeros  first\n$zeros  second\n" 'first.*second'
found 'K30: one base name below a directory' "$sha256  _dist/tool\n$zeros  other\n"
not_found 'two base names with two values' 1 "$sha256  a/tool\n$zeros  b/tool\n" 'tool'
not_found 'one name with two values' 1 "$sha256  tool\n$zeros  tool\n" 'tool'
found 'one name twice with one value' "$sha256  tool\n$sha256  tool\n"
found 'K32: CRLF' "$zeros  other\r\n$sha256  tool\r\n"
found 'K32: a BOM' "\xef\xbb\xbf$sha256  tool\n"
found 'K32: a tab' "$sha256\ttool\n"
not_found 'K33: an escaped line is for no such name' 1 "\\\\\\\\$sha256  a\\\\\\\\ntool\n" '.'
found 'K34: the strongest of two types' "$sha256  tool\n${digest[sha512]}  tool\n"
not_found 'K34: also when that does not match' 3 "$sha256  tool\n$(wrong "${digest[sha512]}")  tool\n" "expected sha512:" 
not_found 'a line with a name is not a value alone' 1 "$zeros  other\n" 'other'
not_found 'an empty file' 1 '' '.'
not_found 'a web page' 1 '<html>\n<body>404</body>\n' '.'
not_found 'a value of a wrong length' 1 "${sha256}00  tool\n" '.'
not_found 'a value that does not match' 3 "$(wrong "$sha256")  tool\n" "expected sha256:$(wrong "$sha256"), got sha256:$sha256"
mkdir -p "$T/served/sub"
found 'comments and other text beside it' "# sums\n\n-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n$sha256  tool\n"
fresh
sums SUMS "$sha256  tool\n"
fetched 'a sums file in a local file' "$files/tool" "$D/x" '' -- --checksum "file:file://$files/SUMS" --output "$D/x" "$web"
fetched 'and by its path' "$files/tool" "$D/x" '' -- --force --checksum "file:$files/SUMS" --output "$D/x" "$web"
fetched 'and in the query' "$files/tool" "$D/tool" '' -- --destination "$D" "$web?checksum=file:$http/file/SUMS"
{ yes "$zeros  other" | head -c 1048577; } >"$files/HUGE"
fresh
refused 'K35: more than a MiB' 1 HUGE '1 MiB|too large|larger|1048576' -- --checksum "file:$http/file/HUGE" --output "$D/x" "$web"
refused 'K35: without an end' 1 /endless/SUMS '1 MiB|too large|larger|1048576' -- --checksum "file:$http/endless/SUMS" --output "$D/x" "$web"
before=$(asked web /file/tool)
refused 'a sums file that is not there' 1 "$http/status/404/SUMS" 'status 404' -- --retries 0 --checksum "file:$http/status/404/SUMS" --output "$D/x" "$web"
is 'and then nothing else is asked for' "$(asked web /file/tool)" "$before"
refused 'a sums URL of another kind' 2 ftp: 'supported' -- --checksum file:ftp://127.0.0.1/SUMS --output "$D/x" "$web"

# --- what the bytes are (K38) ---

refused 'K38: an encoded answer' 1 "$http/gzip/x" 'Content-Encoding' -- --retries 0 --output "$D/x" "$http/gzip/x"
is 'K38: nor was it asked for' "$(header web /gzip/x 1 Accept-Encoding | sed 's/identity//')" ''
fetched 'K38: identity is none' "$files/tool" "$D/x" '' -- --checksum "sha256:$sha256" --output "$D/x" "$http/identity/x"

finish
