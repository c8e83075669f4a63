#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The root that a task sees: what of the host is in it, what the task may write, and that the host stays as it was. Hosts that this
# one is not (a link of /etc/resolv.conf into /run, a /usr that is not merged, mounts below listed directories, shared
# propagation) are built in mount namespaces of the test's own. As root; the task is the attacker.
# shellcheck disable=SC2016 # scripts in single quotes are for the task's shell
. "$(dirname "$0")/lib.sh"
export LC_ALL=C

listed='/bin /etc /lib /lib32 /lib64 /usr/bin /usr/lib /usr/share /sbin /usr/sbin /usr/libexec /usr/local /run/resolvconf
	/run/systemd/resolve'

# What is at each listed path: the same text on the host and inside says that it is the same object. A link is ours: its text counts.
look='for p in '$(echo "$listed" | tr -s '\n\t' '  ')'; do
	[ -e "$p" ] || continue
	if [ -L "$p" ]; then echo "$p -> $(readlink "$p") $(stat -L -c %d:%i "$p")"; else stat -c "%n %F %d:%i %a %u:%g" "$p"; fi
done'

# run_root SCRIPT / run_nobody SCRIPT: a shell in a task
run_root() { nx run --user root -- /bin/sh -c "$1"; }
run_nobody() { nx run -- /bin/sh -c "$1"; }

# --- the host's directories ---

run_nobody "$look"
is 'every listed path of the host is there, the same object or the same link' "$OUT$ERR" "$(sh -c "$look")"
nx run -- /usr/bin/cat /etc/resolv.conf
is '/etc/resolv.conf can be read' "$OUT" "$(cat /etc/resolv.conf)"

# The names at the top: those of listed paths, of what their links lead to, and ours.
top=$(for p in $listed $(for q in $listed; do [ ! -L "$q" ] || readlink -f "$q"; done) "$(readlink -f /etc/resolv.conf)"; do
	if [ -e "$p" ]; then echo "$p"; fi
done | cut -d/ -f2)
run_nobody 'ls -A /'
is 'nothing else is at the top' "$OUT" "$(printf '%s\n' "$top" alloc dev local proc secrets sys tmp | sort -u)"

run_root 'ls -d /home /root /var /boot /opt /srv /usr/include /usr/src /.dockerenv 2>&1 | grep -v "No such file" || true'
is 'the rest of the host is not there' "$OUT" ''

# --- what may be written ---

run_root 'cat /proc/self/mountinfo'
mounts=$OUT
field() { printf '%s\n' "$mounts" | awk "$1 { print \$5 }" | sort | tr '\n' ' '; }
is 'every mount is nosuid' "$(field '$6 !~ /(^|,)nosuid(,|$)/')" ''
# Masks are binds of our /dev/null, of which the mount knows the root /null.
is 'every mount is nodev but /dev and its terminals' "$(field '$4 != "/null" && $6 !~ /(^|,)nodev(,|$)/')" '/dev /dev/pts '
is 'the writable mounts are exactly these' "$(field '$6 ~ /(^|,)rw(,|$)/')" \
	'/alloc /dev/mqueue /dev/pts /dev/shm /local /proc /secrets /tmp '
is 'nothing can be executed in the mounts that hold no programs' \
	"$(field '$4 != "/null" && $5 !~ /^.(proc|sys)./ && $6 ~ /(^|,)noexec(,|$)/')" \
	'/dev /dev/mqueue /dev/pts /dev/shm /proc /secrets /sys '
is 'one mount is the root, and none of the host is below it' "$(field '$5 == "/"')" '/ '

run_root 'for d in / /etc /usr /usr/bin /usr/lib /usr/share /lib64 /dev /sys; do
	mkdir "$d/nx-new" 2>&1
done | sed "s/.*: //" | sort | uniq -c | sed "s/^ *//"
touch -d 2001-01-01 /etc /usr/bin/env / 2>&1 | sed "s/.*: //" | sort -u'
is 'root cannot make anything in the rest, nor date it' "$OUT" '9 Read-only file system
Read-only file system'

# --- the directories of the task ---

umask 077
nx run --id dirs --name it --keep -- /bin/sh -c '
	stat -c "%n %F %a %U:%u %g" /alloc /alloc/* /local /tmp /secrets
	for d in /alloc /alloc/data /alloc/logs /alloc/tmp /local /tmp; do echo "$d" >"$d/file" && echo "wrote $(cat "$d/file")"; done
	cp /bin/true /local/program && /local/program && echo executed'
umask 022
is 'modes and owners inside, whatever the umask of the caller' "$OUT$ERR" '/alloc directory 777 nobody:65534 65534
/alloc/data directory 777 nobody:65534 65534
/alloc/logs directory 777 nobody:65534 65534
/alloc/tmp directory 777 nobody:65534 65534
/local directory 777 nobody:65534 65534
/tmp directory 1777 nobody:65534 65534
/secrets directory 700 nobody:65534 65534
wrote /alloc
wrote /alloc/data
wrote /alloc/logs
wrote /alloc/tmp
wrote /local
wrote /tmp
executed'
dir=$NOMAD_EXEC_ALLOC_DIR/dirs
is 'modes and owners on the host' "$(stat -c '%n %F %a %u:%g' "$NOMAD_EXEC_ALLOC_DIR" "$dir" "$dir/alloc" "$dir/it" "$dir"/it/* |
	sed "s,$NOMAD_EXEC_ALLOC_DIR,A,")" "A directory 700 0:0
A/dirs directory 700 0:0
A/dirs/alloc directory 777 65534:65534
A/dirs/it directory 755 0:0
A/dirs/it/local directory 777 65534:65534
A/dirs/it/tmp directory 1777 65534:65534"
is 'what the task wrote is where the host finds it' "$(cat "$dir/alloc/logs/file" "$dir/it/local/file" "$dir/it/tmp/file")" \
	'/alloc/logs
/local
/tmp'
rm -r "$dir"

nx run --user root -- /bin/stat -c '%n %a %u:%g' /alloc/data /local /tmp /secrets
is 'they belong to root when the task is root' "$OUT" '/alloc/data 777 0:0
/local 777 0:0
/tmp 1777 0:0
/secrets 700 0:0'

# --- secrets ---

nx run --id secrets --name it --keep -- /bin/sh -c 'echo needle-in-the-haystack >/secrets/s; stat -f -c "%T %S %b" /secrets
	cp /bin/true /secrets/program; /secrets/program 2>&1 | sed "s/.*: //"
	dd if=/dev/zero of=/secrets/big bs=64k count=64 2>&1 | sed -n "s/.*: //p"
	stat -c %s /secrets/big; rm /secrets/big
	i=0; while [ $i -lt 2000 ] && true >/secrets/f$i; do i=$((i + 1)); done 2>/dev/null; [ $i -lt 1024 ] && [ $i -gt 1000 ] && echo inodes bounded'
page=$(getconf PAGESIZE)
like 'secrets: a tmpfs of 1 MiB, no programs, bounded in bytes and files' "$OUT" \
	"tmpfs $page $((1048576 / page)) Permission denied No space left on device [0-9]+ inodes bounded"
is 'secrets are never on the disk' "$(grep -r needle "$NOMAD_EXEC_ALLOC_DIR/secrets"; ls "$NOMAD_EXEC_ALLOC_DIR/secrets/it")" 'local
tmp'
rm -r "$NOMAD_EXEC_ALLOC_DIR/secrets"

# --- /dev ---

run_nobody 'cd /dev; for f in $(ls -A); do stat -c "%n %F %t:%T %a" $f; done | grep -v link; for f in *; do [ ! -L $f ] || echo "$f -> $(readlink $f)"; done
	ls -A pts shm mqueue'
is '/dev: these six devices, five links, three directories' "$OUT" 'full character special file 1:7 666
mqueue directory 0:0 1777
null character special file 1:3 666
pts directory 0:0 755
random character special file 1:8 666
shm directory 0:0 1777
tty character special file 5:0 666
urandom character special file 1:9 666
zero character special file 1:5 666
fd -> /proc/self/fd
ptmx -> pts/ptmx
stderr -> /proc/self/fd/2
stdin -> /proc/self/fd/0
stdout -> /proc/self/fd/1
mqueue:

pts:
ptmx

shm:'
nx run -- /bin/bash -c 'echo x >/dev/null && wc -c </dev/null
	head -c 5 /dev/zero | od -An -tx1; (echo x >/dev/full) 2>&1 | sed "s/.*: //"; head -c 9 /dev/urandom | wc -c; head -c 9 /dev/random | wc -c
	(: </dev/tty) 2>&1 | sed "s/.*: //"
	exec 3<>/dev/ptmx && ls /dev/pts; echo shared >/dev/shm/s && cat /dev/shm/s; echo $(($(stat -f -c "%b * %S" /dev/shm) >> 20))
	stat -f -c %T /dev/pts /dev/mqueue; cat /dev/fd/4 4<<<here'
is '/dev: they do what they are for' "$OUT" '0
 00 00 00 00 00
No space left on device
9
9
No such device or address
0
ptmx
shared
64
devpts
mqueue
here'
run_root 'echo out >/dev/stdout; echo err >/dev/stderr'
is '/dev/stdout and /dev/stderr lead to the caller' "$OUT $ERR" 'out err'
run_root 'mknod /dev/x c 1 3; touch /dev/x; rm /dev/null; chmod 600 /dev/null; mv /dev/zero /dev/y; chown 1 /dev/full; ln -s x /dev/l'
is '/dev is closed, for root too' "$(echo "$ERR" | sed 's/.*: //' | sort | uniq -c | sed 's/^ *//')" '7 Read-only file system'

# --- /proc ---

run_root 'for f in kcore keys kallsyms kmsg timer_list sched_debug latency_stats; do
		[ ! -e /proc/$f ] || [ "$(timeout 5 head -c 9 /proc/$f | wc -c)" = 0 ] || echo "$f tells something"
	done
	for d in acpi scsi; do [ ! -e /proc/$d ] || ls -A /proc/$d; done
	for f in /proc/kmsg /proc/kallsyms /proc/keys; do umount $f 2>/dev/null && echo "$f uncovered"; rm -f $f 2>/dev/null && echo "$f removed"; done
	umount /proc/acpi 2>/dev/null && echo acpi uncovered; true'
is '/proc: what tells of the whole host is masked, and stays so' "$RC$OUT$ERR" 0
run_root 'for f in sys/kernel/core_pattern sys/kernel/sysrq sys/kernel/hostname sys/vm/drop_caches sys/net/ipv4/ip_forward \
		sysrq-trigger irq/default_smp_affinity; do
		[ ! -e /proc/$f ] || (echo 0 >/proc/$f) 2>&1 | sed "s,.*: ,,"
	done | sort -u'
is '/proc: the knobs are read-only' "$OUT" 'Read-only file system'
# By their modes root could write to these; slabinfo, mtrr and the pressure files take nothing that acts on the host without a capability.
run_root 'find /proc -xdev -path "/proc/[0-9]*" -prune -o -type f -perm /222 -print 2>/dev/null | while read -r f; do
	[ -f "$f" ] || continue # what is masked is a device
	case $f in /proc/slabinfo | /proc/mtrr | /proc/pressure/*) continue ;; esac
	(exec 3>>"$f") 2>/dev/null && echo "$f"; done; true'
is '/proc: nothing else of the whole host opens for writing' "$OUT" ''
run_nobody 'for f in cpuinfo meminfo stat uptime loadavg filesystems version sys/kernel/ostype sys/kernel/pid_max self/status mounts; do
		[ -n "$(head -c 20 /proc/$f)" ] || echo "$f is empty"
	done'
is '/proc: what programs need can be read' "$RC$OUT$ERR" 0

# --- /sys ---

run_root 'ls -A /sys/firmware /sys/kernel/debug /sys/kernel/security /sys/kernel/tracing /sys/fs/cgroup /sys/fs/bpf 2>/dev/null | grep -v -e : -e "^\$"
	for f in /sys/kernel/uevent_helper /sys/power/state /sys/kernel/profiling /sys/kernel/mm/transparent_hugepage/enabled; do
		[ ! -e $f ] || (echo x >$f) 2>&1 | sed "s/.*: //"
	done | sort -u
	ls /sys/devices/system/cpu >/dev/null && echo readable'
is '/sys: read-only, without firmware, debugging and cgroups' "$OUT" 'Read-only file system
readable'

# --- the host's files ---

fingerprint() { stat -c '%n %i %s %Y %Z %a %h %u' /etc /etc/passwd /usr/bin /usr/bin/env /usr/bin/true; sha256sum /etc/passwd /usr/bin/env /usr/bin/true; }
before=$(fingerprint)
run_root 'for f in /etc/passwd /usr/bin/env /usr/bin/true; do
		(: >"$f") && echo "truncated $f"; (echo x >>"$f") && echo "appended to $f"; chmod 777 "$f" && echo "chmod $f"; chown 1 "$f" && echo "chown $f"
		rm -f "$f" && echo "removed $f"; mv "$f" "$f.x" && echo "renamed $f"; ln "$f" /usr/bin/nx-link && echo "linked $f"; ln "$f" /local/link && echo "linked $f here"
		touch "$f" && echo "touched $f"; cp /bin/sh "$f" && echo "overwrote $f"; truncate -s 0 "$f" && echo "truncate $f"
		mount -o remount,rw /usr/bin && echo "remounted $f"; setfattr -n user.x -v 1 "$f" && echo "attribute $f"
	done 2>/dev/null; true'
is 'a root task changes no host file' "$OUT" ''
is 'content, dates, modes and links of the host are as before' "$(fingerprint)" "$before"

# --- hosts that this one is not ---

cp "$NX" "$T/nomad-exec"
export T

# on_host [UNSHARE-OPTION...] SCRIPT: runs a script in a mount namespace of its own; OUT is what it printed
on_host() {
	OUT=$(NX=$T/nomad-exec unshare --mount "${@:1:$#-1}" /bin/bash -c "set -e; ${*: -1}" 2>&1)
	RC=$?
}

# An /etc with its own resolv.conf, over the host's; the same libraries.
own_etc='mkdir -p "$T/etc"; cp -a /etc/passwd /etc/group /etc/ld.so.* "$T/etc"; ln -sfn "$link" "$T/etc/resolv.conf"; mount --bind "$T/etc" /etc
	mount -t tmpfs none /run;'
on_host 'link=../run/systemd/resolve/stub.conf;'"$own_etc"'
	mkdir -p /run/systemd/resolve; echo "nameserver 192.0.2.1" >/run/systemd/resolve/stub.conf; echo private >/run/systemd/private
	"$NX" run -- /bin/sh -c "readlink /etc/resolv.conf; cat /etc/resolv.conf; ls /run /run/systemd; echo x >>/etc/resolv.conf" 2>&1 | sed "s/.*cannot/cannot/"'
is '/etc/resolv.conf, a relative link into a listed directory' "$OUT" '../run/systemd/resolve/stub.conf
nameserver 192.0.2.1
/run:
systemd

/run/systemd:
resolve
cannot create /etc/resolv.conf: Permission denied'
on_host 'link=/run/other/resolv.conf;'"$own_etc"'
	mkdir -p /run/other; echo "nameserver 192.0.2.2" >/run/other/resolv.conf; echo private >/run/other/secret
	"$NX" run --user root -- /bin/sh -c "cat /etc/resolv.conf; ls /run /run/other; echo x >>/etc/resolv.conf" 2>&1 | sed "s/.*cannot/cannot/"'
is '/etc/resolv.conf, an absolute link to a place that is not listed: that file alone is there' "$OUT" 'nameserver 192.0.2.2
/run:
other

/run/other:
resolv.conf
cannot create /etc/resolv.conf: Read-only file system'
on_host 'link=/run/one/resolv.conf;'"$own_etc"'
	mkdir -p /run/one /run/two; ln -s ../two/resolv.conf /run/one/resolv.conf; echo "nameserver 192.0.2.3" >/run/two/resolv.conf
	"$NX" run -- /bin/cat /etc/resolv.conf'
is '/etc/resolv.conf, a link to a link' "$OUT" 'nameserver 192.0.2.3'
on_host 'link=/var/run/nx/resolv.conf;'"$own_etc"' mkdir /run/nx; echo "nameserver 192.0.2.4" >/run/nx/resolv.conf
	mount -t tmpfs none /var; ln -s ../run /var/run; "$NX" run -- /bin/cat /etc/resolv.conf'
is '/etc/resolv.conf, by way of a linked directory (/var/run)' "$OUT" 'nameserver 192.0.2.4'
on_host 'link=/run/nowhere/resolv.conf;'"$own_etc"' "$NX" run -- /bin/sh -c "cat /etc/resolv.conf 2>/dev/null || echo started"'
is '/etc/resolv.conf, a link to nowhere: the task starts all the same' "$OUT" started

# A writable mount below a listed directory, and one below that; with a setuid program and a device.
on_host 'mount -t tmpfs -o mode=755,dev,suid,exec none /usr/local; mkdir /usr/local/sub; mount -t tmpfs -o mode=777,dev,suid,exec none /usr/local/sub
	cp /bin/id /usr/local/sub/id; chmod 4755 /usr/local/sub/id; mknod -m 666 /usr/local/sub/null c 1 3; echo inner >/usr/local/sub/f; chmod 666 /usr/local/sub/f
	"$NX" run -- /bin/sh -c "cat /usr/local/sub/f; /usr/local/sub/id -u; (echo x >/usr/local/sub/f) 2>&1; (echo x >/usr/local/sub/null) 2>&1; touch /usr/local/sub/n 2>&1" | sed "s/.*: //"
	cat /usr/local/sub/f; echo more >>/usr/local/sub/f && echo the host may write'
is 'a mount below a listed directory: there, read-only, without setuid and devices; the host may still write' "$OUT" 'inner
65534
Read-only file system
Permission denied
Read-only file system
inner
the host may write'

# The namespace of the task is a copy: with shared propagation nothing of it may come back, while it runs or after.
on_host --propagation shared 'mkfifo "$T/started" "$T/end"
	before=$(cat /proc/self/mountinfo); "$NX" run -- /bin/sh -c "echo >/local/up; read -r x; cat /proc/self/mountinfo | wc -l" <"$T/end" >"$T/lines" &
	exec 3>"$T/end"; until ls "$T"/alloc/*/sh/local/up >/dev/null 2>&1; do sleep 0.05; done
	during=$(cat /proc/self/mountinfo); echo >&3; wait
	[ "$(cat "$T/lines")" -gt 5 ] && [ "$before" = "$during" ] && [ "$before" = "$(cat /proc/self/mountinfo)" ] && echo unchanged'
is 'with shared propagation the mounts of the host stay as they are' "$OUT" unchanged
on_host --propagation shared 'before=$(grep -c . /proc/self/mountinfo)
	"$NX" run -- /bin/sh -c "echo >/local/up; read -r x; ls /usr/local" < <(until ls "$T"/alloc/*/sh/local/up >/dev/null 2>&1; do sleep 0.05; done
		mount -t tmpfs none /usr/local; echo surprise >/usr/local/surprise; echo) | grep surprise || echo unmoved'
is 'what the host mounts later does not appear in a running task' "$OUT" unmoved

# A root made from nothing, with real /bin, /sbin and /lib, or with links that lead to places which are not listed.
build='h=$T/host; mkdir -p "$h"; mount -t tmpfs none "$h"; cd "$h"; mkdir -p usr etc proc sys dev run tmp "./$T"
	mount --rbind /usr usr; mount --rbind /proc proc; mount --rbind /sys sys; mount --rbind /dev dev; mount --bind "$T" "./$T"
	cp -a /etc/passwd /etc/group /etc/ld.so.* etc;'
enter='mkdir old; pivot_root . old; cd /; umount -l old; rmdir old;'
on_host "$build"'for d in bin sbin lib lib64; do if [ -d "/$d" ]; then mkdir "$d"; mount --bind "/$d" "$d"; fi; done;'"$enter"'
	"$NX" run -- /bin/sh -c "ls -ld /bin /lib /sbin | cut -c1; ls -d /lib32 /usr/lib32 2>/dev/null; echo /[a-z]*; true"'
like 'a host whose /usr is not merged: directories instead of links, what is missing is skipped' "$OUT" \
	'd d d /alloc /bin /dev /etc /lib (/lib64 )?/local /proc /sbin /secrets /sys /tmp /usr'
on_host "$build"'mkdir -p opt/far/lib64 opt/hidden; ln -s usr/bin bin; ln -s usr/lib lib; ln -s usr/sbin sbin; ln -s opt/near lib64; ln -s far/lib64 opt/near
	if [ -d /lib64 ]; then mount --bind /lib64 opt/far/lib64; fi;'"$enter"'
	"$NX" run -- /bin/sh -c "readlink /lib64; ls /opt; ls -A /lib64/ | head -n 1 | wc -l"'
is 'a listed link to a link to a place that is not listed: resolves inside, and nothing else of it is there' "$OUT" 'opt/near
far
near
1'

finish
