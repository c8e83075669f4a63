#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Nothing of a task outlives it or its launcher, however either of them ends: daemons, orphans, background children, a storm of forks;
# SIGKILL of launcher, init and task at any moment. Directories may stay behind after a SIGKILL of the launcher; processes may not.
# shellcheck disable=SC2016 # scripts in single quotes are for the task's shell
. "$(dirname "$0")/lib.sh"
export LC_ALL=C

reported() { sed -n "s/^ *\"$1\": \\(.*[^,]\\),*\$/\\1/p" "$T/report"; }

# A copy of the binary: what runs it are launchers and inits of this test, and no others. Task processes are known by their cgroup
# and by the marker, which nothing else has.
cp "$NX" "$T/nomad-exec"
NX=$T/nomad-exec
marker=27182818.$$

# left_running ID: the processes of this test that run, besides the shell
left_running() {
	find /proc -maxdepth 2 -name exe -lname "$NX*" 2>/dev/null
	pgrep -f "sleep $marker"
	for group in $(groups_of "$1"); do cat "$group/cgroup.procs" 2>/dev/null; done
	true
}
# shellcheck disable=SC2317 # called by wait_for
nothing_runs() { [ -z "$(left_running "$1")" ]; }

# all_gone NAME ID: at once, with some grace for a machine that is busy; and no directories either
all_gone() {
	if wait_for 1 nothing_runs "$2"; then is "$1" "$(left_of "$2")" ''; else fail "$1" "$(left_running "$2" | xargs -r ls -ld)"; fi
}

# at_once NAME STATUS STDOUT SCRIPT: the run ends long before what it leaves behind would, with the status of the main process
at_once() {
	local begin
	begin=$(date +%s)
	nx run --id end --result "$T/report" -- /bin/bash -c "$4" task "$marker"
	is "$1" "$RC $OUT$ERR $(($(date +%s) - begin < 60))" "$2 $3 1"
	all_gone "$1: nothing is left" end
}

# --- the main process ends ---

at_once 'a child in the background' 3 '' 'sleep $1 & exit 3'
at_once 'a child in the background that holds the output' 0 hi 'sleep $1 & echo hi'
at_once 'a daemon: two forks, a session of its own, deaf to signals' 6 '' '/usr/bin/perl -e '"'"'use POSIX; exit if fork; setsid; exit if fork; chdir "/"; close $_ for *STDIN, *STDOUT, *STDERR;
	$SIG{$_} = "IGNORE" for qw(HUP INT TERM QUIT); open F, ">", "/local/daemon"; close F; exec "sleep", $ARGV[0]'"'"' $1; until [ -e /local/daemon ]; do sleep 0.05; done; exit 6'
at_once 'a child that is stopped' 0 '' 'sleep $1 & kill -STOP $!'
at_once 'a child that is traced by nobody, in a process group of its own' 9 '' 'set -m; sleep $1 & exit 9'
at_once 'the main process is killed' 137 '' 'sleep $1 & kill -KILL $$'
at_once 'children that go on forking' 7 '' 'f() { while :; do (sleep $1 & ); : & done; }; ulimit -u 500; f $1 2>/dev/null & f $1 2>/dev/null & sleep 0.3; exit 7'

nx run -- /usr/bin/perl -e 'for (1 .. 300) { next if fork; fork; exit } # 300 children, each with a child that becomes an orphan and ends
	1 while wait != -1; select undef, undef, undef, 0.05 while grep { -d } map { "/proc/$_" } 3 .. 700 and $n++ < 200; opendir D, "/proc"; print join " ", grep /^\d+$/, sort readdir D'
is '300 orphans have been reaped' "$RC $OUT" '0 1 2'
nx run --pids 50 -- /usr/bin/perl -e 'for (1 .. 500) { my $p = fork // die "fork: $!"; if (!$p) { exit if fork; exit } waitpid $p, 0; select undef, undef, undef, 0.002 } print "all"'
is 'one by one, with room for 50' "$RC $OUT$ERR" '0 all'

# --- SIGKILL of the task, of init, of the launcher ---

holding='setsid -f sleep $1; (trap "" HUP INT TERM; sleep $1) & echo up; exec sleep $1'
# hold ID: a task with a daemon is up; LAUNCHER, INIT and TASK are the processes
hold() {
	start held run --id "$1" --result "$T/report" -- /bin/bash -c "$holding" task "$marker"
	LAUNCHER=$PID
	wait_for 60 said held up || fail "a task is up" "$(cat "$T/held.err")"
	INIT=$(pgrep -P "$LAUNCHER")
	TASK=$(pgrep -o -P "$INIT")
}

hold task
kill -KILL "$TASK"
end_of held "$LAUNCHER"
is 'SIGKILL of the task: its status' "$RC$ERR $(reported signal) $(reported exit_code)" '137 9 null'
all_gone 'SIGKILL of the task: nothing is left' task

hold init
kill -KILL "$INIT"
end_of held "$LAUNCHER"
is 'SIGKILL of init: status, and one line that tells' "$RC $ERR $(reported signal)" \
	"137 nomad-exec: the task's init was killed by signal 9, and the task with it 9"
all_gone 'SIGKILL of init: nothing is left' init

hold launcher
disown "$LAUNCHER" # else the shell tells of its end
kill -KILL "$LAUNCHER"
ok 'SIGKILL of the launcher: no process is left' wait_for 1 nothing_runs launcher
is 'and no group has a limit on anything that runs' "$(for g in $(groups_of launcher); do cat "$g/cgroup.procs"; done)" ''
again() { nx run "$@" --id launcher --name bash -- /bin/true; }
again
is 'its id is taken until what it left is removed' "$RC $ERR" "125 nomad-exec: make the allocation $NOMAD_EXEC_ALLOC_DIR/launcher: File exists;\
 it was kept, or a launcher that was killed left it: remove it, or choose another --id"
rm -r "$NOMAD_EXEC_ALLOC_DIR/launcher"
again
group=$(groups_of launcher | head -n 1)
like 'the group too' "$RC $ERR" "125 nomad-exec: make the cgroup [^ ]*/nomad-exec/launcher.bash: File exists;\
 nothing runs in it, so a launcher that was killed left it: rmdir it, or choose another --id"
for group in $(groups_of launcher); do rmdir "$group"; done
again
is 'then it can be used again' "$RC $ERR" '0 '

hold launcher
again
is 'while a task runs its id is taken' "$RC $ERR" "125 nomad-exec: make the allocation $NOMAD_EXEC_ALLOC_DIR/launcher: File exists;\
 a task with this id runs: choose another --id"
again --alloc-dir "$T/elsewhere"
like 'in another --alloc-dir as well' "$RC $ERR" '125 nomad-exec: make the cgroup [^ ]*/nomad-exec/launcher.bash: File exists; a task with this id runs: choose another --id'
is 'and it is unharmed' "$(kill -0 "$TASK" && groups_of launcher | wc -l)" "$(if is_v2; then echo 1; else echo 3; fi)"
kill -TERM "$LAUNCHER"
end_of held "$LAUNCHER"

if command -v strace >/dev/null; then
	# The traced launcher starts slowly, so that its init can be found while it builds the root.
	strace -f -o "$T/trace" -e trace=pivot_root -e inject=pivot_root:delay_enter=2000000 "$NX" run --id early --result "$T/report" -- \
		/bin/sh -c 'echo started' >"$T/out" 2>&1 &
	tracer=$!
	ok 'a start is under way' wait_for 60 grep -q pivot_root "$T/trace"
	kill -KILL "$(pgrep -P "$(pgrep -P $tracer)")"
	wait $tracer
	like 'SIGKILL of init before the task has started: a failure of the launcher' "$? $(grep -v ^strace: "$T/out")" '125 nomad-exec: .*init.*'
	all_gone 'SIGKILL of init before the task has started: nothing is left' early
else
	skip 'SIGKILL of init before the task has started' 'strace is not installed'
fi

# --- SIGKILL of the launcher at 50 moments ---

# From its first system call to well after the task has started; each time as long as a run takes, and half as long again.
begin=$(date +%s%N)
for i in 1 2 3; do nx run --id "moment$i" -- /bin/true; done
took=$((($(date +%s%N) - begin) / 3))
bad=''
started=0
for i in $(seq 50); do
	"$NX" run --id "moment$i" -- /bin/bash -c "echo >/alloc/data/started; $holding" task "$marker" >"$T/out" 2>&1 &
	pid=$!
	sleep "$(awk "BEGIN { print $took * $i * 1.5 / 50 / 1e9 }")"
	kill -KILL $pid
	wait_for 1 nothing_runs "moment$i" || bad="$bad $i: $(left_running "moment$i")"
	wait $pid 2>/dev/null
	[ ! -e "$NOMAD_EXEC_ALLOC_DIR/moment$i/alloc/data/started" ] || started=$((started + 1))
	for group in $(groups_of "moment$i"); do rmdir "$group" || bad="$bad $i: $group stays"; done
done 2>/dev/null
is 'SIGKILL of the launcher at 50 moments: no process is left after any of them' "$bad" ''
if [ $started -gt 0 ] && [ $started -lt 50 ]; then
	pass 'in some of them the task had started, in others not yet'
else
	fail 'in some of them the task had started, in others not yet' "it had in $started"
fi

finish
