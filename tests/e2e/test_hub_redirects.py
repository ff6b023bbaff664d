"""`kind: huggingface` where one upstream sends those who ask its API to another server, as public mirrors of the Hub do."""

import pytest

from harness import origin_answer as answers
from harness.hub_mirror import CONFIG, FILES, hub, repo, restarted, start_mirror  # noqa: F401: some are fixtures
from harness.origin import Origin
from harness.secrets import plant

NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def sender():
    """sender(url): an upstream that has nothing, and sends everybody to the same place there."""
    origins = []

    def make(url):
        origin = Origin()
        origins.append(origin)

        def resource(request):
            where = f"{url}{request.path}" + (f"?{request.query}" if request.query else "")
            return origin.add_handler(request.path, lambda _, answer: answers.redirect(where, 308)(answer))

        origin.fallback = resource
        return origin

    yield make
    for each in origins:
        each.close()


def asks(repo):
    return [f"{repo.at}/revision/main", f"{repo.at}/tree/{repo.commit}", repo.resolve("config.json"),
            repo.resolve("config.json", repo.commit), repo.at, "/api/whoami-v2"]


def test_what_an_upstream_leaves_to_another_is_asked_there_with_the_clients_credentials(start_mirror, hub, sender):
    token = plant("hf_token_of_a_reader")
    private = hub.repo("org/private", FILES, token=token)
    hub.users[token] = "reader"
    _, hawker = start_mirror(ref_ttl="0s")
    mirror = restarted(hawker, upstreams=[sender(hub.origin.url("")).url(""), hub.origin.url("")])
    for path in asks(private):
        assert mirror.get(path, Authorization=f"Bearer {token}").status == 200, path


def test_nobody_is_sent_round_in_circles_while_the_other_is_down(start_mirror, repo, sender):
    _, hawker = start_mirror()
    mirror = restarted(hawker, upstreams=[NOBODY, sender(NOBODY).url("")])
    for path in asks(repo):
        answer = mirror.get(path)
        assert answer.status == 502 and answer.header("Location") is None, path


def test_whom_an_upstream_sends_elsewhere_is_told_what_to_configure(start_mirror, hub, repo, sender):
    _, hawker = start_mirror()
    mirror = restarted(hawker, upstreams=[sender(hub.origin.url("")).url("")])
    for path in (f"{repo.at}/revision/main", f"{repo.at}/tree/{repo.commit}", repo.resolve("config.json")):
        answer = mirror.get(path, Authorization="Bearer hf_reader")
        assert (answer.status, answer.header("Location")) == (502, None)
        assert hub.origin.url("") in answer.text and "'upstreams'" in answer.text
    assert not hub.requests, "no credential goes where nobody has sent it"
    assert mirror.get(repo.resolve("config.json", repo.commit)).body == CONFIG, "a file is followed, without them"
