# The two commands are `make demo` and `make test`; see README.md.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
export BREACHPORTAL_MODE ?= development

.PHONY: demo test lint setup messages requirements clean

demo: setup
	@PORT=$(PORT) BREACHPORTAL_MODE=demo $(BIN)/python manage.py demo

test: setup
	@$(BIN)/python manage.py compilemessages -v 0
	@$(BIN)/python -m tests.browser
	$(BIN)/python -m pytest $(TESTS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	DATABASE_URL=postgresql:///unused REDIS_URL=redis://unused $(BIN)/mypy .
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m tests.translations

setup: .venv/installed

.venv/installed: requirements-dev.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing what requirements-dev.txt lists ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch .venv/installed
