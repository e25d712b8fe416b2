//! Counting that would hold a reactor up, done somewhere else.

use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use aigw_core::rt::Offload;

use crate::tokens::{Count, Work};

/// Where long prompts are counted. Its type is erased: it is rarely asked, and next to what is done
/// there an allocation is nothing.
#[derive(Clone)]
pub(super) struct Elsewhere(Arc<dyn Run>);

/// A count that is under way; `None` where it came to nothing.
// Locked by nobody: it makes a `Sync` of what is polled by one task alone.
pub(super) struct Counting(Mutex<Counted>);

type Counted = Pin<Box<dyn Future<Output = Option<Count>> + Send>>;

trait Run: Send + Sync {
    fn run(&self, work: Work) -> Counted;
}

impl Elsewhere {
    pub(super) fn new(offload: impl Offload) -> Self {
        Self(Arc::new(offload))
    }

    pub(super) fn run(&self, work: Work) -> Counting {
        Counting(Mutex::new(self.0.run(work)))
    }
}

impl Future for Counting {
    type Output = Option<Count>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Count>> {
        let counted = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        counted.as_mut().poll(cx)
    }
}

impl<O: Offload> Run for O {
    fn run(&self, work: Work) -> Counted {
        let counted = self.offload(|| work.run());
        Box::pin(async { counted.await.ok() })
    }
}

impl fmt::Debug for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elsewhere").finish_non_exhaustive()
    }
}
