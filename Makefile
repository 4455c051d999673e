# Patchbay: `make run` starts everything on this machine, `make test` tests it. `make help` lists the rest.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
# Named after the requirements' own sum, so that they are installed anew exactly when they change.
RUN_STAMP := $(VENV)/run-$(shell cat requirements.txt | cksum | tr ' ' '-')
DEV_STAMP := $(VENV)/dev-$(shell cat requirements.txt requirements-dev.txt | cksum | tr ' ' '-')
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
PYTEST := $(BIN)/python -m pytest
WORKERS ?= 4
ARGS ?=

.PHONY: run demo test check test-services test-faults bench screenshots lock messages help

help: ## List what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(RUN_STAMP) ## Start everything on this machine (PORT=9000 chooses another port)
	@PORT=$(PORT) exec $(BIN)/python manage.py local

demo: $(RUN_STAMP) ## Bring the demo's workflows into the project of Acme Tasks, while `make run` runs
	@for file in docs/examples/tasks-to-jira.json docs/examples/jira-to-tasks.json; do \
	  $(BIN)/python manage.py project import "Acme Tasks" $$file --secret ACME_TOKEN=@var/keys/demo_hook_token \
	    --secret ACME_URL=$$(sed -n 's/^DEMO_URL=//p' var/local.env) || exit 1; done
	@echo "Now activate Jira in the dashboard (Integrations), and connect it in Acme Tasks: $$(sed -n 's/^DEMO_URL=//p' var/local.env)"
	@echo "Whoever was connected before switches the workflows on in the portal, under Configuration."

test: $(DEV_STAMP) ## Run the tests (ARGS="-k vault" chooses some)
	@$(BIN)/python -m tests.support.browsers
	$(PYTEST) -n $(WORKERS) -m "not faults and not services" $(ARGS)

check: $(DEV_STAMP) ## Lint, types, system checks, migrations, import rule
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m tests.support.production manage.py check --deploy --fail-level WARNING
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(BIN)/python -m tests.support.import_rule

test-services: $(DEV_STAMP) ## Run the tests on PostgreSQL with RabbitMQ, then what matters with Redis
	$(BIN)/python -m tests.support.services -n $(WORKERS) $(ARGS)

test-faults: $(DEV_STAMP) ## Kill processes and see that nothing is lost
	$(PYTEST) tests/faults -m faults $(ARGS)

bench: $(DEV_STAMP) ## Measure the proxy beside a direct call, runs of workflows, deliveries and lists
	$(BIN)/python -m tests.bench.proxy $(ARGS)
	$(BIN)/python -m tests.bench.runs
	$(BIN)/python -m tests.bench.webhooks
	$(BIN)/python -m tests.bench.lists

screenshots: $(DEV_STAMP) ## Take the pictures in docs/screenshots anew, where a page looks different now
	@$(BIN)/python -m tests.support.browsers
	$(BIN)/python -m tests.screenshots $(ARGS)

lock: ## Pin and hash the requirements (needs uv)
	@command -v uv > /dev/null || { echo "make lock needs uv. Install it (pip install uv) and try again."; exit 1; }
	uv pip compile --quiet --generate-hashes --python-version 3.11 --universal requirements.in -o requirements.txt
	uv pip compile --quiet --generate-hashes --python-version 3.11 --universal requirements-dev.in -o requirements-dev.txt

messages: $(DEV_STAMP) ## Bring the portal's translations in line with the sources (ADD=it adds a language)
	@ADD=$(ADD) $(BIN)/python -m tests.support.messages

# An environment that an upgrade of Python or an interrupted start left broken is made anew.
$(RUN_STAMP): requirements.txt
	@$(BIN)/python -m pip --version > /dev/null 2>&1 || { $(need_python) && $(make_venv); }
	@echo "Installing what Patchbay needs into $(VENV) (only when it changes)…"
	@$(PIP_INSTALL) -r requirements.txt
	@rm -f $(VENV)/run-* && touch $@

$(DEV_STAMP): $(RUN_STAMP) requirements-dev.txt
	@echo "Installing what the tests need into $(VENV) (only when it changes)…"
	@$(PIP_INSTALL) -r requirements.txt -r requirements-dev.txt
	@rm -f $(VENV)/dev-* && touch $@

define need_python
{ command -v $(PYTHON) > /dev/null || { echo "There is no $(PYTHON) here. Install Python 3.11 or newer, or name one: make run PYTHON=/path/to/python3.11"; exit 1; }; } && \
{ $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Patchbay needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Name another: make run PYTHON=python3.11"; exit 1; }; } && \
{ $(PYTHON) -c 'import venv, ensurepip' 2> /dev/null || { $(no_venv); exit 1; }; }
endef

define no_venv
if command -v apt-get > /dev/null; then echo "This Python cannot make virtual environments. As root, run: apt-get install python3-venv"; \
else echo "This Python ($(PYTHON)) has no venv and ensurepip modules. Install them, or name another Python: make run PYTHON=/path/to/python3.11"; fi
endef

define make_venv
rm -rf $(VENV) && $(PYTHON) -m venv $(VENV)
endef
