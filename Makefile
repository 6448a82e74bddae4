# The few commands one types. The build itself is CMake's; BUILD names its folder.
BUILD ?= build
PREFIX ?= /usr/local

.PHONY: all demo test bench install docs format clean

all:
	@scripts/build $(BUILD)
	@echo "$(BUILD)/bin/saros"

demo:
	@scripts/demo

test:
	@scripts/test $(BUILD)

bench:
	@scripts/build $(BUILD) -DSAROS_BENCH=ON
	@$(BUILD)/bin/saros_bench --csv $(BUILD)/bench.csv

install: all
	cmake --install $(BUILD) --prefix $(PREFIX)

docs:
	@scripts/build $(BUILD)
	cmake --build $(BUILD) --target docs

format:
	git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf $(BUILD)
