#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What becomes of archives: the good ones, and the hostile ones that tests/archives/make.py writes, each with what has to
# come of it. Drives `nomad-exec fetch`, or with UNPACK=PATH the program made of tests/place/unpack.c, which takes the same
# options; --output-name, --clean and SIGKILL of the child are tested only there.
. "${0%/*}/lib.sh"

if [ -n "${UNPACK-}" ]; then
	FETCH=("$UNPACK")
elif "$NX" fetch --help >/dev/null 2>&1; then
	FETCH=("$NX" --quiet fetch --no-cache)
else
	skip 'unpacking' 'this nomad-exec has no command fetch; UNPACK=PATH takes the stage alone'
	finish
fi
A=$T/archives D=$T/box/dest
ok 'the archives are written' python3 "$root/tests/archives/make.py" "$A"

# unpack OPTION... FILE: into $D; OUT, ERR and RC
unpack() {
	"${FETCH[@]}" --destination "$D" "${@:1:$#-1}" "${*: -1}" >"$T/out" 2>"$T/err" </dev/null
	RC=$? OUT=$(cat "$T/out") ERR=$(cat "$T/err")
}

# fresh: an empty destination in a box with something beside it
fresh() { rm -rf "$T/box" && mkdir -p "$D" && echo beside >"$T/box/beside"; }

# everything: all that is in the box, with content; not the time of $D, in which staging comes and goes
everything() {
	(cd "$T/box" && find . -printf '%p %y %m %U:%G %n %l' \( -path ./dest -printf '\n' -o -printf ' %T@\n' \) | sort
		find . -type f -exec sha256sum {} + | sort)
}

# listing: what is in $D, as make.py writes it
listing() {
	(cd "$D" && find . -mindepth 1 \( -type d -printf '%P=%y,%m\n' -o -type l -printf '%P=%y,%m,%s,%l\n' -o -printf '%P=%y,%m,%s\n' \) |
		words)
}

# words: the words of the input, sorted, on one line
words() { tr ' ' '\n' | LC_ALL=C sort | tr '\n' ' ' | sed 's/ $//'; }

# matches TEXT PATTERN: the pattern is literal but for *
matches() {
	local pattern
	pattern=$(printf '%s' "$2" | sed 's/[][\\?]/\\&/g')
	# shellcheck disable=SC2254 # a pattern it is
	case $1 in $pattern) return 0 ;; *) return 1 ;; esac
}

# refused FILE MESSAGE OPTION...: it is refused with this message, and nothing has changed
refused() {
	local file=$1 message="nomad-exec: unpack ${1##*/}: $2" before after
	before=$(everything)
	unpack "${@:3}" "$file"
	after=$(everything)
	if [ "$RC" != 1 ] || [ -n "$OUT" ] || [ "$(wc -l <"$T/err")" != 1 ] || ! matches "$ERR" "$message"; then
		fail "$NAME is refused" "expected: status 1, $message" "got:      status $RC, $OUT$ERR"
	elif [ "$before" != "$after" ]; then
		fail "$NAME is refused without a trace" "$(diff <(echo "$before") <(echo "$after"))"
	else
		pass "$NAME is refused"
	fi
}

# becomes FILE LISTING OPTION...: the destination, then
becomes() {
	local file=$1 got expected
	expected=$(printf '%s\n' "$2" | words)
	unpack "${@:3}" "$file"
	got=$(listing)
	if [ "$RC" = 0 ] && [ -z "$ERR" ] && [ "$got" = "$expected" ] && [ "$(cat "$T/box/beside")$(ls "$T/box")" = $'besidebeside\ndest' ]; then
		pass "$NAME"
	else
		fail "$NAME" "expected: status 0, $expected" "got:      status $RC, $got" "$ERR"
	fi
}

# --- every archive of make.py ---

while IFS=$'\t' read -r file verdict expected; do
	NAME=$file
	fresh
	case $verdict in
	refused)
		mkdir -p "$D/old/there" && echo old >"$D/old/file" && ln -s /etc "$D/old/link"
		refused "$A/$file" "$expected"
		;;
	is) becomes "$A/$file" "$expected" ;;
	esac
done <"$A/cases"

finish
