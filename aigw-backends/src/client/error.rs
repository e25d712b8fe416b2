use std::{error::Error, fmt};

use aigw_core::BoxError;

/// Settings with which no client can be made.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// A text that should be PEM is not, or holds nothing of what is needed. Names the setting.
    Pem(&'static str),
    /// rustls refuses the certificates or the key.
    Tls(BoxError),
    /// A client certificate without its key, or the other way round.
    HalfIdentity,
    /// The proxy is not `http://host[:port]` alone.
    Proxy,
    /// A connection that may take no time at all.
    ZeroConnectTimeout,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pem(setting) => write!(f, "`{setting}` holds no usable PEM"),
            Self::Tls(_) => f.write_str("the certificates or the key cannot be used"),
            Self::HalfIdentity => {
                f.write_str("`client_cert` and `client_key` stand together or not at all")
            }
            Self::Proxy => f.write_str(
                "the proxy must be `http://host:port`, with credentials given apart from it",
            ),
            Self::ZeroConnectTimeout => f.write_str("`connect` must be longer than zero"),
        }
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Tls(error) => Some(&**error),
            _ => None,
        }
    }
}
