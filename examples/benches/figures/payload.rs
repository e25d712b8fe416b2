//! The requests and answers that are measured with.

use bytes::Bytes;
use http::HeaderValue;

/// What a provider answers.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// One JSON document.
    Whole(Bytes),
    /// The same in chunks.
    Chunked(Vec<Bytes>),
    /// Events, one a chunk.
    Events(Vec<Bytes>),
}

impl Answer {
    /// The media type and the chunks.
    pub(crate) fn parts(&self) -> (HeaderValue, Vec<Bytes>) {
        let (media, chunks) = match self {
            Self::Whole(bytes) => ("application/json", vec![bytes.clone()]),
            Self::Chunked(chunks) => ("application/json", chunks.clone()),
            Self::Events(events) => ("text/event-stream", events.clone()),
        };
        (HeaderValue::from_static(media), chunks)
    }
}

/// Words of common lengths.
const WORDS: [&str; 32] = [
    "the",
    "of",
    "a",
    "to",
    "committee",
    "figures",
    "had",
    "been",
    "expected",
    "quarter",
    "interest",
    "nobody",
    "it",
    "income",
    "where",
    "most",
    "twice",
    "and",
    "grant",
    "largest",
    "go",
    "through",
    "sale",
    "hour",
    "line",
    "on",
    "that",
    "vans",
    "which",
    "paid",
    "come",
    "Tuesday",
];

/// Chance that is the same in every run.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn throw(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % sides as u64) as usize
    }
}

/// A text such as prompts and answers are made of, as it stands in JSON: prose with line feeds and
/// quotes, of so many bytes at most.
fn prose(bytes: usize, dice: &mut Dice) -> String {
    let mut prose = String::with_capacity(bytes);
    loop {
        let word = WORDS[dice.throw(WORDS.len())];
        let behind = match dice.throw(40) {
            0..3 => ".\\n",
            3..5 => "\\\" ",
            5..7 => " \\\"",
            7..10 => ", ",
            _ => " ",
        };
        if prose.len() + word.len() + behind.len() > bytes {
            return prose;
        }
        prose.push_str(word);
        prose.push_str(behind);
    }
}

/// How many prompts differ before the first comes again: more than a processor learns by heart.
const PROMPTS: u64 = 64;

/// Chat requests of about so many bytes, no two alike; the longer ones are longer conversations.
pub(crate) fn prompts(bytes: usize, stream: bool) -> Vec<Bytes> {
    (1..=PROMPTS)
        .map(|seed| chat(bytes, stream, &mut Dice(seed)))
        .collect()
}

/// One of them.
pub(crate) fn prompt(bytes: usize, stream: bool) -> Bytes {
    chat(bytes, stream, &mut Dice(0))
}

fn chat(bytes: usize, stream: bool, dice: &mut Dice) -> Bytes {
    let mut json = String::from(
        r#"{"model":"gpt-4o","temperature":0.2,"max_tokens":512,"messages":[{"role":"system","content":"You are a helpful assistant."}"#,
    );
    while json.len() + 64 < bytes {
        let room = (bytes - json.len() - 48).min(1500);
        let role = ["user", "assistant"][json.len() / 1500 % 2];
        let text = prose(room, dice);
        json.push_str(&format!(r#",{{"role":"{role}","content":"{text}"}}"#));
    }
    json.push(']');
    if stream {
        json.push_str(r#","stream":true"#);
    }
    json.push('}');
    json.into()
}

/// A whole answer of about 1 KB, with its usage.
pub(crate) fn completion() -> Bytes {
    let text = prose(590, &mut Dice(0));
    format!(
        r#"{{"id":"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG","object":"chat.completion","created":1741570283,"model":"gpt-4o-2024-08-06","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}","refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":512,"completion_tokens":146,"total_tokens":658,"prompt_tokens_details":{{"cached_tokens":0,"audio_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}}},"service_tier":"default","system_fingerprint":"fp_fc9f1d7035"}}"#
    )
    .into()
}

/// One event of a stream, about 200 bytes.
pub(crate) fn event() -> Bytes {
    chunk(r#"[{"index":0,"delta":{"content":" figures"},"logprobs":null,"finish_reason":null}]"#)
}

/// A stream: so many events with content, then finish, usage and `[DONE]`.
pub(crate) fn events(count: usize) -> Vec<Bytes> {
    let mut events = vec![event(); count];
    events.push(chunk(
        r#"[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}]"#,
    ));
    events.push(chunk(
        r#"[],"usage":{"prompt_tokens":512,"completion_tokens":200,"total_tokens":712}"#,
    ));
    events.push(Bytes::from_static(b"data: [DONE]\n\n"));
    events
}

fn chunk(choices: &str) -> Bytes {
    format!(
        "data: {{\"id\":\"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6\",\"object\":\"chat.completion.chunk\",\"created\":1741570283,\"model\":\"gpt-4o\",\"choices\":{choices}}}\n\n"
    )
    .into()
}

/// An embeddings answer of so many vectors of 1,536 numbers.
pub(crate) fn embeddings(vectors: usize) -> Bytes {
    let mut json = String::from(r#"{"object":"list","data":["#);
    for index in 0..vectors {
        let comma = if index == 0 { "" } else { "," };
        json.push_str(&format!(
            r#"{comma}{{"object":"embedding","index":{index},"embedding":["#
        ));
        for place in 0..1536_u32 {
            let comma = if place == 0 { "" } else { "," };
            let number = f64::from(place * 7919 % 20_011) / 200_110.0 - 0.05;
            json.push_str(&format!("{comma}{number:.9}"));
        }
        json.push_str("]}");
    }
    json.push_str(
        r#"],"model":"text-embedding-3-small","usage":{"prompt_tokens":512,"total_tokens":512}}"#,
    );
    json.into()
}

/// The same bytes in chunks of another size.
pub(crate) fn rechunked(bytes: &Bytes, size: usize) -> Vec<Bytes> {
    let starts = (0..bytes.len()).step_by(size);
    starts
        .map(|start| bytes.slice(start..bytes.len().min(start + size)))
        .collect()
}
