//! How answers end, for whoever stops reading where.

use aigw_core::{
    dialect::Dialect,
    meter::{BoxMetered, Ending, IncludeUsage, Metered, Origin},
    outcome::{Fault, FaultKind},
    reject::{DialectJson, Reason, Refusal, Refused},
};
use http_body::Body;

use crate::{
    answer::{ASKED, CHAT, JSON, SSE, answer, chat, ok, read},
    support::{Script, Step, drain, poll_body, trailers},
};

const DONE: &str = "data: [DONE]\n\n";
const DOCUMENT: &str = r#"{"usage":{"prompt_tokens":1}}"#;
const TRUNCATED: Ending = Ending::Fault(Fault::dispatched(FaultKind::Truncated));

fn document(body: Script) -> (crate::support::Read, aigw_core::meter::Meter, Ending) {
    read(answer(
        CHAT,
        r#"{"model":"m"}"#,
        IncludeUsage::Auto,
        ok(JSON, body),
    ))
}

#[test]
fn an_answer_is_complete_when_it_says_so_and_truncated_when_not() {
    assert_eq!(chat(Script::chunks([DONE])).2, Ending::Complete);
    assert_eq!(chat(Script::chunks(["data: {}\n\n"])).2, TRUNCATED);
    assert_eq!(document(Script::chunks([DOCUMENT])).2, Ending::Complete);
    assert_eq!(document(Script::chunks([&DOCUMENT[..9]])).2, TRUNCATED);
    // What is no JSON at all cannot be said to be cut off.
    assert_eq!(document(Script::chunks(["}"])).2, Ending::Complete);
}

#[test]
fn an_empty_body_is_truncated_whether_or_not_it_is_polled() {
    for body in [Script::new([]).exact(), Script::new([])] {
        let (read, meter, ending) = chat(body.clone());
        assert_eq!((read.frames.len(), ending), (0, TRUNCATED));
        assert!(meter.usage().is_empty());
        assert_eq!(document(body).2, TRUNCATED);
    }
    let unpolled = answer(
        CHAT,
        ASKED,
        IncludeUsage::Auto,
        ok(SSE, Script::new([]).exact()),
    );
    assert_eq!(unpolled.body().ending(), TRUNCATED);
}

#[test]
fn the_announced_length_ends_an_answer_without_another_poll() {
    let body = Script::chunks([&DOCUMENT[..5], &DOCUMENT[5..]]).exact();
    let mut answer = answer(CHAT, r#"{"model":"m"}"#, IncludeUsage::Auto, ok(JSON, body));
    let body = answer.body_mut();
    assert_eq!(body.size_hint().exact(), Some(DOCUMENT.len() as u64));
    assert!(poll_body(body).is_ready());
    assert_eq!(
        (body.ending(), body.is_end_stream()),
        (Ending::Dropped, false)
    );
    assert!(poll_body(body).is_ready());
    assert_eq!(
        (body.ending(), body.is_end_stream()),
        (Ending::Complete, true)
    );
    assert_eq!(body.meter().usage().input(), Some(1));
}

#[test]
fn an_answer_that_nobody_reads_on_is_dropped() {
    let body = Script::chunks(["data: {}\n\n"]).then(Step::Stall);
    let mut answer = answer(CHAT, ASKED, IncludeUsage::Auto, ok(SSE, body));
    assert_eq!(answer.body().ending(), Ending::Dropped);
    assert!(poll_body(answer.body_mut()).is_ready());
    assert!(poll_body(answer.body_mut()).is_pending());
    assert_eq!(answer.body().ending(), Ending::Dropped);
}

#[test]
fn an_answer_that_has_said_its_last_word_is_complete_without_its_end() {
    let finish = "data: {\"choices\":[{\"finish_reason\":\"stop\"}]}\n\n";
    let body = Script::chunks([finish, DONE]).then(Step::Stall);
    let mut answer = answer(CHAT, ASKED, IncludeUsage::Auto, ok(SSE, body));
    assert!(poll_body(answer.body_mut()).is_ready());
    // Usage may still follow.
    assert_eq!(answer.body().ending(), Ending::Dropped);
    assert!(poll_body(answer.body_mut()).is_ready());
    assert_eq!(answer.body().ending(), Ending::Complete);
}

#[test]
fn an_error_is_passed_on_and_is_the_fault_in_its_chain_or_else_a_reset() {
    let (read, _, ending) = chat(Script::chunks([DONE]).then(Step::Fail("broken")));
    assert_eq!(read.error.as_deref(), Some("broken"));
    assert_eq!(ending, Ending::Fault(Fault::dispatched(FaultKind::Reset)));
    let fault = Fault::dispatched(FaultKind::IdleTimeout);
    let (read, _, ending) = chat(Script::chunks([DONE]).then(Step::Fault(fault)));
    assert_eq!(read.error, Some(fault.to_string()));
    assert_eq!(ending, Ending::Fault(fault));
}

#[test]
fn an_error_inside_the_answer_outweighs_its_end() {
    let error = "data: {\"error\":{\"message\":\"overloaded\"}}\n\n";
    assert_eq!(chat(Script::chunks([error])).2, Ending::InBandError);
    assert_eq!(chat(Script::chunks([error, DONE])).2, Ending::InBandError);
}

#[test]
fn trailers_pass_and_end_nothing_by_themselves() {
    let (read, _, ending) = chat(Script::chunks([DONE]).then(Step::Trailers(trailers())));
    assert_eq!(
        (read.trailers, ending),
        (Some(trailers()), Ending::Complete)
    );
    let (read, _, ending) = document(Script::chunks([DOCUMENT]).then(Step::Trailers(trailers())));
    assert_eq!(
        (read.trailers, ending),
        (Some(trailers()), Ending::Complete)
    );
}

#[test]
fn a_boxed_body_is_the_body_that_it_boxes() {
    let body = || {
        Script::chunks([DOCUMENT])
            .then(Step::Wait)
            .then(Step::Trailers(trailers()))
    };
    let plain = || {
        answer(
            CHAT,
            r#"{"model":"m"}"#,
            IncludeUsage::Auto,
            ok(JSON, body().exact()),
        )
    };
    let mut boxed = plain().map(BoxMetered::new).into_body();
    assert_eq!(
        boxed.size_hint().exact(),
        plain().body().size_hint().exact()
    );
    assert_eq!(boxed.ending(), Ending::Dropped);
    let read = drain(&mut boxed);
    assert_eq!(
        (read.text(), read.trailers),
        (DOCUMENT.to_owned(), Some(trailers()))
    );
    assert_eq!(boxed.meter().usage().input(), Some(1));
    assert_eq!(boxed.meter().origin(), Origin::Provider);
    assert_eq!(
        (boxed.ending(), boxed.is_end_stream()),
        (Ending::Complete, true)
    );
}

#[test]
fn a_refusal_was_answered_by_nobody_and_is_complete() {
    let answer = answer(CHAT, "{", IncludeUsage::Auto, ok(JSON, Script::new([])));
    assert_eq!(answer.status(), 400);
    assert_eq!(answer.body().meter().origin(), Origin::None);
    assert_eq!(answer.body().ending(), Ending::Complete);
}

#[test]
fn what_a_layer_below_answers_for_the_provider_was_answered_by_nobody_and_tells_its_fault() {
    let below = |refusal: Refusal| {
        let refused = Refused::new(refusal).respond(Dialect::OpenAi, &DialectJson);
        let response = refused.map(|bytes| Script::new([Step::Data(bytes)]));
        let mut answer = answer(CHAT, ASKED, IncludeUsage::Auto, response);
        let before = answer.body().ending();
        drain(answer.body_mut());
        let body = answer.body();
        assert_eq!(body.meter().origin(), Origin::None);
        assert!(body.meter().usage().is_empty());
        (before, body.ending())
    };
    let unreachable = Fault::undispatched(FaultKind::Connect);
    let fault = Ending::Fault(unreachable);
    assert_eq!(below(unreachable.into()), (fault, fault));
    let refusal = Refusal::new(Reason::OperationNotSupported, "no words for it");
    assert_eq!(below(refusal), (Ending::Dropped, Ending::Complete));
}
