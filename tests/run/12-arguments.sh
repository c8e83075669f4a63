#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What is given as an argument arrives as that argument, byte for byte, in each way of giving it; and what --command and the two forms
# of a command accept. As root; a wrapper may pass on what an attacker wrote.
# shellcheck disable=SC2016 # scripts in single quotes are for the task's shell
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export LC_ALL=C

# The kernel's own record of a shell's arguments; the shell looks at none of them.
look='cat /proc/$$/cmdline'
shell=(--command /bin/sh --args -c --args "$look")

# argv_is NAME OPTION...: a shell started with these options has exactly the further arguments that are in `expected`
argv_is() {
	local name=$1
	shift
	"$NX" run "$@" >"$T/got" 2>"$T/err" </dev/null
	local status=$?
	printf '%s\0' /bin/sh -c "$look" "${expected[@]}" >"$T/want"
	if [ $status = 0 ] && cmp -s "$T/got" "$T/want" && [ ! -s "$T/err" ]; then
		pass "$name"
	else
		fail "$name" "status $status" "expected: $(od -An -c "$T/want" | tail -n 20)" "got:      $(od -An -c "$T/got" | tail -n 20)" \
			"$(cat "$T/err")"
	fi
}

# arrives NAME ARGUMENT...: in each way of giving arguments
arrives() {
	local name=$1 argument apart=() joined=()
	shift
	expected=("$@")
	for argument; do apart+=(--args "$argument") joined+=("--args=$argument"); done
	printf '%s\0' "$@" >"$T/file"
	argv_is "$name: --args ARG" "${shell[@]}" "${apart[@]}"
	argv_is "$name: --args=ARG" "${shell[@]}" "${joined[@]}"
	argv_is "$name: behind --" -- /bin/sh -c "$look" "$@"
	argv_is "$name: --args-file" "${shell[@]}" --args-file "$T/file"
}

# --- verbatim ---

arrives 'empty arguments' '' a '' ''
arrives 'spaces and newlines' 'a b' ' ' $'\t' $'one\ntwo\n' ' x '
arrives 'leading dashes, options of ours among them' - -- --- -x --help --args --env=A=1 --command /bin/false -- x
# shellcheck disable=SC1003 # a backslash is meant
arrives 'what a shell would take apart' '; touch /local/x' '$(id)' '`id`' '*' '~' '\' "'" '"' '$HOME' '!' '#' '%s' '{a,b}' '&&' '|' '>x'
arrives 'every byte but NUL' "$(for byte in $(seq 1 255); do printf '%b' "\\0$(printf %o "$byte")"; done; echo .)" $'\xc3\xa9 \xff\xfe \x80' $'\e[2J\a'
arrives 'text that looks like a reference and is none' '$' '$$' '${' '${}' '${a b}' '$a' '}' '%{x}' '{{ x }}'

mapfile -t expected < <(seq 10000)
apart=()
for argument in "${expected[@]}"; do apart+=(--args "$argument"); done
argv_is '10,000 arguments, each with --args' "${shell[@]}" "${apart[@]}"
argv_is '10,000 arguments behind --' -- /bin/sh -c "$look" "${expected[@]}"
expected=("$(head -c 131071 /dev/zero | tr '\0' x)")
argv_is 'the longest argument that Linux has, 128 KiB with its end' "${shell[@]}" --args "${expected[0]}"

# --- the file of arguments ---

expected=(1 2 3 4)
printf '3\0004' >"$T/file"
argv_is 'the file comes after --args, and needs no NUL at its end' --args-file "$T/file" "${shell[@]}" --args 1 --args 2
argv_is 'the file comes after what is behind --' --args-file "$T/file" -- /bin/sh -c "$look" 1 2
argv_is 'a pipe' --args-file <(printf '3\0004') -- /bin/sh -c "$look" 1 2
expected=(1)
argv_is 'an empty file' --args-file /dev/null "${shell[@]}" --args 1
expected=('# a' 'b
')
printf '# a\0b\n' >"$T/file"
argv_is 'newlines and comments mean nothing in it' --args-file "$T/file" "${shell[@]}"
hint='nomad-exec: try: nomad-exec run --help'
run_is 'a file that is not there' 125 '' "nomad-exec: read $T/none: No such file or directory" -- run --args-file "$T/none" -- true
run_is 'a directory' 125 '' "nomad-exec: read $T: Is a directory" -- run --args-file "$T" -- true
head -c 2097152 /dev/zero | tr '\0' x >"$T/file"
nx run --dry-run --args-file "$T/file" -- true
is 'a file of 2 MiB is read' "$RC $(grep '^argument' "$T/out" | wc -c)" '0 2097163'
echo >>"$T/file"
run_is 'a longer one is refused' 125 '' "nomad-exec: read $T/file (at most 2 MiB): File too large" -- run --args-file "$T/file" -- true
run_is 'so is one without an end' 125 '' 'nomad-exec: read /dev/zero (at most 2 MiB): File too large' -- run --args-file /dev/zero -- true
head -c 131072 /dev/zero | tr '\0' x >"$T/file"
long='Argument list too long; shorten the arguments or the environment'
run_is 'an argument that is too long for Linux' 126 '' "nomad-exec: execute /bin/true: $long" -- run --args-file "$T/file" -- /bin/true
for _ in $(seq 40); do head -c 50000 /dev/zero | tr '\0' x; printf '\0'; done >"$T/file"
run_is 'arguments that are too long together' 126 '' "nomad-exec: execute /bin/true: $long" -- \
	run --args-file "$T/file" --env-file <(for i in $(seq 3); do printf 'E%s=%0100000d\n' "$i" 0; done) -- /bin/true

# --- argv[0], as Nomad has it: the path inside ---

run_is 'argv[0] of a bare name' 0 '/usr/bin/cat/proc/self/cmdline' '' -- run -- cat /proc/self/cmdline
run_is 'argv[0] of an absolute path' 0 '/bin/cat/proc/self/cmdline' '' -- run --command /bin/cat --args /proc/self/cmdline
cp /bin/cat "$T/own cat"
artifact "$T/own cat"
run_is 'argv[0] of an artifact; behind -- any file name will do' 0 '/local/own cat/proc/self/cmdline' '' -- \
	run "${ARTIFACT[@]}" -- 'own cat' /proc/self/cmdline

# --- the command ---

run_is 'no command' 125 '' "nomad-exec: no command; name one with --command PATH, or behind --
$hint" -- run
run_is 'arguments without a command' 125 '' "nomad-exec: no command; name one with --command PATH, or behind --
$hint" -- run --args x
run_is 'both forms' 125 '' "nomad-exec: --command and a command behind the options (\"/bin/echo\"): give one of them
$hint" -- run --command /bin/true -- /bin/echo
run_is 'arguments of one form, the command of the other' 125 '' \
	"nomad-exec: --args and a command behind the options (\"/bin/echo\"): give one of them
$hint" -- run --args x -- /bin/echo
empty="nomad-exec: --command is empty
$hint"
run_is 'an empty --command' 125 '' "$empty" -- run --command ''
run_is 'one of white space' 125 '' "$empty" -- run --command=$' \t\n'
run_is 'an empty command behind --' 125 '' "nomad-exec: the command is empty
$hint" -- run -- ''
behind='pass arguments with --args, or the whole command behind --'
for bad in ' /bin/true' '/bin/true ' $'\t/bin/true' $'/bin/true\n'; do
	run_is 'a --command with white space around it' 125 '' \
		"nomad-exec: --command \"$(printf '%s' "$bad" | tr '\t\n' '??')\": white space around the name; $behind
$hint" -- run --command "$bad"
done
run_is 'a --command line' 125 '' "nomad-exec: --command \"/bin/echo hello\": more than one word; $behind
$hint" -- run --command '/bin/echo hello'
run_is 'a command without --, whose options are its own' 0 '--env A=1' '' -- run /bin/echo --env A=1
run_is 'options of ours behind -- are the command'"'"'s' 0 '--help -- --user root' '' -- run -- /bin/echo --help -- --user root
run_is 'the last --command counts' 0 second '' -- run --command /bin/false --args second --command /bin/echo
run_is 'a control character in a name does not reach the terminal' 127 '' \
	'nomad-exec: command /a?[2Jb: not found inside the chroot; looked at /local and / there' -- run -- $'/a\e[2Jb'

finish
