"""The code that the dashboard gives to sign a token: it is run as it stands, and Patchbay accepts what it signs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from integrations import user_tokens
from integrations.dashboard import keys
from integrations.dashboard.snippets import SIGNING, signing_snippets
from integrations.models import Project, User
from tests.browser import npm_package

pytestmark = pytest.mark.django_db
PACKAGES = ["jsonwebtoken@9", "jose@6"]


class BackEnd:
    """A customer's back end: it has the private key in its environment, and signs for user-1."""

    def __init__(self, project: Project, owner: User, folder: Path) -> None:
        self.project, self.folder = project, folder
        self.key, self.pem = keys.generate(project, "Back end", owner)
        self.code = {snippet.id: snippet.code for snippet in signing_snippets(project, [self.key])}

    def sign(self, file: str, code: str, *command: str, pem: str = "") -> str:
        (self.folder / file).write_text(code)
        environment = os.environ | {"PATCHBAY_PRIVATE_KEY": pem or self.pem}
        done = subprocess.run([*command, file], cwd=self.folder, env=environment, capture_output=True, timeout=60)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()


@pytest.fixture
def back_end(project: Project, alice: User, tmp_path: Path) -> BackEnd:
    return BackEnd(project, alice, tmp_path)


@pytest.fixture
def node(back_end: BackEnd) -> BackEnd:
    try:
        npm_package.install(PACKAGES, back_end.folder, otherwise="the Node snippets are not run")
    except npm_package.NotFetched as error:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))
    return back_end


def test_python(back_end: BackEnd) -> None:
    code = back_end.code["sign-python"] + '\nprint(user_token("user-1"))'

    token = back_end.sign("sign.py", code, sys.executable)

    assert user_tokens.verify(back_end.project, token).sub == "user-1"


def test_python_with_the_key_on_one_line(back_end: BackEnd) -> None:
    code = back_end.code["sign-python"] + '\nprint(user_token("user-1"))'

    token = back_end.sign("sign.py", code, sys.executable, pem=back_end.pem.replace("\n", "\\n"))

    assert user_tokens.verify(back_end.project, token).sub == "user-1"


def test_node_with_jsonwebtoken(node: BackEnd) -> None:
    code = node.code["sign-jsonwebtoken"] + '\nconsole.log(userToken("user-1"));'

    token = node.sign("sign.cjs", code, "node", pem=node.pem.replace("\n", "\\n"))

    assert user_tokens.verify(node.project, token).sub == "user-1"


def test_node_with_jose(node: BackEnd) -> None:
    code = node.code["sign-jose"] + '\nconsole.log(await userToken("user-1"));'

    token = node.sign("sign.mjs", code, "node")

    assert user_tokens.verify(node.project, token).sub == "user-1"


@pytest.mark.parametrize("id", [snippet[0] for snippet in SIGNING])
def test_each_is_filled_in(id: str, back_end: BackEnd) -> None:
    code = back_end.code[id]

    assert str(back_end.project.pk) in code
    assert back_end.key.kid in code
    assert "PATCHBAY_PRIVATE_KEY" in code


@pytest.mark.parametrize("id", [snippet[0] for snippet in SIGNING])
def test_without_a_key_each_says_what_is_missing(id: str, project: Project) -> None:
    code = {snippet.id: snippet.code for snippet in signing_snippets(project, [])}[id]

    assert 'KEY_ID"' in code
    assert "Generate a signing key first" in code
