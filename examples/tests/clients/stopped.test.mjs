// A stream that the gateway ends is read as one at its greatest length.
//
// The gateway holds 20 tokens for an answer and has 60 for each name in `x-budget`, and ends streams
// that want more.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { connect, openai, words } from './client.mjs';

const long = Array(100).fill(words).join(' ');
const ask = { model: 'gpt-4o', messages: [{ role: 'user', content: long }] };

// A budget of its own for each test.
const client = (budget) => connect({ defaultHeaders: { 'x-budget': `node-${budget}` } });

// Some of what was said, and no more than there was for it.
const assertCut = (text) => {
  assert.match(text, new RegExp(words));
  assert.ok(text.length / 4 <= 70, `${text.length} characters`);
};

test('chat ends at its greatest length', async () => {
  let text = '';
  const reasons = [];
  for await (const chunk of await client('chat').chat.completions.create({ ...ask, stream: true })) {
    text += chunk.choices[0].delta.content ?? '';
    reasons.push(chunk.choices[0].finish_reason);
  }
  assertCut(text);
  assert.deepEqual(reasons.slice(-2), [null, 'length']);
});

test('the helper for chats has the cut answer and the usage that was asked for', async () => {
  const stream = client('helper').chat.completions.stream({
    ...ask,
    stream_options: { include_usage: true },
  });
  const answer = await stream.finalChatCompletion();
  assert.equal(answer.choices[0].finish_reason, 'length');
  assertCut(answer.choices[0].message.content);
  const usage = await stream.totalUsage();
  assert.ok(60 <= usage.completion_tokens && usage.completion_tokens <= 70, JSON.stringify(usage));
});

test('a response is incomplete', async () => {
  const asked = { model: 'gpt-4o', input: long, stream: true };
  let last;
  for await (const event of await client('response').responses.create(asked)) last = event;
  assert.equal(last.type, 'response.incomplete');
  assert.equal(last.response.incomplete_details.reason, 'max_output_tokens');
});

test('what is left is nothing, and the next call is limited', async () => {
  const spent = client('spent');
  for await (const _ of await spent.chat.completions.create({ ...ask, stream: true }));
  await assert.rejects(spent.chat.completions.create(ask), openai.RateLimitError);
});
