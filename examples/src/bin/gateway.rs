//! A standalone AI gateway of the house's own layers.
//!
//! Without a file it runs against two simulated providers and prints what to try.

use std::{
    fs,
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
};

use aigw_examples::gateway::{Config, Error, run};
use clap::Parser;

/// A standalone AI gateway.
#[derive(Debug, Parser)]
struct Args {
    /// The gateway's file; without one, two simulated providers serve on 127.0.0.1:8080.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Checks the file and stops.
    #[arg(long, requires = "config")]
    check: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Args { config, check } = Args::parse();
    let done = match &config {
        Some(file) if check => read(file).and_then(|config| config.check()),
        Some(file) => match read(file) {
            Ok(config) => run::run(config, |_| String::new()).await,
            Err(error) => Err(error),
        },
        None => match Config::demo() {
            Ok(config) => run::run(config, things_to_try).await,
            Err(error) => Err(error),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let file = config
                .as_deref()
                .map(|file| format!("{}: ", file.display()));
            let _ = writeln!(io::stderr(), "{}{error}", file.unwrap_or_default());
            ExitCode::FAILURE
        }
    }
}

fn read(file: &Path) -> Result<Config, Error> {
    let text = fs::read_to_string(file).map_err(|error| Error::new("cannot be read", error))?;
    Config::parse(&text)
}

fn things_to_try(address: SocketAddr) -> String {
    format!(
        r#"
Try:

  curl http://{address}/v1/chat/completions -H 'content-type: application/json' \
    -d '{{"model": "gpt-4o", "messages": [{{"role": "user", "content": "Hello!"}}]}}'

  curl -N http://{address}/v1/chat/completions -H 'content-type: application/json' \
    -d '{{"model": "gpt-4o", "stream": true, "messages": [{{"role": "user", "content": "Tell me a story."}}]}}'

  curl http://{address}/v1/messages -H 'content-type: application/json' -H 'anthropic-version: 2023-06-01' \
    -d '{{"model": "claude-sonnet-4-5", "max_tokens": 64, "messages": [{{"role": "user", "content": "Hello!"}}]}}'

"#
    )
}
