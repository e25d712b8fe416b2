//! Requests that cannot be served: a clear answer in the caller's dialect, and the connection stays
//! usable.

use serde_json::json;

use crate::{
    callers::{Caller, Refusal, refused},
    house::{House, every_dialect},
    wire::{get, post, post_with},
};

async fn house() -> House {
    House::open(&every_dialect("max_body_bytes = 4096")).await
}

#[tokio::test]
async fn a_body_that_ends_in_the_middle_of_its_json_is_refused() {
    let house = house().await;
    let refusal = Refusal::bad_request("invalid_json", "ends in the middle of its JSON");
    for caller in Caller::ALL {
        let mut body = caller.body().to_string();
        body.truncate(body.len() - 2);
        refused(&house, caller, post(caller.path(), &body), &refusal).await;
    }
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused() {
    let house = house().await;
    for (body, says) in [
        ("Hello!", "is not JSON (byte 0)"),
        ("{'model': 5}", "is not JSON (byte 1)"),
        ("[1, 2]", "not an object"),
        ("", "has no body"),
        ("  \r\n", "has no body"),
    ] {
        let refusal = Refusal::bad_request("invalid_json", says);
        for caller in Caller::ALL {
            refused(&house, caller, post(caller.path(), body), &refusal).await;
        }
    }
}

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_once_it_has_come() {
    let house = house().await;
    let refusal = Refusal {
        status: 413,
        code: "request_too_large",
        anthropic: "request_too_large",
        google: "INVALID_ARGUMENT",
        says: "larger than 4096 bytes",
    };
    for caller in Caller::ALL {
        let mut body = caller.body();
        body["padding"] = "x".repeat(20_000).into();
        let request = post(caller.path(), &body.to_string());
        refused(&house, caller, request, &refusal).await;
    }
}

#[tokio::test]
async fn another_content_type_than_json_is_refused() {
    let house = house().await;
    let refusal = Refusal {
        status: 415,
        code: "unsupported_media_type",
        anthropic: "invalid_request_error",
        google: "INVALID_ARGUMENT",
        says: "content-type: application/json",
    };
    for caller in Caller::ALL {
        // Also one that is still coming when it is refused.
        for padding in [0, 30_000] {
            let body = format!("{}{}", caller.body(), " ".repeat(padding));
            let request = post_with(caller.path(), "content-type: text/plain", &body);
            refused(&house, caller, request, &refusal).await;
        }
    }
}

#[tokio::test]
async fn an_encoded_body_is_refused() {
    let house = house().await;
    let refusal = Refusal {
        status: 415,
        code: "unsupported_encoding",
        anthropic: "invalid_request_error",
        google: "INVALID_ARGUMENT",
        says: "content-encoding",
    };
    for caller in Caller::ALL {
        let headers = "content-type: application/json\r\ncontent-encoding: gzip";
        let mut request = post_with(caller.path(), headers, "????????").into_bytes();
        let body = request.len() - 8;
        request[body..].copy_from_slice(b"\x1f\x8b\x08\x00\x00\x00\x00\x00");
        refused(&house, caller, request, &refusal).await;
    }
}

#[tokio::test]
async fn a_key_that_decides_something_and_stands_twice_is_refused() {
    let house = house().await;
    for caller in Caller::ALL {
        let (key, value) = caller.deciding_key();
        let body = caller.body().to_string();
        let twice = format!(r#"{{"{key}": {value}, "{key}": {value}, {}"#, &body[1..]);
        let refusal = Refusal::bad_request("invalid_request", "twice in one object");
        refused(&house, caller, post(caller.path(), &twice), &refusal).await;
    }
}

#[tokio::test]
async fn a_key_that_decides_nothing_may_stand_twice() {
    let house = house().await;
    for caller in Caller::ALL {
        let body = caller.body().to_string();
        let twice = format!(r#"{{"trace": 1, "trace": 2, {}"#, &body[1..]);
        let mut wire = house.connect().await;
        wire.send(post(caller.path(), &twice)).await;
        let answer = wire.answer().await;
        assert_eq!(answer.status(), 200, "{answer:?}");
    }
}

#[tokio::test]
async fn a_body_that_is_nested_too_deep_is_refused() {
    let house = house().await;
    let refusal = Refusal::bad_request("invalid_json", "nested more than 127 deep");
    for caller in Caller::ALL {
        let body = caller.body().to_string();
        for (open, close) in [("[", "]"), (r#"{"a":"#, "}")] {
            let deep = format!("{}0{}", open.repeat(200), close.repeat(200));
            let nested = format!(r#"{{"trace": {deep}, {}"#, &body[1..]);
            refused(&house, caller, post(caller.path(), &nested), &refusal).await;
        }
    }
}

#[tokio::test]
async fn a_body_that_is_no_utf8_is_refused() {
    let house = house().await;
    let refusal = Refusal::bad_request("invalid_json", "is not UTF-8 (byte ");
    for caller in Caller::ALL {
        let request = caller
            .request()
            .replace("Hello!", "Hell\u{1}!")
            .into_bytes();
        // A lone continuation byte.
        let broken = request
            .iter()
            .map(|&byte| if byte == 1 { 0x80 } else { byte });
        refused(&house, caller, broken.collect::<Vec<_>>(), &refusal).await;
    }
}

#[tokio::test]
async fn a_body_without_a_model_is_refused() {
    let house = house().await;
    let refusal = Refusal::bad_request("missing_required_parameter", "names no `model`");
    for caller in Caller::WITH_MODEL {
        for model in [None, Some("")] {
            let mut body = caller.body();
            match model {
                None => drop(body.as_object_mut().unwrap().remove("model")),
                Some(model) => body["model"] = model.into(),
            }
            let request = post(caller.path(), &body.to_string());
            refused(&house, caller, request, &refusal).await;
        }
    }
}

#[tokio::test]
async fn an_unknown_model_is_not_found() {
    let house = house().await;
    let refusal = Refusal {
        status: 404,
        code: "model_not_found",
        anthropic: "not_found_error",
        google: "NOT_FOUND",
        says: "`nowhere-1`",
    };
    for caller in Caller::ALL {
        let (path, mut body) = (caller.path(), caller.body());
        let path = path.replace("gpt-4o-mini", "nowhere-1");
        let path = path.replace("gemini-2.0-flash", "nowhere-1");
        if Caller::WITH_MODEL.contains(&caller) {
            body["model"] = "nowhere-1".into();
        }
        refused(&house, caller, post(&path, &body.to_string()), &refusal).await;
    }
}

#[tokio::test]
async fn an_unknown_operation_is_refused() {
    let house = house().await;
    for (caller, path, code) in [
        (Caller::OpenAi, "/v1/threads", "operation_not_supported"),
        (
            Caller::Azure,
            "/openai/threads?api-version=1",
            "OperationNotSupported",
        ),
        (
            Caller::Gemini,
            "/v1beta/models/gemini-2.0-flash:predict",
            "operation_not_supported",
        ),
        // A path of nobody's is answered as most clients read it.
        (Caller::OpenAi, "/", "operation_not_supported"),
    ] {
        let refusal = Refusal::bad_request(code, "not served here");
        refused(&house, caller, post(path, "{}"), &refusal).await;
        refused(&house, caller, get(path), &refusal).await;
    }
}

#[tokio::test]
async fn the_wrong_method_is_told_the_right_one() {
    let house = house().await;
    let refusal = Refusal {
        status: 405,
        code: "method_not_allowed",
        anthropic: "invalid_request_error",
        google: "INVALID_ARGUMENT",
        says: "use POST",
    };
    for caller in Caller::ALL {
        let answer = refused(&house, caller, get(caller.path()), &refusal).await;
        assert_eq!(answer.head.header("allow"), Some("POST"));
    }
}

#[tokio::test]
async fn an_upgrade_is_refused_by_name() {
    let house = house().await;
    let refusal = Refusal {
        status: 501,
        code: "upgrade_not_supported",
        anthropic: "api_error",
        google: "UNIMPLEMENTED",
        says: "WebSocket is not supported here",
    };
    for caller in Caller::ALL {
        let path = match caller {
            Caller::OpenAi => "/v1/realtime?model=gpt-4o-realtime",
            _ => caller.path(),
        };
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: gateway\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        refused(&house, caller, request, &refusal).await;
    }
}

#[tokio::test]
async fn what_is_refused_is_counted_against_no_backend() {
    let house = house().await;
    let mut wire = house.connect().await;
    let unknown = Caller::OpenAi.request().replace("gpt-4o", "gpt-no");
    wire.send(unknown).await;
    assert_eq!(wire.answer().await.status(), 404);
    wire.send(Caller::OpenAi.request()).await;
    assert_eq!(wire.answer().await.status(), 200);
    let served = house.used_by("openai", 1).await;
    assert_eq!((served.complete, served.unmeasured), (1, 0));
    assert_eq!(
        house.status().await["refused"],
        json!({ "unknown_model": 1 })
    );
}
