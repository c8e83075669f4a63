/* SPDX-License-Identifier: Apache-2.0 */
/* dlopen with errors a user can act on. Sonames are constants of ours, never taken from input. */
#include "base/lazy.h"

#include <dlfcn.h>
#include <string.h>

int lazy_open(const struct lazy_library *library, void *api, enum stage stage, struct error *err)
{
	void *handle = NULL;

	for (size_t i = 0; !handle && library->sonames[i]; i++)
		handle = dlopen(library->sonames[i], RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		error_set(err, stage, 0, "open the library for %s: %s", library->purpose,
			  dlerror());
		return error_remedy(err, "install it: apt install %s", library->package);
	}
	for (size_t i = 0; i < library->symbols_n; i++)
		if (!dlsym(handle, library->symbols[i].name)) {
			error_set(err, stage, 0, "the library for %s: %s", library->purpose,
				  dlerror());
			return error_remedy(err, "a newer %s is needed", library->package);
		}
	for (size_t i = 0; i < library->symbols_n; i++) {
		void *symbol = dlsym(handle, library->symbols[i].name);

		memcpy((char *)api + library->symbols[i].offset, &symbol, sizeof(symbol));
	}
	return 0;
}
