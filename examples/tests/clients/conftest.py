"""What the client programs share: where the gateway is, and a few words to send.

    AIGW_BASE_URL   the gateway's root, as http://127.0.0.1:8080
    AIGW_API_KEY    the key to call it with, where it asks for one
    AIGW_LIMITED    set where it limits what a call may use
    AIGW_STOPPED    set where it ends streams that have used their budget up

Behind the gateway stand simulators: they repeat what was said, call a tool that the user names,
and say what a tool returned. No client retries by itself, so that each answer is seen as it is.
"""

import os
import socket
from urllib.parse import urlsplit

import pytest

API_KEY = os.environ.get("AIGW_API_KEY", "sk-test")
# What needs a gateway that is set up for it.
NEEDS = {
    "test_access.py": "AIGW_API_KEY",
    "test_limits.py": "AIGW_LIMITED",
    "test_stopped.py": "AIGW_STOPPED",
}
collect_ignore = [program for program, variable in NEEDS.items() if variable not in os.environ]
WORDS = "seven blue horses"
NEAR = ["how do I reset my password", "how can I reset my password", "boil the pasta for ten minutes"]

WEATHER = {
    "name": "get_weather",
    "description": "The weather in a city",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
    },
}
ASK_WEATHER = 'Please call get_weather for "Oslo".'
SUNSHINE = "sunny and 12 degrees"


def pytest_configure(config):
    if not os.environ.get("AIGW_BASE_URL"):
        raise pytest.UsageError("AIGW_BASE_URL names no gateway")
    # Some clients retry for minutes what no one listens to.
    gateway = urlsplit(base_url())
    try:
        socket.create_connection((gateway.hostname, gateway.port or 80), timeout=10).close()
    except OSError as error:
        raise pytest.UsageError(f"no gateway at {base_url()}: {error}") from error


def base_url():
    return os.environ["AIGW_BASE_URL"].rstrip("/")


def similarity(a, b):
    """The cosine of the angle between two vectors."""
    dot = sum(x * y for x, y in zip(a, b, strict=True))
    norms = sum(x * x for x in a) * sum(y * y for y in b)
    return dot / norms**0.5


def assert_near_texts_are_near(vectors):
    question, same_question, other = vectors
    assert similarity(question, same_question) > similarity(question, other)
