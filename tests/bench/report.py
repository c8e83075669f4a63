# SPDX-License-Identifier: Apache-2.0
"""How the bench tells what it measured: a Markdown page and, where gnuplot is, a chart.

Promises to show what is in the result and no more: what was not measured is a dash or is named,
what failed is counted beside the figure and explained below. Targets are printed, never judged.
"""
import os
import platform
import shutil
import subprocess
import time

import transfers
from contestants import NX, PEERS, present
from measure import CLEAN_ENV, ratio

LAUNCH_TARGETS = {"floor": "≤ 1.25", "bwrap": "< 1.00", "crun": "≤ 0.25"}
SMALL_TARGETS = {"--version": "≤ 1.10", "usage error": "≤ 1.10", "fingerprint": "≤ 10 ms"}


def first_line(command):
    try:
        done = subprocess.run(command, env=CLEAN_ENV, text=True, check=True, timeout=10,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except (OSError, subprocess.SubprocessError) as error:
        return f"unknown ({error})"
    return (done.stdout.splitlines() or ["unknown"])[0]


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    cgroup = "v1"
    if os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
        cgroup = "v2"
    elif os.path.exists("/sys/fs/cgroup/unified"):
        cgroup = "v1 with v2 beside it"
    return {"CPU": models[0] if models else platform.machine(),
            "cores": str(len(os.sched_getaffinity(0))), "kernel": platform.release(),
            "cgroup": cgroup, "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            "load at the start": f"{os.getloadavg()[0]:.2f}"}


def versions(tmp):
    result = {"nomad-exec": first_line([NX, "--version"]) if present(NX) else "not built"}
    for peer in PEERS + transfers.PEERS:
        # crun makes its state folder even to tell its version
        root = ["--root", tmp + "/version"] if peer == "crun" else []
        here = shutil.which(peer)
        how = "version" if peer == "openssl" else "--version"
        result[peer] = first_line([peer, *root, how]) if here else "not installed"
    return result


def table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return ["| " + " | ".join(line) + " |" for line in lines] + [""]


def number(value, digits=2, unit=""):
    return "–" if value is None else f"{value:.{digits}f}{unit}"


def median(values, scale=1.0, digits=2, unit=""):
    return number(values and values["median"] * scale, digits, unit)


def tenths(values):
    return f"{values['p10']:.2f}–{values['p90']:.2f}" if values else "–"


def launch_table(launch):
    rows = []
    for name, cost in launch["summary"].items():
        against = ratio(launch["samples"], "nomad-exec", name) if name != "nomad-exec" else None
        wall = cost["wall_ms"]
        rows.append([name, median(wall), number(wall and wall["min"]), number(wall and wall["max"]),
                     tenths(wall), median(cost["cpu_ms"]),
                     median(cost["max_rss_kib"], 1 / 1024, 1), median(against), tenths(against),
                     LAUNCH_TARGETS.get(name, ""), str(cost["failed"])])
    return table(["`/bin/true` with", "median ms", "min", "max", "p10–p90", "CPU ms", "RSS MiB",
                  "nomad-exec / it", "p10–p90", "target", "failed"], rows)


def batch_rows(batches, launches):
    for width, batch in batches.items():
        faster = ratio(batch["samples"], "floor", "nomad-exec")  # times of floor / ours: a rate
        rates, failed = {}, []
        for name, cost in batch["summary"].items():
            wall = cost["wall_ms"]
            rates[name] = f"{1000 * launches / wall['median']:.0f}/s" if wall else "–"
            failed.append(f"{name} {cost['failed']}")
        yield [f"{launches} launches, {width} at once", rates.get("nomad-exec", "–"),
               "floor " + rates.get("floor", "–"), median(faster), tenths(faster), "≥ 0.90",
               ", ".join(failed)]


def small_rows(small):
    for name, cost in small["summary"].items():
        if name == "true":
            continue
        against = ratio(small["samples"], name, "true")
        yield [f"`{name}`" if name != "usage error" else name, median(cost["wall_ms"], unit=" ms"),
               "true " + median(small["summary"]["true"]["wall_ms"], unit=" ms"), median(against),
               tenths(against), SMALL_TARGETS[name], str(cost["failed"])]


def staying_rows(stay):
    ours = stay.get("nomad-exec") or {}
    for what, key, unit, target in (("memory held per running task (PSS)", "pss_kib_per_task",
                                     " KiB", "≤ bwrap's"),
                                    ("wake-ups per idle task", "wakeups_per_task", "", "0")):
        for other in [name for name in stay if name != "nomad-exec"] or [None]:
            theirs = stay.get(other) or {}
            both = ours.get(key) is not None and theirs.get(key)
            failed = [name for name in ("nomad-exec", other) if name in stay and not stay[name]]
            yield [what, number(ours.get(key), 1, unit),
                   f"{other} {number(theirs.get(key), 1, unit)}" if other else "–",
                   number(ours[key] / theirs[key]) if both else "–", "–", target,
                   ", ".join(failed) or "0"]


def transfer_rows(part):
    summary = part["summary"]
    for what, ours, other, target in transfers.PAIRS:
        if ours not in summary or (other and other not in summary):
            continue
        against = other and ratio(part["samples"], ours, other)
        names = [name for name in (ours, other) if name]
        yield [what, median(summary[ours]["wall_ms"], unit=" ms"),
               f"{other} {median(summary[other]['wall_ms'], unit=' ms')}" if other else "–",
               median(against), tenths(against), target,
               ", ".join(f"{name} {summary[name]['failed']}" for name in names)]
    for name in ("fetch", "curl", "wget2", "aria2c"):
        if name in summary:
            target = transfers.RSS_TARGET if name in transfers.OURS else ""
            yield [f"memory of {name} at most",
                   median(summary[name]["max_rss_kib"], 1 / 1024, 1, " MiB"), "–", "–", "–", target,
                   f"{name} {summary[name]['failed']}"]


def page(result):
    settings = result["settings"]
    lines = ["# What one launch costs", ""]
    lines += [f"- {key}: {value}" for key, value in result["machine"].items()]
    lines += [f"- {name}: {version}" for name, version in result["versions"].items()]
    lines += [f"- {settings['rounds']} rounds after {settings['warmup']} to warm up, the commands "
              "taken in turn; a ratio is the median of the rounds' own ratios", ""]
    lines += launch_table(result["launch"])
    rows = [*batch_rows(result["throughput"], settings["batch"]), *small_rows(result["small"]),
            *staying_rows(result["staying"])]
    if rows:
        head = ["what", "nomad-exec", "beside", "ratio", "p10–p90", "target", "failed"]
        lines += table(head, rows)
    rows = list(transfer_rows(result["transfers"]))
    if rows:
        head = [f"{settings['size_mib']} MiB over loopback", "this", "beside", "ratio", "p10–p90",
                "target", "failed"]
        lines += table(head, rows)
    lines += [f"- {note}" for note in result["notes"]]
    lines += [f"- {name} is not here: {why}" for name, why in result["absent"].items()]
    lines += [f"- failed: {name}: {why}" for name, why in result["reasons"].items()]
    return "\n".join(lines).rstrip() + "\n"


def chart(result, path):
    """Draws medians with p10 and p90 on a log scale; returns why it could not, or ''."""
    if not shutil.which("gnuplot"):
        return "gnuplot is not installed"
    walls = [(name, cost["wall_ms"]) for name, cost in result["launch"]["summary"].items()
             if cost["wall_ms"]]
    if not walls:
        return "nothing was measured"
    data = [f'"{name}" {len(walls) - i} {w["median"]} {w["p10"]} {w["p90"]} '
            f'"{w["median"]:.2f} ms" {0xC03A2B if name == "nomad-exec" else 0x35618F}'
            for i, (name, w) in enumerate(walls)]
    script = ["$data << END", *data, "END",
              f"set terminal svg size 720,{110 + 44 * len(walls)} font 'sans-serif,14'",
              f"set output '{path}'", "set logscale x", "unset key",
              "set grid xtics lc rgb '#dddddd'",
              f"set yrange [0.4:{len(walls) + 0.7}]", "set border 1", "set tics nomirror",
              "set title 'One launch of /bin/true, whole process'", "set lmargin 14",
              "set xlabel 'milliseconds, log scale: median, bar from p10 to p90'",
              "set xrange [0.5:*<1000]",
              "plot $data using 3:2:4:5:7:ytic(1) with xerrorbars pt 7 lw 2 lc rgb variable, "
              "$data using 3:2:6 with labels offset 0,0.9"]
    done = subprocess.run(["gnuplot"], input="\n".join(script) + "\n", text=True, check=False,
                          env=CLEAN_ENV, stderr=subprocess.PIPE)
    return f"gnuplot: {done.stderr.strip()}" if done.returncode else ""
