#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Signals that are sent to the launcher reach the task, once, whoever sends them, at any moment, and whatever the caller did with its own
# signals; the task's status comes back. With a terminal too.
# shellcheck disable=SC2016 # scripts in single quotes are for the task's shell
. "$(dirname "$0")/lib.sh"
export LC_ALL=C

reported() { sed -n "s/^ *\"$1\": \\(.*[^,]\\),*\$/\\1/p" "$T/report"; }

# A task that counts. `wait` ends with every signal that is trapped; sleep is what it waits for.
counting='declare -A n; for s in INT HUP QUIT USR1 USR2 WINCH CONT ALRM; do n[$s]=0; trap "n[$s]=\$((n[$s] + 1)); echo $s \${n[$s]}" $s; done
	trap "exit 42" TERM; sleep 1000 & echo up; while :; do wait; done'
start counting run --result "$T/report" -- /bin/bash -c "$counting"
ok 'a task is up' wait_for 60 said counting up
for round in 1 2; do
	for signal in INT HUP QUIT USR1 USR2 WINCH CONT ALRM; do
		kill -$signal "$PID"
		if wait_for 30 said counting "$signal $round"; then
			pass "SIG$signal reaches the task, $round"
		else
			fail "SIG$signal reaches the task, $round" "$(cat "$T/counting.out" "$T/counting.err")"
		fi
	done
done
kill -TERM "$PID"
end_of counting "$PID"
is 'SIGTERM too, and the exit code of its handler comes back' "$RC$ERR $(reported exit_code) $(reported signal)" '42 42 null'
is 'each came once' "$(printf '%s\n' "$OUT" | sort | tr '\n' ' ')" \
	'ALRM 1 ALRM 2 CONT 1 CONT 2 HUP 1 HUP 2 INT 1 INT 2 QUIT 1 QUIT 2 USR1 1 USR1 2 USR2 1 USR2 2 WINCH 1 WINCH 2 up '

for signal in TERM INT HUP QUIT USR1 USR2 ALRM; do
	number=$(kill -l $signal)
	start plain run --result "$T/report" -- /bin/sh -c 'echo up; exec sleep 1000'
	wait_for 60 said plain up
	kill -$signal "$PID"
	end_of plain "$PID"
	is "a task without handlers ends by SIG$signal" "$RC$ERR $(reported signal) $(reported exit_code)" "$((128 + number)) $number null"
done

start ignoring run -- /bin/sh -c 'echo up; exec sleep 1000'
wait_for 60 said ignoring up
kill -WINCH "$PID"
kill -CONT "$PID"
# A process that is continued by this proves that the others were handled before: they are read in order of their numbers.
kill -TERM "$PID"
end_of ignoring "$PID"
is 'SIGWINCH and SIGCONT harm none' "$RC$ERR" 143

# --- before there is a task ---

# Files that are fifos which nobody writes to, or not all: the launcher waits for them, but not deaf to signals.
mkfifo "$T/silent"
for option in --env-file --args-file; do
	for writer in none idle; do
		[ $writer = none ] || exec 3<>"$T/silent"
		start waiting run --result "$T/report" $option "$T/silent" -- /bin/echo ran
		ok "$option waits for a fifo, writer: $writer" wait_for 60 grep -q '^SigBlk:.*[1-9a-f]' "/proc/$PID/status"
		kill -TERM "$PID"
		end_of waiting "$PID"
		is 'a signal ends that' "$RC $OUT$ERR $(reported phase) $(reported error)" \
			"143 nomad-exec: read $T/silent: interrupted by SIGTERM \"setup\" \"read $T/silent: interrupted by SIGTERM\""
		exec 3>&-
	done
done
"$NX" run --env-file "$T/silent" -- /usr/bin/printenv A B >"$T/out" 2>&1 &
(printf 'A=' && sleep 0.3 && printf '1\nB=2\n') >"$T/silent"
wait $!
is 'a fifo is read to its end' "$? $(tr '\n' ' ' <"$T/out")" '0 1 2 '

# --- callers that did something to their own signals ---

cat >"$T/ignore" <<'END'
import os, signal, sys
for n in set(range(1, 32)) - {signal.SIGKILL, signal.SIGSTOP}:
    signal.signal(n, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, set(range(1, 32)))
os.execv(sys.argv[1], sys.argv[1:])
END
launcher=$NX
out=$(timeout 60 python3 "$T/ignore" "$NX" run -- /bin/sh -c 'sleep 1000 & exit 7' 2>&1)
is 'a caller that ignores even SIGCHLD: the status comes back, and at once' "$?$out" 7
for signal in TERM INT HUP USR1; do
	printf '#!/bin/sh\nexec python3 %s %s "$@"\n' "$T/ignore" "$launcher" >"$T/blocked"
	chmod +x "$T/blocked"
	NX=$T/blocked start blocked run -- /bin/sh -c "trap 'echo $signal; exit 9' $signal; sleep 1000 & echo up; while :; do wait; done"
	wait_for 60 said blocked up
	kill -$signal "$PID"
	end_of blocked "$PID"
	is "a caller with every signal ignored and blocked: SIG$signal" "$RC$ERR $OUT" "9 up
$signal"
done

# --- a task that is stopped ---

start stopped run --id stopped -- /bin/sh -c 'echo up; exec sleep 1000'
wait_for 60 said stopped up
task=$(head -n 1 "$(groups_of stopped | head -n 1)/cgroup.procs")
kill -STOP "$task"
ok 'a task is stopped' wait_for 30 grep -q '^State:.T' "/proc/$task/status"
kill -CONT "$PID"
ok 'SIGCONT to the launcher continues it' wait_for 30 grep -q '^State:.S' "/proc/$task/status"
kill -TERM "$PID"
end_of stopped "$PID"
is 'and it ends as any other' "$RC$ERR" 143

# --- early signals ---

# Over the time that a start takes, at 30 moments. Before the launcher has begun the signal ends it, later the task.
begin=$(date +%s%N)
nx run --id early -- /bin/true
took=$(($(date +%s%N) - begin))
bad=''
for i in $(seq 30); do
	start early run --id early -- /bin/sleep 1000
	sleep "$(awk "BEGIN { print $took * $i / 30 / 1e9 }")"
	kill -TERM "$PID"
	end_of early "$PID"
	[ "$RC$OUT$ERR$(left_of early)" = 143 ] || bad="$bad moment $i: $RC $OUT $ERR $(left_of early)"
done
is 'a signal at any moment of the start ends the run, and leaves nothing' "$bad" ''
if command -v strace >/dev/null; then
	# Init takes its time: the signal comes when there is no task to send it to.
	strace -f -o "$T/trace" -e trace=pivot_root -e inject=pivot_root:delay_enter=1500000 "$NX" run --id early --result "$T/report" -- \
		/bin/sleep 1000 >"$T/early.out" 2>&1 &
	tracer=$!
	ok 'a start is under way' wait_for 60 grep -q pivot_root "$T/trace"
	launcher_pid=$(pgrep -P $tracer)
	kill -TERM "$launcher_pid"
	wait $tracer
	is 'a signal during set-up is not lost' "$? $(cat "$T/early.out") $(reported signal)" '143  15'
else
	skip 'a signal during set-up is not lost' 'strace is not installed'
fi

# --- a terminal ---

cat >"$T/terminal" <<'END'
import fcntl, os, pty, select, signal, struct, sys, termios, time

def talk(arguments, script):
    """Runs the launcher at a terminal of its own; script is (expected text, what to do) in turn. Prints what failed to come."""
    pid, master = pty.fork()
    if pid == 0:
        os.execv(arguments[0], arguments)
    seen = b""
    for text, action in script:
        end = time.monotonic() + 60
        while text not in seen:
            ready = select.select([master], [], [], max(0, end - time.monotonic()))[0]
            if not ready:
                return print("no", text, "in", seen)
            try:
                seen += os.read(master, 4096)
            except OSError:
                return print("no", text, "in", seen, "before the end")
        action(pid, master)
    end = time.monotonic() + 60
    while time.monotonic() < end:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return print("status", os.waitstatus_to_exitcode(status))
        if not script[-1][1].__name__ == "hang_up" and select.select([master], [], [], 0.02)[0]:
            try:
                seen += os.read(master, 4096)
            except OSError:
                time.sleep(0.02)
        else:
            time.sleep(0.02)
    print("it does not end")

def write(data):
    return lambda pid, master: os.write(master, data)

def send(number):
    return lambda pid, master: os.kill(pid, number)

def resize(pid, master):
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 99, 0, 0))

def hang_up(pid, master):
    os.close(master)

# Waits for signals and lines at once: a shell could miss a signal that comes just before its read.
count = """
import os, select, signal, sys
came, written = os.pipe()
os.set_blocking(written, False)
signal.set_wakeup_fd(written)
for number in signal.SIGINT, signal.SIGQUIT, signal.SIGWINCH, signal.SIGTERM:
    signal.signal(number, lambda *_: None)
interrupts = 0
print("up.", flush=True)
while True:
    ready = select.select([0, came], [], [])[0]
    for number in os.read(came, 100) if came in ready else []:
        interrupts += number == signal.SIGINT
        size = os.get_terminal_size(0)
        print({signal.SIGINT: f"interrupt {interrupts}.", signal.SIGQUIT: "quit.", signal.SIGTERM: f"total {interrupts}.",
               signal.SIGWINCH: f"resized {size.lines} {size.columns}."}[number], flush=True)
        if number == signal.SIGTERM:
            sys.exit(5)
    if 0 in ready:
        print(f"read {os.read(0, 100).decode().strip()}.", flush=True)
"""
bash = [sys.argv[2], "run", "--", "/bin/bash", "-c"]
tests = {
    # The terminal sends the signal to every process of the foreground group: the launcher is in it, the task is not.
    "interrupt": ([sys.argv[2], "run", "--", "/usr/bin/python3", "-IS", "-c", count], [(b"up.", write(b"\x03")), (b"interrupt 1.", write(b"word\n")), (b"read word.", write(b"\x03")),
                                   (b"interrupt 2.", write(b"\x1c")), (b"quit.", resize), (b"resized 33 99.", send(signal.SIGTERM)),
                                   (b"total 2.", send(0))]),
    "hang-up": (bash + ["echo up.; exec sleep 1000"], [(b"up.", hang_up)]),
    # Neither form of the request, as the kernel looks at its low 32 bits only, types into the terminal.
    "inject": ([sys.argv[2], "run", "--user", "root", "--", "/usr/bin/perl", "-e", """
        for my $request (0x5412, 0x100005412) { my $c = "x"; print syscall($ARGV[0] + 0, 0, $request, $c), " $!\\n" } print "end.\\n" """,
        {"x86_64": "16", "aarch64": "29"}[os.uname().machine]], [(b"-1 Operation not permitted\r\n-1 Operation not permitted\r\nend.", send(0))]),
    "no-terminal": (bash + ["(: </dev/tty) 2>&1; ps -o tty= -p $$; stty size; echo end."],
                    [(b"/dev/tty: No such device or address\r\n?\r\n0 0\r\nend.", send(0))]),
}
talk(*tests[sys.argv[1]])
END
terminal() { python3 "$T/terminal" "$1" "$launcher" 2>&1; }
is '^C, ^\ and a new size reach the task once each; it reads what is typed; its status comes back' "$(terminal interrupt)" 'status 5'
is 'when the terminal is gone the task hears of it' "$(terminal hang-up)" 'status 129'
is 'a task has no terminal of its own' "$(terminal no-terminal)" 'status 0'
is 'and cannot type into that of the caller' "$(terminal inject)" 'status 0'

finish
