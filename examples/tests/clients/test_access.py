"""The vendors' packages with and without a key that the gateway knows.

Collected where `AIGW_API_KEY` names one: a gateway that asks for no key refuses none.
"""

import anthropic
import openai
import pytest
from google import genai
from google.genai import errors

from conftest import API_KEY, WORDS, base_url

USER = [{"role": "user", "content": WORDS}]


def chat(key):
    with openai.OpenAI(base_url=base_url() + "/v1", api_key=key, max_retries=0) as client:
        return client.chat.completions.create(model="gpt-4o", messages=USER)


def azure_chat(key):
    with openai.AzureOpenAI(
        azure_endpoint=base_url(), api_version="2024-10-21", api_key=key, max_retries=0
    ) as client:
        return client.chat.completions.create(model="gpt-4o-mini", messages=USER)


def message(key):
    with anthropic.Anthropic(base_url=base_url(), api_key=key, max_retries=0) as client:
        return client.messages.create(model="claude-sonnet-4-5", max_tokens=64, messages=USER)


def content(key):
    client = genai.Client(api_key=key, http_options={"base_url": base_url()})
    return client.models.generate_content(model="gemini-2.0-flash", contents=WORDS)


def test_a_right_key_is_served():
    assert WORDS in chat(API_KEY).choices[0].message.content
    assert WORDS in azure_chat(API_KEY).choices[0].message.content
    assert WORDS in message(API_KEY).content[0].text
    assert WORDS in content(API_KEY).text


@pytest.mark.parametrize("call", [chat, azure_chat])
def test_openai_raises_its_own_error_for_a_wrong_key(call):
    with pytest.raises(openai.AuthenticationError) as refusal:
        call("sk-nobody")
    assert refusal.value.status_code == 401
    assert refusal.value.code == "invalid_api_key"
    assert "is not known here" in refusal.value.message


def test_anthropic_raises_its_own_error_for_a_wrong_key():
    with pytest.raises(anthropic.AuthenticationError) as refusal:
        message("sk-nobody")
    assert refusal.value.body["error"]["type"] == "authentication_error"


def test_google_genai_raises_its_own_error_for_a_wrong_key():
    with pytest.raises(errors.ClientError) as refusal:
        content("sk-nobody")
    assert (refusal.value.code, refusal.value.status) == (401, "UNAUTHENTICATED")
