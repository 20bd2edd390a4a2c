# Thin: every target is implemented in house.py, which runs the same way without make: python -m house <target>
# `make help` lists targets and options. NAME=value options reach house.py through the environment.
PYTHON ?= python3
TARGETS := help install demo test quick lint format train bench clean

.DEFAULT_GOAL := help
.PHONY: $(TARGETS)
$(TARGETS):
	@$(PYTHON) -m house $@
