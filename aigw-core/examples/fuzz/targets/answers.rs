//! Answers: the meter, and the event that it hides.

use std::{
    collections::VecDeque,
    convert::Infallible,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use aigw_core::{
    call::CallLayer,
    meter::{Ending, HideUsage, IncludeUsage, Meter, MeterBody, MeterLayer, Metered},
    reject,
};
use bytes::Bytes;
use http::{Request, Response, header::CONTENT_TYPE};
use http_body::{Body, Frame};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

use crate::mutate::{Random, pieces};

/// A body in given pieces.
pub(super) struct Pieces(VecDeque<Bytes>);

impl Pieces {
    pub(super) fn new(chunks: &[&[u8]]) -> Self {
        Self(
            chunks
                .iter()
                .map(|chunk| Bytes::copy_from_slice(chunk))
                .collect(),
        )
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front().map(Frame::data).map(Ok))
    }
}

/// The output of a future that never has to wait.
pub(super) fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future
            .as_mut()
            .poll(&mut Context::from_waker(Waker::noop()))
        {
            return output;
        }
    }
}

/// All the data of a body that never has to wait.
pub(super) fn drain<B: Body<Data = Bytes> + Unpin>(body: &mut B) -> Vec<u8> {
    let mut data = Vec::new();
    let mut cx = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(Ok(frame))) = Pin::new(&mut *body).poll_frame(&mut cx) {
        data.extend_from_slice(&frame.into_data().unwrap_or_default());
    }
    data
}

const STREAM: &str = r#"{"model":"m","stream":true}"#;

/// Path, request and media type.
pub(super) const CALLS: &[(&str, &str, &str)] = &[
    ("/v1/chat/completions", STREAM, "text/event-stream"),
    ("/v1/chat/completions", STREAM, "application/json"),
    ("/v1/responses", STREAM, "text/event-stream"),
    ("/v1/responses", STREAM, "application/json"),
    ("/v1/messages", STREAM, "text/event-stream"),
    ("/v1/messages", STREAM, "application/json"),
    (
        "/v1beta/models/g:streamGenerateContent",
        "{}",
        "text/event-stream",
    ),
    (
        "/v1beta/models/g:streamGenerateContent",
        "{}",
        "application/json",
    ),
    ("/v1/audio/transcriptions", "", "text/event-stream"),
    ("/v1/images/generations", "{}", "application/json"),
];

pub(super) fn seeds() -> Vec<Vec<u8>> {
    macro_rules! recorded {
        ($($name:literal)*) => {
            [$(&include_bytes!(concat!("../../../tests/meter/answers/", $name))[..]),*]
        };
    }
    let recorded = recorded!(
        "anthropic-stream-cache.sse" "anthropic-stream-overloaded.sse" "anthropic-stream-tools.sse"
        "anthropic.json" "azure-chat-stream-filter.sse" "gemini-stream.json" "gemini-stream.sse"
        "gemini.json" "openai-chat-stream-error.sse" "openai-chat-stream-tools.sse"
        "openai-chat-stream-usage.sse" "openai-chat.json" "openai-responses-stream.sse"
        "openai-responses-stream-failed.sse" "openai-responses.json"
        "openai-transcription-stream.sse"
    );
    let short = [
        "data: {\"choices\":[],\"usage\":{}}\r\n\r\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"\\ud83d\\ude00\"}}],\"usage\":null}\n\n\
         data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\ndata: [DONE]\n\n",
    ];
    let short = short.iter().map(|seed| seed.as_bytes());
    recorded
        .into_iter()
        .chain(short)
        .map(<[u8]>::to_vec)
        .collect()
}

pub(super) type Answer = Response<reject::Body<HideUsage<MeterBody<Pieces>>>>;

pub(super) fn answer(
    call: (&str, &'static str, &str),
    asks: IncludeUsage,
    chunks: &[&[u8]],
) -> Option<Answer> {
    let (path, asked, media) = call;
    let provider = service_fn(|_| {
        let mut response = Response::new(Pieces::new(chunks));
        if let Ok(media) = media.parse() {
            response.headers_mut().insert(CONTENT_TYPE, media);
        }
        std::future::ready(Ok::<_, Infallible>(response))
    });
    let meter = MeterLayer::new().include_usage(asks);
    let service = CallLayer::new().layer(meter.layer(provider));
    let request = Request::post(path).body(Full::new(Bytes::from_static(asked.as_bytes())));
    let Ok(answer) = run(service.oneshot(request.ok()?));
    Some(answer)
}

/// What came through, and what was seen of it.
pub(super) fn read(mut answer: Answer) -> (Vec<u8>, Meter, Ending) {
    let bytes = drain(answer.body_mut());
    let body = answer.into_body();
    (bytes, body.meter().clone(), body.ending())
}

fn agree(one: &Meter, other: &Meter) {
    assert_eq!(one.reported(), other.reported(), "usage");
    assert_eq!(one.model(), other.model(), "model");
    assert_eq!(one.finish(), other.finish(), "finish");
    assert_eq!(one.in_band_error(), other.in_band_error(), "error");
    assert_eq!(one.content_bytes(), other.content_bytes(), "content");
    assert_eq!(one.chunks(), other.chunks(), "chunks");
}

pub(super) fn check(input: &[u8], random: &mut Random) {
    let Some(call) = random.pick(CALLS) else {
        return;
    };
    let through = |chunks: &[&[u8]]| answer(*call, IncludeUsage::Never, chunks).map(read);
    let whole = through(&[input]);
    let cut = through(&pieces(input, random));
    if let Some(((one, first, ending), (other, second, again))) = whole.zip(cut) {
        assert!(one == input && other == input, "bytes");
        agree(&first, &second);
        assert_eq!(ending, again, "ending");
    }
}

pub(super) fn check_hidden(input: &[u8], random: &mut Random) {
    let call = ("/v1/chat/completions", STREAM, "text/event-stream");
    let through = |chunks: &[&[u8]]| answer(call, IncludeUsage::Auto, chunks).map(read);
    let whole = through(&[input]);
    let cut = through(&pieces(input, random));
    if let Some(((one, first, _), (other, second, _))) = whole.zip(cut) {
        assert!(one == other, "in pieces");
        agree(&first, &second);
        let hidden = input.len() - one.len();
        assert!(
            hidden == 0 || holds(input, b"usage"),
            "hid what is no usage event"
        );
        assert!(
            is_subsequence(&one, input),
            "another byte than those of the answer"
        );
    }
}

fn holds(bytes: &[u8], word: &[u8]) -> bool {
    // Escaped, the word is not to be seen as it is.
    bytes.windows(word.len()).any(|window| window == word) || bytes.contains(&b'\\')
}

fn is_subsequence(short: &[u8], long: &[u8]) -> bool {
    let mut long = long.iter();
    short.iter().all(|byte| long.any(|other| other == byte))
}
