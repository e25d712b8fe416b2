"""The vendors' packages read a stream that the gateway ends, as one at its greatest length.

Collected where `AIGW_STOPPED` is set: the gateway then holds 20 tokens for an answer and has 60
for each name in `x-budget`, and ends streams that want more.
"""

import anthropic
import openai
import pytest
from google import genai
from google.genai import types

from conftest import API_KEY, WORDS, base_url

LONG = " ".join([WORDS] * 100)
USER = [{"role": "user", "content": LONG}]


@pytest.fixture
def headers(request):
    """A budget of its own for each test."""
    return {"x-budget": request.node.name}


@pytest.fixture
def client(headers):
    with openai.OpenAI(
        base_url=base_url() + "/v1", api_key=API_KEY, max_retries=0, default_headers=headers
    ) as client:
        yield client


@pytest.fixture
def azure(headers):
    with openai.AzureOpenAI(
        azure_endpoint=base_url(),
        api_version="2024-10-21",
        api_key=API_KEY,
        max_retries=0,
        default_headers=headers,
    ) as client:
        yield client


@pytest.fixture
def claude(headers):
    with anthropic.Anthropic(
        base_url=base_url(), api_key=API_KEY, max_retries=0, default_headers=headers
    ) as client:
        yield client


def assert_cut(text):
    """Some of what was said, and no more than there was for it."""
    assert WORDS in text
    assert len(text) / 4 <= 70


def test_chat_ends_at_its_greatest_length(client):
    chunks = list(client.chat.completions.create(model="gpt-4o", messages=USER, stream=True))
    assert_cut("".join(chunk.choices[0].delta.content or "" for chunk in chunks))
    assert [chunk.choices[0].finish_reason for chunk in chunks[-2:]] == [None, "length"]
    assert len({(chunk.id, chunk.model, chunk.created) for chunk in chunks}) == 1


def test_azure_chat_ends_at_its_greatest_length(azure):
    chunks = list(
        azure.chat.completions.create(model="gpt-4o-mini", messages=USER, stream=True)
    )
    chunks = [chunk for chunk in chunks if chunk.choices]
    assert_cut("".join(chunk.choices[0].delta.content or "" for chunk in chunks))
    assert chunks[-1].choices[0].finish_reason == "length"


def test_the_helper_for_chats_raises_its_own_error_and_has_the_usage_that_was_asked_for(client):
    with client.chat.completions.stream(
        model="gpt-4o", messages=USER, stream_options={"include_usage": True}
    ) as stream:
        with pytest.raises(openai.LengthFinishReasonError) as cut:
            stream.get_final_completion()
    answer = cut.value.completion
    assert answer.choices[0].finish_reason == "length"
    assert_cut(answer.choices[0].message.content)
    assert 60 <= answer.usage.completion_tokens <= 70
    assert answer.usage.prompt_tokens > 0


def test_a_response_is_incomplete(client):
    *_, last = client.responses.create(model="gpt-4o", input=LONG, stream=True)
    assert last.type == "response.incomplete"
    assert last.response.status == "incomplete"
    assert last.response.incomplete_details.reason == "max_output_tokens"
    assert 60 <= last.response.usage.output_tokens <= 70


def test_a_message_ends_at_its_greatest_length(claude):
    with claude.messages.stream(
        model="claude-sonnet-4-5", max_tokens=5000, messages=USER
    ) as stream:
        message = stream.get_final_message()
    assert message.stop_reason == "max_tokens"
    assert_cut(message.content[0].text)
    assert 60 <= message.usage.output_tokens <= 70


def test_gemini_ends_at_its_greatest_length(headers):
    options = types.HttpOptions(base_url=base_url(), headers=headers)
    with genai.Client(api_key=API_KEY, http_options=options) as client:
        chunks = list(
            client.models.generate_content_stream(model="gemini-2.0-flash", contents=LONG)
        )
    assert_cut("".join(chunk.text or "" for chunk in chunks))
    assert chunks[-1].candidates[0].finish_reason == types.FinishReason.MAX_TOKENS
