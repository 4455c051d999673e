"""A stand-in Jira Cloud and Atlassian OAuth server: a small Django project of its own, without a database."""
