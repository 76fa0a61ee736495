# The front door. Everything is built by Meson and Ninja; these are the commands a person types.
.PHONY: demo demo-shell test bench build check fuzz install clean
.DEFAULT_GOAL := build

# As many jobs as cores; a machine with little memory can say JOBS=1.
JOBS ?= $(shell nproc)
export CC ?= gcc

build: build/release/build.ninja
	@ninja --quiet -j $(JOBS) -C build/release pawl

demo: 
	@tools/setup demo
	@$(MAKE) --no-print-directory build
	@demo/run

demo-shell:
	@tools/setup demo
	@$(MAKE) --no-print-directory build
	@demo/run --shell

test:
	@tools/setup test
	@$(MAKE) --no-print-directory build/test/build.ninja
	@ninja --quiet -j $(JOBS) -C build/test
	@tools/test build/test

bench:
	@tools/setup bench
	@$(MAKE) --no-print-directory build/bench/build.ninja
	@ninja --quiet -j $(JOBS) -C build/bench pawl $(addprefix bench/,append cause decide fill graph otlp)
	@bench/run build/bench

check:
	@tools/setup check
	@tools/check

fuzz:
	@tools/setup check
	@tools/fuzz

install: build
	install -D -m 0755 build/release/pawl $(DESTDIR)/usr/local/bin/pawl

build/release/build.ninja:
	@tools/setup build
	@meson setup build/release --buildtype=release -Db_lto=true -Dtests=false >/dev/null

build/test/build.ninja:
	@meson setup build/test --buildtype=debug -Db_sanitize=address,undefined >/dev/null

build/bench/build.ninja:
	@meson setup build/bench --buildtype=release -Db_lto=true >/dev/null

clean:
	rm -rf build
