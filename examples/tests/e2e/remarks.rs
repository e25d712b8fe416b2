//! `gateway --check`: what stands in a file in vain is remarked on, and the file is accepted.

use crate::{
    check::{URL, backend, budget, consumer, with},
    process::{file, gateway, output},
};

#[tokio::test]
async fn what_stands_in_a_file_in_vain_is_remarked_on() {
    let labelled = with("") + &consumer("a", "\"sk-1\"") + "labels = { tier = \"silver\" }\n";
    for (name, toml, says) in [
        (
            "label",
            labelled
                + "[[request_limit]]\nkey = []\nquota = 1\nperiod = \"day\"\n\
                   when = { \"label:tier\" = \"gold\" }",
            "request_limit[0]: holds for nobody: no consumer has tier = `gold`",
        ),
        (
            "prices",
            budget("tokens_per_minute = 5")
                + "[token_limit.prices]\ncurrency = \"USD\"\notherwise = { input = 1, output = 2 }",
            "token_limit.prices: no budget has a `cost`, so that nothing is priced",
        ),
        (
            "route",
            with("[[route]]\nmodel = [\"m\"]\nbackends = [\"upstream\"]"),
            "route[1]: no call comes here: route[0] takes all there are",
        ),
        (
            "backend",
            backend(URL) + &with(""),
            "backend[0]: no route leads to `b`",
        ),
    ] {
        let path = file(&format!("remark-{name}.toml"), &toml);
        let path = path.to_str().unwrap();
        let output = output(&mut gateway(&["--check", "--config", path])).await;
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{name}: {told}");
        assert_eq!(told, format!("{path}: {says}\n"), "{name}");
    }
}
