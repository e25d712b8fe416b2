use std::sync::Arc;

use aigw_core::{
    call::{Call, Record},
    dialect::Target,
};
use http::{HeaderMap, Method, Uri};
use serde_json::{Value, json};

use super::{Recipe, Tally, Texts, read};

/// Keeps the texts.
#[derive(Clone, Debug, Default)]
struct Seen(Vec<String>);

impl Texts for Seen {
    fn text(&mut self, text: &str) {
        self.0.push(text.to_owned());
    }
}

fn prompt_raw(path: &str, body: &str) -> Tally<Seen> {
    let mut headers = HeaderMap::new();
    headers.insert("anthropic-version", "2023-06-01".parse().unwrap());
    let uri: Uri = path.parse().unwrap();
    let target = Target::recognize(&Method::POST, &uri, &headers);
    let body = body.to_owned().into();
    let call = Call::parse(target, body, Arc::new(Record::default())).unwrap();
    let recipe = Recipe::new(&call, call.model().unwrap_or_default());
    read(&call, &recipe, Seen::default())
}

fn prompt(path: &str, mut body: Value) -> Tally<Seen> {
    if body["model"].is_null() {
        body["model"] = "gpt-4o".into();
    }
    prompt_raw(path, &body.to_string())
}

const CHAT: &str = "/v1/chat/completions";
const GEMINI: &str = "/v1beta/models/gemini-2.5-pro:generateContent";

fn message(message: Value) -> Tally<Seen> {
    let mut tally = prompt(CHAT, json!({"messages": [message]}));
    // Without the priming.
    tally.fixed -= 3;
    tally
}

/// A PNG of this size, as far as its head.
fn png(width: u32, height: u32) -> String {
    let head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    let bytes = [head, width.to_be_bytes().as_slice(), &height.to_be_bytes()].concat();
    base64(&bytes)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, place| {
            (bits << 8) | usize::from(group.get(place).copied().unwrap_or_default())
        });
        for place in 0..=group.len() {
            text.push(char::from(DIGITS[(bits >> (18 - 6 * place)) & 63]));
        }
    }
    text
}

#[test]
fn every_string_of_a_message_is_text_and_its_name_costs_one_more() {
    let plain = message(json!({"role": "user", "content": "hello"}));
    assert_eq!(
        (plain.texts.0, plain.fixed),
        (vec!["hello".into(), "user".into()], 3)
    );
    let named = message(json!({"role": "user", "name": "ann", "content": "hello"}));
    assert_eq!((named.texts.0.len(), named.fixed), (3, 4));
    let nameless = message(json!({"role": "user", "name": null, "content": null}));
    assert_eq!((nameless.texts.0.len(), nameless.fixed), (1, 3));
}

#[test]
fn the_first_chat_model_left_the_role_out_where_there_was_a_name() {
    let body = json!({"model": "gpt-3.5-turbo-0301", "messages": [
        {"role": "user", "name": "ann", "content": "hello"}, {"role": "user", "content": "hello"},
    ]});
    assert_eq!(prompt(CHAT, body).fixed, 4 - 1 + 4 + 3);
}

#[test]
fn what_the_model_does_not_see_is_no_text() {
    let calls = message(json!({"role": "assistant", "content": null, "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}},
    ]}));
    assert_eq!(calls.texts.0, ["assistant", "{\"a\":1}", "f"]);
    let parts = message(json!({"role": "user", "content": [
        {"type": "text", "text": "hello", "cache_control": {"type": "ephemeral"}},
    ]}));
    assert_eq!(parts.texts.0, ["hello", "user"]);
    assert!(!calls.assumed && !parts.assumed);
}

#[test]
fn images_are_sized_by_their_own_head() {
    let url = format!("data:image/png;base64,{}", png(2048, 4096));
    let chat = |image: Value| {
        message(json!({"role": "user", "content": [{"type": "image_url", "image_url": image}]}))
    };
    let high = chat(json!({"url": url}));
    assert_eq!((high.fixed, high.assumed), (3 + 1105, false));
    let low = chat(json!({"detail": "low", "url": url}));
    assert_eq!((low.fixed, low.assumed), (3 + 85, false));
    let far = chat(json!({"url": "https://example.com/cat.png", "detail": null}));
    assert_eq!((far.fixed, far.assumed), (3 + 765, true));
    // None of them is text, however long.
    assert_eq!(high.texts.0, ["user"]);
}

#[test]
fn in_responses_the_detail_of_an_image_stands_beside_it() {
    let url = format!("data:image/png;base64,{}", png(1024, 1024));
    let body = json!({"input": [{"role": "user", "content": [
        {"type": "input_text", "text": "hello"},
        {"detail": "low", "type": "input_image", "image_url": url},
    ]}]});
    let low = prompt("/v1/responses", body);
    assert_eq!((low.texts.0.len(), low.fixed), (2, 3 + 85 + 3));
}

#[test]
fn responses_frame_a_bare_input_and_instructions_as_messages() {
    let body = json!({"instructions": "be brief", "input": "hello"});
    let bare = prompt("/v1/responses", body);
    assert_eq!(bare.texts.0, ["hello", "be brief"]);
    assert_eq!((bare.fixed, bare.assumed), (4 + 4 + 3, false));
    let body = json!({"input": "go on", "previous_response_id": "resp_1"});
    assert!(prompt("/v1/responses", body).assumed);
    let body = json!({"input": [
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "c", "output": "42"},
        {"type": "reasoning", "id": "r", "encrypted_content": "xyz", "summary": []},
    ]});
    assert_eq!(prompt("/v1/responses", body).texts.0, ["{}", "f", "42"]);
}

#[test]
fn sound_counts_by_its_length() {
    let mut wav = b"RIFF....WAVEfmt ................".to_vec();
    wav[28..32].copy_from_slice(&8000_u32.to_le_bytes());
    wav.resize(44 + 4000, 0);
    let sound = |data: &str| {
        message(json!({"role": "user", "content": [
            {"type": "input_audio", "input_audio": {"format": "wav", "data": data}},
        ]}))
    };
    let half = sound(&base64(&wav));
    assert_eq!((half.fixed, half.assumed), (3 + 5, false));
    let unknown = sound(&base64(b"OggS...."));
    assert_eq!((unknown.fixed, unknown.assumed), (3 + 100, true));
}

#[test]
fn embeddings_and_completions_have_no_frame_and_numbers_are_tokens() {
    let texts = |body| prompt("/v1/embeddings", body);
    let one = texts(json!({"input": "hello"}));
    assert_eq!((one.texts.0.len(), one.fixed), (1, 0));
    let several = texts(json!({"input": ["a", "b", ""]}));
    assert_eq!(
        (several.texts.0, several.fixed),
        (vec!["a".into(), "b".into()], 0)
    );
    let numbers = texts(json!({"input": [[1, 2, 3], [4]]}));
    assert_eq!(
        (numbers.texts.0.len(), numbers.fixed, numbers.assumed),
        (0, 4, false)
    );
    let completion = prompt("/v1/completions", json!({"prompt": [1, 2, 3]}));
    assert_eq!(completion.fixed, 3);
}

#[test]
fn a_function_is_a_line_and_so_is_each_property() {
    let body = json!({"messages": [], "tools": [{"type": "function", "function": {
        "parameters": {"type": "object", "properties": {
            "place": {"description": "Where it is.", "type": "string"},
            "unit": {"type": ["string", "null"], "enum": ["c", "f", null]},
            "deep": {"type": "object", "properties": {"x": {"type": "number"}}},
        }, "required": ["place"]},
        "description": "Tells the weather.", "name": "weather",
    }}]});
    let tools = prompt(CHAT, body);
    let mut texts = tools.texts.0;
    texts.sort();
    let expected = [
        "c",
        "deep:object:",
        "f",
        "null",
        "place:string:Where it is",
        "unit:[\"string\",\"null\"]:",
        "weather:Tells the weather",
        "x:number:",
    ];
    assert_eq!(texts, expected);
    let values = -3 + 3 * 3;
    assert_eq!(tools.fixed - 3, 7 + 2 * 3 + 4 * 3 + values + 12);
    assert!(!tools.assumed);
}

#[test]
fn each_dialect_keeps_its_functions_elsewhere() {
    let schema = json!({"type": "object", "properties": {"x": {"type": "number"}}});
    let function = |key: &str| json!({"name": "f", "description": "d", key: schema});
    let alike = [
        (
            "/v1/responses",
            json!({"type": "function", "name": "f", "description": "d", "parameters": schema}),
        ),
        ("/v1/messages", function("input_schema")),
        (
            GEMINI,
            json!({"functionDeclarations": [function("parameters")]}),
        ),
    ];
    for (path, tool) in alike {
        let tools = prompt(path, json!({ "tools": [tool] }));
        assert_eq!(tools.texts.0.len(), 2, "{path}: {tools:?}");
        assert!(
            tools.texts.0.contains(&"f:d".to_owned()),
            "{path}: {tools:?}"
        );
        assert!(!tools.assumed, "{path}");
    }
    let own = prompt("/v1/responses", json!({"tools": [{"type": "web_search"}]}));
    assert_eq!((own.texts.0.len(), own.assumed), (0, true));
    let none = prompt(CHAT, json!({"messages": [], "tools": []}));
    assert_eq!((none.fixed, none.assumed), (3, false));
}

#[test]
fn a_schema_of_the_answer_is_assumed_to_be_as_it_is_written() {
    let schema = json!({"type": "object"});
    let chat = json!({"messages": [], "response_format": {"type": "json_schema", "json_schema":
        {"name": "n", "strict": true, "schema": schema}}});
    let responses = json!({"text": {"verbosity": "low", "format": {"type": "json_schema", "name": "n",
        "schema": schema}}});
    let gemini = json!({"generationConfig": {"responseSchema": schema}});
    for (path, body) in [(CHAT, chat), ("/v1/responses", responses), (GEMINI, gemini)] {
        let format = prompt(path, body);
        assert_eq!(format.texts.0, [r#"{"type":"object"}"#], "{path}");
        assert!(format.assumed, "{path}");
    }
    let plain = json!({"messages": [], "response_format": {"type": "json_object"}});
    let plain = prompt(CHAT, plain);
    assert_eq!((plain.texts.0.len(), plain.assumed), (0, false));
}

#[test]
fn anthropics_blocks_are_read() {
    let body = json!({"model": "claude-sonnet-4-5", "system": [{"type": "text", "text": "be brief"}], "messages": [
        {"role": "user", "content": [
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": png(200, 200)}},
            {"type": "document", "source": {"data": "plain words", "type": "text", "media_type": "text/plain"}},
        ]},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
            {"type": "redacted_thinking", "data": "c2Vj"},
            {"type": "tool_use", "id": "t", "name": "f", "input": {"x": [1, 2]}},
        ]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "42"}]},
    ]});
    let prompt = prompt("/v1/messages", body);
    let expected = [
        "be brief",
        "user",
        "plain words",
        "assistant",
        "hm",
        "f",
        r#"{"x":[1,2]}"#,
        "user",
        "42",
    ];
    let mut sorted = prompt.texts.0.clone();
    let mut wanted = expected.map(str::to_owned).to_vec();
    sorted.sort();
    wanted.sort();
    assert_eq!(sorted, wanted);
    assert_eq!((prompt.fixed, prompt.assumed), (4 + 3 * 3 + 3 + 54, false));
}

#[test]
fn geminis_parts_are_read() {
    let body = json!({"systemInstruction": {"parts": [{"text": "be brief"}]}, "contents": [
        {"role": "user", "parts": [
            {"text": "what is it?"},
            {"inlineData": {"mimeType": "image/png", "data": png(300, 300)}},
        ]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {"x": 1}}}]},
        {"role": "user", "parts": [{"fileData": {"mimeType": "application/pdf", "fileUri": "https://x/y"}}]},
    ]});
    let prompt = prompt(GEMINI, body);
    let mut texts = prompt.texts.0;
    texts.sort();
    assert_eq!(
        texts,
        [
            "be brief",
            "f",
            "model",
            "user",
            "user",
            "what is it?",
            r#"{"x":1}"#
        ]
    );
    assert_eq!(
        (prompt.fixed, prompt.assumed),
        (4 + 3 * 3 + 3 + 258 + 258, true)
    );
}

#[test]
fn files_are_taken_for_pages() {
    let pdf = format!("data:application/pdf;base64,{}", base64(&[b'%'; 120_000]));
    let file = message(json!({"role": "user", "content": [
        {"type": "file", "file": {"filename": "a.pdf", "file_data": pdf}},
    ]}));
    assert_eq!((file.fixed, file.assumed), (3 + 3 * 1500, true));
    let body = json!({"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}]});
    let stored = prompt("/v1/responses", body);
    assert_eq!((stored.fixed, stored.assumed), (3 + 1500 + 3, true));
}

#[test]
fn a_text_is_the_same_however_long_it_is() {
    for letters in [1, 100, 255, 256, 257, 3000] {
        let long = "aé\n\"\\\u{1}猫".repeat(letters / 7 + 1);
        let part = json!({"type": "text", "text": long});
        let seen = message(json!({"role": "user", "content": [part.clone(), "b", part]}));
        assert_eq!(seen.texts.0, [&*long, "b", &*long, "user"]);
    }
}

#[test]
fn what_no_provider_takes_counts_as_it_is_written() {
    let odd = r#"{"role":"user","content":"\ud800"}"#;
    let body = format!(r#"{{"model":"gpt-4o","messages":[{odd}]}}"#);
    let half = prompt_raw(CHAT, &body);
    assert_eq!(
        (half.texts.0, half.fixed, half.assumed),
        (vec![odd.to_owned()], 3, true)
    );
    let odd = r#"{"role":"user","content":[{"image_url":{"detail":[]}}]}"#;
    let body =
        format!(r#"{{"model":"gpt-4o","messages":[{odd},{{"role":"user","content":"b"}}]}}"#);
    assert_eq!(prompt_raw(CHAT, &body).texts.0, [odd, "user", "b"]);
}
