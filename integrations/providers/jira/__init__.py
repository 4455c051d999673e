"""Jira Cloud over OAuth 2.0 (3LO)."""
