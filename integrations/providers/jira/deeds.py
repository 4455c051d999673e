"""What a call to Jira did, in words for the person in whose name it was made."""

import re

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

API = r"/rest/api/[23]"
ISSUE = rf"{API}/issue/[^/]+"
# (methods, path, words): the first that fits is said.
WORDS = [
    ("GET", rf"{API}/myself", _("Looked up whose account this is")),
    ("GET POST", rf"{API}/(search|search/jql|jql/match)", _("Searched issues")),
    ("GET", rf"{API}/issue/createmeta(/.*)?|{ISSUE}/editmeta", _("Read which fields an issue has")),
    ("GET", rf"{API}/(project|project/search|project/[^/]+)", _("Read projects")),
    ("GET", rf"{API}/(user|users|groupuserpicker|user/.*|users/.*)", _("Read names of people")),
    ("POST", rf"{API}/issue(/bulk)?", _("Created an issue")),
    ("GET", rf"{ISSUE}/comment(/.*)?", _("Read comments")),
    ("POST", rf"{ISSUE}/comment", _("Commented on an issue")),
    ("PUT", rf"{ISSUE}/comment/[^/]+", _("Changed a comment")),
    ("DELETE", rf"{ISSUE}/comment/[^/]+", _("Deleted a comment")),
    ("POST", rf"{ISSUE}/transitions", _("Moved an issue to another status")),
    ("POST", rf"{ISSUE}/attachments", _("Attached a file to an issue")),
    ("POST", rf"{ISSUE}/worklog", _("Logged work on an issue")),
    ("PUT", rf"{ISSUE}/assignee", _("Assigned an issue")),
    ("GET POST PUT DELETE", rf"{API}/webhook(/.*)?", _("Arranged to be told of changes")),
    ("GET", rf"{API}/auditing/record", _("Read the audit log")),
    ("GET", ISSUE, _("Read an issue")),
    ("PUT", ISSUE, _("Changed an issue")),
    ("DELETE", ISSUE, _("Deleted an issue")),
]
COMPILED = [(methods.split(), re.compile(path), text) for methods, path, text in WORDS]


def words(method: str, path: str) -> str:
    """Return what the call did, in the language that is active; "" where there is nothing better than its address."""
    for methods, pattern, text in COMPILED:
        if method in methods and pattern.fullmatch(path.rstrip("/")):
            return gettext(text)
    return ""
