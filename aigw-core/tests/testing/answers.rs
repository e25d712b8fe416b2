use super::*;

/// The data of each event that is JSON.
fn events(stream: &str) -> Vec<Value> {
    stream
        .lines()
        .filter_map(|line| line.strip_prefix("data: "))
        .filter_map(|data| serde_json::from_str(data).ok())
        .collect()
}

#[tokio::test]
async fn a_stream_joins_to_the_whole_answer_and_states_the_same_usage() {
    let provider = provider();
    let mut ask = hello();
    let whole = object(post(&provider, CHAT, &ask).await).await;
    ask["stream"] = true.into();
    ask["stream_options"] = json!({"include_usage": true});
    let stream = text(post(&provider, CHAT, &ask).await).await;
    assert!(stream.ends_with("data: [DONE]\n\n"));
    let events = events(&stream);
    let (last, others) = events.split_last().unwrap();
    let piece = |event: &Value| {
        event["choices"][0]["delta"]["content"]
            .as_str()
            .map(String::from)
    };
    let said: String = others.iter().filter_map(piece).collect();
    assert_eq!(said, whole["choices"][0]["message"]["content"]);
    assert_eq!(
        (&last["usage"], &last["choices"]),
        (&whole["usage"], &json!([]))
    );
    assert!(others.iter().all(|event| event["usage"].is_null()));
}

#[tokio::test]
async fn anthropic_states_input_first_and_output_last() {
    let provider = provider();
    let mut ask = hello();
    let whole = object(post(&provider, MESSAGES, &ask).await).await;
    ask["stream"] = true.into();
    let events = events(&text(post(&provider, MESSAGES, &ask).await).await);
    let of = |kind: &str| events.iter().find(|event| event["type"] == kind).unwrap();
    let first = &of("message_start")["message"]["usage"];
    assert_eq!(first["input_tokens"], whole["usage"]["input_tokens"]);
    let last = &of("message_delta")["usage"];
    assert_eq!(last["output_tokens"], whole["usage"]["output_tokens"]);
    assert_eq!(events.last().unwrap()["type"], "message_stop");
}

#[tokio::test]
async fn gemini_streams_events_or_one_array() {
    let provider = provider();
    let ask = json!({"contents": [{"role": "user", "parts": [{"text": "Hello!"}]}]});
    let whole = object(post(&provider, GENERATE, &ask).await).await;
    let uri = GENERATE.replace(":generate", ":streamGenerate");
    let array = object(post(&provider, &uri, &ask).await).await;
    let sse = text(post(&provider, &format!("{uri}?alt=sse"), &ask).await).await;
    let events = events(&sse);
    let said = |chunks: &[Value]| -> String {
        let text = |chunk: &Value| {
            chunk["candidates"][0]["content"]["parts"][0]["text"]
                .as_str()
                .unwrap()
                .to_owned()
        };
        chunks.iter().map(text).collect()
    };
    assert_eq!(said(&events), "You said: Hello!");
    assert_eq!(said(array.as_array().unwrap()), "You said: Hello!");
    assert_eq!(
        events.last().unwrap()["usageMetadata"],
        whole["usageMetadata"]
    );
}

#[tokio::test]
async fn errors_have_the_shape_of_the_dialect() {
    let provider = provider_with(Config::default().models(["known"]).api_key("secret"));
    let ask = |uri: &'static str, key: Option<&'static str>, body: &'static str| {
        let mut request = Request::post(uri).body(Full::<Bytes>::from(body)).unwrap();
        if let Some(key) = key {
            request
                .headers_mut()
                .insert("x-api-key", key.parse().unwrap());
        }
        provider.clone().oneshot(request)
    };
    let unknown = r#"{"model":"nope","messages":[],"max_tokens":1,"contents":[]}"#;
    let cases = [
        (CHAT, None, "{}", 401, "/error/code", "invalid_api_key"),
        (
            CHAT,
            Some("secret"),
            "{",
            400,
            "/error/type",
            "invalid_request_error",
        ),
        (CHAT, Some("secret"), "{}", 400, "/error/param", "model"),
        (
            CHAT,
            Some("secret"),
            unknown,
            404,
            "/error/code",
            "model_not_found",
        ),
        (
            MESSAGES,
            None,
            "{}",
            401,
            "/error/type",
            "authentication_error",
        ),
        (
            MESSAGES,
            Some("secret"),
            unknown,
            404,
            "/error/type",
            "not_found_error",
        ),
        (
            GENERATE,
            None,
            "{}",
            401,
            "/error/status",
            "UNAUTHENTICATED",
        ),
        (
            GENERATE,
            Some("secret"),
            unknown,
            404,
            "/error/status",
            "NOT_FOUND",
        ),
    ];
    for (uri, key, body, status, place, word) in cases {
        let answer = ask(uri, key, body).await.unwrap();
        assert_eq!(answer.status(), status, "{uri} {body}");
        assert_eq!(
            object(answer).await.pointer(place),
            Some(&word.into()),
            "{uri} {body}"
        );
    }
}

#[tokio::test]
async fn the_reference_mock_is_obeyed_to_the_letter() {
    let provider = provider();
    let uri = "http://west.test:8080/openai/deployments/d/chat/completions?api-version=1";
    let script = json!({
        "default": {"response_status_code": 200, "wait_time_ms": 0},
        "east.test": {"response_status_code": 429},
        "west.test": {"response_status_code": 200},
    });
    let content = json!({"simulation": script});
    let body = json!({"messages": [{"role": "system", "content": content}]});
    let fine = post(&provider, uri, &body).await;
    assert_eq!(fine.headers()["x-ms-region"], "west.test");
    assert_eq!(fine.headers()["x-ratelimit-remaining-tokens"], "5000");
    assert_eq!(fine.headers()["x-ratelimit-remaining-requests"], "50");
    let fine = object(fine).await;
    assert_eq!((&fine["id"], &fine["model"]), (&"foo".into(), &"d".into()));
    let message = &fine["choices"][0]["message"];
    assert_eq!(message["content"], "Mock response from west.test");

    let throttled = post(&provider, &uri.replace("west", "east"), &body).await;
    assert_eq!(throttled.status(), 429);
    assert_eq!(throttled.headers()["retry_after_ms"], "5000");
    assert!(!throttled.headers().contains_key("retry-after"));
    let error = &object(throttled).await["error"];
    assert_eq!(error["code"], "429");
    assert_eq!(
        error["message"],
        "Rate limit is exceeded. Try again in 5 seconds."
    );

    let request = Request::post(uri).body(Full::<Bytes>::from("")).unwrap();
    let empty = provider.clone().oneshot(request).await.unwrap();
    assert_eq!(empty.status(), 400);
    assert_eq!(
        object(empty).await,
        json!({"message": "No JSON data found in the request"})
    );
}

#[tokio::test]
async fn usage_can_be_left_out_or_given() {
    let provider = provider();
    let usage = |script: Value| {
        let ask = scripted(&json!({"usage": script}), false);
        let provider = &provider;
        async move { object(post(provider, CHAT, &ask).await).await["usage"].clone() }
    };
    assert_eq!(usage(json!(false)).await, Value::Null);
    let given = usage(json!({"input": 100, "output": 7, "cached_input": 64, "x": null})).await;
    assert_eq!(
        (&given["total_tokens"], &given["x"]),
        (&107.into(), &Value::Null)
    );
    assert_eq!(given["prompt_tokens_details"]["cached_tokens"], 64);
    let own_words = usage(json!({"prompt_tokens": 1})).await;
    assert_eq!(own_words["prompt_tokens"], 1);
}

#[tokio::test]
async fn the_header_scripts_any_call_and_raw_bytes_pass_as_they_are() {
    let provider = provider();
    let script = r#"{"default": {"raw": {"base64": "H4sI/w==", "content_type": "text/x"},
        "headers": {"content-encoding": "gzip"}}}"#;
    let request = Request::get("/v1/models")
        .header("x-simulation", script.replace('\n', ""))
        .body(Full::<Bytes>::from(""))
        .unwrap();
    let answer = provider.clone().oneshot(request).await.unwrap();
    assert_eq!(answer.headers()["content-encoding"], "gzip");
    assert_eq!(answer.headers()["content-type"], "text/x");
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    assert_eq!(&bytes[..], b"\x1f\x8b\x08\xff");
}

#[tokio::test]
async fn a_backend_that_knows_no_stream_options_says_so() {
    let provider = provider();
    let mut ask = scripted(&json!({"refuse_stream_options": true}), true);
    assert_eq!(post(&provider, CHAT, &ask).await.status(), 200);
    ask["stream_options"] = json!({"include_usage": true});
    let refused = post(&provider, CHAT, &ask).await;
    assert_eq!(refused.status(), 400);
    assert_eq!(object(refused).await["error"]["param"], "stream_options");
}
