# The two commands are `make demo` and `make test`; see README.md.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
export BREACHPORTAL_MODE ?= development

.PHONY: demo test lint setup messages requirements bench-send bench-import bench-store bench-web drill drill-import clean

demo: setup
	@PORT=$(PORT) BREACHPORTAL_MODE=demo $(BIN)/python manage.py demo

test: setup
	@$(BIN)/python -m tests.browser
	$(BIN)/python -m pytest $(TESTS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	DATABASE_URL=postgresql:///unused REDIS_URL=redis://unused $(BIN)/mypy .
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m pytest -q tests/test_translations.py

setup: .venv/installed

.venv/installed: requirements-dev.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing what requirements-dev.txt lists ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch .venv/installed

# Public pages a second against a bare Django view; the last line is JSON.
bench-web: setup
	@$(BIN)/python -m benchmarks.bench_web $(BENCH)

# For those who change words: needs GNU gettext.
messages: setup
	rm -f locale/en/LC_MESSAGES/django.po  # English is the source itself
	mkdir -p locale/en/LC_MESSAGES
	$(BIN)/python manage.py makemessages -l ko -l en --no-wrap --no-location --no-obsolete \
		-i .venv -i var -i tests -i benchmarks -i harness
	for language in ko en; do \
		sed -i '1,20{/^#, fuzzy$$/d}' locale/$$language/LC_MESSAGES/django.po; done
	msgen --no-wrap -o locale/en/LC_MESSAGES/django.po locale/en/LC_MESSAGES/django.po
	$(BIN)/pybabel -q compile -d locale -D django

requirements: setup
	$(BIN)/python -m pip install --quiet pip-tools
	$(BIN)/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host --no-emit-options -o requirements.txt requirements.in
	$(BIN)/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links \
		--no-emit-trusted-host --no-emit-options -o requirements-dev.txt requirements-dev.in

# PEOPLE= sets the size, ADDRESSES= adds so many address rows a person (see docs/performance.md).
bench-import: setup
	@$(BIN)/python -m benchmarks.bench_import

# Kills an import of PEOPLE= people KILLS= times, and compares what stands in the store afterwards.
drill-import: setup
	@$(BIN)/python -m benchmarks.drill_import

# Counting, resealing and purging an incident of PEOPLE=, and what customers notice of it.
bench-store: setup
	@$(BIN)/python -m benchmarks.bench_store

# PEOPLE= sets the size, PARTS= chooses (see docs/performance.md).
bench-send: setup
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	@$(BIN)/python -m benchmarks.bench_send

# All of them, or DRILLS="kill redis"; PEOPLE= and SEED= as well (see docs/drills.md).
drill: setup
	@$(BIN)/python -m tests.drills $(DRILLS)

clean:
	rm -rf .venv var staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis
