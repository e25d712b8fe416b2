//! Settings that cannot take effect, and settings from files.

use aigw_policies::access::{AuthenticateLayer, Config, ConsumerConfig};

use super::teams;

/// The setting at fault and the reason.
fn fault(config: Config) -> (String, String) {
    let error = AuthenticateLayer::try_new(config).unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(!told.contains("sk-"), "shows a key: {told}");
    (error.setting().to_owned(), error.to_string())
}

#[test]
fn settings_that_cannot_take_effect_are_errors_that_name_the_consumer_and_no_key() {
    let consumer = |id: &str| ConsumerConfig::new(id);
    let cases = [
        (
            Config::default(),
            "consumer",
            "a key is required, and there is no consumer who has one",
        ),
        (
            teams().consumer(consumer("team-a").key("sk-3")),
            "consumer[2].id",
            "duplicate id `team-a`",
        ),
        (
            teams().consumer(consumer("").key("sk-3")),
            "consumer[2].id",
            "the id of a consumer is empty",
        ),
        (
            teams().consumer(consumer("team-c")),
            "consumer[2].keys",
            "the consumer `team-c` has no key",
        ),
        (
            teams().consumer(consumer("team-c").key("sk-3").key("")),
            "consumer[2].keys",
            "a key of the consumer `team-c` is empty",
        ),
        (
            teams().consumer(consumer("team-c").key("sk-3\n")),
            "consumer[2].keys",
            "a key of the consumer `team-c` begins or ends with a blank or holds a control \
             character, which no header can",
        ),
        (
            teams().consumer(consumer("team-c").key("sk-team-a-next")),
            "consumer[2].keys",
            "the consumers `team-a` and `team-c` have the same key",
        ),
        (
            teams()
                .required(false)
                .consumer(consumer(Config::ANONYMOUS).key("sk-3")),
            "consumer[2].id",
            "no consumer can be called `anonymous`, as callers without a key are where none is \
             required",
        ),
        (
            teams().key_headers(["api-key", "x key"]),
            "key_headers[1]",
            "`x key` is not a header name",
        ),
        (
            teams().key_headers([""; 0]),
            "key_headers",
            "keys are looked for nowhere",
        ),
        (
            teams().key_query(""),
            "key_query",
            "the name of a query parameter is empty",
        ),
    ];
    for (config, setting, reason) in cases {
        assert_eq!(fault(config), (setting.to_owned(), reason.to_owned()));
    }
}

#[test]
fn what_is_unusual_but_takes_effect_is_no_error() {
    for config in [
        teams().key_headers([""; 0]).key_query("code"),
        teams().consumer(ConsumerConfig::new("team-c").key("sk-3").key("sk-3")),
        teams().consumer(ConsumerConfig::new(Config::ANONYMOUS).key("sk-3")),
        Config::default().required(false),
    ] {
        assert!(AuthenticateLayer::try_new(config).is_ok());
    }
}

#[cfg(feature = "serde")]
mod files {
    use aigw_policies::access::Config;

    use super::super::{CHAT, layer, post, send};

    fn read(text: &str) -> Result<Config, toml::de::Error> {
        toml::from_str::<toml::Table>(text)
            .unwrap()
            .try_into::<Config>()
    }

    const FILE: &str = r#"
        key_headers = ["x-gateway-key"]
        key_query = "code"

        [[consumer]]
        id = "team-a"
        keys = ["sk-team-a", "sk-team-a-next"]
        labels = { tier = "gold" }

        [[consumer]]
        id = "team-b"
        keys = ["sk-team-b"]
        state = "suspended"
    "#;

    #[tokio::test]
    async fn settings_are_read_from_a_file() {
        let closed = layer(read(FILE).unwrap());
        let told = send(
            &closed,
            post(CHAT).header("x-gateway-key", "sk-team-a-next"),
        )
        .await;
        assert_eq!(told.consumer().as_deref(), Some("team-a"));
        let told = send(&closed, post("/p?code=sk-team-b")).await;
        assert_eq!(told.status(), 403);
        assert_eq!(send(&closed, post(CHAT)).await.status(), 401);
        let open = layer(read(&format!("required = false\n{FILE}")).unwrap());
        let told = send(&open, post(CHAT)).await;
        assert_eq!(told.consumer().as_deref(), Some(Config::ANONYMOUS));
    }

    #[tokio::test]
    async fn what_a_file_leaves_out_is_the_default() {
        let read = read("[[consumer]]\nid = 'c'\nkeys = ['k']\nstate = 'active'").unwrap();
        let default = format!("{:?}", Config::default());
        assert!(format!("{read:?}").starts_with(default.trim_end_matches("[] }")));
        let told = send(&layer(read), post(CHAT).header("x-goog-api-key", "k")).await;
        assert_eq!(told.consumer().as_deref(), Some("c"));
    }

    #[test]
    fn a_key_that_is_not_known_is_an_error() {
        let consumer = "[[consumer]]\nid = 'c'\nkeys = ['k']\n";
        for (text, named) in [
            ("requried = true".to_owned(), "requried"),
            ("[[jwt]]\nissuer = 'i'".to_owned(), "jwt"),
            (format!("{consumer}models = ['m']"), "models"),
            (format!("{consumer}operations = ['chat']"), "operations"),
            (format!("{consumer}expires = '2030-01-01'"), "expires"),
            (format!("{consumer}state = 'paused'"), "paused"),
            ("[[consumer]]\nkeys = ['k']".to_owned(), "id"),
        ] {
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(&format!("`{named}`")), "{text}: {error}");
        }
    }

    #[test]
    fn a_mistyped_key_is_not_repeated_by_the_error() {
        for mistyped in [
            "'31337'",
            "31337",
            "[31337]",
            "['k', ['31337']]",
            "{ 31337 = 'k' }",
        ] {
            let text = format!("[[consumer]]\nid = 'c'\nkeys = {mistyped}");
            let error = read(&text).unwrap_err();
            let told = format!("{error} {error:?}");
            assert!(!told.contains("31337"), "{mistyped}: {told}");
            assert!(told.contains("expected a list of keys"), "{told}");
        }
    }
}
