#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# `verify` beside the programs whose files it reads: the same results on standard output, and the same verdict, for each kind of
# sums file; where it differs on purpose, in what. Needs no root. The sums files and the names in them are the attacker's.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export LC_ALL=C
hint='nomad-exec: try: nomad-exec verify --help'
weak() { echo "nomad-exec: warning: checksum type $1 is broken: different files with one checksum can be made; use sha256"; }

# The digests of "Hello\n", as the cases of the specification state them, and what fits nothing here.
md5=09f7e02f1290be211da707a266f153b3
sha1=1d229271928d3f9e2bb0375bd6ce5db6c6d348d9
sha256=66a045b452102c59d840ec097d59d9467e13a3f34f6494e539ffd32c1bb35f18
sha512=c2bad2223811194582af4d1508ac02cd69eeeeedeeb98d54fcae4dcefb13cc882e7640328206603d3fb9cd5f949a9be0db054dd34fbfa190c498a5fe09750cef
zero=0000000000000000000000000000000000000000000000000000000000000000

mkdir "$T/work" "$T/work/dir" && cd "$T/work" || exit 1
printf 'Hello\n' >a
: >empty
printf 'x' >b
names=(a b empty 'two words' ' leading' 'trailing ' '*star' '#hash' 'tab	tab' $'new\nline' $'new\\\nline' $'d\303\251' $'\377\376' -dash
	"'quoted'" dir/a 'a) = b' '%s%n' "$(printf 'l%.0s' {1..255})")
for name in "${names[@]}"; do [ -e "$name" ] || printf '%s' "$name" >"./$name"; done
head -c 700000 </dev/zero >large # more than two blocks, and not a whole number of them

# both NAME TOOL OPTION...: `TOOL OPTION... -c $T/sums` and `verify OPTION... --check $T/sums` print the same and agree
both() {
	local name=$1 tool=$2 rc
	shift 2
	"$tool" "$@" -c "$T/sums" >"$T/peer" 2>/dev/null </dev/null
	rc=$?
	nx verify "$@" --check "$T/sums"
	if [ $((rc == 0)) = $((RC == 0)) ] && cmp -s "$T/peer" "$T/out"; then
		pass "$name, as $tool${*:+ $*}"
	else
		fail "$name, as $tool${*:+ $*}" "expected status $rc, got $RC" "expected stdout:" "$(cat -A "$T/peer")" "got stdout:" "$(cat -A "$T/out")" \
			"stderr: $ERR"
	fi
}

# sums TEXT: $T/sums, with the escapes of printf
sums() { printf '%b' "$1" >"$T/sums"; }

# --- files that those programs write ---

for tool in md5sum sha1sum sha256sum sha384sum sha512sum shasum; do
	"$tool" -- "${names[@]}" large >"$T/sums"
	[ "$tool" = shasum ] || both 'every name' "$tool"
	[ "$tool" = shasum ] || both 'every name' "$tool" --quiet
	[ "$tool" = shasum ] || both 'every name' "$tool" --status
	"$tool" -b a b empty 'two words' ' leading' >"$T/sums"
	both 'the binary marker' "$tool"
	"$tool" --tag -- "${names[@]}" >"$T/sums"
	[ "$tool" = shasum ] || both 'with the type' "$tool"
	"$tool" a b empty | sed 's/$/\r/' >"$T/sums"
	[ "$tool" = shasum ] || both 'CRLF' "$tool"
	"$tool" a b empty | sed '2s/^./X/' >"$T/sums"
	both 'one malformed line' "$tool"
	both 'one malformed line' "$tool" --strict
	"$tool" a b empty | sed '2s/\( *\)b/\1none/' >"$T/sums"
	both 'one that is not there' "$tool"
	both 'one that is not there' "$tool" --ignore-missing
	both 'one that is not there' "$tool" --ignore-missing --quiet
	"$tool" a b empty | sed '2s/b$/a/' >"$T/sums"
	both 'one that is wrong' "$tool"
	both 'one that is wrong' "$tool" --quiet
	both 'one that is wrong' "$tool" --status
	both 'one that is wrong, others missing' "$tool" --ignore-missing
	"$tool" a | tr a-f A-F >"$T/sums"
	printf '%s' "$("$tool" b)" >>"$T/sums"
	both 'no newline at the end' "$tool"
done
for type in 1 256 384 512; do
	shasum -a "$type" -- "${names[@]:0:6}" large >"$T/sums"
	both "every type: $type" shasum
	shasum -a "$type" --tag -- a b large >"$T/sums" 2>/dev/null && both "every type, named: $type" shasum
done

# --- files that somebody else wrote ---

while IFS='|' read -r name text; do
	sums "$text"
	both "$name" sha256sum
	both "$name" sha256sum --strict
done <<-END
	one space|$sha256 a\n$zero b\n
	one space, then two|$sha256 a\n$sha256  a\n
	two spaces, then one|$sha256  a\n$sha256 a\n
	one space, then a star|$sha256 *star\n$sha256 a\n$sha256 *star\n
	a tab|$sha256\ta\n
	a space and a tab|$sha256 \ta\n
	three spaces|$sha256   leading\n
	blanks in front|  $sha256  a\n\t$sha256  a\n
	blanks behind|$sha256  a \n
	nothing but blanks behind|$sha256  \n
	one digit short|${sha256%?}  a\n$sha256  a\n
	one digit more|0$sha256  a\n$sha256  a\n
	not hexadecimal|${sha256%?}g  a\n$sha256  a\n
	comments|# $sha256  a\n$sha256  a\n#\n
	a comment that is none| # x\n$sha256  a\n
	empty lines|\n\r\n$sha256  a\n\n
	nothing|
	nothing but lines|\n\n
	not a sums file|<html>\n<body>\n
	a signed message|-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n$sha256  a\n-----BEGIN PGP SIGNATURE-----\n
	escapes|\\\\$sha256  a\n\\\\$sha256  new\\\\nline\n
	bad escapes|\\\\$sha256  a\\\\t\n\\\\$sha256  a\\\\\n\\\\\\\\$sha256  a\n$sha256  a\n
	a directory|$sha256  dir\n
	a file as a directory|$sha256  a/b\n
	twice, once wrong|$sha256  a\n$zero  a\n
	standard input, which is empty|e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  -\n
	standard input, which is not this|$sha256 *-\n
	with the type, no blanks|SHA256(a)=$sha256\n
	as openssl 1|SHA256(a)= $sha256\n
	with the type, many blanks|SHA256 (a) \t =\t $sha256\n
	with the type, two blanks before the name|SHA256  (a) = $sha256\n$sha256  a\n
	with the type, blanks behind|SHA256 (a) = $sha256 \n$sha256  a\n
	with the type, no name|SHA256 () = $sha256\n
	with the type, parentheses|SHA256 (a) = b) = $sha256\n
	with the type, no end|SHA256 (a = $sha256\n$sha256  a\n
	with the type, no value|SHA256 (a) =\n$sha256  a\n
	with the type, escaped|\\\\SHA256 (new\\\\nline) = $sha256\n
	with a type that is unknown|BLAKE2b (a) = $sha512\nSHA224 (a) = $sha256\n$sha256  a\n
	a path through /proc|$sha256  /proc/self/cwd/a\n
	a device|e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  /dev/null\n
	upper case|${sha256^^}  a\n
END
sums "$md5 a\n$md5 empty\n"
both 'md5 -r' md5sum
sums "MD5 (a) = $md5\nMD5 (b) = $md5\n"
both 'md5 of BSD' md5sum
python3 -c 'import random, sys; sys.stdout.buffer.write(random.Random(1).randbytes(20000))' >"$T/sums"
both 'noise' sha256sum
printf '%s  a\n' "$sha256" >>"$T/sums"
both 'noise, and a good line' md5sum

# --- where it differs on purpose ---

# check NAME STATUS STDOUT STDERR OPTION...: of `verify OPTION... --check $T/sums`
check() {
	local name=$1 status=$2 out=$3 err=$4
	shift 4
	run_is "$name" "$status" "$out" "$err" -- verify "$@" --check "$T/sums"
}

sums "$md5  a\n$sha1  a\n$sha256  a\n$sha512  a\nMD5 (a) = $md5\n"
check 'all types in one file' 0 $'a: OK\na: OK\na: OK\na: OK\na: OK' "$(weak md5)"
sums "\xef\xbb\xbf$sha256  a\n"
check 'a byte order mark' 0 'a: OK' ''
sums "$sha256 ?a\n"
check 'the portable mark of older shasum is no part of the name' 0 'a: OK' ''
sums "sha256 (a) = $sha256\n"
check 'the type in any case' 0 'a: OK' ''
sums "$sha256  a\0b\n$sha256  a\n"
check 'a NUL byte does not end a name' 0 'a: OK' "nomad-exec: warning: $T/sums: malformed lines: 1, the first is line 1"
# coreutils do so since the release after 9.1, which shows a name as it is unless there is a newline in it.
printf 'Hello\n' >'back\slash'
sha256sum 'back\slash' >"$T/sums"
check 'a backslash is always shown as two' 0 '\back\\slash: OK' ''
sums "$sha256  back\\\\slash\n"
check 'also when the file does not write it so' 0 '\back\\slash: OK' ''
sums "$sha256  a\r\r\n"
check 'a carriage return is shown as an escape' 1 '\a\r: FAILED open or read' 'nomad-exec: open a?: No such file or directory'
sums "$sha256  a\r$sha256  b"
check 'a carriage return alone ends no line' 1 "\\a\\r$sha256  b: FAILED open or read" \
	"nomad-exec: open a?$sha256  b: No such file or directory"
sums "$sha256  $(printf 'l%.0s' {1..9000})\n$sha256  a\n"
check 'a name that no file can have' 0 'a: OK' "nomad-exec: warning: $T/sums: malformed lines: 1, the first is line 1"
head -c 1048576 /dev/zero | tr '\0' '\n' >"$T/sums"
check '1 MiB of nothing' 1 '' "nomad-exec: $T/sums: it has no line with a checksum and a file name"
echo >>"$T/sums"
check 'more than 1 MiB' 1 '' "nomad-exec: $T/sums: read checksums (at most 1 MiB of them): File too large"
run_is 'a sums file without an end' 1 '' 'nomad-exec: /dev/zero: read checksums (at most 1 MiB of them): File too large' -- \
	verify --check /dev/zero

# --- statuses and messages ---

expected="expected sha256:$zero, got sha256:$sha256 (6 bytes)"
missing='nomad-exec: open none: No such file or directory'
sums "$zero  a\n$sha256  none\n"
check 'wrong and unreadable: wrong is worse' 3 $'a: FAILED\nnone: FAILED open or read' "nomad-exec: a: $expected
$missing"
check 'no results, but the reasons' 3 '' "nomad-exec: a: $expected
$missing" --status
sums "$sha256  none\n$sha256  a\nzzz\n$sha256\n"
check 'unreadable' 1 $'none: FAILED open or read\na: OK' "nomad-exec: warning: $T/sums: malformed lines: 2, the first is line 3
$missing"
check 'missing, but ignored' 0 'a: OK' "nomad-exec: warning: $T/sums: malformed lines: 2, the first is line 3" --ignore-missing
check 'malformed lines are a failure' 1 'a: OK' "nomad-exec: warning: $T/sums: malformed lines: 2, the first is line 3" --ignore-missing --strict
run_is 'without warnings and what is right' 0 '' '' -- --quiet verify --ignore-missing --check "$T/sums"
sums "$sha256  none\n"
check 'all missing and ignored' 1 '' 'nomad-exec: no file was verified' --ignore-missing
sums "$sha256  dir\n"
check 'a directory' 1 'dir: FAILED open or read' 'nomad-exec: read dir at byte 0: Is a directory'
run_is 'no sums file' 1 '' "nomad-exec: read $T/none: No such file or directory" -- verify --check "$T/none"
run_is 'a directory as sums file' 1 '' 'nomad-exec: read dir: Is a directory' -- verify --check dir
sums "$sha256  \033]0;x\007\n"
check 'what a terminal would obey is not in messages' 1 $'\033]0;x\007: FAILED open or read' 'nomad-exec: open ?]0;x?: No such file or directory'
sums "$md5  a\n$sha1  a\n$sha256  a\n"
refused='the weakest that --min-hash allows'
check 'weak types can be refused' 1 'a: OK' "nomad-exec: $T/sums, line 1: checksum type md5 is weaker than sha256, $refused
nomad-exec: $T/sums, line 2: checksum type sha1 is weaker than sha256, $refused" --min-hash sha256

# --- standard input ---

# from NAME STATUS STDOUT STDERR TEXT ARGUMENT...: of verify with this standard input
from() {
	local name=$1 status=$2 out=$3 err=$4 text=$5
	shift 5
	printf '%b' "$text" | "$NX" verify "$@" >"$T/out" 2>"$T/err"
	is "$name" "${PIPESTATUS[1]} $(cat "$T/out" "$T/err")" "$status $out$err"
}

from 'the bytes' 0 '-: OK' '' 'Hello\n' --checksum "sha256:$sha256" -
from 'the sums' 0 'a: OK' '' "$sha256  a\n" --check -
from 'the sums, which name standard input' 1 '' 'nomad-exec: standard input: it has no line with a checksum and a file name' "$sha256  -\n" --check -
from 'to be printed' 0 "$sha256  -" '' 'Hello\n' --print sha256 -
sums "$sha256  -\n"
from 'listed' 0 '-: OK' '' 'Hello\n' --check "$T/sums"
sums "$sha256\n"
from 'named, with the only checksum' 0 '-: OK' '' 'Hello\n' --check "$T/sums" -
mkfifo "$T/fifo"
printf 'Hello\n' >"$T/fifo" &
run_is 'a named pipe' 0 "$T/fifo: OK" '' -- verify --checksum "$sha256" "$T/fifo"
wait

# --- one checksum ---

for value in "md5:$md5" "sha1:$sha1"; do
	run_is "right: $value" 0 'a: OK' "$(weak "${value%:*}")" -- verify --checksum "$value" a
	run_is "refused: $value" 2 '' "nomad-exec: checksum type ${value%:*} is weaker than sha256, $refused
$hint" -- verify --min-hash sha256 --checksum "$value" a
done
for value in "sha256:$sha256" "SHA512:$sha512" "${sha256^^}"; do
	run_is "right: $value" 0 'a: OK' '' -- verify --min-hash sha256 --checksum "$value" a
done
run_is 'wrong' 3 'a: FAILED' "nomad-exec: a: $expected" -- verify --checksum "sha256:$zero" a
run_is 'not there' 1 'none: FAILED open or read' "$missing" -- verify --checksum "sha256:$zero" none
run_is 'not there is no success' 1 '' 'nomad-exec: no file was verified' -- verify --ignore-missing --checksum "sha256:$zero" none
for value in sha256:zz "sha256:$md5" crc32:deadbeef ''; do
	nx verify --checksum "$value" none
	like "no checksum: \"$value\"" "$RC $OUT$ERR" "2 nomad-exec: checksum $value: .* $hint"
done

# --- files named behind --check ---

printf 'other\n' >c
mkdir netboot && cp a netboot/mini.iso && cp b netboot/other
sums "$sha256  ./netboot/mini.iso\n$zero  ./hwe-netboot/mini.iso\n$sha256  _dist/a\n$md5  b\n$zero  c\n"
run_is 'only what is named; K29: the path decides' 0 'netboot/mini.iso: OK' '' -- verify --check "$T/sums" netboot/mini.iso
run_is 'K30: a base name that is there once' 0 'a: OK' '' -- verify --check "$T/sums" a
run_is 'and a note of it' 0 'a: OK' "nomad-exec: $T/sums: the checksum for a is the one listed for _dist/a" -- \
	--log-level info verify --check "$T/sums" a
cp a mini.iso
run_is 'a base name that is there twice' 1 '' "nomad-exec: $T/sums: there are different checksums for mini.iso; name one with --checksum" -- \
	verify --check "$T/sums" mini.iso
run_is 'one that is not listed, K27; the others are checked' 3 'c: FAILED' "nomad-exec: $T/sums: no checksum for none; there are some for \
./netboot/mini.iso, ./hwe-netboot/mini.iso, _dist/a, b, c
nomad-exec: c: expected sha256:$zero, got sha256:$(sha256sum <c | cut -c-64) (6 bytes)" -- verify --check "$T/sums" none c
run_is 'a weak one can be refused' 1 '' "nomad-exec: $T/sums: b: checksum type md5 is weaker than sha1, $refused" -- \
	verify --min-hash sha1 --check "$T/sums" b
sums "SHA512 (a) = $sha512\nSHA256 (a) = $zero\n$md5  a\n"
run_is 'K34: the strongest of several' 0 'a: OK' '' -- verify --check "$T/sums" a
sums "$sha256\r\n"
run_is 'K25: the only checksum' 0 $'a: OK\n./a: OK' '' -- verify --check "$T/sums" a ./a
check 'which is for no file in particular' 1 '' "nomad-exec: $T/sums: it has no line with a checksum and a file name"
sums "$sha256\n$zero\n"
run_is 'K25: two of them' 1 '' "nomad-exec: $T/sums: there are 2 checksums without a name, so none is known to be for a" -- \
	verify --check "$T/sums" a
sums "$sha256\n$zero  b\n"
run_is 'a checksum without a name is not for one that is missing' 1 '' "nomad-exec: $T/sums: no checksum for a; there are some for b" -- \
	verify --check "$T/sums" a

# --- digests ---

for type in md5 sha1 sha256 sha384 sha512; do
	"$NX" verify --print "$type" -- "${names[@]}" large >"$T/got"
	is "$type, as ${type}sum prints it" "$(cat "$T/got")" "$("${type}sum" -- "${names[@]}" large)"
	ok "which reads it again" "${type}sum" --status --strict -c "$T/got"
	ok "and so does verify" "$NX" verify --status --strict --check "$T/got"
done
run_is 'several types, in the order asked for' 0 "SHA256 (a) = $sha256
MD5 (a) = $md5
SHA1 (a) = $sha1" '' -- verify --print sha256,MD5,sha1 a
"$NX" verify --print sha512,sha256 -- "${names[@]}" >"$T/sums"
is 'as sha256sum --tag prints it' "$(grep -a SHA256 "$T/sums")" "$(sha256sum --tag -- "${names[@]}")"
check 'which verify reads again' 0 '' '' --strict --quiet
from 'of standard input, which is read once' 0 "SHA256 (-) = $sha256
SHA1 (-) = $sha1" '' 'Hello\n' --print sha256,sha1 -
run_is 'one cannot be read; the others are printed' 1 "$sha256  a" "$missing
nomad-exec: read dir at byte 0: Is a directory" -- verify --print sha256 none dir a

# --- what is no use ---

which=--checksum,\ --check\ and\ --print
for arguments in '' a "--check $T/sums --print md5" "--checksum $md5 --check $T/sums a" '--strict a'; do
	# shellcheck disable=SC2086 # several words
	run_is "not one of them: $arguments" 2 '' "nomad-exec: give one of $which
$hint" -- verify $arguments
done
run_is 'a checksum of nothing' 2 '' "nomad-exec: --checksum is of one FILE, or of - for standard input
$hint" -- verify --checksum "$md5"
run_is 'a checksum of two' 2 '' "nomad-exec: --checksum is of one FILE, or of - for standard input
$hint" -- verify --checksum "$md5" a b
run_is 'digests of nothing' 2 '' "nomad-exec: --print needs a FILE, or - for standard input
$hint" -- verify --print md5
for types in '' crc32 'sha256,' ',md5' 'md5 sha1' md5,md5,md5,md5,md5,md5; do
	run_is "no types: \"$types\"" 2 '' "nomad-exec: --print $types: expected one or more of md5, sha1, sha256, sha384 and sha512, with \
commas between them
$hint" -- verify --print "$types" a
done
run_is 'no type' 2 '' "nomad-exec: --min-hash: bad value \"crc32\"; expected one of: md5 sha1 sha256 sha384 sha512
$hint" -- verify --min-hash crc32 --checksum "$md5" a

# --- where it is run ---

is 'a full disk is not a success' "$("$NX" verify --print md5 a 2>&1 >/dev/full; echo $?)" \
	'nomad-exec: write to standard output: No space left on device
1'
"$NX" verify --checksum "$sha256" a >&- 2>"$T/err"
is 'without standard output' "$? $(cat "$T/err")" '0 '
if setpriv --reuid 65534 --regid 65534 --clear-groups true 2>"$T/err"; then
	is 'anyone may' "$(setpriv --reuid 65534 --regid 65534 --clear-groups "$NX" verify --checksum "$sha256" a 2>&1)" 'a: OK'
else
	skip 'anyone may' "$(cat "$T/err")"
fi
finish
