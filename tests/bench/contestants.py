# SPDX-License-Identifier: Apache-2.0
"""How each contestant of the bench is told to launch a task.

Promises command lines that ask each for the same thing, as far as it can do it: the directories of
the default chroot read-only, own /dev, /proc, devpts and shm, own mount, pid, ipc, uts and cgroup
namespaces, no capability, no_new_privs; and, where it knows them, memory, cpu and pids limits and
user nobody. What bubblewrap lacks (a cgroup; another user without a user namespace) it is not
charged for, nor are crun and runc for a seccomp filter. bwrap-lean asks for less, as people do:
/usr and /etc whole, no cgroup namespace, no shm. Writes only below the folder it is given; what it
mounts is in a mount namespace of its own.
"""
import collections
import contextlib
import json
import os
import shutil
import subprocess

NX = os.path.abspath(os.environ.get("NX", "build/nomad-exec"))
BIN = os.path.abspath(os.environ.get("NX_BENCH_BIN", "build/bench"))
PEERS = ("bwrap", "crun", "runc")
NAMES = ("true", "floor", "nomad-exec", "bwrap", "bwrap-lean", "crun", "runc")
GROUP = f"nx-bench-{os.getpid()}"  # the parent of every cgroup crun and runc make here
HYBRID = "/sys/fs/cgroup/unified"
TASK_PATH = "/usr/local/bin:/usr/bin:/bin"

# The default chroot of nomad-exec; usr/lib32, usr/lib64 are what the links of a merged /usr name.
CHROOT = """/bin /etc /lib /lib32 /lib64 /sbin /usr/bin /usr/lib /usr/lib32 /usr/lib64 /usr/libexec
    /usr/local /usr/sbin /usr/share /run/resolvconf /run/systemd/resolve""".split()


# What to run, which exit status is success, and the process whose mounts to launch it from.
Launch = collections.namedtuple("Launch", "argv status place", defaults=(0, "/proc/self"))


def present(program):
    return os.access(program, os.X_OK)


def host_tree():
    """The default chroot of this host: directories to bind, and links to make as they are."""
    links = {path: os.readlink(path) for path in CHROOT if os.path.islink(path)}
    return [path for path in CHROOT if path not in links and os.path.isdir(path)], links


def bwrap(task, lean):
    binds, links = host_tree()
    argv = [shutil.which("bwrap"), "--unshare-pid", "--unshare-ipc", "--unshare-uts",
            "--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv",
            "--setenv", "PATH", TASK_PATH, "--chdir", "/"]
    for path in ("/etc", "/usr") if lean else binds:
        argv += ["--ro-bind", path, path]
    for path, target in links.items():
        argv += ["--symlink", target, path]
    argv += ["--proc", "/proc", "--dev", "/dev"]
    if not lean:
        argv += ["--unshare-cgroup", "--tmpfs", "/dev/shm", "--remount-ro", "/"]
    return argv + ["--", *task]


def oci_config(runtime, task, binds):
    safe = ["nosuid", "noexec", "nodev"]
    mounts = [
        ("/proc", "proc", "proc", safe),
        ("/dev", "tmpfs", "tmpfs", ["nosuid", "noexec", "mode=755"]),
        ("/dev/pts", "devpts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666"]),
        ("/dev/shm", "tmpfs", "shm", safe + ["size=64m"]),
    ] + [(path, "bind", path, ["rbind", "ro", "nosuid", "nodev"]) for path in binds]
    sets = ("bounding", "effective", "inheritable", "permitted")
    return {
        "ociVersion": "1.0.2",
        "root": {"path": "rootfs", "readonly": True},
        "process": {
            "args": task, "cwd": "/", "env": ["PATH=" + TASK_PATH], "noNewPrivileges": True,
            "user": {"uid": 65534, "gid": 65534}, "capabilities": {name: [] for name in sets},
        },
        "mounts": [dict(zip(("destination", "type", "source", "options"), m)) for m in mounts],
        "linux": {
            "cgroupsPath": f"/{GROUP}/{runtime}",
            "namespaces": [{"type": n} for n in ("mount", "pid", "ipc", "uts", "cgroup")],
            "resources": {"memory": {"limit": 300 << 20}, "cpu": {"shares": 100},
                          "pids": {"limit": 4096}},
        },
    }


def oci(runtime, task, tmp):
    """Writes the bundle; the runtime keeps its state beside it instead of under /run."""
    bundle = os.path.join(tmp, runtime)
    binds, links = host_tree()
    for path in binds + ["/proc", "/dev"]:
        os.makedirs(bundle + "/rootfs" + path)
    for path, target in links.items():
        os.symlink(target, bundle + "/rootfs" + path)
    with open(bundle + "/config.json", "w", encoding="ascii") as file:
        json.dump(oci_config(runtime, task, binds), file)
    manager = ["--cgroup-manager", "cgroupfs"] if runtime == "crun" else []
    return [shutil.which(runtime), "--root", bundle + "/state", *manager, "run",
            "--bundle", bundle, GROUP]


def refused_by_crun():
    """The v2 controllers beside v1 hierarchies for which crun refuses to work; '' if none."""
    try:
        with open(HYBRID + "/cgroup.controllers", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


@contextlib.contextmanager
def without_hybrid():
    """A mount namespace of our own that looks like the host's without the v2 hierarchy; the host's
    own mounts stay as they are. It lasts as long as the process that waits at our pipe."""
    script = f"mount -t tmpfs -o size=4k none {HYBRID} && echo ready && exec cat"
    with subprocess.Popen(["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        if not holder.stdout.readline():
            raise OSError("cannot hide the cgroup v2 hierarchy from crun; --only can leave it out")
        yield f"/proc/{holder.pid}"
        holder.stdin.close()


def command(name, task, tmp):
    """The argv that runs task, itself a list, with this contestant; None if it is not here."""
    if name == "true":
        return ["/bin/true"]
    if name == "nomad-exec":
        arguments = [part for argument in task[1:] for part in ("--args", argument)]
        return [NX, "run", "--command", task[0], *arguments] if present(NX) else None
    if name == "floor":
        return [BIN + "/floor", *task] if present(BIN + "/floor") else None
    if not shutil.which(name.removesuffix("-lean")):
        return None
    if name.startswith("bwrap"):
        return bwrap(task, lean=name == "bwrap-lean")
    return oci(name, task, tmp)
