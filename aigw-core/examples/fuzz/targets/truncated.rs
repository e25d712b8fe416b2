//! Streams that are ended before their provider ends them.

use std::{convert::Infallible, sync::Arc};

use aigw_core::{
    call::{Call, CallLayer, HasCall},
    meter::{Ending, FinishReason, IncludeUsage, Meter},
    sse::{Lexer, Token},
    truncate::{self, Shown},
    usage::{Kind, Usage},
};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::{Layer, ServiceExt, service_fn};

use super::{
    answers::{CALLS, answer, read, run},
    events,
};
use crate::mutate::{Random, pieces};

/// The call that is asked so.
fn call(path: &str, asked: &'static str) -> Option<Arc<Call>> {
    let service = CallLayer::new().layer(service_fn(|request: Request<_>| {
        let call = HasCall::call(request.body()).without_body();
        let mut response = Response::new(Full::<Bytes>::default());
        response.extensions_mut().insert(Arc::new(call));
        std::future::ready(Ok::<_, Infallible>(response))
    }));
    let request = Request::post(path).body(Full::new(Bytes::from_static(asked.as_bytes())));
    let Ok(mut response) = run(service.oneshot(request.ok()?));
    response.extensions_mut().remove()
}

/// Shows a stream in these pieces; answers where its last whole event ends.
fn show(shown: &mut Shown, chunks: &[&[u8]]) -> usize {
    let (mut lexer, mut at, mut end) = (Lexer::new(), 0, 0);
    for chunk in chunks {
        let mut rest = *chunk;
        while let Some(token) = lexer.next(&mut rest) {
            shown.read(token);
            if token == Token::Event {
                end = at + chunk.len() - rest.len();
            }
        }
        at += chunk.len();
    }
    end
}

pub(super) fn check(input: &[u8], random: &mut Random) {
    let Some((path, asked, media)) = random.pick(CALLS).copied() else {
        return;
    };
    let Some(call) = call(path, asked).filter(|_| media == "text/event-stream") else {
        return;
    };
    let usage: Usage = [(Kind::Input, 12), (Kind::Output, 7)].into_iter().collect();
    let shown = |chunks: &[&[u8]]| {
        let mut shown = Shown::of(&call)?;
        let end = show(&mut shown, chunks);
        Some((end, shown.is_open(), truncate::ending(&shown, &usage)))
    };
    let Some((end, is_open, ending)) = shown(&[input]) else {
        return;
    };
    // In pieces, an event may end before the second half of its line ending has come.
    let cut = shown(&pieces(input, random)).map(|(_, is_open, ending)| (is_open, ending));
    assert_eq!(cut, Some((is_open, ending.clone())), "in pieces");
    for (_, data) in events(&[&ending]) {
        let is_json = serde_json::from_slice::<serde_json::Value>(&data).is_ok();
        assert!(is_json || data == b"[DONE]", "an event that nobody reads");
    }
    let Some(whole) = input.get(..end).filter(|_| is_open) else {
        return;
    };
    let through = |chunks: &[&[u8]]| answer((path, asked, media), IncludeUsage::Never, chunks);
    let (Some(before), Some(ended)) = (through(&[whole]), through(&[whole, &ending])) else {
        return;
    };
    let ((_, before, _), (_, meter, how)) = (read(before), read(ended));
    // What is broken in it already is not mended by an ending.
    if before.in_band_error().is_none() {
        assert!(is_whole(&meter, how), "{how:?}, {:?}", meter.finish());
    }
    assert_eq!(meter.content_bytes(), before.content_bytes(), "content");
}

fn is_whole(meter: &Meter, how: Ending) -> bool {
    how == Ending::Complete && meter.finish() == Some(&FinishReason::Length)
}
