#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# --timeout: the task is asked by --kill-signal to end, has --kill-timeout for it, and is killed then with all that it started. The status
# is 124 whatever the task makes of it; the report tells how it ended. Times have lower bounds, and upper bounds only where
# another ending would take several seconds more.
# shellcheck disable=SC2016 # scripts in single quotes are for the task's shell
. "$(dirname "$0")/lib.sh"
export LC_ALL=C

reported() { sed -n "s/^ *\"$1\": \\(.*[^,]\\),*\$/\\1/p" "$T/report"; }

# ends NAME STATUS "EXIT_CODE SIGNAL TIMED_OUT" AT-LEAST-MS LESS-THAN-MS -- ARGUMENTS...
ends() {
	local name=$1 status=$2 how=$3 least=$4 most=$5 wall
	shift 6
	nx run --id timed --result "$T/report" "$@"
	is "$name" "$RC $(reported exit_code) $(reported signal) $(reported timed_out)$ERR" "$status $how"
	wall=$(reported wall_ms)
	if [ "$wall" -ge "$least" ] && [ "$wall" -lt "$most" ]; then
		pass "$name: after its time"
	else
		fail "$name: after its time" "expected: from $least to $most ms" "got: $wall ms"
	fi
	is "$name: nothing is left" "$(left_of timed)" ''
}

ends 'a task without handlers' 124 'null 2 true' 1000 5000 -- --timeout 1 -- /bin/sleep 1000
ends 'a fraction' 124 'null 2 true' 300 5000 -- --timeout 300ms -- /bin/sleep 1000
ends 'a task that ends before' 5 '5 null false' 0 50000 -- --timeout 100 -- /bin/sh -c 'exit 5'
ends 'a signal before' 143 'null 15 false' 0 50000 -- --timeout 1m40s -- /bin/sh -c 'kill -TERM $$'
ends '0 is no timeout' 4 '4 null false' 200 50000 -- --timeout 0 -- /bin/sh -c 'sleep 0.2; exit 4'

# --- the signal ---

for signal in TERM SIGUSR1 15; do
	name=${signal#SIG}
	ends "--kill-signal $signal, handled" 124 '3 null true' 500 5500 -- --timeout 500ms --kill-signal $signal -- \
		/bin/bash -c "trap 'echo heard; exit 3' $name; sleep 1000 & wait"
	is 'the handler ran' "$OUT" heard
done
ends '--kill-signal KILL' 124 'null 9 true' 500 5500 -- --timeout 500ms --kill-signal KILL -- /bin/bash -c 'trap "" INT TERM; sleep 1000 & wait'
ends 'a handler that ends well: 124 all the same' 124 '0 null true' 500 5500 -- --timeout 500ms -- \
	/bin/bash -c 'trap "sleep 0.5; echo bye; exit 0" INT; sleep 1000 & wait'
is 'the handler had its time' "$OUT" bye

# --- the time that is left then ---

ignoring='trap "" INT TERM HUP; echo up; while :; do sleep 0.1; done'
ends 'a task that ignores the signal is killed after the grace time' 124 'null 9 true' 1000 50000 -- \
	--timeout 500ms --kill-timeout 500ms -- /bin/sh -c "$ignoring"
nx run --id timed --timeout 500ms --kill-timeout 0 --result "$T/report" -- /bin/sh -c "$ignoring"
is 'no grace time: killed at once' "$RC $(reported signal) $(reported timed_out) $(($(reported wall_ms) < 5000))$(left_of timed)" '124 9 true 1'
ends 'a task that is stopped is killed as well' 124 'null 9 true' 1000 50000 -- \
	--timeout 500ms --kill-timeout 500ms -- /bin/sh -c 'kill -STOP $$'
marker=31415926.$$
ends 'all that the task started goes with it' 124 'null 2 true' 500 5500 -- --timeout 500ms -- \
	/bin/sh -c "(trap '' INT TERM HUP; setsid sleep $marker) & setsid -f sleep $marker; exec sleep 1000"
is 'none of it is there' "$(pgrep -f "sleep $marker")" ''

# --- beside other signals ---

start both run --timeout 1500ms --kill-timeout 200ms --result "$T/report" -- /bin/sh -c "$ignoring"
ok 'a task is up that ignores signals' wait_for 60 said both up
kill -TERM "$PID"
kill -INT "$PID"
end_of both "$PID"
is 'signals from outside neither end nor prolong it' "$RC$ERR $(reported timed_out) $(reported signal)" '124 true 9'

# --- a start that takes longer ---

if command -v strace >/dev/null; then
	strace -f -o "$T/trace" -e trace=pivot_root -e inject=pivot_root:delay_enter=3000000 "$NX" run --id slow --timeout 1 --result "$T/report" -- \
		/bin/sh -c 'echo started' >"$T/out" 2>&1
	is 'a start that takes longer than the timeout' "$? $(grep -v ^strace: "$T/out")$(left_of slow) $(reported timed_out)" '124  true'
	# Init tells of the end, and takes its time to end itself.
	strace -f -o "$T/trace" -e trace=sendmsg -e inject=sendmsg:delay_exit=9000000:when=2 "$NX" run --id slow --timeout 6 --result "$T/report" -- \
		/bin/sh -c 'exit 3' >"$T/out" 2>&1
	is 'a task that ended in time, before an init that does not' "$? $(grep -v ^strace: "$T/out")$(left_of slow) $(reported timed_out) $(reported exit_code)" '3  false 3'
else
	skip 'a start that takes longer than the timeout' 'strace is not installed'
fi

finish
