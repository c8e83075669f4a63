# SPDX-License-Identifier: Apache-2.0
# nomad-exec: runs one command isolated as Nomad's exec driver does. `make help` lists the targets.
#
# One file for the whole tree; everything that is built goes below $(BUILD). CC, CFLAGS, CPPFLAGS, LDFLAGS, PREFIX and
# DESTDIR are the user's: what the project needs is added to them, never written into them. WERROR=1 makes warnings
# errors, SANITIZE=address,undefined builds with sanitizers, in a directory of its own, V=1 shows the commands.

CFLAGS ?= -O2 -g
PREFIX ?= /usr/local
comma  := ,
BUILD  ?= build$(addprefix /,$(subst $(comma),-,$(SANITIZE)))

NAME    := nomad-exec
VERSION := 0.1.0
BINDIR   = $(DESTDIR)$(PREFIX)/bin
MANDIR   = $(DESTDIR)$(PREFIX)/share/man

WARNINGS := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wundef -Wimplicit-fallthrough -Wnull-dereference \
	-Wconversion -Wno-sign-conversion -Wno-missing-field-initializers $(if $(filter 1,$(WERROR)),-Werror)

# Level 3 sees sizes that are known only at run time; compilers before gcc 12 and clang 9 take it for 2 and say nothing.
# Without optimisation there is none of it at all, and libc warns.
hash    := \#
FORTIFY := $(shell printf '%s\n' '$(hash)if !defined __OPTIMIZE__' 0 \
	'$(hash)elif defined __clang__ ? __clang_major__ >= 9 : __GNUC__ >= 12' 3 '$(hash)else' 2 '$(hash)endif' | \
	$(CC) $(CFLAGS) -E -P -x c -)
HARDENING := -U_FORTIFY_SOURCE $(if $(filter 2 3,$(FORTIFY)),-D_FORTIFY_SOURCE=$(FORTIFY)) \
	-fstack-protector-strong -fstack-clash-protection -fPIE
LINKING := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed
ifneq ($(SANITIZE),)
HARDENING := -U_FORTIFY_SOURCE -fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer
LINKING   := -fsanitize=$(SANITIZE)
endif

COMPILE := $(CC) -std=gnu11 -D_GNU_SOURCE -DVERSION='"$(VERSION)"' -Isrc $(WARNINGS) $(HARDENING) $(CPPFLAGS) $(CFLAGS)
LINK    := $(CC) $(CFLAGS) $(LINKING) $(LDFLAGS)

PROGRAM := $(BUILD)/$(NAME)
TESTER  := $(BUILD)/tests/unit/check
UNPACK  := $(BUILD)/tests/place/unpack
SRC     := $(sort $(wildcard src/*.c src/*/*.c))
OBJ     := $(SRC:%.c=$(BUILD)/%.o)
# All of the program but its main: what other programs of the tree are linked with.
PARTS   := $(filter-out $(BUILD)/src/main.o,$(OBJ))
UNIT    := $(patsubst %.c,$(BUILD)/%.o,$(sort $(wildcard tests/unit/*.c)))
SIGNER  := $(BUILD)/tests/s3/sign
BENCH   := $(patsubst tests/bench/%.c,$(BUILD)/bench/%,$(wildcard tests/bench/*.c))
PAGES   := $(addprefix $(BUILD)/,$(sort $(wildcard man/*.[1-9])))
# Asked for only where it is used: building the program takes no pkg-config.
CHECK_LIBS = $(shell pkg-config --libs check)
say = $(if $(V)$(findstring s,$(firstword -$(MAKEFLAGS))),,@echo '  $(1)	$@';)

.DELETE_ON_ERROR:
.PHONY: all check check-unit check-run check-vm check-build install uninstall clean lint bench coverage dist help FORCE

all: $(PROGRAM) $(PAGES) ## the program and its manual (the default)

$(PROGRAM): $(OBJ)
	$(call say,LINK)$(LINK) -o $@ $(OBJ)

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(COMPILE) -MMD -MP -c -o $@ $<

# The stage that unpacks archives, by itself.
$(UNPACK): $(BUILD)/tests/place/unpack.o $(PARTS)
	$(call say,LINK)$(LINK) -o $@ $^

# The pages are made complete with the option tables that the program itself uses.
$(BUILD)/man/options: $(BUILD)/man/options.o $(PARTS)
	$(call say,LINK)$(LINK) -o $@ $^

$(PAGES): $(BUILD)/%: % $(BUILD)/man/options
	$(call say,MAN)$(BUILD)/man/options <$< >$@

# Written when the flags are not those of the last time, and then everything is built anew.
FLAGS = '$(subst ','\'',$(COMPILE) | $(LINK))'
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(FLAGS) | cmp -s - $@ || printf '%s\n' $(FLAGS) >$@

check: check-build check-unit check-run ## the tests that need no virtual machine, as root

check-build: all ## what was built, and this Makefile
	BUILD='$(BUILD)' tests/build/all

check-unit: $(TESTER) ## the unit tests, as anyone
	$(TESTER)

$(TESTER): $(UNIT) $(PARTS)
	$(call say,LINK)$(LINK) -o $@ $(UNIT) $(PARTS) $(CHECK_LIBS)

# Signs requests as the program does, for tests/run to compare.
$(SIGNER): $(BUILD)/tests/s3/sign.o $(PARTS)
	$(call say,LINK)$(LINK) -o $@ $^

check-run: all $(SIGNER) $(UNPACK) ## the program itself, as root
	NX='$(abspath $(PROGRAM))' tests/run/all

# What has to do with tasks: downloads and archives know nothing of cgroups, and a guest is slow.
# Status 77 means that no such guest can run here, and says why.
check-vm: all ## the tests of tasks in a virtual machine with cgroup v2
	NX='$(abspath $(PROGRAM))' tests/vm/guest --env NX -- \
		tests/run/all tests/run/[1-4]*.sh tests/run/68-*.sh tests/run/90-*.sh || [ $$? = 77 ]

lint: ## format, static analysis, scripts, manual
	scripts/lint

bench: all $(BENCH) ## what a launch costs, as root
	NX='$(abspath $(PROGRAM))' NX_BENCH_BIN='$(abspath $(BUILD)/bench)' tests/bench/bench --out '$(BUILD)/bench'

$(BUILD)/bench/%: $(BUILD)/tests/bench/%.o
	@mkdir -p $(@D)
	$(call say,LINK)$(LINK) -o $@ $<

# A build of its own, whose counters are removed first: they would add up.
coverage: ## how much of each file the unit tests run
	find '$(BUILD)' -name '*.gcda' -delete
	$(MAKE) BUILD='$(BUILD)/coverage' CFLAGS='-O0 -g --coverage' check-unit
	cd '$(BUILD)/coverage' && find src -name '*.gcda' -exec gcov -n {} + | \
		sed -n "/^File 'src/{s/^File '\(.*\)'/\1/;N;s/\nLines executed:/ /p;}" | sort -k 2n

install: all ## into PREFIX (/usr/local), below DESTDIR
	install -D -m 755 $(PROGRAM) '$(BINDIR)/$(NAME)'
	for page in $(PAGES); do \
		install -D -m 644 "$$page" '$(MANDIR)'"/man$${page##*.}/$${page##*/}" || exit 1; \
	done

uninstall: ## what install put there
	rm -f '$(BINDIR)/$(NAME)'
	for page in $(PAGES); do rm -f '$(MANDIR)'"/man$${page##*.}/$${page##*/}"; done

dist: ## an archive of the last commit
	@mkdir -p $(BUILD)
	git archive --prefix=$(NAME)-$(VERSION)/ HEAD | gzip -n9 >$(BUILD)/$(NAME)-$(VERSION).tar.gz

clean: ## remove what was built
	rm -rf '$(BUILD)'

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

-include $(OBJ:.o=.d) $(UNIT:.o=.d) $(patsubst %.c,$(BUILD)/%.d,$(wildcard man/*.c tests/place/*.c tests/s3/*.c tests/bench/*.c))
