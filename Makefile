# The two commands are `make demo` and `make test`; see README.md.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
export BREACHPORTAL_MODE ?= development

.PHONY: demo test lint setup messages requirements bench-send drill clean bench-web
