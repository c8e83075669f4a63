/* SPDX-License-Identifier: Apache-2.0 */
/* Signals that end what takes long, read from a signalfd. */
#ifndef BASE_INTERRUPT_H
#define BASE_INTERRUPT_H

#include "base/error.h"

/*
 * Fails with ERROR_INTERRUPTED, errnum the signal, and the text "interrupted by SIGNAME", when one
 * has come; takes it from the signalfd (-1: there is none). Those that mean no end by default, as
 * when a window changes its size, are taken and passed over. Waits for one at most so long.
 */
int interrupted(int signal_fd, int wait_ms, enum stage stage, struct error *err);

#endif
