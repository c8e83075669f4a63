/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From root to the task's user. Runs in the task's process, alone, single-threaded. The raw system
 * calls: libc's wrappers talk to other threads, of which there are none, and there is nothing to
 * allocate. Init gives up here what it needs no more.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/capability.h"
#include "launch/become.h"

static int failed(struct error *err, const char *step)
{
	error_set(err, STAGE_LAUNCH, errno, "%s", step);
	return err->errnum == EPERM ?
		       error_remedy(err,
				    "`nomad-exec fingerprint driver.exec` tells what is missing") :
		       -1;
}

static int set_capabilities(uint64_t effective, uint64_t inheritable)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++)
		data[i] = (struct __user_cap_data_struct){
			.effective = (uint32_t)(effective >> (32 * i)),
			.permitted = (uint32_t)(effective >> (32 * i)),
			.inheritable = (uint32_t)(inheritable >> (32 * i))
		};
	return (int)syscall(SYS_capset, &header, data);
}

/*
 * The bounding set is what a program may ever gain by an execve; beyond the last capability the
 * kernel says EINVAL.
 */
static int limit_bounding_set(uint64_t keep, struct error *err)
{
	for (int i = 0; i < 64; i++)
		if (!(keep >> i & 1) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0))
			return errno == EINVAL ? 0 :
						 failed(err, "limit the capability bounding set");
	return 0;
}

static int change_user(const struct user *user, struct error *err)
{
	/* Keeps the permitted set over the change of uid; cleared again by execve. */
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
		return failed(err, "keep capabilities");
	if (syscall(SYS_setgroups, user->groups_n, user->groups))
		return failed(err, "set the supplementary groups");
	if (syscall(SYS_setresgid, user->gid, user->gid, user->gid))
		return failed(err, "set the group");
	if (syscall(SYS_setresuid, user->uid, user->uid, user->uid))
		return failed(err, "set the user");
	return 0;
}

/*
 * A user other than root keeps a capability over execve only in the ambient set, which needs the
 * inheritable one.
 */
static int keep_capabilities(const struct task *task, struct error *err)
{
	const uint64_t keep = task->capabilities;
	const uint64_t ambient = task->user.uid ? keep : 0;

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0))
		return failed(err, "clear the ambient capabilities");
	if (set_capabilities(keep, ambient))
		return failed(err, "set the capabilities");
	for (int i = 0; i < 64; i++)
		if (ambient >> i & 1 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0))
			return error_set(err, STAGE_LAUNCH, errno, "keep the capability %s",
					 capability_name(i));
	return 0;
}

/* With setuid(2) kept on purpose the way back is open by request; else it must be shut. */
static int prove_user(const struct task *task, struct error *err)
{
	if (task->user.uid == 0 || task->capabilities >> CAP_SETUID & 1)
		return 0;
	if (syscall(SYS_setresuid, 0, 0, 0) == 0)
		return error_set(err, STAGE_LAUNCH, 0, "the task's user could become root again");
	return 0;
}

int task_drop_privileges(const struct task *task, struct error *err)
{
	if (limit_bounding_set(task->capabilities, err) || change_user(&task->user, err) ||
	    keep_capabilities(task, err) || prove_user(task, err))
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return failed(err, "set no_new_privs");
	return 0;
}

int init_drop_privileges(struct error *err)
{
	/* Bounded first, which takes a capability; without that one no_new_privs is as good. */
	if (limit_bounding_set(0, err) && err->errnum != EPERM)
		return -1;
	if (set_capabilities(0, 0))
		return failed(err, "give up the capabilities of init");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return failed(err, "set no_new_privs for init");
	return 0;
}
