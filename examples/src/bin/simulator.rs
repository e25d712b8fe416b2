//! A simulated provider over TCP: every dialect, streamed or not, and obedient to scripts.
//!
//! Prints `listening on http://ADDR` first, then serves until it is told to stop. What it says and
//! how scripts are written stands in the docs of `aigw_core::testing::provider`.

use std::{
    io::{self, Write},
    net::SocketAddr,
    time::Duration,
};

use aigw_core::{
    rt::Tokio,
    testing::{Provider, provider::Config},
};
use aigw_examples::{server::StopSignals, simulator};
use clap::Parser;
use tokio::net::TcpListener;

/// A simulated AI provider.
#[derive(Debug, Parser)]
struct Args {
    /// Address to listen on; port 0 picks one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Name that scripts address and that x-ms-region states; default: the host of each request.
    #[arg(long)]
    id: Option<String>,
    /// Key that callers must present; default: none.
    #[arg(long, value_name = "KEY")]
    api_key: Option<String>,
    /// Tokens a minute beyond which it answers 429; default: no limit.
    #[arg(long, value_name = "N")]
    tokens_per_minute: Option<u64>,
    /// Milliseconds before the first token.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    ttft_ms: u64,
    /// Milliseconds before each later token.
    #[arg(long, value_name = "MS", default_value_t = 0)]
    token_ms: u64,
    /// Models to serve, with commas between them; default: every model.
    #[arg(long, value_delimiter = ',')]
    models: Vec<String>,
}

impl Args {
    fn config(self) -> Config {
        let mut config = Config::default()
            .models(self.models)
            .time_to_first_token(Duration::from_millis(self.ttft_ms))
            .time_per_token(Duration::from_millis(self.token_ms))
            // Nobody looks at them here.
            .kept_calls(0);
        if let Some(id) = self.id {
            config = config.id(id);
        }
        if let Some(key) = self.api_key {
            config = config.api_key(key);
        }
        if let Some(tokens) = self.tokens_per_minute {
            config = config.tokens_per_minute(tokens);
        }
        config
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    let args = Args::parse();
    let listener = TcpListener::bind(args.listen).await?;
    let mut stop = StopSignals::listen();
    writeln!(
        io::stdout(),
        "listening on http://{}",
        listener.local_addr()?
    )?;
    let provider = Provider::with_config(args.config(), Tokio);
    simulator::serve(listener, provider, stop.next()).await;
    Ok(())
}
