//! Speech from text and text from speech.

use bytes::Bytes;
use serde_json::{Value, json};

use super::{
    answer::stated,
    asked::{Asked, Told, put},
    base64,
    reply::{Content, Stream},
    sse::{Event, Format, deltas},
    tokens,
};

/// Silence for one token: an MPEG-1 layer III frame of 128 kbit/s at 44.1 kHz is 417 bytes.
const MP3_FRAME_HEADER: [u8; 4] = [0xff, 0xfb, 0x90, 0x00];
const MP3_FRAME_BYTES: usize = 417;

/// Samples for one token, of 16 bits at 24 kHz: the rate of OpenAI's `pcm` and `wav`.
const SAMPLES: usize = 480;
const SAMPLE_RATE: u32 = 24_000;

/// What every recording says.
const TRANSCRIPT: &str = "The quick brown fox jumps over the lazy dog.";

/// Bytes of an upload that stand for one token of audio.
const UPLOAD_BYTES_PER_TOKEN: u64 = 1600;

/// Seconds that `whisper-1` charges for every upload.
const SECONDS: u64 = 3;

/// Silence as long as the text, a piece for each token; as events where `stream_format` asks for
/// them (`openai/types/audio/speech_audio_delta_event.py` and its sibling).
pub(super) fn speech(asked: &Asked<'_>) -> Told {
    let field = |name: &str| asked.body.get(name).and_then(Value::as_str);
    let input = tokens::count(field("input").unwrap_or_default());
    let output = usize::try_from(input).unwrap_or(usize::MAX).max(1);
    let (content_type, mut pieces) = match field("response_format") {
        Some("pcm") => ("audio/pcm", Vec::new()),
        Some("wav") => ("audio/wav", vec![wav_header(output)]),
        _ => ("audio/mpeg", Vec::new()),
    };
    let piece = if content_type == "audio/mpeg" {
        mp3_frame()
    } else {
        silence()
    };
    pieces.extend(std::iter::repeat_n(piece, output));
    let content = if field("stream_format") == Some("sse") {
        Content::Stream(speech_events(asked, &pieces, input))
    } else {
        Content::Bytes(content_type, pieces)
    };
    let output = output as u64;
    Told {
        content,
        tokens: input + output,
        output,
    }
}

fn speech_events(asked: &Asked<'_>, pieces: &[Bytes], input: u64) -> Stream {
    let name = "speech.audio.delta";
    let delta = |piece: &Bytes| {
        Event::content(json!({"type": name, "audio": base64::encode(piece)})).named(name)
    };
    let mut events: Vec<Event> = pieces.iter().map(delta).collect();
    let output = pieces.len() as u64;
    let mut done = json!({"type": "speech.audio.done"});
    let usage = json!({
        "input_tokens": input,
        "output_tokens": output,
        "total_tokens": input + output,
    });
    put(&mut done, "usage", stated(&asked.script.usage, usage));
    events.push(Event::frame(done).named("speech.audio.done"));
    stream(events)
}

/// `openai/types/audio/transcription.py` and `transcription_verbose.py`, streamed
/// `transcription_text_delta_event.py` and its sibling. The upload is measured, not heard.
pub(super) fn transcription(asked: &Asked<'_>, upload_bytes: usize) -> Told {
    let text = asked.script.text.as_deref().unwrap_or(TRANSCRIPT);
    let input = (upload_bytes as u64).div_ceil(UPLOAD_BYTES_PER_TOKEN);
    let output = tokens::count(text);
    let by_time = asked.model.starts_with("whisper");
    let usage = if by_time {
        json!({"type": "duration", "seconds": SECONDS})
    } else {
        json!({
            "type": "tokens",
            "input_tokens": input,
            "input_token_details": {"audio_tokens": input, "text_tokens": 0},
            "output_tokens": output,
            "total_tokens": input + output,
        })
    };
    let usage = stated(&asked.script.usage, usage);
    let field = |name: &str| asked.body.get(name).and_then(Value::as_str);
    let content = match field("response_format") {
        _ if field("stream") == Some("true") => Content::Stream(transcription_events(text, usage)),
        Some("text") => Content::Bytes(
            "text/plain; charset=utf-8",
            vec![format!("{text}\n").into()],
        ),
        format => {
            let mut body = json!({"text": text});
            if format == Some("verbose_json") {
                put(&mut body, "task", Some("transcribe".into()));
                put(&mut body, "language", Some("english".into()));
                put(&mut body, "duration", Some((SECONDS as f64).into()));
                put(&mut body, "segments", Some(json!([])));
            }
            put(&mut body, "usage", usage);
            Content::Json(body)
        }
    };
    Told {
        content,
        tokens: input + output,
        output,
    }
}

fn transcription_events(text: &str, usage: Option<Value>) -> Stream {
    let name = "transcript.text.delta";
    let delta = |piece: &str| json!({"type": name, "delta": piece});
    let named = deltas(text, delta)
        .into_iter()
        .map(|event| event.named(name));
    let mut events: Vec<Event> = named.collect();
    let mut done = json!({"type": "transcript.text.done", "text": text});
    put(&mut done, "usage", usage);
    events.push(Event::frame(done).named("transcript.text.done"));
    stream(events)
}

fn stream(events: Vec<Event>) -> Stream {
    let status = http::StatusCode::INTERNAL_SERVER_ERROR;
    let message = "The audio could not be processed";
    let error = super::refusal::openai(status, Some("server_error"), message, None);
    Stream {
        format: Format::Sse,
        events,
        error: Event::frame(error).named("error"),
    }
}

fn mp3_frame() -> Bytes {
    let mut frame = MP3_FRAME_HEADER.to_vec();
    frame.resize(MP3_FRAME_BYTES, 0);
    frame.into()
}

fn silence() -> Bytes {
    vec![0; SAMPLES * 2].into()
}

/// The header of a RIFF file of that many tokens of 16-bit mono silence.
fn wav_header(pieces: usize) -> Bytes {
    let data = u32::try_from(pieces * SAMPLES * 2).unwrap_or(u32::MAX);
    let mut header = Vec::with_capacity(44);
    header.extend(b"RIFF");
    header.extend(data.saturating_add(36).to_le_bytes());
    header.extend(b"WAVEfmt ");
    header.extend(16u32.to_le_bytes());
    header.extend(1u16.to_le_bytes());
    header.extend(1u16.to_le_bytes());
    header.extend(SAMPLE_RATE.to_le_bytes());
    header.extend((SAMPLE_RATE * 2).to_le_bytes());
    header.extend(2u16.to_le_bytes());
    header.extend(16u16.to_le_bytes());
    header.extend(b"data");
    header.extend(data.to_le_bytes());
    header.into()
}
