"""LlamaIndex's OpenAI integrations, pointed at the gateway."""

import pytest
from llama_index.core.llms import ChatMessage
from llama_index.core.tools import FunctionTool
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai import OpenAI

from conftest import API_KEY, ASK_WEATHER, NEAR, SUNSHINE, WORDS
from conftest import assert_near_texts_are_near, base_url


@pytest.fixture(scope="module")
def llm():
    return OpenAI(model="gpt-4o", api_base=base_url() + "/v1", api_key=API_KEY, max_retries=0)


def test_chat_is_answered(llm):
    answer = llm.chat([ChatMessage(role="user", content=WORDS)])
    assert WORDS in answer.message.content
    assert answer.raw.usage.total_tokens > 0


def test_a_completion_is_answered(llm):
    assert WORDS in llm.complete(WORDS).text


def test_a_stream_adds_up_to_the_answer(llm):
    chunks = list(llm.stream_chat([ChatMessage(role="user", content=WORDS)]))
    assert len(chunks) > 2
    assert WORDS in "".join(chunk.delta for chunk in chunks)
    assert WORDS in chunks[-1].message.content


def test_a_tool_is_called(llm):
    def get_weather(city: str) -> str:
        """The weather in a city."""
        return f"{SUNSHINE} in {city}"

    tool = FunctionTool.from_defaults(get_weather)
    answer = llm.predict_and_call([tool], user_msg=ASK_WEATHER)
    assert answer.response == f"{SUNSHINE} in Oslo"


def test_near_texts_have_near_embeddings():
    embedding = OpenAIEmbedding(
        model="text-embedding-3-small",
        api_base=base_url() + "/v1",
        api_key=API_KEY,
        max_retries=0,
    )
    assert_near_texts_are_near(embedding.get_text_embedding_batch(NEAR))
