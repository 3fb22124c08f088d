# The two main commands are `make demo` and `make test`; see README.md.
PYTHON ?= python3
PORT ?= 8000
INCIDENT ?= coupang-2025
BIN := .venv/bin
export BREACHPORTAL_MODE ?= development
# Python compiles a module when it is first imported, and stores it: pip is told not to compile the
# packages, three quarters of which nothing imports.
unexport PYTHONDONTWRITEBYTECODE

# All tests run in several processes, one more than the machine has cores; a file stays in one. The
# files keep their order, so that tests that compute run beside tests that wait.
ALL_TESTS := -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: demo test test-programs test-failed test-random lint lint-code lint-deploy setup catalogues messages requirements licences sbom release image bench-send bench-import bench-desk bench-reminders bench-store bench-surge bench-journey bench-web lighthouse screenshots test-mail test-install test-image matrix mail-servers drill drill-import drill-connections drill-upgrade clean

# The law files that samples add, whatever INCIDENT is: var/ keeps each sample that was shown.
# LAW_FOLDER= names others.
demo: LAW_FOLDER ?= $(CURDIR)/statements/sample/laws
demo: setup
	@LAW_FOLDER="$(LAW_FOLDER)" PORT=$(PORT) BREACHPORTAL_MODE=demo $(BIN)/python manage.py demo --incident $(INCIDENT)

test: setup test-programs
	$(BIN)/python -m pytest $(or $(TESTS),$(ALL_TESTS))

# What the tests need besides Python's packages: a browser, and programs of npm.
test-programs: .venv/installed
	@$(BIN)/python -m tests.browser
	@$(BIN)/python -m tests.web_programs

# Runs the tests that failed last time, one after another. Fails if there is none.
test-failed: setup
	$(BIN)/python -m pytest --last-failed --last-failed-no-failures none

# Draws new examples in every test that has a property; a failure prints how to repeat it.
test-random: setup
	$(BIN)/python -m pytest --hypothesis-profile=random -m hypothesis $(ALL_TESTS)

# Sends through real mail servers. What is not installed is skipped, with the reason.
test-mail: setup
	$(BIN)/python -m pytest -rs tests/notices/test_real_mail_servers.py

# Unpacks Debian's Postfix, Exim and OpenSMTPD into var/, because only one of them can be installed.
# As root, Dovecot: apt-get install dovecot-imapd
mail-servers:
	@mkdir -p var/mail-servers
	cd var/mail-servers && apt-get download postfix opensmtpd exim4-daemon-light libidn12 && \
		for package in *.deb; do dpkg -x $$package .; done

# Installs the portal with deploy/install in a new Debian below INTO, twice, and lets the doctor look.
# As root, with debootstrap and the ports 80, 443, 5432 and 6379.
test-install:
	tests/try_install.sh $(or $(INTO),/tmp/breachportal-install)

# Builds the image with buildah below INTO and runs every process in it, without a container engine.
# As root, with debootstrap, buildah and the ports 2526, 5432, 6379 and 8000.
test-image: setup
	tests/try_image.sh $(or $(INTO),/tmp/breachportal-image)

# Runs some tests with each version of the servers and of Python that is on this machine, and says
# which are not. VERSIONS="Redis Valkey" takes only these; VERSIONS=cheap what takes half a
# minute, VERSIONS=short all of them without the tests that take minutes.
matrix: setup
	@$(BIN)/python -m tests.matrix $(VERSIONS)

lint: lint-code
	$(BIN)/python -m pytest -q tests/languages/test_translations.py

lint-code: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	DATABASE_URL=postgresql:///unused REDIS_URL=redis://unused $(BIN)/mypy .
	$(BIN)/python manage.py makemigrations --check --dry-run

# Checks the image's file, compose.yaml, the Helm chart, the shell scripts and the migrations with
# their tools; no container engine is needed. `make test` runs these tests too, where the tools are.
lint-deploy: setup .venv/deploy-tools
	$(BIN)/python -m pytest -q -rs tests/running/test_containers.py tests/running/test_chart.py \
		tests/running/test_shell_scripts.py tests/running/test_migration_linter.py

.venv/deploy-tools: requirements-deploy.txt .venv/installed
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile \
		--require-hashes -r requirements-deploy.txt
	@touch .venv/deploy-tools

setup: .venv/installed catalogues

.venv/installed: requirements-dev.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing what requirements-dev.txt lists ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile \
		--require-hashes -r requirements-dev.txt
	@touch .venv/installed

# Compiles the translations for Django. A changed source is compiled again.
catalogues: $(patsubst %.po,%.mo,$(wildcard locale/*/LC_MESSAGES/django.po))

locale/%/LC_MESSAGES/django.mo: locale/%/LC_MESSAGES/django.po .venv/installed
	@$(BIN)/pybabel -q compile -l $* -i $< -o $@.new
	@mv $@.new $@

# Measures public pages per second against a plain Django view; the last line is JSON.
bench-web: setup
	@$(BIN)/python -m benchmarks.bench_web $(BENCH)

# Measures home, a statement, "my data" and the check page with Lighthouse, on a throttled phone, and
# prints a table in JSON, with their times. Fails below 100 in any category, so run it alone.
lighthouse: setup
	@$(BIN)/python -m tests.browser
	@mkdir -p var && rm -f var/lighthouse.json
	@LIGHTHOUSE=$(CURDIR)/var/lighthouse.json $(BIN)/python -m pytest -q tests/pages/test_lighthouse.py; \
		failed=$$?; cat var/lighthouse.json; exit $$failed

# Walks each journey of docs/journeys.md in a browser, keeps a picture of each step in var/journeys/,
# and prints the taps and seconds of each walk.
screenshots: setup
	@$(BIN)/python -m tests.browser
	@rm -rf var/journeys && mkdir -p var/journeys
	@SCREENSHOTS=$(CURDIR)/var/journeys $(BIN)/python -m pytest -q tests/my_data/test_journeys_browser.py; \
		failed=$$?; cat var/journeys/walks.md; exit $$failed

# Collects the translatable strings of the code: all of them for the desk's languages, those of
# customers for the others. It reports how complete each catalogue is.
messages: setup
	$(BIN)/python manage.py report_translations --write
	$(MAKE) catalogues

# Writes the pins and hashes of all packages; UPGRADE=--upgrade takes newer releases. It ignores
# pip's configuration, so that the hashes are those of the default package index only.
COMPILE = CUSTOM_COMPILE_COMMAND="make requirements" \
	PIP_CONFIG_FILE=/dev/null PIP_FIND_LINKS= PIP_EXTRA_INDEX_URL= $(BIN)/pip-compile --quiet \
	--generate-hashes --allow-unsafe --strip-extras --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host --no-emit-options $(UPGRADE)

requirements: setup
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements-tools.txt
	$(COMPILE) -o requirements.txt requirements.in
	$(COMPILE) -o requirements-dev.txt requirements-dev.in
	$(COMPILE) -o benchmarks/requirements.txt benchmarks/requirements.in
	$(COMPILE) -o requirements-deploy.txt requirements-deploy.in
	$(COMPILE) -o requirements-matrix.txt requirements-matrix.in
	$(COMPILE) -o requirements-tools.txt requirements-tools.in

# Lists the licence of each package that production installs.
licences: setup
	@$(BIN)/python docs/licences.py

# Writes the software bill of materials, in CycloneDX, of what production installs.
sbom: setup
	@$(BIN)/python docs/sbom.py > sbom.cdx.json

# Builds wheel, sdist, requirements, SBOM, notes and checksums of the last commit, in dist/.
release: setup
	$(BIN)/python deploy/package/release.py

# Builds the image from the release in dist/. BASE= names its base by digest, so that the same release
# gives the same image: BASE=python:3.13-slim-trixie@sha256:… ENGINE=podman uses another engine.
ENGINE ?= docker
VERSION = $(shell sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
image:
	@echo "$(BASE)" | grep -Eq '^[^ ]+@sha256:[0-9a-f]{64}$$' || { echo "BASE is not a name with a digest, such as" \
		"python:3.13-slim-trixie@sha256:…; see docs/how-to/run-in-containers.md" >&2; exit 1; }
	$(ENGINE) build --file deploy/container/Containerfile --build-arg "PYTHON=$(BASE)" \
		--label "org.opencontainers.image.base.name=$(BASE)" --tag breachportal:$(VERSION) dist

# Measures imports. PEOPLE= sets the size, ADDRESSES= the address rows of each person (see
# docs/performance.md).
bench-import: setup
	@$(BIN)/python -m benchmarks.bench_import

# Kills an import of PEOPLE= people KILLS= times and compares the store digests afterwards. FORKED=1
# runs the imports in copies of one process.
drill-import: setup
	@$(BIN)/python -m benchmarks.drill_import

# Counts the database connections of the web processes under bursts, for MINUTES= minutes.
drill-connections: setup
	@$(BIN)/python -m benchmarks.drill_connections

# Upgrades an installation below INTO= and leads back, while a notice is sent to PEOPLE= people with
# RATE= mails a second and visitors ask for pages. As root, with debootstrap and systemd-container.
drill-upgrade: setup
	@$(BIN)/python -m tests.drill_upgrade

# Measures how long it takes to count, re-encrypt and purge an incident of PEOPLE= people, and how
# slow pages are meanwhile.
bench-store: setup
	@$(BIN)/python -m benchmarks.bench_store

# Measures the desk's lists and look-ups with rows of PEOPLE= people; 33700000 need about 35 GB.
bench-desk: setup
	@$(BIN)/python -m benchmarks.bench_desk

# Measures the sending of PEOPLE= reminders of steps that are due at the same moment.
bench-reminders: setup
	@$(BIN)/python -m benchmarks.bench_reminders

# Measures sends. PEOPLE= sets the size, PARTS= selects the parts (see docs/performance.md).
bench-send: setup
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r benchmarks/requirements.txt
	@$(BIN)/python -m benchmarks.bench_send

# Measures sign-ins by VISITORS= at once for SECONDS=, while a notice to PEOPLE= is being sent.
bench-surge: setup
	@$(BIN)/python -m benchmarks.bench_surge

# Measures the processor time of each request of a sign-in, ROUNDS= times; the last line is JSON.
bench-journey: setup
	@$(BIN)/python -m benchmarks.bench_journey

# Runs all drills, or those in DRILLS="kill redis". PEOPLE= and SEED= apply too (see docs/drills.md).
drill: setup
	@$(BIN)/python -m tests.drills $(DRILLS)

clean:
	rm -rf .venv var staticfiles dist .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		locale/*/LC_MESSAGES/*.mo
