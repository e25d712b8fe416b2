//! Tells whoever runs the process what happens outside any one call's answer.
//!
//! What belongs to a call is in its [`Record`](crate::call::Record) and its
//! [`Meter`](crate::meter::Meter); an [`Event`] is what an operator wants counted or logged
//! besides. Layers that can report take an [`Observe`]; `()` is the one that ignores everything.
//!
//! # Examples
//!
//! ```
//! use std::sync::atomic::{AtomicU64, Ordering};
//!
//! use aigw_core::{call::CallLayer, meter::MeterLayer, observe::Event};
//! use http::{Request, Response};
//! use tower::{ServiceBuilder, ServiceExt};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let unmeasured = AtomicU64::new(0);
//! let observer = |event: &Event<'_>| {
//!     if matches!(event, Event::EncodedAnswer { .. }) {
//!         unmeasured.fetch_add(1, Ordering::Relaxed);
//!     }
//! };
//! let service = ServiceBuilder::new()
//!     .layer(CallLayer::new())
//!     .layer(MeterLayer::new().with_observe(observer))
//!     .service_fn(async |_| Response::builder().header("content-encoding", "br").body(String::new()));
//!
//! let body = r#"{"model":"m","messages":[]}"#.to_owned();
//! service.oneshot(Request::post("/v1/chat/completions").body(body)?).await?;
//! assert_eq!(unmeasured.into_inner(), 1);
//! # Ok(())
//! # }
//! ```

use std::sync::Arc;

/// Takes events of the process.
///
/// Called on the path of a call, so an implementation counts or enqueues and returns: it must not
/// block.
pub trait Observe {
    /// Takes one event.
    fn observe(&self, event: &Event<'_>);
}

/// Ignores every event.
impl Observe for () {
    fn observe(&self, _: &Event<'_>) {}
}

impl<F: Fn(&Event<'_>)> Observe for F {
    fn observe(&self, event: &Event<'_>) {
        self(event);
    }
}

impl<O: Observe + ?Sized> Observe for Arc<O> {
    fn observe(&self, event: &Event<'_>) {
        (**self).observe(event);
    }
}

/// Something that happened to the process rather than in the answer to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// An answer came encoded although `identity` was asked for: it passes untouched, and its
    /// usage is [unmeasured](crate::usage::Source::Unmeasured).
    #[non_exhaustive]
    EncodedAnswer {
        /// The answer's `content-encoding`.
        encoding: &'a str,
    },
    /// A backend refused `stream_options.include_usage`, and answered without it.
    #[non_exhaustive]
    UsageRefused {
        /// The model that was asked, if one was.
        model: Option<&'a str>,
    },
    /// A store that processes share does not answer. Until it is found, what its user chose for
    /// that case decides.
    #[non_exhaustive]
    StoreLost {
        /// The store's name.
        store: &'a str,
    },
    /// A store that was lost answers again.
    #[non_exhaustive]
    StoreFound {
        /// The store's name.
        store: &'a str,
    },
    /// A store has come back without what it knew: limits are there again that had been used.
    #[non_exhaustive]
    StoreForgot {
        /// The store's name.
        store: &'a str,
    },
}

impl<'a> Event<'a> {
    /// A store of this name is lost.
    #[must_use]
    pub const fn store_lost(store: &'a str) -> Self {
        Self::StoreLost { store }
    }

    /// A store of this name is found again.
    #[must_use]
    pub const fn store_found(store: &'a str) -> Self {
        Self::StoreFound { store }
    }

    /// A store of this name has forgotten what it knew.
    #[must_use]
    pub const fn store_forgot(store: &'a str) -> Self {
        Self::StoreForgot { store }
    }

    /// The name in snake case, as logs and metrics spell it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::EncodedAnswer { .. } => "encoded_answer",
            Self::UsageRefused { .. } => "usage_refused",
            Self::StoreLost { .. } => "store_lost",
            Self::StoreFound { .. } => "store_found",
            Self::StoreForgot { .. } => "store_forgot",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn closures_shared_observers_and_nobody_observe() {
        let seen = Mutex::new(Vec::new());
        let closure = |event: &Event<'_>| seen.lock().unwrap().push(event.as_str());
        let shared: Arc<dyn Observe + '_> = Arc::new(closure);
        shared.observe(&Event::UsageRefused { model: Some("m") });
        Arc::clone(&shared).observe(&Event::EncodedAnswer { encoding: "br" });
        ().observe(&Event::UsageRefused { model: None });
        drop(shared);
        assert_eq!(
            seen.into_inner().unwrap(),
            ["usage_refused", "encoded_answer"]
        );
    }
}
