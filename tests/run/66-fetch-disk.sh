#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# fetch and disks that are full, limited or broken: every call that can fail does, once early and once late. Either the new file is
# there, whole, or the old one and one message.
# shellcheck source-path=SCRIPTDIR source=fetch.sh

# With mounts of our own, where that can be: nobody else sees them, and they go with us.
if [ -z "${NX_OWN_MOUNTS:-}" ] && unshare --mount true 2>/dev/null; then
	export NX_OWN_MOUNTS=1
	exec unshare --mount --propagation private bash "$0" "$@"
fi
. "$(dirname "$0")/fetch.sh"

made f.bin 3000000
sum=$(sum_of "$files/f.bin")
serve web
http=$WEB
web=$http/range/f.bin

# --- full (H45) ---

if [ "${NX_OWN_MOUNTS:-}" = 1 ]; then
	D=$T/small
	mkdir "$D"
	mount -t tmpfs -o size=1m none "$D"
	echo old >"$D/x"
	full='No space left on device'
	refused 'a small disk, known before' 1 "$web" "$full" -- --checksum "$sum" --output "$D/x" "$web"
	like 'the remedy' "$ERR" '.*free.*'
	refused 'a small disk, found out' 1 "$web" "$full" -- --retries 3 --checksum "$sum" --output "$D/x" "$web?chunked=1"
	is 'a full disk is not tried again' "$(asked web '/range/f.bin?chunked=1')" 1
	refused 'a small disk and a local file' 1 "$files/f.bin" "$full" -- --output "$D/x" "$files/f.bin"
	mount -o remount,size=8m "$D"
	fetched 'then there is room' "$files/f.bin" "$D/x" '' -- --checksum "$sum" --output "$D/x" "$web?again"
	is 'and nothing is left' "$(ls -A "$D")" x
	rm -f "$D/x"
	echo old >"$D/x"
	mount -o remount,ro "$D"
	fetch --checksum "$sum" --output "$D/x" "$web"
	only_says 'read-only' 1 "$D" 'Read-only file system'
	umount "$D"
	D=$T/d
else
	skip 'a full disk' 'no mounts here'
fi
fresh
before=$(state)
(
	ulimit -f 1000
	fetch --retries 3 --checksum "$sum" --output "$D/x" "$web?fsize"
	printf '%s' "$RC" >"$T/rc"
)
RC=$(cat "$T/rc") OUT=$(cat "$T/out") ERR=$(cat "$T/err")
only_says 'a limit on the size of files' 1 "$web" 'File too large'
is 'a limit: the old file stays' "$(state)" "$before"

# --- broken ---

cat >"$T/shim.c" <<'END'
/*
 * Lets the NX_NTH call of NX_CALL on a regular file (not 0, 1, 2) fail with NX_ERRNO, or, when that is 0,
 * each of them do a part of what it should.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#undef fstat

static atomic_int calls;

static int chosen(const char *call) { const char *c = getenv("NX_CALL"); return c && strcmp(c, call) == 0; }
static int broken(const char *call)
{
	int saved = errno, code = atoi(getenv("NX_ERRNO") ?: "0");

	if (!chosen(call) || !code || atomic_fetch_add(&calls, 1) + 1 != atoi(getenv("NX_NTH") ?: "1"))
		return errno = saved, 0;
	return errno = code, 1;
}
static int regular(int fd)
{
	struct stat st;
	int saved = errno, yes = fd > 2 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode);

	errno = saved;
	return yes;
}
static size_t some(const char *call, int fd, size_t n)
{
	return chosen(call) && n > 1 && !atoi(getenv("NX_ERRNO") ?: "0") && regular(fd) ? n / 2 : n;
}
#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))
#define FD_CALL(type, name, parameters, arguments, ...) \
	type name parameters { return regular(fd) && broken(#name) ? -1 : REAL(type, #name, __VA_ARGS__) arguments; }
#define PATH_CALL(name, parameters, arguments, ...) \
	int name parameters { return broken(#name) ? -1 : REAL(int, #name, __VA_ARGS__) arguments; }

FD_CALL(ssize_t, write, (int fd, const void *b, size_t n), (fd, b, some("write", fd, n)), int, const void *, size_t)
FD_CALL(ssize_t, pwrite, (int fd, const void *b, size_t n, off_t o), (fd, b, some("pwrite", fd, n), o), int, const void *, size_t, off_t)
FD_CALL(ssize_t, pwrite64, (int fd, const void *b, size_t n, off64_t o), (fd, b, some("pwrite64", fd, n), o), int, const void *, size_t, off64_t)
FD_CALL(ssize_t, read, (int fd, void *b, size_t n), (fd, b, some("read", fd, n)), int, void *, size_t)
FD_CALL(ssize_t, pread, (int fd, void *b, size_t n, off_t o), (fd, b, some("pread", fd, n), o), int, void *, size_t, off_t)
FD_CALL(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n), int, const struct iovec *, int)
FD_CALL(int, fsync, (int fd), (fd), int)
FD_CALL(int, fdatasync, (int fd), (fd), int)
FD_CALL(int, ftruncate, (int fd, off_t n), (fd, n), int, off_t)
FD_CALL(int, fallocate, (int fd, int m, off_t o, off_t n), (fd, m, o, n), int, int, off_t, off_t)
FD_CALL(int, fchmod, (int fd, mode_t m), (fd, m), int, mode_t)
FD_CALL(int, fchown, (int fd, uid_t u, gid_t g), (fd, u, g), int, uid_t, gid_t)
FD_CALL(int, flock, (int fd, int o), (fd, o), int, int)
FD_CALL(int, close, (int fd), (fd), int)
PATH_CALL(rename, (const char *a, const char *b), (a, b), const char *, const char *)
PATH_CALL(renameat, (int c, const char *a, int d, const char *b), (c, a, d, b), int, const char *, int, const char *)
PATH_CALL(renameat2, (int c, const char *a, int d, const char *b, unsigned f), (c, a, d, b, f), int, const char *, int, const char *, unsigned)
PATH_CALL(linkat, (int c, const char *a, int d, const char *b, int f), (c, a, d, b, f), int, const char *, int, const char *, int)
PATH_CALL(unlinkat, (int d, const char *a, int f), (d, a, f), int, const char *, int)

ssize_t copy_file_range(int in, off64_t *i, int fd, off64_t *o, size_t n, unsigned f)
{
	return broken("copy_file_range") ? -1 :
	       REAL(ssize_t, "copy_file_range", int, off64_t *, int, off64_t *, size_t, unsigned)(in, i, fd, o, some("copy_file_range", fd, n), f);
}
END
if cc -shared -fPIC -O1 -w -o "$T/shim.so" "$T/shim.c" -ldl 2>"$T/cc"; then
	EIO=5 ENOSPC=28 failed=''
	# breaks CALL ERRNO NTH SOURCE
	breaks() {
		local name="call $3 of $1 fails with $2 ($4)" before
		fresh
		before=$(state)
		under=(env NX_CALL="$1" NX_ERRNO="$2" NX_NTH="$3" LD_PRELOAD="$T/shim.so")
		fetch --retries 0 --checksum "$sum" --output "$D/x" "$4"
		if [ "$RC" = 0 ]; then
			is "$name: whole all the same" "$OUT $(cmp "$files/f.bin" "$D/x" 2>&1)" "$D/x "
		elif [ "$(state)" = "$before" ]; then
			only_says "$name: the old file, and a message" 1 '' 'Input/output error|No space left'
			failed="$failed $1"
		elif cmp -s "$files/f.bin" "$D/x"; then # too late to say no, which must still be told
			only_says "$name: the new file, and a message" 1 '' 'Input/output error|No space left'
		else
			fail "$name" "status $RC, stderr: $ERR" "$(state)"
		fi
	}
	for call in write pwrite pwrite64 writev read pread fsync fdatasync ftruncate fallocate fchmod fchown flock close copy_file_range \
		rename renameat renameat2 linkat unlinkat; do
		breaks $call $EIO 1 "$web"
		breaks $call $ENOSPC 2 "$web"
	done
	for call in write copy_file_range read pread fsync close renameat renameat2 rename linkat; do
		breaks $call $EIO 1 "$files/f.bin"
	done
	# Which calls are used is the program's affair, but it writes, and it gives a name.
	like 'a failed write is a failure' "$failed" '.* (p?write(64|v)?|copy_file_range) .*'
	like 'and so is a name that is not given' "$failed" '.* (rename(at2?)?|linkat).*'
	for call in write pwrite pwrite64 read pread copy_file_range; do
		for source in "$web" "$files/f.bin"; do
			fresh
			under=(env NX_CALL="$call" NX_ERRNO=0 LD_PRELOAD="$T/shim.so")
			fetch --checksum "$sum" --output "$D/x" "$source"
			is "$call does half of it each time ($source)" "$RC $OUT $(cmp "$files/f.bin" "$D/x" 2>&1)" "0 $D/x "
		done
	done
else
	skip 'calls that fail' "no compiler: $(head -n 1 "$T/cc")"
fi

# --- other file systems than the first thought is of ---

if command -v strace >/dev/null && strace -qq -o /dev/null true 2>/dev/null; then
	# Neither unnamed files, nor cloning, nor reserving: each has a way round.
	for inject in openat2:error=ENOSYS fallocate:error=EOPNOTSUPP ioctl:error=EOPNOTSUPP copy_file_range:error=EXDEV renameat2:error=EINVAL; do
		fresh
		under=(strace -f -qq -o "$T/strace" -e "trace=${inject%%:*}" -e "inject=$inject")
		fetched "without ${inject%%:*}" "$files/f.bin" "$D/x" '' -- --checksum "$sum" --output "$D/x" "$files/f.bin"
	done
else
	skip 'calls that are not there' 'no strace'
fi

finish
