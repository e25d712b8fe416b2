use http::{HeaderMap, Method};

use super::*;

fn sent(
    dialect: Dialect,
    base: &str,
    version: Option<&str>,
    asked: &str,
) -> Result<String, RewriteError> {
    let asked: Uri = asked.parse().unwrap();
    let target = Target::recognize(&Method::POST, &asked, &HeaderMap::new());
    let mut upstream = Upstream::try_new(base.parse().unwrap(), dialect)
        .unwrap()
        .deployment("gpt-4o", "prod 4o");
    if let Some(version) = version {
        upstream = upstream.api_version(version);
    }
    let model = target.path_model().unwrap_or("gpt-4o").to_owned();
    rewrite(&target, Some(&model), &asked, &upstream).map(|sent| sent.uri.to_string())
}

#[test]
fn paths_map_between_openai_and_azure() {
    use Dialect::*;
    let azure = "https://a.test";
    let cases = [
        (
            OpenAi,
            "https://o.test",
            None,
            "/v1/chat/completions",
            "https://o.test/v1/chat/completions",
        ),
        (
            OpenAi,
            "https://o.test/v1",
            None,
            "/v1/chat/completions",
            "https://o.test/v1/chat/completions",
        ),
        (
            OpenAi,
            "https://o.test/api/v1/",
            None,
            "/team/v1/files/f-1",
            "https://o.test/api/v1/files/f-1",
        ),
        (
            OpenAi,
            "https://o.test/proxy",
            None,
            "/chat/completions",
            "https://o.test/proxy/v1/chat/completions",
        ),
        (
            OpenAi,
            "https://g.test/v1beta/openai",
            None,
            "/v1/embeddings",
            "https://g.test/v1beta/openai/embeddings",
        ),
        (
            OpenAi,
            "https://o.test",
            None,
            "/v1beta/openai/embeddings",
            "https://o.test/v1/embeddings",
        ),
        (
            OpenAi,
            "https://o.test",
            None,
            "/openai/deployments/x/embeddings?api-version=1&a=b",
            "https://o.test/v1/embeddings?a=b",
        ),
        (
            OpenAi,
            "https://o.test",
            None,
            "/openai/v1/responses",
            "https://o.test/v1/responses",
        ),
        (
            OpenAi,
            "https://o.test",
            None,
            "/openai//deployments/x//embeddings",
            "https://o.test/v1/embeddings",
        ),
        (
            OpenAi,
            "https://o.test",
            None,
            "/team/../chat/%63ompletions",
            "https://o.test/v1/chat/completions",
        ),
        (
            AzureOpenAi,
            azure,
            Some("2"),
            "/v1/chat/completions?a=b",
            "https://a.test/openai/deployments/prod%204o/chat/completions?a=b&api-version=2",
        ),
        (
            AzureOpenAi,
            azure,
            Some("2"),
            "/openai/deployments/x/chat/completions?api-version=1",
            "https://a.test/openai/deployments/x/chat/completions?api-version=2",
        ),
        (
            AzureOpenAi,
            azure,
            None,
            "/openai/deployments/gpt-4o/chat/completions?api-version=1",
            "https://a.test/openai/deployments/prod%204o/chat/completions?api-version=1",
        ),
        (
            AzureOpenAi,
            azure,
            None,
            "/v1/chat/completions",
            "https://a.test/openai/v1/chat/completions",
        ),
        (
            AzureOpenAi,
            azure,
            Some("2"),
            "/v1/responses",
            "https://a.test/openai/responses?api-version=2",
        ),
        (
            AzureOpenAi,
            azure,
            None,
            "/openai/v1/responses",
            "https://a.test/openai/v1/responses",
        ),
        (
            AzureAi,
            azure,
            Some("2"),
            "/v1/chat/completions",
            "https://a.test/models/chat/completions?api-version=2",
        ),
        (
            AzureAi,
            "https://a.test/models",
            Some("2"),
            "/models/embeddings?api-version=1",
            "https://a.test/models/embeddings?api-version=2",
        ),
        (
            OpenAi,
            "https://o.test",
            None,
            "/models/chat/completions?api-version=1",
            "https://o.test/v1/chat/completions",
        ),
        (
            AzureOpenAi,
            azure,
            Some("2"),
            "/OpenAI/Deployments/GPT-X/Chat/Completions?a=b&API-Version=1&api%2dversion=3",
            "https://a.test/openai/deployments/GPT-X/chat/completions?a=b&api-version=2",
        ),
        (
            OpenAi,
            "https://o.test",
            None,
            "/OpenAI/Deployments/x/Embe%64dings?Api-Version=1",
            "https://o.test/v1/embeddings",
        ),
        (
            AzureAi,
            azure,
            None,
            "/Models/Images/Embeddings?API-version=1",
            "https://a.test/models/images/embeddings?api-version=1",
        ),
        (
            Anthropic,
            "https://c.test",
            None,
            "/v1/messages/count_tokens?beta=true",
            "https://c.test/v1/messages/count_tokens?beta=true",
        ),
        (
            Gemini,
            "https://g.test",
            None,
            "/x/v1beta/models/g-2:streamGenerateContent?alt=sse",
            "https://g.test/v1beta/models/g-2:streamGenerateContent?alt=sse",
        ),
        (
            Gemini,
            "https://g.test",
            None,
            "/v1beta/models/gpt-4o:generateContent",
            "https://g.test/v1beta/models/prod%204o:generateContent",
        ),
    ];
    for (dialect, base, version, asked, expected) in cases {
        let sent = sent(dialect, base, version, asked);
        assert_eq!(sent.unwrap(), expected, "{asked} to {dialect}");
    }
}

#[test]
fn a_backend_is_not_asked_in_words_it_does_not_know() {
    let cases = [
        (Dialect::Anthropic, "/v1/chat/completions"),
        (Dialect::OpenAi, "/v1/messages"),
        (Dialect::Gemini, "/v1/chat/completions"),
        (Dialect::AzureAi, "/v1/responses"),
    ];
    for (dialect, asked) in cases {
        let refused = sent(dialect, "https://b.test", None, asked).unwrap_err();
        assert!(matches!(refused, RewriteError::Dialect { .. }), "{asked}");
    }
}

#[test]
fn a_path_cannot_climb_out_of_itself() {
    let cases = [
        (Dialect::OpenAi, None, "/v1/chat/../../admin"),
        (Dialect::OpenAi, None, "/v1/files/%2E%2e/keys"),
        (Dialect::OpenAi, None, "/v1/files/..%2F..%2fadmin/keys"),
        (Dialect::OpenAi, None, "/v1/files/x%5c..%5ckeys"),
        (Dialect::OpenAi, None, "/v1/files/..\\keys"),
        (
            Dialect::AzureOpenAi,
            Some("2"),
            "/openai/deployments/%2e%2e/chat/completions",
        ),
    ];
    for (dialect, version, asked) in cases {
        let refused = sent(dialect, "https://b.test/base", version, asked).unwrap_err();
        assert!(matches!(refused, RewriteError::Path), "{asked}");
    }
}

#[test]
fn an_operation_cannot_hide_behind_an_escaped_slash() {
    for asked in [
        "/v1/chat%2Fcompletions",
        "/v1/chat%5ccompletions",
        "/v1/a\\b",
    ] {
        let refused = sent(Dialect::OpenAi, "https://b.test", None, asked).unwrap_err();
        assert!(matches!(refused, RewriteError::Path), "{asked}");
    }
    let asked: Uri = "/v1/models/org%2Fm".parse().unwrap();
    let target = Target::recognize(&Method::GET, &asked, &HeaderMap::new());
    let upstream = Upstream::try_new("https://b.test".parse().unwrap(), Dialect::OpenAi);
    let sent = rewrite(&target, None, &asked, &upstream.unwrap()).unwrap();
    assert_eq!(sent.uri, "https://b.test/v1/models/org%2Fm");
}

#[test]
fn a_deployment_cannot_leave_its_segment() {
    let mut path = String::new();
    push_segment(&mut path, "../a/b?c#d%2f");
    assert_eq!(path, "..%2Fa%2Fb%3Fc%23d%252f");
}
