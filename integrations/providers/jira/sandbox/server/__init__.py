"""A folder to put on PYTHONPATH: the server runs from here as `jira_sandbox`, apart from all of Patchbay."""
