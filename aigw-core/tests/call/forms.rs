//! Uploads: the model is peeked at, and every byte passes.

use aigw_core::{
    call::{CallLayer, HasCall},
    reject::Reason,
};
use http::Request;

use crate::{
    stack::{Outcome, send},
    support::{Script, Step, cut, drain, trailers},
};

const URI: &str = "/v1/audio/transcriptions";
const FORM: &str = "--X\r\nContent-Disposition: form-data; name=\"language\"\r\n\r\nen\r\n\
    --X\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n\
    --X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.wav\"\r\n\
    Content-Type: audio/wav\r\n\r\nRIFF\r\n--Y name=\"model\"\r\n--X--\r\n";

fn upload(body: Script) -> Outcome {
    let request = Request::post(URI).header("content-type", "multipart/form-data; boundary=X");
    send(&CallLayer::new(), request.body(body).unwrap())
}

#[test]
fn the_model_is_found_and_every_byte_passes_however_the_form_is_cut() {
    for place in 0..=FORM.len() {
        for end in [
            None,
            Some(Step::Trailers(trailers())),
            Some(Step::Fail("broken")),
        ] {
            let mut body = Script::chunks(cut(FORM.as_bytes(), [place]));
            if let Some(end) = end {
                body = body.then(end);
            }
            let expected = drain(&mut body.clone());
            let mut passed = upload(body).passed().into_body();
            assert!(passed.call().is_opaque());
            assert_eq!(passed.model(), Some("whisper-1"), "cut at {place}");
            let read = drain(&mut passed);
            assert_eq!(read.text(), FORM);
            assert_eq!(
                (read.trailers, read.error),
                (expected.trailers, expected.error)
            );
        }
    }
}

#[test]
fn a_form_in_single_bytes_passes_too() {
    for body in [
        Script::chunks(FORM.as_bytes().chunks(1)),
        Script::chunks(FORM.as_bytes().chunks(1)).exact(),
    ] {
        let mut passed = upload(body).passed().into_body();
        assert_eq!(passed.model(), Some("whisper-1"));
        assert_eq!(drain(&mut passed).text(), FORM);
    }
}

#[test]
fn a_form_that_ends_anywhere_passes_as_far_as_it_came() {
    for end in 0..=FORM.len() {
        let mut passed = upload(Script::chunks([&FORM[..end]])).passed().into_body();
        assert_eq!(drain(&mut passed).text(), &FORM[..end]);
    }
}

#[test]
fn a_large_file_is_not_read_for_its_model() {
    let file_first = FORM.replace("name=\"language\"", "name=\"file\"; filename=\"f\"");
    let body = Script::chunks([file_first]).then(Step::Stall);
    assert_eq!(upload(body).passed().body().model(), None);
    let filler = "y".repeat(100_000);
    let late = FORM.replace("\r\nen\r\n", &format!("\r\n{filler}\r\n"));
    let mut passed = upload(Script::chunks(late.as_bytes().chunks(4096)))
        .passed()
        .into_body();
    assert_eq!(passed.model(), None, "beyond the bound of the peek");
    assert_eq!(drain(&mut passed).text(), late);
}

#[test]
fn two_models_are_refused() {
    let outcome = upload(Script::chunks([FORM.replace("language", "model")]));
    let refused = outcome.refused().unwrap();
    assert_eq!(
        (refused.reason, refused.param.as_deref()),
        (Reason::InvalidRequest, Some("model"))
    );
}

#[test]
fn an_upload_without_a_boundary_passes_unread() {
    let request = Request::post(URI)
        .body(Script::chunks([FORM]).then(Step::Stall))
        .unwrap();
    assert_eq!(
        send(&CallLayer::new(), request).passed().body().model(),
        None
    );
}
