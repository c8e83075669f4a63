#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the caller's process has does not reach a task: one that is started by nohup, by a service with every signal blocked, or
# from a shell with limits is the same task. The facts that a task sees are compared between a plain caller and a spoiled one.
# shellcheck disable=SC2016 # scripts in single quotes are for the task's shell
. "$(dirname "$0")/lib.sh"
export LC_ALL=C

# Spoils the process and executes what follows: first which things to spoil, then the command.
cat >"$T/spoil" <<'END'
import ctypes, os, resource, signal, sys

libc = ctypes.CDLL(None, use_errno=True)

def call(name, *arguments):
    if getattr(libc, name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), name)

def signals():
    for n in set(range(1, 65)) - {signal.SIGKILL, signal.SIGSTOP, 32, 33}:
        signal.signal(n, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, set(range(1, 65)) - {32, 33})

def scheduling():
    os.nice(5)
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
    call("syscall", {"x86_64": 251, "aarch64": 30}[os.uname().machine], 1, 0, 3 << 13)  # ioprio_set: idle

def real_time():
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))

def oom():
    with open("/proc/self/oom_score_adj", "w") as f:
        f.write("500")

def oom_below():
    with open("/proc/self/oom_score_adj", "w") as f:
        f.write("-500")

def soft_limits():
    for name in dir(resource):
        if name.startswith("RLIMIT_") and name not in ("RLIMIT_OFILE", "RLIMIT_AS", "RLIMIT_DATA", "RLIMIT_CPU", "RLIMIT_NPROC"):
            soft, hard = resource.getrlimit(getattr(resource, name))
            resource.setrlimit(getattr(resource, name), (70000 if hard < 0 or hard > 70000 else hard, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))

def hard_limits():
    for name in ("CORE", "FSIZE", "NOFILE", "MEMLOCK", "MSGQUEUE", "SIGPENDING", "STACK", "RSS"):
        number = getattr(resource, "RLIMIT_" + name)
        resource.setrlimit(number, (1 << 20, 1 << 20) if name in ("STACK", "FSIZE") else (50, 50))

def identity():
    os.umask(0o077)
    os.setgroups([1, 2, 3, 27])
    os.setresgid(5, 5, 5)

def environment():
    os.environ.update(SECRET="token", IFS="x", BASH_ENV="/x", ENV="/x", PATH=os.environ["PATH"] + ":/evil", HOME="/evil", TERM="evil",
                      PERL5OPT="-x", PYTHONSTARTUP="x", LC_TIME="C", TZ="Asia/Tokyo")

def folder():
    path = os.environ["T"] + "/gone"
    os.mkdir(path)
    os.chdir(path)
    os.rmdir(path)

def personality():
    call("personality", 0x0040000 | 0x0400000)  # ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC

def timer_slack():
    call("prctl", 29, 1000000, 0, 0, 0)  # PR_SET_TIMERSLACK

for what in sys.argv[1].split(","):
    globals()[what]()
os.execv(sys.argv[2], sys.argv[2:])
END
export T

# What a task can tell of its own state, one fact a line.
facts='grep -E "^(Umask|Uid|Gid|Groups|Sig|Shd|Cpus_allowed|Mems_allowed|NoNewPrivs|Seccomp:|THP)" /proc/self/status | grep -v SigQ
cat /proc/self/limits /proc/self/oom_score_adj /proc/self/timerslack_ns /proc/self/personality
echo "nice $(nice)"; chrt -p $$; ionice -p $$; cut -d" " -f 4-8 /proc/$$/stat; pwd; ls /proc/$$/fd; env | sort; true'
task() { "$@" "$NX" run --id state -- /bin/sh -c "$facts" 2>&1 </dev/null; }
plain=$(task env)
like 'a task tells its state' "$plain" '.*Umask:.*Max open files.*nice.*SCHED_OTHER.*NOMAD_ALLOC_ID=state.*'
fact() { printf '%s\n' "$plain" | sed -n "s/^$1//p" | tr -s ' \t' ' '; }
is 'no signal is blocked or ignored' "$(fact 'SigBlk:') $(fact 'SigIgn:')" ' 0000000000000000  0000000000000000'
is 'umask 022' "$(fact 'Umask:')" ' 0022'
is 'nice 0, OOM score 0' "$(fact nice) $(printf '%s\n' "$plain" | grep -cx 0)" ' 0 2' # the other 0 is a descriptor
is 'no core dumps' "$(fact 'Max core file size')" ' 0 0 bytes '
is 'a session and a process group of its own, without a terminal' "$(printf '%s\n' "$plain" | grep -E '^1 ')" '1 2 2 0 -1'

# unchanged NAME WHAT: the spoiled caller's task tells the same
unchanged() {
	local got
	got=$(task python3 "$T/spoil" "$2")
	if [ "$got" = "$plain" ]; then pass "$1"; else fail "$1" "$(diff <(echo "$plain") <(echo "$got"))"; fi
}
unchanged 'every signal ignored and blocked' signals
unchanged 'nice, batch scheduling, pinned to one CPU, idle I/O' scheduling
if chrt -f 10 true 2>/dev/null; then
	unchanged 'real-time scheduling' real_time
else
	skip 'real-time scheduling' 'chrt -f 10 true fails'
fi
unchanged 'an OOM score' oom
unchanged 'soft limits' soft_limits
unchanged 'umask, groups, group' identity
unchanged 'environment' environment
unchanged 'a working directory that is gone' folder
unchanged 'personality' personality
unchanged 'timer slack' timer_slack
unchanged 'all at once' signals,scheduling,oom,soft_limits,identity,environment,folder,personality,timer_slack
# A caller that is denied CAP_SYS_RESOURCE cannot raise what it once lowered.
if (echo -1 >/proc/self/oom_score_adj) 2>/dev/null; then
	unchanged 'hard limits' hard_limits
	unchanged 'an OOM score below 0' oom_below
else
	got=$(task python3 "$T/spoil" hard_limits)
	is 'without CAP_SYS_RESOURCE the hard limits of the caller are the most there is, and the task starts' \
		"$(printf '%s\n' "$got" | sed -n 's/^Max \(open files\|locked memory\|msgqueue size\) *//p' | tr -s ' \n' ' ')" '50 50 files 50 50 bytes 50 50 bytes '
fi

got=$(task nohup)
is 'nohup' "$got" "$plain"
got=$(setsid -w bash -c "NX='$NX'; $(declare -f task); facts='${facts//\'/\'\\\'\'}'; task env")
is 'a caller in a session of its own' "$got" "$plain"

# --- the session keyring ---

cat >"$T/keyring" <<'END'
import ctypes, os, sys

libc = ctypes.CDLL(None, use_errno=True)
join, add = {"x86_64": (250, 248), "aarch64": (219, 217)}[os.uname().machine]
if libc.syscall(join, 1, b"nx-test") < 0 or libc.syscall(add, b"user", b"nx-secret", b"payload", 7, -3) < 0:
    sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])
END
# Prints the number of the key if it is found in the session keyring, or by way of all keyrings.
find='my ($keyctl, $request) = map { $_ + 0 } @ARGV; my ($type, $name) = qw(user nx-secret);
for my $key (syscall($keyctl, 10, -3, $type, $name, 0), syscall($request, $type, $name, 0, 0)) {
	print $key > 0 ? "found " : "none " }'
numbers=$(case $(uname -m) in x86_64) echo 250 249 ;; aarch64) echo 219 218 ;; esac)
# shellcheck disable=SC2086 # words
out=$(python3 "$T/keyring" /usr/bin/perl -e "$find" $numbers)
case "$?$out" in
'0found found ')
	for user in root nobody; do
		# shellcheck disable=SC2086
		out=$(python3 "$T/keyring" "$NX" run --user $user -- /usr/bin/perl -e "$find" $numbers 2>&1)
		is "a key in the caller's session keyring is out of reach ($user)" "$out" 'none none '
	done
	;;
77*) skip "the caller's session keyring" 'this kernel has no keyrings' ;;
*) fail "the caller's session keyring holds a key" "$out" ;;
esac

finish
