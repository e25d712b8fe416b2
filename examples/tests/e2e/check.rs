//! `gateway --check`: a file that cannot take effect is named, with the key and the reason.

use crate::{
    house::{every_dialect, one_backend},
    process::{file, gateway, output},
};

/// A file that is right but for one line.
pub(crate) fn with(line: &str) -> String {
    one_backend("http://127.0.0.1:9", "") + line + "\n"
}

/// A backend that is right but for these lines.
pub(crate) fn backend(lines: &str) -> String {
    format!("[[backend]]\nid = \"b\"\ndialect = \"openai\"\n{lines}\n")
}

/// A file with a budget of these lines.
pub(crate) fn budget(lines: &str) -> String {
    with(&format!(
        "[token_limit]\nestimate = \"off\"\nopaque = \"pass\"\n\
         [[token_limit.budget]]\nname = \"b\"\n{lines}"
    ))
}

/// One who may call, with these keys.
pub(crate) fn consumer(id: &str, keys: &str) -> String {
    format!("[[access.consumer]]\nid = \"{id}\"\nkeys = [{keys}]\n")
}

const SIMULATOR: &str = "[[simulator]]\nid = \"s\"\nlisten = \"127.0.0.1:0\"\n";

pub(crate) const URL: &str = "url = \"http://127.0.0.1:9\"";

#[tokio::test]
async fn a_file_that_starts_is_accepted() {
    let full = every_dialect(
        r#"
max_body_bytes = 1048576
body_timeout = "10s"
write_timeout = "PT1M"
drain = "1m"
"#,
    ) + r#"
[[simulator]]
id = "limited"
listen = "127.0.0.1:0"
tokens_per_minute = 20000
time_to_first_token = "20ms"
time_per_token = "1ms"

[[backend]]
id = "full"
simulator = "limited"
dialect = "azure-openai"
deployments = { "gpt-4-turbo" = "turbo-eus" }
api_version = "2024-10-21"
labels = { region = "eastus" }
credentials = { api_key = "env:AIGW_E2E_KEY" }
timeouts = { connect = "2s", headers = "30s", first_token = "30s", idle = "30s", total = "10m" }

[routing]
default = "deny"

[[route]]
model = ["gpt-4-*", "o[13]"]
alias = "gpt-4-turbo"
backends = ["full"]

[[route]]
operation = ["images"]
reply = { status = 400, code = "OperationNotSupported", message = "images are not offered here" }
"#;
    for (name, toml) in [("full", &*full), ("least", &with(""))] {
        let path = file(&format!("check-{name}.toml"), toml);
        let mut check = gateway(&["--check", "--config", path.to_str().unwrap()]);
        let output = output(check.env("AIGW_E2E_KEY", "sk-secret")).await;
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{name}: {errors}");
        assert_eq!(errors, "");
    }
}

#[tokio::test]
async fn the_file_to_start_from_is_accepted_as_it_stands_and_with_all_it_shows() {
    let shown = include_str!("../../gateway.toml");
    let set: String = shown
        .lines()
        .map(
            |line| match line.strip_prefix("# ").filter(|rest| is_setting(rest)) {
                Some(setting) => format!("{setting}\n"),
                None => format!("{line}\n"),
            },
        )
        // There are no such certificates.
        .filter(|line| !line.starts_with("tls ="))
        .collect();
    assert!(set.contains("\nalias =") && set.contains("\ntime_per_token ="));
    assert!(set.contains("\nkey_query =") && set.contains("\nstate ="));
    assert!(set.contains("\noutput =") && set.contains("\nalign ="));
    assert!(set.contains("\nkind =") && set.contains("\non_error ="));
    for (name, toml) in [("shown", shown), ("set", &*set)] {
        let path = file(&format!("check-{name}.toml"), toml);
        let mut check = gateway(&["--check", "--config", path.to_str().unwrap()]);
        for key in [
            "OPENAI_API_KEY",
            "AZURE_OPENAI_API_KEY",
            "ANTHROPIC_API_KEY",
            "TEAM_A_KEY",
        ] {
            check.env(key, "sk-secret");
        }
        let output = output(&mut check).await;
        let errors = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{name}: {errors}");
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(told, format!("{}: no fault found\n", path.display()));
    }
}

/// Whether a comment is a setting that is left out.
fn is_setting(comment: &str) -> bool {
    let key = comment.split(" = ").next().unwrap_or_default();
    key.len() < comment.len()
        && key
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte == b'_')
}

#[tokio::test]
async fn a_file_that_cannot_take_effect_is_refused_by_name_key_and_reason() {
    let cases = [
        ("not-toml", "[server".to_owned(), "TOML", "expected"),
        ("section", with("[sever]"), "sever", "unknown field `sever`"),
        (
            "store",
            with("[store]\nkind = \"paper\""),
            "store.kind",
            "unknown variant `paper`",
        ),
        (
            "requests-twice",
            with(
                "[[request_limit]]\nkey = []\nquota = 9\nperiod = \"day\"\n\
                 [[request_limit]]\nkey = [\"user\"]\nquota = 1\nperiod = \"day\"",
            ),
            "request_limit[1]",
            "another limit has the name `requests` too: give it a `name`",
        ),
        (
            "calls-twice",
            with(
                "[[concurrency_limit]]\nname = \"a\"\nkey = []\ncalls = 9\n\
                 [[concurrency_limit]]\nname = \"a\"\nkey = [\"user\"]\ncalls = 1",
            ),
            "concurrency_limit[1]",
            "another limit has the name `a` too: give it a `name`",
        ),
        (
            "no-calls",
            with("[[concurrency_limit]]\nkey = []\ncalls = 0"),
            "concurrency_limit[0]",
            "calls",
        ),
        (
            "no-opaque",
            with("[token_limit]\nestimate = \"off\"\nbudget = []"),
            "token_limit",
            "missing field `opaque`",
        ),
        (
            "no-budget",
            with("[token_limit]\nestimate = \"off\"\nopaque = \"pass\"\nbudget = []"),
            "token_limit",
            "a limiter without a budget limits nothing",
        ),
        (
            "no-rate",
            with(
                "[token_limit]\nestimate = \"off\"\nopaque = \"pass\"\n\
                 [[token_limit.budget]]\nname = \"b\"\ntokens = 5",
            ),
            "token_limit.budget[0]",
            "budget `b`: a rate is either `tokens_per_minute`",
        ),
        (
            "price-kind",
            budget("tokens_per_minute = 5")
                + "[token_limit.prices]\ncurrency = \"USD\"\notherwise = { inptu = 1, output = 2 }",
            "token_limit.prices.otherwise",
            "there is no kind of token `inptu`, expected one of `input`, ",
        ),
        (
            "price-star",
            budget("tokens_per_minute = 5")
                + "[token_limit.prices]\ncurrency = \"USD\"\notherwise = { input = 1, output = 2 }\n\
                   [token_limit.prices.model]\n\"gpt-*-mini\" = { input = 1, output = 2 }",
            "token_limit.prices.model",
            "the price of `gpt-*-mini`: a star stands at the end",
        ),
        (
            "when-operation",
            budget("tokens_per_minute = 5\nwhen = { operation = \"chatt\" }"),
            "token_limit.budget[0].when",
            "unknown operation `chatt`",
        ),
        (
            "when-nobody",
            budget("tokens_per_minute = 5\nwhen = { \"label:tier\" = \"gold\" }"),
            "token_limit.budget[0]",
            "`label:tier` is known of nobody without `[access]`",
        ),
        (
            "key-nobody",
            with("[[request_limit]]\nkey = [\"consumer\"]\nquota = 1\nperiod = \"day\""),
            "request_limit[0]",
            "`consumer` is known of nobody without `[access]`",
        ),
        (
            "label-nobody",
            consumer("a", "\"sk-1\"") + "[[concurrency_limit]]\nkey = [\"label:tier\"]\ncalls = 1",
            "concurrency_limit[0]",
            "no consumer has a label `tier`",
        ),
        (
            "when-stranger",
            consumer("a", "\"sk-1\"")
                + "[[request_limit]]\nkey = []\nquota = 1\nperiod = \"day\"\n\
                   when = { consumer = \"b\" }",
            "request_limit[0]",
            "there is no consumer `b`",
        ),
        (
            "when-anonymous",
            consumer("a", "\"sk-1\"")
                + "[[request_limit]]\nkey = []\nquota = 1\nperiod = \"day\"\n\
                   when = { consumer = \"anonymous\" }",
            "request_limit[0]",
            "nobody is `anonymous` where `access.required` is true",
        ),
        (
            "no-route",
            "[server]\nlisten = \"127.0.0.1:0\"".to_owned(),
            "route",
            "there is none",
        ),
        (
            "address-twice",
            "[server]\nlisten = \"127.0.0.1:81\"\nadmin_listen = \"127.0.0.1:81\"".to_owned(),
            "server.admin_listen",
            "127.0.0.1:81 is the address of `server.listen` too",
        ),
        (
            "later",
            with("[semantic_cache]\nttl = \"10m\""),
            "semantic_cache",
            "unknown field",
        ),
        (
            "key",
            one_backend("http://127.0.0.1:9", "lissten = \"127.0.0.1:80\""),
            "server.lissten",
            "unknown field `lissten`",
        ),
        (
            "type",
            one_backend("http://127.0.0.1:9", "max_body_bytes = \"16MB\""),
            "server.max_body_bytes",
            "invalid type",
        ),
        (
            "address",
            with("[[simulator]]\nid = \"s\"\nlisten = \"localhost\""),
            "simulator[0].listen",
            "`localhost` is no socket address, such as 127.0.0.1:8080",
        ),
        (
            "duration",
            one_backend("http://127.0.0.1:9", "drain = \"30\""),
            "server.drain",
            "a duration such as",
        ),
        (
            "timeout",
            backend(&format!("{URL}\ntimeouts = {{ idle = \"0s\" }}")),
            "backend[0].timeouts",
            "idle",
        ),
        (
            "unset",
            backend(&format!(
                "{URL}\ncredentials = {{ api_key = \"env:AIGW_E2E_UNSET\" }}"
            )),
            "backend[0].credentials.api_key",
            "AIGW_E2E_UNSET",
        ),
        (
            "no-file",
            backend(&format!("{URL}\ntls = {{ ca = \"file:/nowhere/ca.pem\" }}")),
            "backend[0].tls.ca",
            "/nowhere/ca.pem",
        ),
        (
            "no-certificate",
            backend(&format!("{URL}\ntls = {{ ca = \"hello\" }}")),
            "backend[0]",
            "certificate",
        ),
        (
            "both",
            backend(&format!("{URL}\nsimulator = \"s\"")),
            "backend[0]",
            "either a `url` or a `simulator`",
        ),
        (
            "neither",
            backend(""),
            "backend[0]",
            "either a `url` or a `simulator`",
        ),
        (
            "simulator",
            backend("simulator = \"nowhere\""),
            "backend[0].simulator",
            "no simulator `nowhere`",
        ),
        (
            "url",
            backend("url = \"not a url\""),
            "backend[0].url",
            "invalid",
        ),
        (
            "dialect",
            backend(URL).replace("openai", "klingon"),
            "backend[0].dialect",
            "unknown dialect `klingon`",
        ),
        (
            "twice",
            backend(URL) + &backend(URL),
            "backend[1].id",
            "duplicate id `b`",
        ),
        (
            "simulator-twice",
            with(SIMULATOR) + SIMULATOR,
            "simulator[1].id",
            "duplicate id `s`",
        ),
        (
            "no-backend",
            with("[[route]]\nbackends = [\"nowhere\"]"),
            "route[1]",
            "`nowhere`, which does not exist",
        ),
        (
            "two-backends",
            with("[[route]]\nbackends = [\"upstream\", \"upstream\"]"),
            "route[1]",
            "must name one backend",
        ),
        (
            "alias",
            with("[[route]]\nbackends = [\"upstream\"]\nalias = \"\""),
            "route[1]",
            "an alias that is empty",
        ),
        (
            "body-of-nothing",
            one_backend("http://127.0.0.1:9", "max_body_bytes = 0"),
            "server.max_body_bytes",
            "greater than 0",
        ),
        (
            "write-at-once",
            one_backend("http://127.0.0.1:9", "write_timeout = \"0s\""),
            "server.write_timeout",
            "longer than 0",
        ),
        (
            "glob",
            with("[[route]]\nmodel = [\"gpt-[\"]\nbackends = [\"upstream\"]"),
            "route[1]",
            "invalid model glob",
        ),
        (
            "access-later",
            with("[access]\nrequired = false\n[[access.jwt]]\nissuer = \"i\""),
            "access.jwt",
            "unknown field `jwt`",
        ),
        (
            "consumer-later",
            consumer("a", "\"sk-1\"") + "models = [\"m\"]\n",
            "access.consumer[0].models",
            "unknown field `models`",
        ),
        (
            "nobody",
            with("[access]"),
            "access.consumer",
            "no consumer who has one",
        ),
        (
            "consumer-twice",
            consumer("a", "\"sk-1\"") + &consumer("a", "\"sk-2\""),
            "access.consumer[1].id",
            "duplicate id `a`",
        ),
        (
            "consumer-key-shared",
            consumer("a", "\"sk-1\"") + &consumer("b", "\"sk-2\", \"sk-1\""),
            "access.consumer[1].keys",
            "the consumers `a` and `b` have the same key",
        ),
        (
            "consumer-key-empty",
            consumer("a", "\"\""),
            "access.consumer[0].keys",
            "a key of the consumer `a` is empty",
        ),
        (
            "consumer-no-key",
            consumer("a", ""),
            "access.consumer[0].keys",
            "the consumer `a` has no key",
        ),
        (
            "consumer-key-unset",
            consumer("a", "\"sk-1\", \"env:AIGW_E2E_UNSET\""),
            "access.consumer[0].keys[1]",
            "AIGW_E2E_UNSET",
        ),
        (
            "consumer-key-alone",
            consumer("a", "").replace("[]", "\"sk-hush\""),
            "access.consumer[0].keys",
            "expected a list of keys, each a string",
        ),
        (
            "key-header",
            with("[access]\nrequired = false\nkey_headers = [\"x-key\", \"x key\"]"),
            "access.key_headers[1]",
            "`x key` is not a header name",
        ),
        (
            "operation",
            with("[[route]]\noperation = [\"chatting\"]"),
            "route[1].operation",
            "unknown operation `chatting`",
        ),
        (
            "reply",
            with("[[route]]\nreply = { status = 200, code = \"c\", message = \"m\" }"),
            "route[1]",
            "no refusal",
        ),
    ];
    for (name, toml, key, reason) in cases {
        let path = file(&format!("check-{name}.toml"), &toml);
        let path = path.to_str().unwrap();
        let output = output(&mut gateway(&["--check", "--config", path])).await;
        let error = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{name}: {error}");
        assert!(
            error.starts_with(&format!("{path}: {key}")),
            "{name}: {error}"
        );
        assert!(error.contains(reason), "{name}: {error}");
        assert!(!error.contains("sk-"), "{name} shows a key: {error}");
        assert_eq!(output.stdout, b"", "{name}");
    }
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let output = output(&mut gateway(&["--config", "/nowhere/gateway.toml"])).await;
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.starts_with("/nowhere/gateway.toml: "), "{error}");
    assert_eq!(output.status.code(), Some(1));
}

#[tokio::test]
async fn a_file_that_is_wrong_does_not_start_either() {
    let path = file("start-wrong.toml", "[server]\nlissten = 1");
    let output = output(&mut gateway(&["--config", path.to_str().unwrap()])).await;
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("server.lissten: unknown field"), "{error}");
    assert_eq!((output.status.code(), &*output.stdout), (Some(1), &b""[..]));
}
