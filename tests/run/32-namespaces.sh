#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The namespaces of a task: which are its own, that it neither sees nor changes what is in the others, and that two tasks do not
# meet. As root; the tasks run as root too where that makes them more dangerous.
# shellcheck disable=SC2016 # scripts in single quotes are for the task's shell
. "$(dirname "$0")/lib.sh"
export LC_ALL=C

# --- which are its own ---

all='mnt pid ipc uts cgroup net user time'
nx run -- /bin/sh -c 'for n in '"$all"'; do echo "$n $(readlink /proc/self/ns/$n)"; done'
own='' same=''
for n in $all; do
	if [ "$(printf '%s\n' "$OUT" | sed -n "s/^$n //p")" = "$(readlink "/proc/self/ns/$n")" ]; then same="$same $n"; else own="$own $n"; fi
done
is 'mount, pid, ipc, uts and cgroup are its own' "$own" ' mnt pid ipc uts cgroup'
is 'network, user and time are the host'"'"'s, as with Nomad' "$same" ' net user time'
nx run -- /bin/sh -c 'tail -n +3 /proc/net/dev | cut -d: -f1 | sort'
is 'the network interfaces are those of the host' "$OUT" "$(tail -n +3 /proc/net/dev | cut -d: -f1 | sort)"

# --- processes ---

nx run -- /bin/bash -c 'echo "$$ $PPID $(cat /proc/1/comm)"; cd /proc; echo [0-9]*; readlink /proc/self/ns/pid >/dev/null
	grep -c . /proc/sys/kernel/ns_last_pid >/dev/null; kill -0 1 2>&1 | sed "s/.*- //"'
is 'init is process 1, the task is its child, and there are no others' "$OUT" '2 1 nomad-exec-init
1 2
Operation not permitted'
nx run --env SECRET=in-the-environment -- /bin/sh -c 'until tr "\0" "\n" </proc/1/cmdline | grep -x "nomad-exec: init"; do sleep 0.05; done
	tr "\0" "\n" </proc/1/cmdline | grep -c secret; (cat /proc/1/environ) 2>&1 | sed "s/.*: //"' secret
is 'the command line of init tells nothing of the launcher'"'"'s' "$OUT" 'nomad-exec: init
0
Permission denied'
# Each message of the channel takes its time, so that the task is sure to look before init goes on.
if command -v strace >/dev/null; then
	strace -f -o "$T/trace" -e trace=sendmsg -e inject=sendmsg:delay_exit=500000 "$NX" run -- /bin/grep -c secret-argument /proc/1/cmdline >"$T/out"
	is 'nor did it when the task had just started' "$(cat "$T/out")" 0
else
	skip 'nor did it when the task had just started' 'strace is not installed'
fi

# A process of the host, which a root task gets at neither by its number nor all at once.
sleep 1000 &
bystander=$!
nx run --user root -- /bin/bash -c "ls -d /proc/$bystander 2>&1 | sed 's/.*: //'; kill -9 $bystander 2>&1 | sed 's/.*- //'; sleep 1000 & kill -9 -1; wait; echo still here"
is 'a root task cannot see or signal a process of the host' "$OUT" 'No such file or directory
No such process
still here'
ok 'which lives on' kill -0 "$bystander"
kill "$bystander"
wait "$bystander" 2>/dev/null

# --- what the caller's host has does not show, what the task makes does not show there ---

marker=nx-test-$$
: >"/dev/shm/$marker"
queue=$(ipcmk --queue | awk '{ print $NF }')
segment=$(ipcmk --shmem 4096 | awk '{ print $NF }')
nx run --user root -- /bin/bash -c 'ls /dev/shm /tmp /local /dev/mqueue | grep -v -e : -e "^\$"; ipcs -q -m | grep -c ^0x
	ipcrm --all; touch /dev/shm/inside /tmp/inside; ipcmk --queue >/dev/null && ipcs -q | grep -c ^0x; touch /dev/mqueue/inside && ls /dev/mqueue'
is 'nothing of the host in shared memory, message queues and /tmp; what the task makes is there' "$OUT" '0
1
inside'
is 'and neither is anything of the task'"'"'s on the host' "$(ls /dev/shm/inside /tmp/inside 2>/dev/null)" ''
ok 'the message queue of the host is still there' ipcrm -q "$queue"
ok 'the shared memory of the host is still there' ipcrm -m "$segment"
ok 'the file in /dev/shm of the host is still there' rm "/dev/shm/$marker"

# --- hostname ---

host=$(uname -n)
run_is 'the hostname is the host'"'"'s' 0 "$host" '' -- run -- /bin/uname -n
run_is 'or the one that was asked for' 0 'a.b-c' '' -- run --hostname a.b-c -- /bin/uname -n
nx run --user root --hostname inside -- /bin/sh -c '(echo evil >/proc/sys/kernel/hostname) 2>/dev/null; perl -e "syscall(170, q(evil), 4) == -1 or print q(changed)"; uname -n'
is 'a root task cannot change it' "$OUT" inside
is 'the host keeps its own' "$(uname -n)" "$host"
long=$(printf '%064d' 0 | tr 0 h)
run_is '64 bytes are the most that the kernel takes' 0 "$long" '' -- run --hostname "$long" -- /bin/uname -n
nx run --hostname "${long}h" -- /bin/uname -n
like 'one more is refused by the launcher' "$RC $OUT$ERR" '125 nomad-exec: .*hostname.*'

# --- cgroups ---

nx run -- /bin/sh -c 'cut -d: -f3 /proc/self/cgroup | sort -u; sleep 9 & cut -d: -f3 /proc/$!/cgroup | sort -u; grep -c cgroup /proc/self/mountinfo'
is 'the task sees itself at the root of every hierarchy, and no cgroup is mounted' "$OUT" '/
/
0'
start held run --id held -- /bin/sh -c 'echo up; exec sleep 1000'
ok 'a task is up' wait_for 30 said held up
for group in $(groups_of held); do
	like "exactly the task is in ${group#/sys/fs/cgroup/}, not its init" "$(xargs -r -n 1 sh -c 'cat /proc/$0/comm' <"$group/cgroup.procs")" sleep
done
kill "$PID"
end_of held "$PID"
is 'and it ends' "$RC$ERR" 143

# --- two tasks ---

make='echo "$0" >/tmp/f; echo "$0" >/local/f; echo "$0" >/dev/shm/f; echo "$0" >/secrets/f; echo "$0" >/alloc/data/f; touch /dev/mqueue/f; ipcmk --queue >/dev/null
	echo up; exec sleep 1000'
start one run --user root --hostname one -- /bin/sh -c "$make" first
one=$PID
ok 'the first task is up' wait_for 30 said one up
nx run --user root --hostname two -- /bin/bash -c 'ls /tmp /local /dev/shm /secrets /alloc/data /dev/mqueue | grep -v -e : -e "^\$"; ipcs -q | grep -c ^0x; uname -n; cd /proc; echo [0-9]*; kill -9 -1; echo alone'
is 'the second sees nothing of the first' "$OUT" '0
two
1 2
alone'
ok 'the first is unharmed' kill -0 "$one"
kill "$one"
end_of one "$one"
is 'and ends by the signal that it was sent' "$RC$ERR" 143

finish
