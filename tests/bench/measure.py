# SPDX-License-Identifier: Apache-2.0
"""What the bench measures: timed launches, through the C program `timer`, and tasks that stay.

Promises that no interpreter runs inside a timed interval, that a launch that failed is counted and
its last words kept, and that tasks started to be looked at are gone on return. Runs as root; it
kills only tasks found below launchers it started.
"""
import contextlib
import glob
import os
import signal
import statistics
import subprocess
import time

from contestants import BIN

CLEAN_ENV = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


class Timer:
    """Runs plans through `timer`; `reasons` tells why a command failed last."""

    def __init__(self, tmp):
        self.tmp = tmp
        self.reasons = {}

    def run(self, commands, rounds, warmup=0, total=1, width=1):
        """commands: {name: Launch} -> {name: [what each round cost]}"""
        plan = os.path.join(self.tmp, "plan")
        with open(plan, "w", encoding="utf-8") as file:
            for name, launch in commands.items():
                file.write("\t".join([name, str(launch.status), self.log(name), launch.place,
                                      *launch.argv]) + "\n")
        options = ["-n", str(rounds), "-w", str(warmup), "-t", str(total), "-j", str(width)]
        output = subprocess.run([BIN + "/timer", *options, plan], env=CLEAN_ENV, check=True,
                                text=True, stdout=subprocess.PIPE).stdout
        samples = {name: [] for name in commands}
        for line in output.splitlines():
            name, *numbers = line.split("\t")
            wall_ns, user_us, system_us, rss_kib, failed, status = map(int, numbers)
            samples[name].append({"wall_ms": wall_ns / 1e6, "cpu_ms": (user_us + system_us) / 1e3,
                                  "max_rss_kib": rss_kib, "failed": failed, "status": status})
            if failed:
                end = f"exit status {status}: {self.last_words(name)}"
                self.reasons[name] = os.strerror(-status) if status < 0 else end
        return samples

    def log(self, name):
        return os.path.join(self.tmp, name.strip("-").replace(" ", "-") + ".stderr")

    def last_words(self, name):
        with open(self.log(name), encoding="utf-8", errors="replace") as file:
            lines = file.read().splitlines()
        return lines[-1] if lines else "(nothing on stderr)"


def spread(values):
    """Median, extremes, 10th and 90th percentile of a list; None if it is empty."""
    if not values:
        return None
    tenths = [values[0]] * 9
    if len(values) > 1:
        tenths = statistics.quantiles(values, n=10, method="inclusive")
    return {"median": statistics.median(values), "min": min(values), "max": max(values),
            "p10": tenths[0], "p90": tenths[8], "count": len(values)}


def ratio(samples, name, other):
    """Spread of the wall time of name / other, pair by pair in a round, where neither failed."""
    pairs = zip(samples.get(name, []), samples.get(other, []))
    return spread([a["wall_ms"] / b["wall_ms"] for a, b in pairs if not a["failed"] + b["failed"]])


def summarize(samples):
    """{name: spreads of its good rounds, and how many launches failed}"""
    result = {}
    for name, rounds in samples.items():
        good = [r for r in rounds if not r["failed"]]
        result[name] = {key: spread([r[key] for r in good])
                        for key in ("wall_ms", "cpu_ms", "max_rss_kib")}
        result[name]["failed"] = sum(r["failed"] for r in rounds)
    return result


def processes():
    """{pid: (parent, command name)} at this moment."""
    found = {}
    for path in glob.glob("/proc/[0-9]*/stat"):
        with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as file:
            name, rest = file.read().split("(", 1)[1].rsplit(")", 1)
            found[int(path.split("/")[2])] = (int(rest.split()[1]), name)
    return found


def family(launcher, table):
    """(what the launcher keeps, its tasks): the launcher and all below it, parted at `sleep`."""
    own, tasks, queue = [], [], [launcher]
    while queue:
        pid = queue.pop()
        (tasks if table.get(pid, (0, ""))[1] == "sleep" else own).append(pid)
        queue += [child for child, (parent, _) in table.items() if parent == pid]
    return own, tasks


def wait_for_tasks(launchers, timeout_s):
    """The family of each launcher: once each has its task, or one has ended, or time is up."""
    deadline = time.monotonic() + timeout_s
    while True:
        table = processes()
        families = [family(launcher.pid, table) for launcher in launchers]
        ended = any(launcher.poll() is not None for launcher in launchers)
        if ended or all(tasks for _, tasks in families) or time.monotonic() > deadline:
            return families
        time.sleep(0.1)


def end(launchers, families):
    """Ends the tasks, not the launchers, so that these clean up; one that hangs is killed."""
    for _, tasks in families:
        for pid in tasks:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    for launcher in launchers:
        try:
            launcher.wait(10)
        except subprocess.TimeoutExpired:
            launcher.kill()
            launcher.wait()


def total(pids, file, key):
    """The sum of one numeric line of /proc/PID/FILE over some processes."""
    result = 0
    for pid in pids:
        with open(f"/proc/{pid}/{file}", encoding="ascii", errors="replace") as lines:
            result += sum(int(line.split()[1]) for line in lines if line.startswith(key + ":"))
    return result


def staying(command, count, idle_s, log):
    """Per task, with `count` tasks of `sleep` running: memory and wake-ups of what its launcher
    keeps (itself and its init). None if they did not all start; why is then in the log."""
    with open(log, "ab") as errors:
        launchers = [subprocess.Popen(command, env=CLEAN_ENV, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.DEVNULL, stderr=errors)
                     for _ in range(count)]
    families = []
    try:
        families = wait_for_tasks(launchers, timeout_s=10)
        if not all(tasks for _, tasks in families):
            return None
        time.sleep(0.5)
        own = [pid for pids, _ in families for pid in pids]
        pss_kib = total(own, "smaps_rollup", "Pss")
        before = total(own, "status", "voluntary_ctxt_switches")
        time.sleep(idle_s)
        wakeups = total(own, "status", "voluntary_ctxt_switches") - before
        return {"tasks": count, "processes_per_task": len(own) / count,
                "pss_kib_per_task": pss_kib / count, "idle_s": idle_s,
                "wakeups_per_task": wakeups / count}
    finally:
        end(launchers, families)
