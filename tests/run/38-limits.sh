#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The limits of a task: the values in its cgroups while it runs, read from outside; what happens when it goes over; and that a limit which
# cannot be set is an error that names the file. On v1 and v2: the expected files and values are those of the host's version.
# shellcheck disable=SC2016 # scripts in single quotes are for the task's shell
. "$(dirname "$0")/lib.sh"
export LC_ALL=C

# reported KEY: a value in the report of the last run that was given --result
reported() { sed -n "s/^ *\"$1\": \\(.*[^,]\\),*\$/\\1/p" "$T/report"; }

# limit_file ID FILE: its content; empty if there is none
limit_file() {
	for group in $(groups_of "$1"); do
		if [ -e "$group/$2" ]; then cat "$group/$2"; fi
	done | sort -u
}

# by_version V1 V2: the one that is for this host
by_version() { if is_v2; then echo "$2"; else echo "$1"; fi; }

# --- the values, while the task runs ---

# values NAME FILES EXPECTED OPTION...: the content of these files of a running task; a file that this kernel lacks is passed over
values() {
	local name=$1 files=$2 expected=$3 got=''
	shift 3
	start held run --id held "$@" -- /bin/sh -c 'echo up; exec sleep 1000'
	if ! wait_for 60 said held up; then
		end_of held "$PID"
		fail "$name" "the task did not start: $RC $ERR"
		return
	fi
	for file in $files; do got="$got$(limit_file held "$file") "; done
	kill "$PID"
	wait "$PID"
	is "$name" "$got" "$expected "
}
memory=$(by_version memory.limit_in_bytes memory.max)
cpu=$(by_version cpu.shares cpu.weight)
none=$(by_version $((2 ** 63 - $(getconf PAGESIZE))) max)
values 'the defaults: 300 MiB, 4096 processes, 100 MHz' "$memory pids.max $cpu" "314572800 4096 $(by_version 100 17)"
values 'as asked for' "$memory pids.max $cpu" "67108864 17 $(by_version 500 58)" --memory 64 --pids 17 --cpu 500
values 'a size with a unit' "$memory" 1610612736 --memory 1.5G
values 'the least CPU' "$cpu" "$(by_version 2 1)" --cpu 1
values 'the CPU of other schedulers'"'"' default weight' "$cpu" "$(by_version 1024 100)" --cpu 1024
values 'the most CPU' "$cpu" "$(by_version 262144 10000)" --cpu 262144
values 'no limits' "$memory pids.max" "$none max" --memory 0 --pids 0
values 'unlimited says the same' "$memory pids.max" "$none max" --memory unlimited --pids unlimited

# Where the kernel counts swap: no more of memory and swap together than of memory.
swap=$(by_version memory.memsw.limit_in_bytes memory.swap.max)
probe=$(for mount in $(cgroup_roots); do ls "$mount"/*/"$swap" 2>/dev/null; done | head -n 1)
if [ -n "$probe" ]; then
	values 'no swap beside the memory' "$swap" "$(by_version 67108864 0)" --memory 64
else
	pass "no swap beside the memory: this kernel has no $swap"
fi
if ! is_v2; then values 'nor does the kernel prefer to swap the task out' memory.swappiness 0 --memory 64; fi

nx run --id facts --memory 64 --pids 17 --cpu 500 --result "$T/report" -- /bin/true
is 'the report tells the limits' "$(reported cpu_mhz) $(reported memory_bytes) $(reported pids)" '500 67108864 17'
like 'the report tells the cgroup' "$(reported version) $(reported path)" "\"$(by_version 1 2)\" \"/.*/nomad-exec/facts.true\""
nx run --memory 0 --pids 0 --result "$T/report" -- /bin/true
is 'no limit is null' "$(reported memory_bytes) $(reported pids)" 'null null'

# --- memory ---

# Allocates as many MiB, touches them all, and tells.
allocate='my $x = "a" x ($ARGV[0] << 20); print length($x) >> 20'

nx run --memory 64 --result "$T/report" -- /usr/bin/perl -e "$allocate" 256
is 'more memory than the limit: killed' "$RC $OUT" '137 '
is 'and told why' "$ERR" "nomad-exec: warning: out of memory: the kernel killed 1 of the task's processes at its limit of 65536 KiB; see --memory"
is 'the report: oom_killed, by signal 9, no exit code' "$(reported oom_killed) $(reported signal) $(reported exit_code)" 'true 9 null'
like 'the report counts the kill' "$(reported oom_kills)" '[1-9][0-9]*'

nx run --memory 64 --result "$T/report" -- /usr/bin/perl -e "$allocate" 20
is 'less than the limit: no kill' "$RC $OUT$ERR" '0 20'
is 'the report: none' "$(reported oom_killed) $(reported oom_kills) $(reported exit_code)" 'false 0 0'
peak=$(reported memory_peak_bytes)
if [ "$peak" != null ] && [ "$peak" -ge 20971520 ] && [ "$peak" -le 67108864 ]; then
	pass 'the peak is what was allocated, and less than the limit'
elif [ "$peak" = null ] && is_v2; then
	pass 'the peak: a kernel before 5.19 does not tell'
else
	fail 'the peak is what was allocated, and less than the limit' "got: $peak"
fi

nx run --memory 64 --result "$T/report" -- /bin/sh -c '/usr/bin/perl -e "$0" 256; echo "child: $?"' "$allocate"
is 'a child over the limit is killed, the task lives on' "$RC $OUT" '0 child: 137'
is 'the report: the task was not killed, but something was' "$(reported oom_killed) $(($(reported oom_kills) > 0))" 'false 1'
nx run --result "$T/report" -- /bin/sh -c 'kill -9 $$'
is 'SIGKILL alone is no lack of memory' "$RC$ERR $(reported oom_killed)" '137 false'

nx run --memory 0 --result "$T/report" -- /usr/bin/perl -e "$allocate" 320
is 'without a limit more than the default is there' "$RC $OUT$ERR" '0 320'
nx run --memory 1 -- /usr/bin/perl -e "$allocate" 20
like 'a limit too small to start in: an end, and told why' "$RC $OUT$ERR" \
	'(137 nomad-exec: warning: out of memory: .*; see --memory|125 nomad-exec: .*memory.*)'

# What is written to memory file systems is the task's memory.
nx run --memory 32 --result "$T/report" -- /bin/dd if=/dev/zero of=/dev/shm/fill bs=1M count=60
is '/dev/shm counts' "$RC $(reported oom_killed)" '137 true'
nx run --memory 200 -- /bin/dd if=/dev/zero of=/dev/shm/fill bs=1M count=100
like 'and is bounded itself' "$RC $ERR" '1 .*No space left on device.*'

# The page cache is given back under pressure. Where the files of tests are in memory themselves it is only read.
shmem() { awk '/^Shmem:/ { print $2 }' /proc/meminfo; }
before=$(shmem)
dd if=/dev/zero of="$T/probe" bs=1M count=30 2>/dev/null
if [ "$(shmem)" -lt $((before + 20000)) ]; then
	nx run --memory 64 --result "$T/report" -- /bin/sh -c 'dd if=/dev/zero of=/local/big bs=1M count=300 2>/dev/null; stat -c %s /local/big; cat /local/big | wc -c'
	expected='314572800
314572800'
else
	nx run --memory 64 --result "$T/report" -- /bin/sh -c 'cat /usr/bin/* /usr/lib/*/lib* 2>/dev/null | head -c 200000000 | wc -c'
	expected=200000000
fi
rm "$T/probe"
is 'files of more than the limit are no lack of memory' "$RC $OUT$ERR $(reported oom_kills)" "0 $expected 0"

# --- processes ---

nx run --pids 20 --result "$T/report" -- /usr/bin/perl -e 'my $n = 0; while (1) { my $p = fork; last if !defined $p; if (!$p) { sleep 1000; exit } $n++ } print "$n $!"'
is 'no more processes than allowed, the task among them' "$RC $OUT$ERR" '0 19 Resource temporarily unavailable'
like 'the report tells the most there were' "$(reported pids_peak)" '20|null'
nx run --id bomb --pids 50 --timeout 2 --kill-timeout 0 --result "$T/report" -- /bin/bash -c 'b() { b | b & wait; }; b; while :; do b; done' 2>/dev/null
is 'a fork bomb ends with its time, and nothing is left' "$RC $(reported timed_out) $(left_of bomb)" '124 true '
ok 'the host forks as before' sh -c 'for i in 1 2 3 4 5; do /bin/true & done; wait'

# --- a limit that cannot be set ---

# refused NAME FILE FAULT: with this fault at that file of its group a run ends, names the file, and leaves nothing
refused() {
	local name=$1 file=$2 fault=$3 path
	path=$(printf '%s\n' "$files" | grep "/$file\$" | sed 's,/held.sh/,/faulty.true/,')
	strace -f -o "$T/trace" -P "$path" -P "$file" -e trace=write,openat -e inject="$fault" "$NX" run --id faulty -- /bin/true >"$T/out" 2>"$T/err"
	like "$name" "$? $(cat "$T/out" "$T/err")" "125 nomad-exec: set the limit: write [0-9]+ to ${path//./[.]}: .*"
	is "$name: one line, nothing left" "$(wc -l <"$T/err") $(left_of faulty)" '1 '
}
start held run --id held -- /bin/sh -c 'echo up; exec sleep 1000'
ok 'a task shows where its groups are' wait_for 60 said held up
files=$(for group in $(groups_of held); do ls -d "$group/$memory" "$group/$cpu" "$group/pids.max"; done 2>/dev/null)
kill "$PID"
wait "$PID"
if command -v strace >/dev/null; then
	refused 'the memory limit is refused by the kernel' "$memory" write:error=EINVAL
	refused 'the memory limit has no file' "$memory" openat:error=ENOENT
	refused 'the CPU weight is refused by the kernel' "$cpu" write:error=EINVAL
	refused 'the number of processes is refused by the kernel' pids.max write:error=EBUSY
	refused 'the number of processes may not be written' pids.max openat:error=EACCES
else
	skip 'a limit that cannot be set' 'strace is not installed'
fi

# In a mount namespace of our own the controllers are mounted read-only.
nx run -- /bin/true
out=$(NX=$NX unshare --mount bash -c 'for m in $1; do mount --bind "$m" "$m" && mount -o remount,bind,ro "$m"; done; "$NX" run --id readonly -- /bin/true' sh "$(cgroup_roots)" 2>&1)
like 'read-only cgroups: an error that names the group' "$? $out" '125 nomad-exec: .*/nomad-exec.*: Read-only file system.*'
is 'and one line, and nothing left' "$(printf '%s\n' "$out" | wc -l) $(left_of readonly)" '1 '

finish
