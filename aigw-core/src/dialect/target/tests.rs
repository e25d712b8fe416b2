use super::*;

fn of(method: &str, uri: &str) -> Target {
    let head = http::Request::builder()
        .method(method)
        .uri(uri)
        .body(())
        .unwrap();
    Target::recognize(head.method(), head.uri(), head.headers())
}

#[test]
fn recognizes_every_dialect_and_operation() {
    use Dialect::*;
    use Operation::*;
    let cases: &[(&str, Dialect, Operation, Option<&str>)] = &[
        ("/v1/chat/completions", OpenAi, Chat, None),
        ("/chat/completions", OpenAi, Chat, None),
        ("/team/a/v1/completions", OpenAi, Completions, None),
        ("/v1/responses", OpenAi, Responses, None),
        ("/v1/embeddings", OpenAi, Embeddings, None),
        ("/v1/images/generations", OpenAi, Images, None),
        ("/v1/images/edits", OpenAi, ImageEdits, None),
        ("/v1/audio/speech", OpenAi, Speech, None),
        ("/v1/audio/translations", OpenAi, Transcription, None),
        ("/v1/moderations", OpenAi, Moderations, None),
        ("/v1/files", OpenAi, Other, None),
        ("/v1/responses/resp_1/cancel", OpenAi, Other, None),
        ("/v1/threads/t/messages", OpenAi, Other, None),
        ("/v1beta/openai/chat/completions", OpenAi, Chat, None),
        ("/v1/models/openai/gpt-oss-120b", OpenAi, Other, None),
        (
            "/openai/deployments/a%20b/chat/completions",
            AzureOpenAi,
            Chat,
            Some("a b"),
        ),
        (
            "/x/openai/deployments/e/embeddings?api-version=1",
            AzureOpenAi,
            Embeddings,
            Some("e"),
        ),
        ("/openai/v1/responses", AzureOpenAi, Responses, None),
        (
            "/openai/responses?api-version=1",
            AzureOpenAi,
            Responses,
            None,
        ),
        (
            "/models/chat/completions?api-version=1",
            AzureAi,
            Chat,
            None,
        ),
        (
            "/models/images/embeddings?api-version=1",
            AzureAi,
            Embeddings,
            None,
        ),
        (
            "/OpenAI/Deployments/GPT-4o/Chat/Completions?API-Version=1",
            AzureOpenAi,
            Chat,
            Some("GPT-4o"),
        ),
        ("/x/OPENAI/V1/Responses", AzureOpenAi, Responses, None),
        ("/v1beta/OpenAI/embeddings", OpenAi, Embeddings, None),
        (
            "/Models/Chat/Completions?api%2Dversion=1",
            AzureAi,
            Chat,
            None,
        ),
        ("/v1/Chat/Completions", OpenAi, Chat, None),
        ("/v1/%43hat/completions", OpenAi, Chat, None),
        ("/Models/Chat/Completions", OpenAi, Chat, None),
        // Only what has a model can have a deployment.
        (
            "/openai/deployments/d/files/f/content",
            AzureOpenAi,
            Other,
            None,
        ),
        (
            "/openai/deployments/d/deployments/e",
            AzureOpenAi,
            Other,
            None,
        ),
        ("/openai/deployments/d/models", OpenAi, Other, None),
        ("/v1beta/files/f", Gemini, Other, None),
        ("/v1beta/tunedModels/t:generateContent", Gemini, Other, None),
        ("/v1beta/models/g:explain", Gemini, Other, Some("g")),
        ("/v1/messages", Anthropic, Chat, None),
        ("/v1/messages/count_tokens", Anthropic, CountTokens, None),
        (
            "/v1beta/models/gemini-2.0-flash:generateContent",
            Gemini,
            Chat,
            Some("gemini-2.0-flash"),
        ),
        (
            "/v1/projects/p/locations/l/publishers/google/models/g:streamGenerateContent",
            Gemini,
            Chat,
            Some("g"),
        ),
        (
            "/v1beta/models/e:batchEmbedContents",
            Gemini,
            Embeddings,
            Some("e"),
        ),
    ];
    for (uri, dialect, operation, model) in cases {
        let target = of("POST", uri);
        assert_eq!(
            (target.dialect(), target.operation()),
            (*dialect, *operation),
            "{uri}"
        );
        assert_eq!(target.path_model(), *model, "{uri}");
    }
}

#[test]
fn lists_models_in_the_dialect_of_path_or_header() {
    assert_eq!(of("GET", "/v1/models").dialect(), Dialect::OpenAi);
    assert_eq!(
        of("GET", "/v1/models/gpt-4o").operation(),
        Operation::Models
    );
    assert_eq!(of("GET", "/v1beta/models").dialect(), Dialect::Gemini);
    let mut headers = HeaderMap::new();
    headers.insert("anthropic-version", "2023-06-01".parse().unwrap());
    let target = Target::recognize(&Method::GET, &Uri::from_static("/v1/models"), &headers);
    assert_eq!(
        (target.dialect(), target.operation()),
        (Dialect::Anthropic, Operation::Models)
    );
    let mut headers = HeaderMap::new();
    headers.insert("x-goog-api-key", "k".parse().unwrap());
    let target = Target::recognize(&Method::GET, &Uri::from_static("/v1/models/g"), &headers);
    assert_eq!(
        (target.dialect(), target.operation()),
        (Dialect::Gemini, Operation::Models)
    );
}

#[test]
fn another_method_knows_the_right_one() {
    let allowed = |method, uri| of(method, uri).allowed_method().cloned();
    assert_eq!(allowed("GET", "/v1/embeddings"), Some(Method::POST));
    assert_eq!(allowed("POST", "/v1/models"), Some(Method::GET));
    let gemini = allowed("GET", "/v1beta/models/g:generateContent");
    assert_eq!(gemini, Some(Method::POST));
    assert_eq!(allowed("HEAD", "/v1/models"), None);
    assert_eq!(allowed("GET", "/v1/files"), None);
}

#[test]
fn what_is_openai_by_its_path_is_so_whatever_else_is_sent() {
    let mut headers = HeaderMap::new();
    headers.insert("anthropic-version", "2023-06-01".parse().unwrap());
    let uri = Uri::from_static("/v1/chat/completions");
    let target = Target::recognize(&Method::POST, &uri, &headers);
    assert_eq!(target.dialect(), Dialect::OpenAi);
    assert_eq!(target.operation(), Operation::Chat);
    let tuned = of("GET", "/v1/models/ft:gpt-4o:org::id");
    assert_eq!(tuned.dialect(), Dialect::OpenAi);
    assert_eq!(tuned.operation(), Operation::Models);
}

#[test]
fn another_method_is_another_operation() {
    assert_eq!(
        of("GET", "/v1/chat/completions").operation(),
        Operation::Other
    );
    assert_eq!(
        of("DELETE", "/v1/models/ft:m").operation(),
        Operation::Other
    );
}

#[test]
fn only_gemini_streams_by_path() {
    assert!(of("POST", "/v1beta/models/g:streamGenerateContent?alt=sse").streams());
    assert!(!of("POST", "/v1beta/models/g:generateContent").streams());
}

#[test]
fn an_operation_cannot_hide_behind_its_spelling() {
    let target = of("POST", "/%761/chat/%63ompletions");
    assert_eq!(
        (target.dialect(), target.operation()),
        (Dialect::OpenAi, Operation::Chat)
    );
    let target = of("POST", "/openai/%64eployments/a%2Fb%2563/chat/completions");
    assert_eq!(
        (target.dialect(), target.path_model()),
        (Dialect::AzureOpenAi, Some("a/b%63"))
    );
}

#[test]
fn the_resource_is_what_stands_behind_mount_version_and_deployment() {
    let cases = [
        ("/v1/chat/completions", "chat/completions"),
        ("/team/a/v1/completions", "completions"),
        // Nobody leaves `files` by a version of their own.
        (
            "/v1/files/v1/organization/keys",
            "files/v1/organization/keys",
        ),
        ("/v1/assistants/v1", "assistants/v1"),
        ("/v1/files/openai/batches", "files/openai/batches"),
        (
            "/v1/files/OpenAI/v1/organization",
            "files/OpenAI/v1/organization",
        ),
        (
            "/v1/files/v1beta/openai/batches",
            "files/v1beta/openai/batches",
        ),
        (
            "/v1/files/openai/deployments/x/batches",
            "files/openai/deployments/x/batches",
        ),
        (
            "/openai/v1/files/openai/v1/batches/b",
            "files/openai/v1/batches/b",
        ),
        (
            "/v1beta/files/v1beta/cachedContents",
            "files/v1beta/cachedContents",
        ),
        ("/openai/deployments/d/files/f", "deployments/d/files/f"),
        ("/openai/deployments/d", "deployments/d"),
        (
            "/v1/models/openai/gpt-oss-120b",
            "models/openai/gpt-oss-120b",
        ),
        ("/v1/gateway/v1/chat/completions", "chat/completions"),
        ("/v1/fim/completions", "fim/completions"),
        ("/v1/responses/resp_1/cancel", "responses/resp_1/cancel"),
        ("/team/chat/completions", "chat/completions"),
        ("/team/files/f-1", "team/files/f-1"),
        ("/v1beta/openai/chat/completions", "chat/completions"),
        ("/v1/threads/t/messages", "threads/t/messages"),
        ("/claude/v1/messages/count_tokens", "messages/count_tokens"),
        ("/messages", "messages"),
        (
            "/openai/deployments/a%20b/chat/completions",
            "chat/completions",
        ),
        (
            "/openai/deployments/d/extensions/chat/completions",
            "extensions/chat/completions",
        ),
        ("/x/openai/v1/responses", "responses"),
        ("/openai/files/f-1/content", "files/f-1/content"),
        (
            "/x/models/images/embeddings?api-version=1",
            "images/embeddings",
        ),
        ("/v1beta/models/g:countTokens", "models/g:countTokens"),
        (
            "/v1/projects/p/locations/l/publishers/google/models/g:generateContent",
            "models/g:generateContent",
        ),
        ("/v1beta/cachedContents", "cachedContents"),
        // As it is written, empty segments and escapes included.
        ("//v1//chat//%63ompletions/", "chat//%63ompletions/"),
        ("/%761/files/a%2Fb%20c", "files/a%2Fb%20c"),
        ("/openai//deployments//d//embeddings", "embeddings"),
        ("/openai/%64eployments/d/embeddings", "embeddings"),
    ];
    for (uri, resource) in cases {
        let path = uri.split('?').next().unwrap();
        let target = of("POST", uri);
        assert_eq!(target.resource(path), Some(resource), "{uri}");
        let mounted = format!("/elsewhere{path}");
        assert_eq!(target.resource(&mounted), Some(resource), "{uri}");
    }
}

#[test]
fn nothing_behind_the_mount_is_no_resource() {
    for path in ["/", "//", "/v1", "/v1/", "/openai"] {
        assert_eq!(of("GET", path).resource(path), None, "{path}");
    }
    assert_eq!(of("GET", "/v1/files").resource("/x"), None, "another path");
}

#[test]
fn what_a_deployment_is_called_is_not_read_as_an_operation() {
    for deployment in ["chat", "models", "openai", "deployments", "v1"] {
        let path = format!("/openai/deployments/{deployment}/completions");
        let target = of("POST", &path);
        assert_eq!(target.path_model(), Some(deployment));
        assert_eq!(target.operation(), Operation::Completions, "{path}");
        assert_eq!(target.resource(&path), Some("completions"));
    }
}

#[test]
fn the_version_is_that_in_front_of_the_resource() {
    let version = |uri| of("POST", uri).path_version();
    assert_eq!(version("/v1beta/models/g:generateContent"), Some("v1beta"));
    assert_eq!(
        version("/v1/google/v1alpha/models/g:generateContent"),
        Some("v1alpha")
    );
    assert_eq!(version("/models/g:generateContent"), None);
    assert_eq!(version("/v1beta/openai/embeddings"), Some("v1beta"));
    assert_eq!(version("/openai/v1/embeddings"), Some("v1"));
    assert_eq!(version("/openai/deployments/d/embeddings"), None);
}

#[test]
fn a_long_path_is_read_to_its_beginning_and_its_end() {
    let mount = "/a".repeat(15_000);
    let target = of("POST", &format!("{mount}/v1/chat/completions"));
    assert_eq!(target.operation(), Operation::Chat);

    let path = format!("/openai/deployments/d{mount}/embeddings");
    let target = of("POST", &path);
    assert_eq!(target.path_model(), Some("d"));
    assert_eq!(target.operation(), Operation::Embeddings);
    assert_eq!(target.resource(&path), path.get(22..));

    let slashes = "/".repeat(30_000);
    let path = format!("{slashes}v1{slashes}embeddings");
    assert_eq!(of("POST", &path).resource(&path), Some("embeddings"));
}
