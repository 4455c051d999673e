"""One call in a user's name: what reaches the provider, what comes back, and what never does."""

import gzip
import itertools
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis
import pytest
from django.test import Client
from hypothesis import strategies

from integrations import calls
from integrations.models import Call, ConnectedUser, Connection, Grant, Integration, OAuthApp, Project
from integrations.proxy import ProxyError, inside, rebased, target
from tests.support import upstream as upstreams
from tests.support.upstream import Upstream

SITE = "11111111-aaaa-4bbb-8ccc-222222222222"
BASE = f"/ex/jira/{SITE}/"


@pytest.fixture
def upstream(settings: Any) -> Iterator[Upstream]:
    """The provider's API on a socket."""
    with upstreams.serving() as found:
        address = {"AUTH_URL": found.url, "API_URL": found.url}
        settings.PROVIDER_SETTINGS = settings.PROVIDER_SETTINGS | {"jira": address}
        settings.OUTBOUND_LOCAL_HOSTS = [found.url.removeprefix("http://")]
        yield found


@pytest.fixture
def jira(project: Project) -> Integration:
    app = OAuthApp(project=project, provider="jira", client_id="acme")
    app.set_secret("the client secret")
    app.save()
    return Integration.objects.create(project=project, provider_slug="jira", oauth_app=app, is_active=True)


@pytest.fixture
def connect(jira: Integration) -> Callable[..., Connection]:
    """connect("bob") gives Bob a connection with a fresh token named after him."""

    def make(sub: str, site_id: str = SITE, **fields: Any) -> Connection:
        user, _ = ConnectedUser.objects.get_or_create(project=jira.project, sub=sub)
        account = f"account of {sub} at {site_id}"
        grant = Grant(project=jira.project, app=jira.oauth_app, account_id=account)
        grant.expires_at = datetime.now(UTC) + timedelta(hours=1)
        grant.seal("access_token", f"token-of-{sub}")
        grant.seal("refresh_token", f"renewal-of-{sub}")
        grant.save()
        common = {"project": jira.project, "integration": jira, "user": user, "grant": grant, "site_id": site_id}
        return Connection.objects.create(**common, **fields)

    return make


class Caller:
    """The product's page or back end, calling in one user's name."""

    def __init__(self, project: Project, token: str) -> None:
        self.project, self.token, self.client = project, token, Client()

    def send(self, method: str, address: str, body: bytes = b"", kind: str = "application/json", **headers: str) -> Any:
        given = {"Authorization": f"Bearer {self.token}", "Content-Type": kind}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(method, f"/projects/{self.project.pk}/{address}", body, kind, headers=given)

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> Any:
        """Call through the SDK's address, which wraps the answer."""
        return self.send(method, "/".join(["sdk/proxy/jira", *([path.lstrip("/")] if path else [])]), body, **headers)

    def raw(self, method: str, path: str, body: bytes = b"", **headers: str) -> Any:
        return self.send(method, f"raw/jira/{path.lstrip('/')}", body, **headers)


@pytest.fixture
def alice(connect: Callable[..., Connection], user_token: Callable[..., str], upstream: Upstream) -> Caller:
    connection = connect("alice")
    return Caller(connection.project, user_token("alice"))


def content(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


# What is forwarded --------------------------------------------------------------------------------------------------


def test_a_call_carries_method_path_query_body_and_the_users_token(alice: Caller, upstream: Upstream) -> None:
    upstream.replies(201, b'{"key": "OPS-1"}')

    answer = alice.call("POST", "/rest/api/3/issue?updateHistory=true&x=a%20b", b'{"fields": {}}')

    assert (answer.status_code, answer.json()) == (201, {"output": {"key": "OPS-1"}})
    seen = upstream.last
    assert (seen.method, seen.target) == ("POST", f"{BASE}rest/api/3/issue?updateHistory=true&x=a%20b")
    assert seen.header("Authorization") == "Bearer token-of-alice"
    assert (seen.body, seen.header("Content-Type")) == (b'{"fields": {}}', "application/json")


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_the_other_methods_are_forwarded_too(alice: Caller, upstream: Upstream, method: str) -> None:
    assert alice.call(method, "/rest/api/3/issue/OPS-1").status_code == 200
    assert upstream.last.method == method


def test_an_empty_answer_stays_empty(alice: Caller, upstream: Upstream) -> None:
    upstream.replies(204, b"")

    answer = alice.call("PUT", "/rest/api/3/issue/OPS-1", b"{}")

    assert (answer.status_code, answer.content) == (204, b"")


def test_the_sdks_content_type_auto_means_look_at_the_body(alice: Caller, upstream: Upstream) -> None:
    alice.call("POST", "/rest/api/3/issue", b'{"a": 1}', Content_Type="auto")

    assert upstream.last.header("Content-Type") == "application/json"


def test_form_and_multipart_bodies_arrive_byte_for_byte(alice: Caller, upstream: Upstream) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n\x00\xff\r\n--b--\r\n'
    kind = "multipart/form-data; boundary=b"

    alice.send("POST", "sdk/proxy/jira/rest/api/3/issue/OPS-1/attachments", body, kind, X_Atlassian_Token="no-check")

    assert (upstream.last.body, upstream.last.header("Content-Type")) == (body, kind)
    assert upstream.last.header("X-Atlassian-Token") == "no-check"


def test_the_absolute_address_of_the_own_site_may_be_given(alice: Caller, upstream: Upstream) -> None:
    address = f"{upstream.url}{BASE}rest/api/3/myself?expand=groups"

    assert alice.call("GET", "", X_Paragon_Proxy_Url=address).status_code == 200
    assert upstream.last.target == f"{BASE}rest/api/3/myself?expand=groups"


def test_the_raw_address_gives_the_providers_own_answer(alice: Caller, upstream: Upstream) -> None:
    upstream.replies(200, b'{"key": "OPS-1"}', etag='"v1"')

    answer = alice.raw("GET", "/rest/api/3/issue/OPS-1")

    assert (answer.status_code, content(answer), answer["Etag"]) == (200, b'{"key": "OPS-1"}', '"v1"')


def test_the_raw_address_may_name_one_connection(
    alice: Caller, upstream: Upstream, connect: Callable[..., Connection]
) -> None:
    other = connect("alice", "another-site")

    alice.send("GET", f"raw/jira/{other.pk}/rest/api/3/myself")

    assert upstream.last.target == "/ex/jira/another-site/rest/api/3/myself"


def test_a_connection_may_be_named_by_the_customers_own_id(
    alice: Caller, upstream: Upstream, connect: Callable[..., Connection]
) -> None:
    connect("alice", "another-site", external_id="second")

    alice.call("GET", "/rest/api/3/myself", X_Paragon_Credential="second")

    assert upstream.last.target.startswith("/ex/jira/another-site/")


# What does not reach the provider -----------------------------------------------------------------------------------

TRAVERSALS = [
    *("../", "..", "../../", "rest/../../x", "rest/api/3/../../../../other", "./rest", "rest/./api", "rest//api"),
    *(
        "%2e%2e/x",
        "%2E%2E/x",
        "rest/%2e%2e/%2e%2e/x",
        "..%2f",
        "..%2Fx",
        "%2e%2e%2f",
        "%252e%252e/x",
        "%252f",
        "a%2f../b",
    ),
    *("..;/x", "..;a=b/x", "rest/..;/x", ".;/x", "%2e%2e;/x", "..%3b/x", "..%5cx", "..\\x", "rest\\..\\x", "%5c..%5cx"),
    *(
        "%00",
        "rest/%00",
        "a%00/../b",
        "%0d%0aHost:evil",
        "a%0d%0aX-Evil:%201",
        "a%0ab",
        "a%09b",
        "a%7fb",
        "%c0%ae%c0%ae/x",
    ),
    *(
        "%e0%80%ae%e0%80%ae/x",
        "%25%32%65",
        "..%252f..%252fx",
        "..%c0%afx",
        "..%c1%9cx",
        "%2e%2e%5c",
        "....//x",
        "...//x",
    ),
    *(
        "//evil.example/x",
        "///evil",
        "/\\evil.example",
        "\\\\evil",
        "%2f%2fevil.example",
        "%5c%5cevil",
        "a//b",
        "a/b//",
    ),
    *(".%2e/x", "%2e./x", ".%2e/.%2e/x", "x/%2e%2e", "x/..", "x/.", "x/%2e", "%2e", ".", "rest/api/3/%2e%2e/%2e%2e"),
    *("%25", "100%25", "a%25b", "%2525"),
]


@pytest.mark.parametrize("path", TRAVERSALS)
def test_no_path_leaves_the_users_own_site(alice: Caller, upstream: Upstream, path: str) -> None:
    alice.call("GET", path)
    alice.raw("GET", path)

    assert all(seen.target.startswith(BASE) for seen in upstream.seen)
    assert not any(part in seen.target for seen in upstream.seen for part in ("..", "//", "\\", "%00", "%25"))


@pytest.mark.parametrize(
    "address",
    [
        *("https://evil.example/x", "//evil.example/x", "http://localhost:1/x", "file:///etc/passwd", "gopher://x/"),
        *("http://169.254.169.254/latest", "https://api.atlassian.com@evil.example/ex/jira/", "http://[::1]/"),
        *("{base}/ex/jira/another-site/rest", "{base}/oauth/token", "{base}/ex/jira/" + SITE, "{base}" + BASE + "../x"),
    ],
)
def test_no_absolute_address_leaves_the_users_own_site(alice: Caller, upstream: Upstream, address: str) -> None:
    answer = alice.call("GET", "", X_Paragon_Proxy_Url=address.format(base=upstream.url))

    assert answer.status_code == 400
    assert upstream.seen == []


@pytest.mark.parametrize("query", ["a=b\x00", "a=\xff", "a=%0a\n", "a#b", "a=\\"])
def test_a_query_is_forwarded_only_when_it_is_well_formed(query: str) -> None:
    with pytest.raises(ProxyError) as refused:
        target("https://api.example/ex/jira/1/", "rest", query)

    assert refused.value.code == "bad_query"


def test_the_address_of_another_host_is_refused_in_words() -> None:
    with pytest.raises(ProxyError, match=r"Only addresses below https://api\.example/ex/jira/1/"):
        inside("https://api.example/ex/jira/1/", "https://evil.example/ex/jira/1/rest")


def test_only_listed_headers_reach_the_provider(alice: Caller, upstream: Upstream) -> None:
    alice.client.cookies["patchbay"] = "session"
    hop = {"Connection": "close, X-Secret", "X_Secret": "1", "Te": "trailers", "Proxy_Authorization": "Basic x"}
    forged = {
        "X_Forwarded_For": "1.2.3.4",
        "Forwarded": "for=1",
        "X_Http_Method_Override": "DELETE",
        "Origin": "http://localhost:3000",
    }

    alice.call("GET", "/rest/api/3/myself", **hop, **forged, Accept_Language="de", User_Agent="Evil/1.0")

    assert upstream.last.names <= {
        *("host", "authorization", "accept", "accept-language", "accept-encoding", "content-type", "user-agent"),
        *("connection", "content-length"),
    }
    assert upstream.last.header("Accept-Language") == "de"
    assert upstream.last.header("User-Agent") == "Patchbay"
    assert "X-Secret" not in upstream.last.header("Connection")


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "BREW"])
def test_unknown_methods_are_refused(alice: Caller, upstream: Upstream, method: str) -> None:
    answer = alice.call(method, "/rest/api/3/myself")

    assert answer.status_code == 405
    assert upstream.seen == []


def test_bobs_connection_does_not_exist_for_alice(
    alice: Caller, upstream: Upstream, connect: Callable[..., Connection]
) -> None:
    bobs = connect("bob", external_id="bobs")

    by_id = alice.call("GET", "/rest/api/3/myself", X_Paragon_Credential=str(bobs.pk))
    by_name = alice.call("GET", "/rest/api/3/myself", X_Paragon_Credential="bobs")
    by_path = alice.send("GET", f"raw/jira/{bobs.pk}/rest/api/3/myself")

    assert {by_id.status_code, by_name.status_code, by_path.status_code} == {400}
    assert by_id.json()["message"] == "Integration not enabled for user."
    assert upstream.seen == []


# What comes back ----------------------------------------------------------------------------------------------------


def test_an_error_of_the_provider_keeps_its_status_and_words(alice: Caller, upstream: Upstream) -> None:
    upstream.replies(400, b'{"errorMessages": [], "errors": {"summary": "Summary is required."}}')

    answer = alice.call("POST", "/rest/api/3/issue", b"{}")

    assert answer.status_code == 400
    assert answer.json()["message"] == "summary: Summary is required."
    assert answer.json()["errors"] == {"summary": "Summary is required."}
    calls.flush()
    assert Call.objects.get().said == "summary: Summary is required."


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", ""),
        (b"<html>Bad gateway</html>", ""),
        (b'{"message": "Bearer eyJhbGciOi.eyJzdWIiOi.c2lnbmVk is over"}', "Bearer [secret] is over"),
        (b'{"message": "' + b"long " * 100 + b'"}', ("long " * 100)[:300]),
        (b'{"message": "two\\nlines \\u0000"}', "two lines"),
    ],
)
def test_the_log_has_the_providers_sentence_and_no_more(
    body: bytes, said: str, alice: Caller, upstream: Upstream
) -> None:
    upstream.replies(502, body)

    alice.call("GET", "/rest/api/3/myself")

    calls.flush()
    assert Call.objects.get().said == said


def test_a_large_refusal_is_passed_on_whole(alice: Caller, upstream: Upstream) -> None:
    upstream.replies(404, json.dumps({"message": "Gone", "more": "x" * 300_000}).encode())

    answer = alice.call("GET", "/rest/api/3/myself")

    assert (answer.status_code, len(answer.json()["more"])) == (404, 300_000)


def test_the_removed_search_comes_with_a_hint_how_to_search(alice: Caller, upstream: Upstream) -> None:
    upstream.replies(410, b'{"errorMessages": ["The requested API has been removed."]}')

    answer = alice.call("GET", "/rest/api/3/search?jql=x")

    assert answer.status_code == 410
    assert "POST /rest/api/3/search/jql" in answer.json()["hint"]


def test_a_rate_limit_is_passed_on_with_its_retry_after(alice: Caller, upstream: Upstream) -> None:
    upstream.replies(429, b"{}", retry_after="30")

    answer = alice.call("GET", "/rest/api/3/myself")

    assert (answer.status_code, answer["Retry-After"]) == (429, "30")


def test_text_and_binary_come_back_as_they_are(alice: Caller, upstream: Upstream) -> None:
    upstream.replies(200, b"plain words", content_type="text/plain")
    upstream.replies(200, b"\x89PNG\x00", content_type="image/png")

    assert alice.call("GET", "/rest/api/3/text").json() == {"output": "plain words"}
    assert content(alice.raw("GET", "/rest/api/3/image")) == b"\x89PNG\x00"


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/javascript", "application/pdf"])
def test_what_the_provider_answers_cannot_run_on_our_origin(alice: Caller, upstream: Upstream, kind: str) -> None:
    upstream.replies(200, b"<script>alert(1)</script>", content_type=kind)

    answer = alice.raw("GET", "/rest/api/3/attachment/content/1")

    assert answer["Content-Security-Policy"].startswith("sandbox")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"] == "attachment"


def test_cookies_and_other_headers_of_the_provider_stay_behind(alice: Caller, upstream: Upstream) -> None:
    upstream.replies(
        200, b"{}", set_cookie="a=b", server="AtlassianEdge", location="https://evil.example", x_arequestid="7"
    )

    answer = alice.raw("GET", "/rest/api/3/myself")

    assert not {"Set-Cookie", "Server", "Location"} & set(answer.headers)
    assert answer["X-Arequestid"] == "7"


def test_a_redirect_is_not_followed(alice: Caller, upstream: Upstream) -> None:
    upstream.replies(302, b"", location="https://evil.example/")

    assert alice.raw("GET", "/rest/api/3/myself").status_code == 302
    assert len(upstream.seen) == 1


@pytest.mark.parametrize("body", [b"<html>", b'{"a": ', b""])
def test_json_that_is_none_is_an_error_in_words(alice: Caller, upstream: Upstream, body: bytes) -> None:
    upstream.replies(200, body)

    answer = alice.call("GET", "/rest/api/3/myself")

    assert answer.status_code == (502 if body else 204)


def test_a_body_that_breaks_off_is_never_taken_for_success(alice: Caller, upstream: Upstream) -> None:
    upstream.replies(200, b'{"a": 1}', content_length="100", connection="close")

    answer = alice.call("GET", "/rest/api/3/myself")

    assert (answer.status_code, answer.json()["code"]) == (502, "cut_off")


def test_a_bomb_is_defused(alice: Caller, upstream: Upstream) -> None:
    upstream.replies(200, gzip.compress(b"0" * 30_000_000), content_encoding="gzip")

    answer = alice.call("GET", "/rest/api/3/myself")

    assert (answer.status_code, answer.json()["code"]) == (502, "too_large")


def test_a_provider_that_is_slow_is_a_time_out(alice: Caller, upstream: Upstream, settings: Any) -> None:
    settings.PROXY_DEADLINE_SECONDS = 0.2
    upstream.replies(200, b"", content_length="10")

    answer = alice.call("GET", "/rest/api/3/myself")

    assert (answer.status_code, answer.json()["code"]) == (504, "timed_out")


def test_a_provider_that_is_down_is_a_bad_gateway(alice: Caller, settings: Any) -> None:
    dead = {"AUTH_URL": "http://localhost:9", "API_URL": "http://localhost:9"}
    settings.PROVIDER_SETTINGS = settings.PROVIDER_SETTINGS | {"jira": dead}
    settings.OUTBOUND_LOCAL_HOSTS = ["localhost:9"]

    answer = alice.call("GET", "/rest/api/3/myself")

    assert (answer.status_code, answer.json()["code"]) == (502, "provider_unreachable")


# Sizes --------------------------------------------------------------------------------------------------------------


def test_a_body_above_the_limit_is_refused_before_it_is_read(alice: Caller, upstream: Upstream, settings: Any) -> None:
    settings.PROXY_MAX_BYTES = 1000

    answer = alice.call("POST", "/rest/api/3/issue", b"x" * 1001)

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert upstream.seen == []


def test_a_large_body_is_streamed_whole(alice: Caller, upstream: Upstream, settings: Any) -> None:
    settings.PROXY_RESEND_BYTES = 1000
    body = bytes(range(256)) * 1000

    alice.call("POST", "/rest/api/3/upload", body)

    assert upstream.last.body == body


def test_a_large_wrapped_answer_says_how_to_get_it(alice: Caller, upstream: Upstream, settings: Any) -> None:
    settings.PROXY_MAX_JSON_BYTES = 100
    upstream.replies(200, json.dumps("x" * 1000).encode())
    upstream.replies(200, json.dumps("x" * 1000).encode())

    wrapped = alice.call("GET", "/rest/api/3/large")
    raw = alice.call("GET", "/rest/api/3/large", X_Paragon_Use_Raw_Response="1")

    assert wrapped.status_code == 502
    assert "X-Paragon-Use-Raw-Response" in wrapped.json()["message"]
    assert len(content(raw)) == 1002


# Tokens -------------------------------------------------------------------------------------------------------------

RENEWED = b'{"access_token": "renewed", "refresh_token": "r2", "expires_in": 3600, "scope": "read:jira-work"}'


def test_a_token_that_expired_on_the_way_costs_the_caller_nothing(alice: Caller, upstream: Upstream) -> None:
    upstream.replies(401, b'{"code": 401, "message": "Unauthorized"}')
    upstream.replies(200, RENEWED)
    upstream.replies(201, b'{"key": "OPS-1"}')

    answer = alice.call("POST", "/rest/api/3/issue", b'{"a": 1}')

    assert answer.json() == {"output": {"key": "OPS-1"}}
    assert [seen.header("Authorization") for seen in upstream.seen] == ["Bearer token-of-alice", "", "Bearer renewed"]
    assert upstream.last.body == b'{"a": 1}'


def test_a_missing_scope_is_not_cured_by_a_new_token(alice: Caller, upstream: Upstream) -> None:
    upstream.replies(401, b'{"code": 401, "message": "Unauthorized; scope does not match"}')

    answer = alice.call("GET", "/rest/api/3/myself")

    assert answer.status_code == 401
    assert "lacks a scope" in answer.json()["hint"]
    assert len(upstream.seen) == 1


def test_a_large_body_is_not_sent_twice_but_the_caller_is_told(
    alice: Caller, upstream: Upstream, settings: Any
) -> None:
    settings.PROXY_RESEND_BYTES = 10
    upstream.replies(401, b'{"code": 401, "message": "Unauthorized"}')
    upstream.replies(200, RENEWED)

    answer = alice.call("POST", "/rest/api/3/upload", b"x" * 100)

    assert (answer.status_code, answer.json()["code"]) == (409, "token_renewed")


def test_a_401_that_stays_is_passed_on_after_one_new_token(alice: Caller, upstream: Upstream) -> None:
    upstream.replies(401, b'{"message": "Unauthorized"}')
    upstream.replies(200, RENEWED)
    upstream.replies(401, b'{"message": "Unauthorized"}')

    assert alice.call("GET", "/rest/api/3/myself").status_code == 401
    assert len(upstream.seen) == 3


def test_a_dead_grant_says_reconnect_and_calls_nobody(alice: Caller, upstream: Upstream) -> None:
    Grant.objects.update(status=Grant.Status.NEEDS_RECONNECT, reason="Access was revoked.")

    answer = alice.call("GET", "/rest/api/3/myself")

    assert (answer.status_code, answer.json()["code"]) == (400, "needs_reconnect")
    assert upstream.seen == []


def test_an_inactive_integration_is_not_called(alice: Caller, upstream: Upstream, jira: Integration) -> None:
    jira.is_active = False
    jira.save()

    assert alice.call("GET", "/rest/api/3/myself").json()["code"] == "integration_inactive"
    assert upstream.seen == []


# The call log -------------------------------------------------------------------------------------------------------


def test_every_call_is_logged_without_query_or_body(alice: Caller, upstream: Upstream) -> None:
    upstream.replies(404, b"{}")
    alice.call("POST", "/rest/api/3/issue?jql=secret", b'{"summary": "secret"}')

    calls.flush()

    call = Call.objects.get()
    assert (call.sub, call.method, call.path, call.status) == ("alice", "POST", "/rest/api/3/issue", 404)


def test_a_refused_call_is_logged_too(alice: Caller) -> None:
    alice.call("GET", "/rest/../x")

    calls.flush()

    assert Call.objects.get().status == 400


# Links in raw answers -----------------------------------------------------------------------------------------------


def test_links_in_a_raw_answer_lead_back_through_us(alice: Caller, upstream: Upstream, settings: Any) -> None:
    settings.PUBLIC_URL = "https://patchbay.acme.example"
    upstream.replies(200, json.dumps({"self": f"{upstream.url}{BASE}rest/api/3/issue/1"}).encode())

    answer = alice.raw("GET", "/rest/api/3/issue/1")

    ours = f"https://patchbay.acme.example/projects/{alice.project.pk}/raw/jira/rest/api/3/issue/1"
    assert json.loads(content(answer)) == {"self": ours}


def test_links_in_a_wrapped_answer_stay_the_providers_own(alice: Caller, upstream: Upstream) -> None:
    link = f"{upstream.url}{BASE}rest/api/3/issue/1"
    upstream.replies(200, json.dumps({"self": link}).encode())

    assert alice.call("GET", "/rest/api/3/issue/1").json() == {"output": {"self": link}}


@hypothesis.given(
    parts=strategies.lists(strategies.sampled_from([b"https://api/1/", b"https://api/", b"x", b"htt", b'"'])),
    sizes=strategies.lists(strategies.integers(1, 7), min_size=1),
)
def test_a_link_is_found_wherever_the_answer_is_cut(parts: list[bytes], sizes: list[int]) -> None:
    body, chunks = b"".join(parts), []
    for size in itertools.cycle(sizes):
        chunks.append(body[:size])
        body = body[size:]
        if not body:
            break

    changed = b"".join(rebased(chunks, b"https://api/1/", b"ours"))

    assert changed == b"".join(parts).replace(b"https://api/1/", b"ours")
