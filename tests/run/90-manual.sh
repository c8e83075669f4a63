#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the examples of README and of the manual, so that they stay true. An example is a line that begins with "$ " in an
# indented block of README or between .Bd and .Ed of a page; a backslash at its end continues it. Its status must be 0, or N
# where it ends with "# status N". Lines below it, up to an empty one, are all that it prints; where there are none its output
# is not looked at. The examples of one file run one after the other in one shell, as root, in a directory of their own.
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export LC_ALL=C
unset NOMAD_EXEC_ALLOW_FILE

mkdir "$T/bin" "$T/work"
ln -s "$(realpath "$NX")" "$T/bin/nomad-exec"
PATH=$T/bin:$PATH

# blocks_of FILE: the lines of its blocks as a reader sees them, an empty line between blocks
blocks_of() {
	case $1 in
	*.[0-9])
		sed -n "/^\.Bd/,/^\.Ed/{ /^\.Bd/d; s/^\.Ed.*//; s/\\\\-/-/g; s/\\\\(aq/'/g; s/\\\\e/\\\\/g; p; }" "$1"
		;;
	*)
		sed -n 's/^    //; t show; s/.*//; :show; p' "$1"
		;;
	esac
}

# run_example FILE: runs $command, which must end with $status and, if $output is not empty, print that
run_example() {
	local got rc name
	[ -n "$command" ] || return 0
	examples=$((examples + 1))
	name="$(basename "$1"): $command"
	eval "$command" >"$T/out" 2>&1 </dev/null
	rc=$?
	got=$(cat "$T/out")
	if [ "$rc" != "$status" ]; then
		fail "$name" "expected status $status, got $rc" "$got"
	elif [ -n "$output" ] && [ "$got" != "$output" ]; then
		fail "$name" "expected: $output" "got:      $got"
	else
		pass "$name"
	fi
	command=
}

# begin COMMAND: what is run next, and the status it states
begin() {
	command=$1 output='' status=0
	[[ $1 =~ \#\ status\ ([0-9]+)$ ]] && status=${BASH_REMATCH[1]}
	return 0
}

run_file() {
	local text command='' output='' status=0
	examples=0
	while IFS= read -r -u 9 text; do
		if [[ $command == *\\ ]]; then
			begin "${command%\\}${text#"${text%%[! ]*}"}"
		elif [[ $text == '$ '* ]]; then
			run_example "$1"
			begin "${text#??}"
		elif [ -z "$text" ]; then
			run_example "$1"
		elif [ -n "$command" ]; then
			output=$output${output:+$'\n'}$text
		fi
	done 9< <(blocks_of "$1"; echo)
	if [ "$examples" -gt 0 ]; then pass "$1: $examples examples"; else fail "$1: it has no examples"; fi
}

cd "$T/work" || exit 1
# shellcheck disable=SC2154 # root comes from lib.sh
for file in "$root"/README "$root"/man/*.[0-9]; do
	run_file "$file"
done
finish
