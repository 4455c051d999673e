"""Acme Tasks: a small product that offers its users a Jira connection through Patchbay.

It is a Django project of its own, on another origin, as a customer's product is; it imports nothing of Patchbay.
"""
