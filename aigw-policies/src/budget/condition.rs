use std::{collections::HashMap, error::Error, fmt, net::IpAddr, sync::Arc};

use aigw_core::{
    call::Call,
    dialect::{self, Operation},
    key::Dimension,
};
use http::HeaderMap;

/// Which calls are meant: those that have certain values.
///
/// In a file it is a table of values, all of which must be the call's:
/// `{ "label:tier" = "gold", operation = "chat" }` (feature `serde`). An operation or an address
/// that there cannot be is an error there. A call that lacks the property is not meant.
///
/// # Examples
///
/// ```
/// use aigw_core::key::Dimension;
/// use aigw_policies::budget::Condition;
///
/// let gold = Condition::value(Dimension::Label("tier".into()), "gold");
/// let long = Condition::function(|call, _| call.body().is_some_and(|body| body.len() > 100_000));
/// # let _ = (gold, long);
/// ```
#[derive(Clone, Default)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "HashMap<Dimension, Box<str>>"))]
pub struct Condition {
    values: HashMap<Dimension, Box<str>>,
    function: Option<Arc<Function>>,
}

type Function = dyn Fn(&Call, &HeaderMap) -> bool + Send + Sync;

impl Condition {
    /// Calls that have this value.
    #[must_use]
    pub fn value(dimension: Dimension, value: impl Into<Box<str>>) -> Self {
        Self::default().and(dimension, value)
    }

    /// Calls of which `function` says so. It is given the headers of the request, and called before
    /// the call has taken anything: it must not block.
    #[must_use]
    pub fn function(function: impl Fn(&Call, &HeaderMap) -> bool + Send + Sync + 'static) -> Self {
        Self {
            values: HashMap::new(),
            function: Some(Arc::new(function)),
        }
    }

    /// Of these calls those that have this value as well. One of the same dimension is replaced.
    #[must_use]
    pub fn and(mut self, dimension: Dimension, value: impl Into<Box<str>>) -> Self {
        self.values.insert(dimension, value.into());
        self
    }

    /// The values that a call must have.
    pub fn values(&self) -> impl Iterator<Item = (&Dimension, &str)> {
        self.values.iter().map(|(key, value)| (key, &**value))
    }

    pub(crate) fn holds(&self, call: &Call, headers: &HeaderMap) -> bool {
        let has = |dimension: &Dimension, value: &str| {
            dimension.value(call, headers).as_deref() == Some(value)
        };
        let all = self.values.iter().all(|(key, value)| has(key, value));
        all && self.function.as_ref().is_none_or(|is| is(call, headers))
    }

    /// Whether it holds for every call.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.is_empty() && self.function.is_none()
    }
}

impl TryFrom<HashMap<Dimension, Box<str>>> for Condition {
    type Error = ConditionError;

    fn try_from(values: HashMap<Dimension, Box<str>>) -> Result<Self, ConditionError> {
        for (dimension, value) in &values {
            match dimension {
                Dimension::Operation => {
                    value
                        .parse::<Operation>()
                        .map_err(ConditionError::Operation)?;
                }
                Dimension::Ip if !is_address(value) => {
                    return Err(ConditionError::Ip(value.clone()));
                }
                _ => {}
            }
        }
        Ok(Self {
            values,
            function: None,
        })
    }
}

/// Whether an address is written as calls have it.
fn is_address(text: &str) -> bool {
    let ip = text.parse::<IpAddr>();
    ip.is_ok_and(|ip| ip.to_canonical().to_string() == text)
}

/// A value that no call can have.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConditionError {
    /// There is no such operation.
    Operation(dialect::ParseError),
    /// It is no address, or not in its shortest form.
    Ip(Box<str>),
}

impl fmt::Display for ConditionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operation(error) => error.fmt(f),
            Self::Ip(text) => write!(f, "`{text}` is no address, or not in its shortest form"),
        }
    }
}

impl Error for ConditionError {}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition")
            .field("values", &self.values)
            .field("function", &self.function.is_some())
            .finish()
    }
}

#[cfg(all(test, feature = "serde"))]
mod tests {
    use super::*;

    #[test]
    fn what_no_call_can_have_is_an_error_of_the_file() {
        let read = |text| toml::from_str::<Condition>(text).map_err(|error| error.to_string());
        for text in ["operation = 'chat'\nip = '192.0.2.7'", "ip = '2001:db8::1'"] {
            assert!(read(text).is_ok(), "{text}");
        }
        for (text, says) in [
            ("operation = 'chatt'", "unknown operation `chatt`"),
            ("ip = '192.0.2'", "`192.0.2` is no address"),
            ("ip = '::ffff:192.0.2.7'", "not in its shortest form"),
            ("ip = '2001:DB8::1'", "not in its shortest form"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
