use std::{collections::HashMap, fmt, sync::Arc};

use aigw_core::{call::Call, key::Dimension};
use http::HeaderMap;

/// Which calls are meant: those that have certain values.
///
/// In a file it is a table of values, all of which must be the call's:
/// `{ "label:tier" = "gold", operation = "chat" }` (feature `serde`). A call that has no value has
/// not this one.
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
#[cfg_attr(feature = "serde", serde(from = "HashMap<Dimension, Box<str>>"))]
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

    /// Of these calls those that have this value as well.
    #[must_use]
    pub fn and(mut self, dimension: Dimension, value: impl Into<Box<str>>) -> Self {
        self.values.insert(dimension, value.into());
        self
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

impl From<HashMap<Dimension, Box<str>>> for Condition {
    fn from(values: HashMap<Dimension, Box<str>>) -> Self {
        Self {
            values,
            function: None,
        }
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Condition")
            .field("values", &self.values)
            .field("function", &self.function.is_some())
            .finish()
    }
}
