# The README's commands. `make recommend` prints a purchase recommendation, `make test` runs every check of the project.
# Both install what a fresh machine lacks to compile HiGHS (cmake, libclang), and say so in one line first.

CARGO ?= cargo

.PHONY: help recommend test setup data notebook fuzz

help:
	@echo "make recommend   optimise the data in data/ and print what to buy"
	@echo "make test        format, lints, tests, examples, documentation"
	@echo "make notebook    open the Python notebooks, with the package built and installed in target/python"
	@echo "make setup       install cmake and libclang if they are missing"
	@echo "make fuzz        mutate bills for FUZZ_SECONDS (600) and see that each is read or refused"
	@echo "make data        write the synthetic data in data/ again (same seed, same bytes)"

setup:
	@./scripts/setup

recommend: setup
	@$(CARGO) run --quiet --release --example recommend

test: setup
	@./scripts/test

data:
	@$(CARGO) run --quiet --release --no-default-features --example make_data

notebook: setup
	@./scripts/notebook

FUZZ_SECONDS ?= 600

fuzz: setup
	@COVERMIX_FUZZ_SECONDS=$(FUZZ_SECONDS) $(CARGO) test --quiet --release --package covermix --package covermix-ingest --test bills fuzz::
