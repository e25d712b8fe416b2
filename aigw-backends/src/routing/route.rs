use std::{borrow::Cow, error::Error, fmt};

use aigw_core::{
    BoxError,
    dialect::Operation,
    reject::{Reason, Refusal},
};
use http::StatusCode;

/// Calls that are alike, and what is done with them.
///
/// A route without models matches every model and calls that name none; a route without operations
/// matches every operation, unknown ones included.
#[derive(Clone, Debug)]
#[must_use]
pub struct Route<K> {
    pub(super) models: Vec<Box<str>>,
    pub(super) operations: Vec<Operation>,
    pub(super) action: Action<K>,
    pub(super) alias: Option<Box<str>>,
}

#[derive(Clone, Debug)]
pub(super) enum Action<K> {
    Send(K),
    Reply(Reply),
}

impl<K> Route<K> {
    /// Sends calls to the backend of that name.
    pub fn to(backend: K) -> Self {
        Self::new(Action::Send(backend))
    }

    /// Answers calls without asking a backend.
    pub fn reply(reply: Reply) -> Self {
        Self::new(Action::Reply(reply))
    }

    fn new(action: Action<K>) -> Self {
        Self {
            models: Vec::new(),
            operations: Vec::new(),
            action,
            alias: None,
        }
    }

    /// Matches calls for one more model: a name, or a glob.
    pub fn model(mut self, name: impl Into<Box<str>>) -> Self {
        self.models.push(name.into());
        self
    }

    /// Matches one more operation.
    pub fn operation(mut self, operation: Operation) -> Self {
        self.operations.push(operation);
        self
    }

    /// Asks the backend for this model instead of the caller's.
    pub fn alias(mut self, model: impl Into<Box<str>>) -> Self {
        self.alias = Some(model.into());
        self
    }
}

/// An answer of our own, in the form of an error of the caller's dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reply {
    /// The status: 400 to 599.
    pub status: StatusCode,
    /// The machine-readable code.
    pub code: Cow<'static, str>,
    /// What the caller reads.
    pub message: Cow<'static, str>,
}

impl Reply {
    /// An answer with this status, code and message.
    #[must_use]
    pub fn new(
        status: StatusCode,
        code: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
        }
    }

    pub(super) fn refusal(&self) -> Refusal {
        Refusal::new(Reason::Configured(self.status), self.message.clone()).code(self.code.clone())
    }
}

/// Routes that make no table. Routes are counted from zero.
#[derive(Debug)]
#[non_exhaustive]
pub enum ConfigError {
    /// A glob that is none.
    #[non_exhaustive]
    Glob {
        /// Which route.
        route: usize,
        /// Why it is none.
        source: BoxError,
    },
    /// A reply that does not refuse.
    #[non_exhaustive]
    ReplyStatus {
        /// Which route.
        route: usize,
        /// Its status.
        status: StatusCode,
    },
    /// A route sends calls to a backend that does not exist.
    #[non_exhaustive]
    UnknownBackend {
        /// Which route.
        route: usize,
        /// The backend's name.
        backend: String,
    },
    /// A route must have one backend, or a reply and nothing beside it.
    #[non_exhaustive]
    Ambiguous {
        /// Which route.
        route: usize,
    },
    /// A route has an empty alias, or an alias and no backend that could be asked for it.
    #[non_exhaustive]
    Alias {
        /// Which route.
        route: usize,
    },
    /// Two backends have one name.
    #[non_exhaustive]
    DuplicateBackend {
        /// The name.
        backend: String,
    },
}

impl ConfigError {
    /// The route at fault, if it is one.
    #[must_use]
    pub fn route(&self) -> Option<usize> {
        match self {
            Self::Glob { route, .. }
            | Self::ReplyStatus { route, .. }
            | Self::UnknownBackend { route, .. }
            | Self::Ambiguous { route }
            | Self::Alias { route } => Some(*route),
            Self::DuplicateBackend { .. } => None,
        }
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Glob { route, .. } => write!(f, "route {route} has an invalid model glob"),
            Self::ReplyStatus { route, status } => write!(
                f,
                "route {route} replies with {}, which is no refusal",
                status.as_u16()
            ),
            Self::UnknownBackend { route, backend } => {
                write!(
                    f,
                    "route {route} names the backend `{backend}`, which does not exist"
                )
            }
            Self::Ambiguous { route } => write!(
                f,
                "route {route} must name one backend (several are not supported yet), or a reply \
                 and nothing beside it"
            ),
            Self::Alias { route } => write!(
                f,
                "route {route} has an alias that is empty or that no backend is asked for"
            ),
            Self::DuplicateBackend { backend } => write!(f, "duplicate backend `{backend}`"),
        }
    }
}

impl Error for ConfigError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Glob { source, .. } => Some(&**source),
            _ => None,
        }
    }
}
