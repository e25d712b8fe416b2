//! Counting that would hold a reactor up, done somewhere else.

use std::{fmt, sync::Arc};

use aigw_core::rt::Offload;

use crate::{
    boxed::Boxed,
    tokens::{Count, Work},
};

/// Where long prompts are counted. Its type is erased: it is rarely asked, and next to what is done
/// there an allocation is nothing.
#[derive(Clone)]
pub(super) struct Elsewhere(Arc<dyn Run>);

/// A count that is under way; `None` where it came to nothing.
pub(super) type Counting = Boxed<Option<Count>>;

trait Run: Send + Sync {
    fn run(&self, work: Work) -> Counting;
}

impl Elsewhere {
    pub(super) fn new(offload: impl Offload) -> Self {
        Self(Arc::new(offload))
    }

    pub(super) fn run(&self, work: Work) -> Counting {
        self.0.run(work)
    }
}

impl<O: Offload> Run for O {
    fn run(&self, work: Work) -> Counting {
        let counted = self.offload(|| work.run());
        Boxed::new(async { counted.await.ok() })
    }
}

impl fmt::Debug for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elsewhere").finish_non_exhaustive()
    }
}
