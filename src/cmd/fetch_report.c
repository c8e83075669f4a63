/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a `fetch`, as one line of JSON on stdout. Runs when it is over. */
#include <errno.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/obtain.h"

static int64_t us_to_ms(int64_t us)
{
	return us < 0 ? -1 : us / 1000;
}

static json_t *make_times(const struct json *json, const struct obtained *obtained,
			  const struct timespec *started_at)
{
	json_t *times = json->object();
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (!times || json_set_time(json, times, "started_at", started_at) ||
	    json_set_time(json, times, "finished_at", &now) ||
	    json_set_count(json, times, "fetch_ms", us_to_ms(obtained->fetch_us)) ||
	    json_set_count(json, times, "verify_ms", us_to_ms(obtained->verify_us)) ||
	    json_set_count(json, times, "place_ms", us_to_ms(obtained->place_us)))
		return NULL;
	return times;
}

static int fill(const struct json *json, json_t *object, const struct wanted *wanted,
		const struct obtained *obtained, bool unchanged, const char *path,
		const struct timespec *started_at, const struct error *failure)
{
	const struct artifact *artifact = &obtained->artifact;
	char checksum[CHECKSUM_TEXT_BYTES];
	bool asked = artifact->attempts > 0;

	if (unchanged)
		checksum_format(&wanted->checksum, checksum);
	return json_set_text(json, object, "url", wanted->safe) ||
	       json_set_text(json, object, "final_url", artifact->final_url) ||
	       json_set_count(json, object, "status", artifact->status ? artifact->status : -1) ||
	       json_set_count(json, object, "bytes",
			      failure && !artifact->bytes ? -1 : (int64_t)artifact->bytes) ||
	       json_set_count(json, object, "resumed_from",
			      asked ? (int64_t)artifact->resumed_from : -1) ||
	       json_set_count(json, object, "attempts", artifact->attempts) ||
	       json_set_count(json, object, "connections", artifact->connections) ||
	       json_set_bool(json, object, "from_cache", artifact->from_cache) ||
	       json_set_bool(json, object, "unchanged", unchanged) ||
	       json_set_text(json, object, "checksum", unchanged ? checksum : obtained->digest) ||
	       json_set_count(json, object, "files",
			      failure ? -1 : (int64_t)(unchanged ? 1 : obtained->placed.files)) ||
	       json_set_text(json, object, "path", path) ||
	       json->object_set(object, "times", make_times(json, obtained, started_at)) ||
	       json_set_text(json, object, "error", failure ? failure->text : NULL);
}

int fetch_report_print(const struct wanted *wanted, const struct obtained *obtained, bool unchanged,
		       const char *path, const struct timespec *started_at,
		       const struct error *failure, struct error *err)
{
	struct json json;
	json_t *object;
	int bad;

	if (json_open(&json, STAGE_RUN, err))
		return -1;
	object = json.object();
	bad = !object ||
	      fill(&json, object, wanted, obtained, unchanged, path, started_at, failure) ||
	      fflush(stdout) || json.dumpfd(object, STDOUT_FILENO, 0) || putchar('\n') == EOF;
	if (object)
		json.delete_value(object);
	return bad ? error_set(err, STAGE_RUN, errno, "write JSON to standard output") : 0;
}
