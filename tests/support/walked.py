"""The settings of the server whose every page is walked through: one more address, whose view is broken."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "tests.support.walked_urls"
