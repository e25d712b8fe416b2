//! A standalone AI gateway of aigw's layers.
//!
//! Without a file it runs against two simulated providers and prints what to try.

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::PathBuf,
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
    /// Listens there instead, as on 127.0.0.1:0 for a port that is free.
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
    /// Checks the file and stops.
    #[arg(long, requires = "config")]
    check: bool,
}

impl Args {
    /// What a line about the file begins with.
    fn file(&self) -> String {
        let file = self.config.as_deref();
        file.map(|file| format!("{}: ", file.display()))
            .unwrap_or_default()
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let done = serve(&args).await;
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "{}{error}", args.file());
            ExitCode::FAILURE
        }
    }
}

async fn serve(args: &Args) -> Result<(), Error> {
    let mut config = match &args.config {
        Some(file) => Config::read(file)?,
        None => Config::demo()?,
    };
    if args.check {
        config.check()?;
        remark(args, &config);
        let _ = writeln!(io::stdout(), "{}no fault found", args.file());
        return Ok(());
    }
    remark(args, &config);
    if let Some(address) = args.listen {
        config.server.listen = address;
    }
    if args.config.is_some() {
        run::run(config, |_| String::new()).await
    } else {
        run::run(config, things_to_try).await
    }
}

/// Says what stands in the file in vain.
fn remark(args: &Args, config: &Config) {
    for remark in config.remarks() {
        let _ = writeln!(io::stderr(), "{}{remark}", args.file());
    }
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
