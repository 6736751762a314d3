"""Loads the plugin in a checkout; elsewhere ``-p statemachine.plugin`` does."""

pytest_plugins = ["statemachine.plugin"]
