"""The vendors' packages against a budget that one call uses up for a second or so.

Collected where `AIGW_LIMITED` is set: the gateway then holds 100 tokens for an answer, and has 100
in five seconds.
"""

import time

import anthropic
import openai
import pytest

from conftest import API_KEY, WORDS, base_url

USER = [{"role": "user", "content": WORDS}]


def chat(retries):
    with openai.OpenAI(
        base_url=base_url() + "/v1", api_key=API_KEY, max_retries=retries
    ) as client:
        return client.chat.completions.create(model="gpt-4o", messages=USER)


def message(retries):
    with anthropic.Anthropic(
        base_url=base_url(), api_key=API_KEY, max_retries=retries
    ) as client:
        return client.messages.create(model="claude-sonnet-4-5", max_tokens=100, messages=USER)


@pytest.mark.parametrize(
    "call, error", [(chat, openai.RateLimitError), (message, anthropic.RateLimitError)]
)
def test_it_raises_its_own_error_and_waits_as_it_is_told(call, error):
    call(0)
    with pytest.raises(error) as refusal:
        call(0)
    assert refusal.value.status_code == 429
    assert "budget `short`" in refusal.value.message
    wait = int(refusal.value.response.headers["retry-after-ms"]) / 1000
    assert 0 < wait <= 5
    began = time.monotonic()
    assert call(1)
    assert time.monotonic() - began >= wait - 0.1
