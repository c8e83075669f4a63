#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a task may do: its user and capabilities, that there is no way to more of them, that no device opens, that no descriptor of the
# caller's is left, and that init, which is root, is out of reach. The task is the attacker, and root wherever that helps it.
# shellcheck disable=SC2016 # scripts in single quotes are for the task's shell
. "$(dirname "$0")/lib.sh"
export LC_ALL=C

# --- capabilities ---

status_of() { sed -n "s/^$1:[[:space:]]*//p" /proc/self/status; }
held=$((0x$(status_of CapPrm) & 0x$(status_of CapBnd)))
# caps INHERITABLE PERMITTED EFFECTIVE BOUNDING AMBIENT: as status prints them, of those that we hold ourselves
caps() { for set in "$@"; do printf '%016x ' $((set & held)); done; }
sets='/^Cap/ { printf "%s ", $2 } /^NoNewPrivs/ { print "nnp " $2 }'

# capabilities NAME EXPECTED OPTION...: the five sets of a task, and no_new_privs
capabilities() {
	local name=$1 expected=$2
	shift 2
	nx run "$@" -- /usr/bin/awk "$sets" /proc/self/status
	is "$name" "$OUT$ERR" "${expected}nnp 1"
}
root_set=0xa80405fb # the 13 of run.md
capabilities 'nobody has none, in no set' "$(caps 0 0 0 0 0)"
capabilities 'root has the list, and can never have more' "$(caps 0 $root_set $root_set $root_set 0)" --user root
capabilities '--cap-add gives nobody exactly that, in all five sets' "$(caps 0x400 0x400 0x400 0x400 0x400)" --cap-add net_bind_service
capabilities 'with or without CAP_, in any case, repeated' "$(caps 0x21 0x21 0x21 0x21 0x21)" --cap-add CAP_Kill --cap-add CHOWN --cap-add kill
capabilities '--cap-drop all --cap-add' "$(caps 0x400 0x400 0x400 0x400 0x400)" --cap-drop all --cap-add net_bind_service
capabilities '--cap-drop from root' "$(caps 0 $((root_set & ~0x8000020)) $((root_set & ~0x8000020)) $((root_set & ~0x8000020)) 0)" --user root \
	--cap-drop mknod --cap-drop kill
capabilities '--cap-drop all from root' "$(caps 0 0 0 0 0)" --user root --cap-drop all
all=$(((1 << ($(cat /proc/sys/kernel/cap_last_cap) + 1)) - 1))
capabilities '--cap-add all: what the launcher has' "$(caps $all $all $all $all $all)" --cap-add all
capabilities '--cap-add all --cap-drop sys_admin' "$(caps 0 $((all & ~0x200000)) $((all & ~0x200000)) $((all & ~0x200000)) 0)" --user root \
	--cap-add all --cap-drop sys_admin
for option in --cap-add --cap-drop; do
	for name in nonsense '' CAP_ cap_cap_kill kill,chown; do
		nx run $option "$name" -- /bin/true
		like "$option '$name' is refused" "$RC $OUT$ERR" "125 nomad-exec: $option $name: unknown capability.*"
	done
done

nx run -- /bin/sh -c 'touch /local/f; chown 1 /local/f 2>&1 | sed "s/.*: //"'
is 'nobody cannot chown' "$OUT" 'Operation not permitted'
nx run --cap-add chown -- /bin/sh -c 'touch /local/f; sh -c "chown 1 /local/f"; stat -c %u /local/f'
is 'with --cap-add chown its children can' "$OUT$ERR" 1

# --- the user ---

ids='/^(Uid|Gid|Groups):/ { $1 = $1; print }'
nx run -- /usr/bin/awk "$ids" /proc/self/status
is 'all ids are those of nobody, and no group is left' "$OUT" 'Uid: 65534 65534 65534 65534
Gid: 65534 65534 65534 65534
Groups:'
nx run -- /usr/bin/perl -e '($<, $>) = (0, 0); $> = 0; $< = 0; $( = 0; $) = "0 0 0"; print join " ", $<, $>, "$(", "$)"'
is 'there is no way back to root' "$OUT" '65534 65534 65534 65534'

# --- set-user-ID programs and file capabilities ---

nx run --user root -- /bin/sh -c 'cp /bin/bash /local/shell; chmod 4755 /local/shell; chmod 2755 /bin/true 2>/dev/null; stat -c "%a %u" /local/shell
	setpriv --reuid 65534 --regid 65534 --clear-groups /local/shell -p -c "awk \"/^Uid/ { print \\\$3 }\" /proc/\$\$/status; cat /etc/shadow 2>&1 | sed \"s/.*: //\""'
is 'a set-user-ID shell that a root task makes gives nothing' "$OUT" '4755 0
65534
Permission denied'
# On the host a file with capabilities, in a listed directory of a mount namespace of our own.
out=$(NX=$NX unshare --mount bash -c 'mount -t tmpfs -o mode=755 none /usr/local; cp /usr/bin/awk /usr/bin/id /usr/local/; chmod 6755 /usr/local/id
	python3 -c "import os, struct; os.setxattr(\"/usr/local/awk\", \"security.capability\", struct.pack(\"<IIIII\", 0x02000001, 0x2001, 0, 0, 0))"
	setpriv --reuid 65534 /usr/local/awk "/^CapEff/ { print \$2 }" /proc/self/status; setpriv --reuid 65534 /usr/local/id -u
	"$NX" run -- /usr/local/awk "/^CapEff/ { print \$2 }" /proc/self/status; "$NX" run -- /usr/local/id -u; "$NX" run -- /usr/local/id -g' 2>&1)
is 'set-user-ID and capabilities of host files: on the host they work, in a task they do not' "$out" \
	"$(printf '%016x' $((0x2001 & held)))
0
0000000000000000
65534
65534"

# --- devices ---

# The first disk, if there is one; the kernel's messages, and zero, which is harmless, but no less a device.
disk=$(awk 'NR > 2 { print "b " $1 " " $2; exit }' /proc/partitions)
for options in '--user root' '--user root --cap-add mknod' '--cap-add mknod --cap-add dac_override'; do
	# shellcheck disable=SC2086 # words
	nx run $options -- /bin/bash -c 'made=0; for d in /local /tmp /alloc /alloc/data /secrets /dev/shm /dev /dev/pts /dev/mqueue /proc / /etc /usr/bin; do
		for node in "$@"; do
			mknod -m 666 $d/node $node 2>/dev/null || continue
			made=$((made + 1))
			head -c 1 $d/node >/dev/null 2>&1 && echo "read $node in $d"; (echo x >$d/node) 2>/dev/null && echo "wrote $node in $d"
			rm -f $d/node
		done; done; [ $made -gt 0 ] && echo made some' sh ${disk:+"$disk"} 'c 1 11' 'c 1 5'
	is "no device node opens ($options)" "$OUT" 'made some'
done

# --- mounts, and ways out of the root ---

nx run --user root -- /bin/bash -c 'mkdir /tmp/d; for c in "mount -t tmpfs none /tmp/d" "mount -t proc none /tmp/d" "mount --bind /etc /tmp/d" "mount -o remount,rw /" "mount -o remount,rw,bind /usr/bin" \
		"umount /proc" "umount -l /etc" "umount -l /proc/kmsg" "mount --make-rshared /" "pivot_root /tmp /tmp/d" "unshare -m true" "unshare -p true" "unshare -u true" "unshare -n true" \
		"nsenter -t 1 -m true" "nsenter -t 1 -p true" "hostname x" "swapoff -a" "sysctl -w kernel.sysrq=1" "dmesg -C" "date -s 2001-01-01" "renice -n -5 1"; do
		$c >/dev/null 2>&1 && echo "allowed: $c"; done; true'
is 'a root task mounts, unmounts and enters nothing' "$OUT" ''
nx run --user root -- /usr/bin/perl -e 'mkdir "/tmp/d"; opendir(my $old, "/"); chroot("/tmp/d") or die "chroot: $!\n"; chdir ".." for 1 .. 100; chroot(".") or die;
	opendir(my $d, "/"); print join " ", sort grep { !/^\./ } readdir $d'
nx_top=$OUT
nx run -- /bin/ls /
is 'the classic way out of a chroot ends in the same root' "$nx_top" "$(echo "$OUT" | tr '\n' ' ' | sed 's/ $//')"

# --- descriptors ---

fds=()
for ((i = 0; i < 100; i++)); do exec {fd}</; fds+=("$fd"); done
exec 7</ 200</etc 255>"$T/kept-open"
nx run --user root -- /bin/sh -c 'ls /proc/$$/fd; true'
is 'of a caller with 100 open descriptors a task has three' "$OUT" '0
1
2'
nx run --user root --work-dir /proc/self/fd/7 -- /bin/true
like '--work-dir into a descriptor of the caller is refused' "$RC $OUT$ERR" '125 nomad-exec: enter --work-dir /proc/self/fd/7 .*No such file or directory.*'
# A directory that is a standard descriptor would be a way out: /proc/self/fd/0/.. goes up from it on the host.
way_out='a way out of the chroot; give it a file, a pipe or a device, such as /dev/null'
out=$("$NX" run --result "$T/report" -- /bin/ls /proc/self/fd/0/ 2>&1 </)
is 'a directory as standard input is refused' "$? $out" "125 nomad-exec: standard input is a directory: $way_out"
is 'and the report says so' "$(grep -c "\"error\": \"standard input is a directory: $way_out\"" "$T/report")" 1
mkdir "$T/below"
out=$("$NX" run --work-dir /proc/self/fd/0 --user root -- /bin/sh -c 'touch ../escaped' 2>&1 <"$T/below")
is 'also below --work-dir' "$? $out $(ls "$T/escaped" 2>/dev/null)" "125 nomad-exec: standard input is a directory: $way_out "
# opened FLAGS FD PATH ARGUMENTS...: the launcher with this path open as a standard descriptor, in a way that no shell can
opened() {
	python3 -c 'import os, sys; fd = os.open(sys.argv[3], eval(sys.argv[1])); os.dup2(fd, int(sys.argv[2])); os.execv(sys.argv[4], sys.argv[4:])' \
		"$1" "$2" "$3" "$NX" "${@:4}"
}
out=$(opened os.O_RDONLY 1 / run -- /bin/ls /proc/self/fd/1/ 2>&1)
is 'as standard output' "$? $out" "125 nomad-exec: standard output is a directory: $way_out"
opened os.O_RDONLY 2 / run --result "$T/report" -- /bin/ls /proc/self/fd/2/ >"$T/out" </dev/null
is 'as standard error' "$? $(cat "$T/out") $(grep -c "standard error is a directory" "$T/report")" '125  1'
out=$(opened os.O_PATH 0 /etc/hostname run -- /bin/cat /proc/self/fd/0 2>&1)
is 'a mere path to a file' "$? $out" "125 nomad-exec: standard input is a mere path (O_PATH): $way_out"
out=$("$NX" run --dry-run -- /bin/true 2>&1 </ | grep -c '^command')
is 'for --dry-run it is none' "$out" 1
nx run --user root --work-dir /proc/self/cwd -- /bin/pwd
is 'a link in /proc that stays inside is none' "$RC $OUT$ERR" '0 /'
start fds run --id fds -- /bin/sh -c 'echo up; exec sleep 1000'
ok 'a task is up' wait_for 30 said fds up
memory=$(groups_of fds | head -n 1)
task=$(head -n 1 "$memory/cgroup.procs")
init=$(awk '/^PPid/ { print $2 }' "/proc/$task/status")
is 'init holds nothing of the host but its channel' "$(for fd in "/proc/$init/fd"/*; do readlink "$fd"; done | sed 's/:.*//' | sort -u)" '/dev/null
socket'
kill "$PID"
end_of fds "$PID"
is 'and it ends' "$RC$ERR" 143
for fd in "${fds[@]}" 7 200 255; do exec {fd}<&-; done

"$NX" run --id closed --keep -- /bin/sh -c 'exec >/alloc/data/fds; readlink /proc/$$/fd/0 /proc/$$/fd/2; ls /proc/$$/fd; true' <&- >&- 2>&-
is 'closed standard descriptors become /dev/null' "$? $(cat "$NOMAD_EXEC_ALLOC_DIR/closed/alloc/data/fds")" '0 /dev/null
/dev/null
0
1
2'
rm -r "$NOMAD_EXEC_ALLOC_DIR/closed"

# --- init ---

# Of a copy of its own, so that a hole harms no build.
cp "$NX" "$T/nomad-exec"
NX=$T/nomad-exec
before=$(stat -c '%i %s %Y %Z' "$NX"; sha256sum <"$NX")
nx run --user root -- /bin/bash -c 'cd /proc/1; for f in exe root cwd fd/0 fd/3; do readlink $f && echo "read $f"; done
	for f in environ maps mem io stack auxv syscall ns/mnt; do head -c 1 $f >/dev/null && echo "opened $f"; readlink $f && echo "read $f"; done
	for f in exe mem; do (exec 3>>$f) && echo "writable $f"; (exec 3>$f) && echo "truncated $f"; done
	ls root/ cwd/ map_files/* && echo listed; cp /bin/true exe && echo copied; dd if=/bin/true of=exe && echo written
	kill -9 1; kill -STOP 1; kill -SEGV 1; for s in TERM INT HUP QUIT USR1 ALRM; do kill -$s 1; done
	sleep 0.2; echo still here' 2>/dev/null
is 'a root task can neither look into init, nor change it, nor end it' "$RC $OUT" '0 still here'
is 'and the binary is as it was' "$(stat -c '%i %s %Y %Z' "$NX"; sha256sum <"$NX")" "$before"


# --- init, before a task that may trace ---

# It never has more than the moment that it takes to fork; here each fork takes as long as the task needs to look.
nx run -- /usr/bin/awk "$sets" /proc/1/status
is 'init has no capability in any set, and can gain none' "$OUT$ERR" "$(caps 0 0 0 0 0)nnp 1"
tracing() { env SECRET=needle "$@" "$NX" run --user root --cap-add sys_ptrace -- /bin/bash -c '
	'"awk '$sets' /proc/1/status"'; tr -d "\0" </proc/1/environ | wc -c; tr "\0" "\n" </proc/1/cmdline | grep .; head -c 4 /proc/1/exe | tail -c 3'; }
if ((held >> 19 & 1)); then
	expected="$(caps 0 0 0 0 0)nnp 1
0
nomad-exec: init
ELF"
	is 'nor before a task that may trace it, which finds nothing of the caller either' "$(tracing env 2>&1)" "$expected"
	if command -v strace >/dev/null; then
		is 'even when init is slow' "$(tracing strace -f -o "$T/trace" -e trace=clone3,capset -e inject=clone3:delay_exit=500000 2>&1)" "$expected"
	else
		skip 'even when init is slow' 'strace is not installed'
	fi
	nx run --user root --cap-add sys_ptrace -- /usr/bin/perl -e 'my $n = {"x86_64" => 101, "aarch64" => 117}->{`uname -m` =~ s/\s//r};
		syscall($n, 16, 1, 0, 0) == 0 or die "attach: $!\n"; waitpid(1, 0); print "attached"'
	is 'a task that traces init ends as others do' "$RC $OUT" '0 attached'
	is 'and nothing is left' "$(ls -A "$NOMAD_EXEC_ALLOC_DIR"; groups_of '*')" ''
else
	skip 'a task that may trace init' 'CAP_SYS_PTRACE is not held'
fi

finish
