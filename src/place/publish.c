/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Publishes by rename, link, or copy and link. Runs in the launcher as root. Others may write to
 * the destination: a name there may be or become anything, and is replaced, never opened or
 * followed. Nothing is synced to disk: a crash of the machine may lose the new file, a rename does
 * not mix it with the old one.
 */
#include "place/publish.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/interrupt.h"
#include "place/entry.h"
#include "place/staging.h"

#define BLOCK_BYTES (256 << 10)
#define RANGE_BYTES (16 << 20) /* between two looks for a signal */

/* A link fails where there is something, on the file systems that cannot rename so. */
int rename_new(int from_fd, const char *from, int to_fd, const char *to)
{
	if (renameat2(from_fd, from, to_fd, to, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -1;
	return linkat(from_fd, from, to_fd, to, 0) ? -1 : unlinkat(from_fd, from, 0);
}

static int give_name(int from_fd, const char *from, int to_fd, const char *to, bool no_clobber)
{
	return no_clobber ? rename_new(from_fd, from, to_fd, to) :
			    renameat(from_fd, from, to_fd, to);
}

static int link_unnamed(int fd, int directory_fd, const char *name)
{
	char self[40];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, self, directory_fd, name, AT_SYMLINK_FOLLOW);
}

/* linkat(2) never replaces: over an old file it takes a name of ours and a rename. */
static int name_unnamed(int fd, int directory_fd, const char *name, bool no_clobber)
{
	char temporary[STAGING_NAME_BYTES];

	if (link_unnamed(fd, directory_fd, name) == 0)
		return 0;
	if (errno != EEXIST || no_clobber)
		return -1;
	flock(fd, LOCK_EX | LOCK_NB); /* or place_clean() could take it for a dead one's */
	staging_name(temporary);
	if (link_unnamed(fd, directory_fd, temporary))
		return -1;
	if (renameat(directory_fd, temporary, directory_fd, name) == 0)
		return 0;
	unlinkat(directory_fd, temporary, 0);
	return -1;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t n = write(fd, data, size);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

/* Inside the kernel as far as that goes, the rest by hand. */
static int copy_content(int from, int to, int interrupt_fd, struct error *err)
{
	char block[BLOCK_BYTES];
	ssize_t n;

	if (lseek(from, 0, SEEK_SET) < 0)
		return error_set(err, STAGE_CHROOT, errno, "copy it");
	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	while (copy_file_range(from, NULL, to, NULL, RANGE_BYTES, 0) > 0)
		if (interrupted(interrupt_fd, 0, STAGE_CHROOT, err))
			return -1;
	while ((n = read(from, block, sizeof(block))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || write_all(to, block, (size_t)n))
			return error_set(err, STAGE_CHROOT, errno, "copy it");
		if (interrupted(interrupt_fd, 0, STAGE_CHROOT, err))
			return -1;
	}
	return 0;
}

/* A new file in the directory; *temporary is "" when it has no name. */
static int open_new(int directory_fd, char *temporary)
{
	int fd = openat(directory_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	*temporary = '\0';
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != ENOENT))
		return fd;
	staging_name(temporary);
	fd = openat(directory_fd, temporary, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC,
		    0600);
	if (fd >= 0)
		flock(fd, LOCK_EX | LOCK_NB);
	return fd;
}

/* The owner before the mode: a change of owner may take bits of the mode away. */
static int dress(const struct placing *how, int fd, struct error *err)
{
	if (how->set_owner && fchown(fd, how->uid, how->gid))
		return error_set(err, STAGE_CHROOT, errno, "set its owner");
	if (fchmod(fd, how->set_permissions ? how->permissions & 0777 : 0644))
		return error_set(err, STAGE_CHROOT, errno, "set its mode");
	return 0;
}

/* In the same way as the file that it is a copy of. */
static int dress_like(int from, int fd, struct error *err)
{
	struct placing how = { .set_owner = true, .set_permissions = true };
	struct stat st;

	if (fstat(from, &st))
		return error_set(err, STAGE_CHROOT, errno, "look at it");
	how.uid = st.st_uid;
	how.gid = st.st_gid;
	how.permissions = st.st_mode;
	return dress(&how, fd, err);
}

static int publish_copy(const struct finished *file, int directory_fd, const char *name,
			bool no_clobber, int interrupt_fd, struct error *err)
{
	char temporary[STAGING_NAME_BYTES], self[40];
	AUTO_FD fd = open_new(directory_fd, temporary), sealed = -1;
	int bad;

	if (fd < 0)
		return error_set(err, STAGE_CHROOT, errno, "make a file to copy it to");
	bad = copy_content(file->fd, fd, interrupt_fd, err) ||
	      (file->how ? dress(file->how, fd, err) : dress_like(file->fd, fd, err));
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (!bad) { /* the descriptor that wrote is closed with a check, before there is a name */
		sealed = open(self, O_RDONLY | O_CLOEXEC);
		bad = sealed < 0 || close(take_fd(&fd)) ?
			      error_set(err, STAGE_CHROOT, errno, "write the copy") :
			      0;
	}
	if (!bad &&
	    (*temporary ? give_name(directory_fd, temporary, directory_fd, name, no_clobber) :
			  name_unnamed(sealed, directory_fd, name, no_clobber)))
		bad = error_set(err, STAGE_CHROOT, errno, "give it its name");
	if (bad && *temporary)
		unlinkat(directory_fd, temporary, 0);
	if (!bad && file->temporary)
		unlinkat(file->directory_fd, file->temporary, 0);
	return bad ? -1 : 0;
}

/* A device or the like is somebody's, and renameat(2) would replace it. */
static int spare(int directory_fd, const char *name, struct error *err)
{
	const char *problem;
	struct stat st;

	if (fstatat(directory_fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return 0; /* if it is not because nothing is there, the renaming says so */
	problem = entry_kind_problem(st.st_mode);
	if (!problem)
		return 0;
	error_set(err, STAGE_CHROOT, 0, "replace %s: %s", name, problem);
	return error_remedy(err, "choose another name");
}

/* Whether the file's only name is the temporary one. */
static bool is_named(const struct finished *file, const struct stat *st)
{
	struct stat named;

	return file->temporary && st->st_nlink == 1 &&
	       fstatat(file->directory_fd, file->temporary, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       named.st_dev == st->st_dev && named.st_ino == st->st_ino;
}

/* A file with other names than ours would change under those, so only a copy of it is placed. */
static int try_publish(const struct finished *file, int directory_fd, const char *name,
		       bool no_clobber, int interrupt_fd, struct error *err)
{
	struct stat st;
	bool named;
	int bad;

	if (fstat(file->fd, &st))
		return error_set(err, STAGE_CHROOT, errno, "look at it");
	if (!S_ISREG(st.st_mode))
		return error_set(err, STAGE_CHROOT, 0, "what is to be placed is no file");
	if (!no_clobber && spare(directory_fd, name, err))
		return -1;
	named = is_named(file, &st);
	if (!named && st.st_nlink)
		return publish_copy(file, directory_fd, name, no_clobber, interrupt_fd, err);
	if (file->how && dress(file->how, file->fd, err))
		return -1;
	bad = named ? give_name(file->directory_fd, file->temporary, directory_fd, name,
				no_clobber) :
		      name_unnamed(file->fd, directory_fd, name, no_clobber);
	/* ENOENT: it was not made to be named (open(2), O_TMPFILE). */
	if (bad && (errno == EXDEV || errno == ENOENT))
		return publish_copy(file, directory_fd, name, no_clobber, interrupt_fd, err);
	return bad ? error_set(err, STAGE_CHROOT, errno, "give it its name") : 0;
}

int publish(const struct finished *file, int directory_fd, const char *name, bool no_clobber,
	    int interrupt_fd, struct error *err)
{
	if (try_publish(file, directory_fd, name, no_clobber, interrupt_fd, err) == 0)
		return 0;
	if (err->errnum == EISDIR)
		error_remedy(err, "choose another name, or remove the directory %s", name);
	if (err->errnum == EEXIST)
		error_remedy(err, "%s is there already, and is not to be replaced", name);
	if (err->errnum == ENOSPC || err->errnum == EDQUOT)
		error_remedy(err, "free some space, or choose another directory");
	return -1;
}
