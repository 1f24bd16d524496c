"""The server's answers: predictions as the command's, to the byte; errors; its log."""

import asyncio
import io
import json
import logging
import threading
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import approved
from tests.unit.predict.models import export, two_classes
from tests.unit.serve.clients import MODELS, make_app, post, talk
from textclf import __version__, cli
from textclf.predict.predictor import Predictor
from textclf.serve import Limits, middleware, requests
from textclf.serve.app import create_app

TEXTS = ["The food was great, great!", "bad food", "", 'a "quoted"\nline\u2028', "☃ 😀", "\0"]


def body(**content: Any) -> bytes:
    return json.dumps(content).encode()


def lines_of(response: bytes) -> list[bytes]:
    _, *lines, _, _ = response.replace(b"},\n", b"}\n").split(b"\n")
    return lines


# Predictions

ASKED: list[tuple[list[str], dict[str, Any]]] = [
    ([], {}),
    (["--explain"], {"explain": True}),
    (["--explain", "--terms", "1"], {"explain": True, "terms": 1}),
    (["--top", "2"], {"top": 2}),
    (["--coverage", "0.3"], {"coverage": 0.3}),
    (["--coverage", "0.9", "--explain"], {"coverage": 0.9, "explain": True}),
]


@pytest.mark.parametrize(
    ("name", "options", "keys"),
    [
        (name, *asked)
        for name in MODELS
        for asked in ASKED
        if "coverage" not in asked[1] or name == "three"
    ],
    ids=str,
)
def test_each_prediction_is_the_line_that_the_command_prints(
    name: str,
    options: list[str],
    keys: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    texts = [text for text in TEXTS if "\0" not in text]  # which no argument can contain
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(printed := io.BytesIO(), encoding="utf-8"))
    with pytest.raises(SystemExit) as end:
        cli.main(
            [
                "predict",
                "--model",
                str(export(MODELS[name], tmp_path / name)),
                *options,
                "--",
                *texts,
            ]
        )
    assert end.value.code == 0
    response = post(body(texts=texts, model=name, **keys))
    assert response.headers["content-type"] == "application/json"
    assert lines_of(response.content) == printed.getvalue().splitlines()
    if name == "linear":  # the default
        assert post(body(texts=texts, **keys)).content == response.content


def test_the_server_describes_itself() -> None:
    health, description, schema = talk(
        make_app(texts=7),
        lambda client: client.get("/health"),
        lambda client: client.get("/"),
        lambda client: client.get("/openapi.json"),
    )
    assert health.json() == {"status": "ok", "model": "linear", "version": "unknown"}
    content = description.json()
    assert content["version"] == __version__
    assert (content["default"], content["limits"]["texts"]) == ("linear", 7)
    assert content["models"]["three"] == {"version": "unknown", "classes": ["a", "b", "c"]}
    operation = schema.json()["paths"]["/predict"]["post"]
    request = operation["requestBody"]["content"]["application/json"]["schema"]
    assert list(request["properties"]) == ["texts", "model", "explain", "terms", "coverage", "top"]
    assert set(operation["responses"]) == {"200", "400", "408", "413", "415", "422", "503"}


# Errors


def test_every_request_is_answered_as_approved() -> None:
    app = make_app(local=True, texts=3, characters=10)

    def say(case: str) -> list[str]:
        """Return the status and error of a request: method, path, header, and after "|" a body."""
        head, _, content = case.partition(" | ")
        method, path, *header = head.split(" ", 2)
        headers = {"Host": "localhost"} | {
            name: value.strip() for name, _, value in (h.partition(":") for h in header)
        }
        (response,) = talk(
            app,
            lambda client: client.request(method, path, content=content.encode(), headers=headers),
        )
        assert "location" not in response.headers  # no redirect to the host that a request names
        assert response.status_code == 200 or list(response.json()) == ["error"]
        return [f"{response.status_code} {response.json().get('error', '')}".strip()]

    approved.check_cases(Path(__file__).with_name("requests.txt"), say)


def test_a_server_of_all_machines_answers_whatever_the_host() -> None:
    (response,) = talk(
        make_app(), lambda client: client.get("/health", headers={"Host": "evil.example"})
    )
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "EOF while parsing a value at line 1 column 0"),
        # Column 13 or 14, by version of pydantic.
        (b'{"texts": ["\xff"]}', "invalid unicode code point at line 1 column 1"),
        (b"[" * 100_000, "recursion limit exceeded at line 1 column 202"),
    ],
    ids=["nothing", "not UTF-8", "deep"],
)
def test_a_body_that_is_no_json_is_refused(content: bytes, reason: str) -> None:
    response = post(content)
    assert response.status_code == 400
    assert response.json()["error"].startswith(f"the body must be JSON in UTF-8; {reason}")


MANY = {
    "objects": b'{"texts": [' + b"{}, " * 40 + b"{}]}",
    "strings": b"[" + b'"", ' * 40 + b'""]',
    "numbers": b'{"texts": ["a,\\\\"], "x": [' + b"1," * 40 + b"1]}",
    "keys": b"{" + b",".join(b'"%d": 1' % number for number in range(40)) + b"}",
}


@pytest.mark.parametrize("content", MANY.values(), ids=MANY)
def test_more_values_than_a_request_has_are_refused_before_they_are_made(
    content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(requests, "from_json")
    response = post(content, texts=3)
    message = "texts must be at most 3 per request; got more; send them in parts"
    assert (response.status_code, response.json()) == (422, {"error": message})


@given(st.lists(st.text(st.sampled_from('a,"\\:[{\n☃')), min_size=1, max_size=3), st.booleans())
def test_what_a_text_contains_is_not_counted(texts: list[str], escaped: bool) -> None:
    keys = {"model": "linear", "explain": True, "terms": 3, "coverage": None}
    response = post(
        json.dumps({"texts": texts, **keys}, ensure_ascii=escaped, indent=escaped).encode(), texts=3
    )
    assert response.status_code == 200


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["texts", "model", "terms"]), inner)
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_body_makes_the_server_fail(content: bytes) -> None:
    response = post(content)
    assert response.status_code in {200, 400, 422}
    assert set(response.json()) == (
        {"error"} if response.status_code != 200 else {"model", "version", "predictions"}
    )


def test_a_large_body_is_refused_before_it_has_been_read() -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 30
            yield b"x" * 30

    for content in (b"x" * 101, chunks()):  # the header Content-Length says it of the first
        response = post(content, bytes=100)
        message = "the body must have at most 100 bytes; send the texts in parts"
        assert (response.status_code, response.json()) == (413, {"error": message})
    assert sent == 120
    assert post(body(texts=["good"]).rjust(100), bytes=100, requests=1).status_code == 200


def test_a_slow_body_is_refused() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b'{"texts": '
        await asyncio.Event().wait()

    response = post(chunks(), seconds=0.05)
    assert (response.status_code, response.json()) == (
        408,
        {"error": "the body must arrive within 0.05 seconds"},
    )


@pytest.mark.parametrize(
    ("begun", "size", "status"),
    [(2**16, 70_000, 200), (2**16 + 1, 1, 200), (2**16 + 1, 70_000, 503)],
)
def test_slow_bodies_do_not_keep_small_ones_out(begun: int, size: int, status: int) -> None:
    answered = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b" " * begun
        await answered.wait()
        yield body(texts=["a"])

    async def another(client: httpx.AsyncClient) -> httpx.Response:
        await asyncio.sleep(0)  # the slow one goes first
        response = await client.post("/predict", content=b" " * size + body(texts=["a"]))
        answered.set()
        return response

    first, second = talk(
        make_app(requests=1), lambda client: client.post("/predict", content=slow()), another
    )
    assert (first.status_code, second.status_code) == (200, status)


class Slow(Predictor):
    """A model that waits before it predicts, once it has been told to."""

    def __init__(self) -> None:
        model = two_classes()
        super().__init__(model.vectorizer, model.model, model.decision)
        self.gate, self.explanations = threading.Event(), threading.Event()
        self.gate.set()
        self.explanations.set()

    def answer(self, texts: Any) -> Any:
        self.gate.wait()
        return super().answer(texts)

    def explain(self, texts: Any, count: int | None = None) -> Any:
        self.explanations.wait()
        return super().explain(texts, count)


async def ask(client: httpx.AsyncClient, **keys: Any) -> httpx.Response:
    return await client.post("/predict", content=body(texts=["great"], **keys))


def test_while_a_model_predicts_health_is_answered_and_too_many_requests_are_refused() -> None:
    model = Slow()
    app = create_app({"slow": model}, "slow", Limits(requests=1))
    model.gate.clear()

    async def others(client: httpx.AsyncClient) -> httpx.Response:
        await asyncio.sleep(0)  # the first request goes first
        refused = await ask(client)
        health = await client.get("/health")
        model.gate.set()
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
        assert refused.json() == {"error": "the server is busy; try again in a second"}
        return health

    answered, health = talk(app, ask, others)
    assert (answered.status_code, health.status_code) == (200, 200)
    (later,) = talk(app, ask)
    assert later.status_code == 200


def test_explanations_wait_for_each_other_and_delay_no_prediction() -> None:
    model = Slow()
    app = create_app({"slow": model}, "slow", Limits(requests=8, seconds=2))
    model.explanations.clear()

    explain = partial(ask, explain=True)

    async def others(client: httpx.AsyncClient) -> httpx.Response:
        await asyncio.sleep(0)  # the explanations go first
        predicted = await ask(client)
        third = await explain(client)
        model.explanations.set()
        assert (predicted.status_code, third.status_code) == (200, 503)
        return third

    *explained, _ = talk(app, explain, explain, others)
    assert [response.status_code for response in explained] == [200, 200]


def test_an_answer_that_takes_too_long_is_given_up() -> None:
    model = Slow()
    app = create_app({"slow": model}, "slow", Limits(seconds=0.05))
    model.gate.clear()
    (response,) = talk(app, ask)
    model.gate.set()
    assert response.status_code == 503


class Broken(Predictor):
    """A model with a defect that a text brings out."""

    def answer(self, texts: Any) -> Any:
        texts = list(texts)
        if "secret" in texts:
            raise RuntimeError("defect")
        return super().answer(texts)


def test_a_defect_is_hidden_from_clients_and_the_server_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "textclf.access")
    base = two_classes()
    app = create_app({"m": Broken(base.vectorizer, base.model, base.decision)}, "m")

    def answer(text: str) -> httpx.Response:
        content = body(texts=[text])
        (response,) = talk(app, lambda client: client.post("/predict", content=content))
        return response

    failed, fine = answer("secret"), answer("great")
    assert (failed.status_code, failed.json()) == (
        500,
        {"error": "the server failed; its log says why"},
    )
    assert fine.status_code == 200
    logged = [
        json.loads(record.getMessage())
        for record in caplog.records
        if record.name == "textclf.access"
    ]
    assert [line["status"] for line in logged] == [500, 200]


# The log


def test_a_request_is_one_line_of_the_log_without_its_texts(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "textclf.access")
    app, answers, started = make_app(), [], time.perf_counter()
    for request in (
        lambda client: client.post(
            "/predict?secret", content=body(texts=["secret", "b"], model="three")
        ),
        lambda client: client.post("/predict", content=body(texts=["a"], model="secret")),
        lambda client: client.get("/secret%0a"),
    ):
        answers += talk(app, request)
    logged = [record.getMessage() for record in caplog.records if record.name == "textclf.access"]
    assert "secret" not in "".join(logged)
    lines = list(map(json.loads, logged))
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("POST", "/predict", 200),
        ("POST", "/predict", 422),
        ("GET", "other", 404),
    ]
    assert (lines[0]["model"], lines[0]["texts"]) == ("three", 2)
    assert lines[0]["received"] == len(body(texts=["secret", "b"], model="three"))
    assert [line["sent"] for line in lines] == [len(answer.content) for answer in answers]
    milliseconds = [line["milliseconds"] for line in lines]
    assert 0 < milliseconds[0] <= sum(milliseconds) < 1000 * (time.perf_counter() - started)


def test_a_client_that_leaves_in_the_middle_of_its_body_is_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "textclf.access")
    part = {"type": "http.request", "body": b"{", "more_body": True}
    messages: list[dict[str, Any]] = [{"type": "http.disconnect"}, part]
    headers = [(b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/predict",
        "query_string": b"",
        "headers": headers,
    }

    async def receive() -> dict[str, Any]:
        return messages.pop()

    asyncio.run(make_app()(scope, receive, lambda _: asyncio.sleep(0)))
    (line,) = [record.getMessage() for record in caplog.records if record.name == "textclf.access"]
    assert json.loads(line)["status"] == 499


class Full(io.StringIO):
    """A stream on a full disk."""

    def write(self, _: str) -> int:
        raise OSError(28, "No space left on device")


def test_lines_of_the_log_that_are_lost_are_said_once(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware.logger, "handlers", [])
    middleware.start_log(Full())
    for _ in range(3):
        talk(make_app(), lambda client: client.get("/health"))
    line = "warning: serve: lines of the access log are lost; [Errno 28] No space left on device\n"
    assert capsys.readouterr().err == line
