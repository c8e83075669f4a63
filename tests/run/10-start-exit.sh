#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How a task starts and how it ends: where its command is looked for, what the launcher's status then says, and that input and output
# are the caller's own. As root; the commands are the user's mistakes.
# shellcheck disable=SC2016 # scripts in single quotes are for the task's shell
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export LC_ALL=C

# --- the status is the task's own ---

run_is 'the example of the page: a command of the host, one argument' 0 '' '' -- run --command /bin/sleep --args 1
run_is 'true' 0 '' '' -- run --command /bin/true
run_is 'false' 1 '' '' -- run --command /bin/false
for status in 2 42 124 125 126 127 137 255; do
	run_is "a task that ends with $status" $status '' '' -- run -- /bin/sh -c "exit $status"
done
for signal in HUP:1 INT:2 KILL:9 SEGV:11 PIPE:13 ALRM:14 TERM:15 ABRT:6 34:34 64:64; do
	run_is "a task that signal ${signal%:*} killed" $((128 + ${signal#*:})) '' '' -- run -- /bin/sh -c "kill -${signal%:*} \$\$"
done

# --- where a command is looked for ---

missing='not found inside the chroot; looked'
run_is 'a bare name is looked for in the directories of programs' 0 hello '' -- run -- echo hello
run_is 'a name that is nowhere' 127 '' \
	"nomad-exec: command no-such-thing: $missing in /local, /, /usr/local/bin, /usr/bin and /bin there" -- run --command no-such-thing
run_is 'a path that is nowhere' 127 '' "nomad-exec: command /no/such/thing: $missing at /local and / there" -- \
	run --command /no/such/thing
cp /bin/true "$T/on-the-host"
run_is 'a path that only the host has' 127 '' "nomad-exec: command $T/on-the-host: $missing at /local and / there" -- \
	run -- "$T/on-the-host"
PATH=$T:$PATH nx run -- on-the-host
is 'the PATH of the caller does not count' "$RC" 127
run_is 'nor does that of the task' 127 '' \
	"nomad-exec: command sysctl-of-ours: $missing in /local, /, /usr/local/bin, /usr/bin and /bin there" -- \
	run --env PATH=/sbin:/local -- sysctl-of-ours
run_is 'a relative path is looked for in the root' 0 hello '' -- run -- bin/echo hello
run_is 'the way up ends at the root' 0 hello '' -- run -- ../../../../bin/echo hello
run_is 'the working directory is no place to look' 127 '' "nomad-exec: command ./echo: $missing at /local and / there" -- \
	run --work-dir /usr/bin -- ./echo
long=$(head -c 5000 /dev/zero | tr '\0' x)
nx run -- "$long"
like 'a name of 5,000 bytes cannot be executed, as env(1) has it' "$RC $ERR" '126 nomad-exec: execute /local/x+: File name too long'

# script NAME LINE...: a file for --artifact-source, in $T/files/NAME
script() {
	local name=$1
	shift
	mkdir -p "$T/files"
	printf '%s\n' "$@" >"$T/files/$name"
	artifact "$T/files/$name"
}

script echo '#!/bin/sh' 'echo "mine: $*, $0"'
run_is 'local/ comes before the directories of programs' 0 'mine: a b, /local/echo' '' -- run "${ARTIFACT[@]}" --command echo --args a --args b
run_is 'and before the root' 0 'mine: , /local/echo' '' -- run "${ARTIFACT[@]}" --command local/echo
run_is 'but an absolute path means the root first' 0 '' '' -- run "${ARTIFACT[@]}" --command /bin/echo
run_is 'and local/ where the root has no such file' 0 'mine: , /local/bin/echo' '' -- \
	run "${ARTIFACT[@]}" --artifact-destination local/bin --command bin/echo

# --- commands that are there and cannot be executed ---

run_is 'a file that is no program' 126 '' \
	"nomad-exec: execute /etc/passwd: Permission denied; is it an executable file, and may the task's user read the way to it?" -- \
	run --command /etc/passwd
run_is 'a directory' 126 '' 'nomad-exec: execute /etc: Is a directory' -- run --command /etc
script no-interpreter '#!/no/such/interpreter'
run_is 'a script whose interpreter is not there' 126 '' \
	'nomad-exec: execute /local/no-interpreter: No such file or directory; the file is there, but not the interpreter that it names' -- \
	run "${ARTIFACT[@]}" --command no-interpreter
machine='Exec format error; it is no program for this machine; a script begins with #!'
script text 'echo no interpreter is named here'
run_is 'a script that names none: it is not given to a shell' 126 '' "nomad-exec: execute /local/text: $machine" -- \
	run "${ARTIFACT[@]}" --command text
: >"$T/files/empty"
artifact "$T/files/empty"
run_is 'an empty file' 126 '' "nomad-exec: execute /local/empty: $machine" -- run "${ARTIFACT[@]}" --command empty
# The header of a program for a machine of number 0xfeed, which nobody has.
printf '\177ELF\002\001\001\0\0\0\0\0\0\0\0\0\002\0\355\376\001\0\0\0%040d' 0 >"$T/files/foreign"
artifact "$T/files/foreign"
run_is 'a program for another machine' 126 '' "nomad-exec: execute /local/foreign: $machine" -- \
	run "${ARTIFACT[@]}" --command foreign

# --- input and output are the caller's ---

run_is 'without input: the end of the file at once' 0 '' '' -- run -- cat
is 'input through a pipe' "$(echo hi | "$NX" run -- cat)" hi
head -c 1000003 /dev/urandom >"$T/random"
"$NX" run -- cat <"$T/random" >"$T/copy"
ok 'a million random bytes go in and come out' cmp "$T/random" "$T/copy"
nx run -- /bin/sh -c 'echo to stdout; echo to stderr >&2; exit 3'
is 'stdout and stderr stay apart, and hold nothing but what the task wrote' "$RC $OUT, $ERR" '3 to stdout, to stderr'
"$NX" run -- yes 2>"$T/err" | head -n 1 >"$T/out"
is 'a reader that goes away ends the task as it would without us' "${PIPESTATUS[*]} $(cat "$T/out" "$T/err")" '141 0 y'
"$NX" run -- /bin/echo x >/dev/full 2>"$T/err"
is 'a full output device is the task'"'"'s own trouble' "$? $(cat "$T/err")" '1 /bin/echo: write error: No space left on device'
"$NX" run --keep --id appended -- /bin/echo second >>"$T/log" <<<'' 2>&1
echo third >>"$T/log"
is 'a log that is appended to is not truncated' "$(cat "$T/log")" 'second
third'

# The task closes its output and goes on: its reader must not have to wait for the launcher.
mkfifo "$T/go" "$T/stream"
"$NX" run --timeout 2m -- /bin/sh -c 'echo early; exec >&-; read -r x' <"$T/go" >"$T/stream" &
launcher=$!
exec 3>"$T/go"
is 'when the task closes its output, the reader sees the end' "$(timeout 60 cat "$T/stream"; echo "$?")" 'early
0'
ok 'and the task still runs' kill -0 $launcher
echo >&3
exec 3>&-
wait $launcher
is 'and ends as it likes' $? 0

# --- files that the task's user may not execute ---

# in_host SCRIPT: with a /usr/local of the test's own, which the task has too
in_host() { unshare --mount --propagation private /bin/sh -c 'mount -t tmpfs -o mode=755 none /usr/local && mkdir /usr/local/bin && '"$1" - "$NX" 2>&1 </dev/null; }
ask="is it an executable file, and may the task's user read the way to it?"
out=$(in_host 'echo >/usr/local/bin/echo; "$1" run -- echo hello')
is 'a bare name passes over a file that may not be executed' "$? $out" '0 hello'
out=$(in_host 'mkdir -m 700 /usr/local/bin/closed; mv /usr/local/bin /usr/local/other; ln -s other/closed /usr/local/bin; "$1" run -- echo hello')
is 'and a directory that may not be entered' "$? $out" '0 hello'
out=$(in_host 'echo >/usr/local/bin/only-here; "$1" run -- only-here')
is 'when there is no other, it is that which cannot be executed' "$? $out" "126 nomad-exec: execute /usr/local/bin/only-here: Permission denied; $ask"
out=$(in_host 'mkdir -m 700 /usr/local/closed; cp /bin/echo /usr/local/closed; "$1" run -- /usr/local/closed/echo hello')
is 'a path to where the task may not look' "$? $out" "126 nomad-exec: execute /usr/local/closed/echo: Permission denied; $ask"
out=$(in_host 'mkdir -m 700 /usr/local/closed; cp /bin/echo /usr/local/closed; "$1" run --user root -- /usr/local/closed/echo hello')
is 'root may' "$? $out" '0 hello'

# --- closed descriptors ---

# What the task holds, one "FD TARGET" a line, from a launcher that was started with some of 0, 1 and 2 closed.
look='(for fd in /proc/$$/fd/*; do echo "${fd##*/} $(readlink "$fd")"; done) >/local/fds; exit 7'
expected="7 0 $T/in 1 $T/out 2 $T/err"
: >"$T/in"
for closed in '' 0 1 2 '0 1' '0 2' '1 2' '0 1 2'; do
	(
		exec <"$T/in" >"$T/out" 2>"$T/err"
		for fd in $closed; do eval "exec $fd>&-"; done
		exec "$NX" run --keep --id "closed${closed// /-}" --name t -- /bin/sh -c "$look"
	)
	status=$?
	want=$(for fd in $closed; do echo "s, $fd [^ ]*, $fd /dev/null,"; done | sed -f - <(echo "$expected"))
	is "with ${closed:-none} closed the task has 0, 1 and 2, and no others" \
		"$(echo $status "$(cat "$NOMAD_EXEC_ALLOC_DIR/closed${closed// /-}/t/local/fds")" | tr '\n' ' ' | sed 's/ $//')" "$want"
	is "and nothing was printed" "$(cat "$T/out" "$T/err")" ''
done

# --- the allocation directory ---

rm -r "$NOMAD_EXEC_ALLOC_DIR"/closed* "$NOMAD_EXEC_ALLOC_DIR/appended"
is 'nothing but what was to be kept is left of all these' "$(ls -A "$NOMAD_EXEC_ALLOC_DIR"; groups_of '*')" ''

run_is '--keep: the directory stays, with what the task wrote' 4 '' '' -- run --keep --id kept -- /bin/sh -c 'echo of the task >/alloc/data/f; exit 4'
is 'in its place' "$(cat "$NOMAD_EXEC_ALLOC_DIR/kept/alloc/data/f")" 'of the task'
is 'but no group' "$(groups_of kept)" ''
run_is 'its id is taken then' 125 '' \
	"nomad-exec: make the allocation $NOMAD_EXEC_ALLOC_DIR/kept: File exists; it was kept, or a launcher that was killed left it: remove it, or choose another --id" -- \
	run --id kept -- /bin/sh -c 'echo changed >/alloc/data/f'
is 'and what was kept is unharmed' "$(cat "$NOMAD_EXEC_ALLOC_DIR/kept/alloc/data/f")" 'of the task'
run_is '--alloc-dir is made where it is missing' 0 '' '' -- run --alloc-dir "$T/new/of/all" --keep --id kept -- /bin/true
is 'for root alone' "$(stat -c '%a %u:%g' "$T/new" "$T/new/of" "$T/new/of/all" "$T/new/of/all/kept" | tr '\n' ' ')" '755 0:0 755 0:0 700 0:0 700 0:0 '
(cd "$T" && "$NX" run --alloc-dir relative/path -- /bin/true)
is 'a relative one' "$? $(ls -A "$T/relative/path")" '0 '
changeable() { echo "nomad-exec: the allocation directory $1 can be changed by others than root; chown root and chmod 0700 it, or choose another --alloc-dir"; }
mkdir -m 777 "$T/everyone" && mkdir -m 700 "$T/nobody" && chown 65534 "$T/nobody" && ln -s nobody "$T/link" && mkdir -m 1777 "$T/sticky"
for directory in everyone nobody link; do
	run_is "one that others can change: $directory" 125 '' "$(changeable "$T/$directory")" -- run --alloc-dir "$T/$directory" -- /bin/true
done
run_is 'one like /tmp' 0 '' '' -- run --alloc-dir "$T/sticky" -- /bin/true
run_is 'a file' 125 '' "nomad-exec: open the allocation directory $T/in: Not a directory" -- run --alloc-dir "$T/in" -- /bin/true
run_is 'one below a file' 125 '' "nomad-exec: open the allocation directory $T/in/x: Not a directory" -- run --alloc-dir "$T/in/x" -- /bin/true
run_is 'none' 125 '' 'nomad-exec: make the allocation directory : No such file or directory' -- run --alloc-dir= -- /bin/true

finish
