# The README's commands. `make recommend` prints a purchase recommendation, `make test` runs every check of the project.
# Both install what a fresh machine lacks to compile HiGHS (cmake, libclang), and say so in one line first.

CARGO ?= cargo

.PHONY: help recommend test test-report release-check setup data notebook fuzz picture lessons test-cluster

help:
	@echo "make recommend       optimise the data in data/, print what to buy, write the report to target/covermix/"
	@echo "make test            format, lints, tests, examples, the Python package, the report in a browser, documentation"
	@echo "make test-report     look at the report in a headless browser; screenshots in target/covermix/screenshots/"
	@echo "make lessons         run the course in examples/"
	@echo "make picture         take the README's picture from the report of the example data"
	@echo "make notebook        open the Python notebooks, with the package built and installed in target/python"
	@echo "make fuzz            mutate bills for FUZZ_SECONDS (600) and see that each is read or refused"
	@echo "make test-cluster    read bills on a Ballista cluster and from object stores; compiles for many minutes the first time"
	@echo "make release-check   public interface (cargo semver-checks), licences and advisories (cargo deny)"
	@echo "make setup           install cmake and libclang if they are missing"
	@echo "make data            write the synthetic data in data/ again (same seed, same bytes)"

setup:
	@./scripts/setup

recommend: setup
	@$(CARGO) run --quiet --release --package covermix-cli --no-default-features -- recommend \
		--usage data/usage.csv.gz --catalog data/catalog.json --policy data/policy.toml --out target/covermix

test: setup
	@./scripts/test

test-report: recommend
	@./scripts/test-report

lessons: setup
	@./scripts/lessons

picture: recommend
	@./scripts/picture

release-check: setup
	@./scripts/release-check

data:
	@$(CARGO) run --quiet --release --no-default-features --example make_data

notebook: setup
	@./scripts/notebook

FUZZ_SECONDS ?= 600

fuzz: setup
	@COVERMIX_FUZZ_SECONDS=$(FUZZ_SECONDS) $(CARGO) test --quiet --release --package covermix --package covermix-ingest --test bills fuzz::

test-cluster:
	@./scripts/test-cluster
