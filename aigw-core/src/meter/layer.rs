use tower_layer::Layer;

use super::{asking::Asking, service::MeterService};
use crate::{
    observe::Observe,
    rt::{Clock, SystemClock},
};

/// Reads what each answer used, as it passes.
///
/// Stands next to the provider: one for each backend. See the [module](super).
#[derive(Clone, Debug)]
#[must_use]
pub struct MeterLayer<C = SystemClock, O = ()> {
    clock: C,
    observe: O,
    include_usage: IncludeUsage,
}

/// Whether to ask for the usage of a stream that the caller did not ask for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum IncludeUsage {
    /// Ask, hide the event from the caller, and ask no more for a model that refuses the question.
    /// The default.
    #[default]
    Auto,
    /// Send what the caller sent. Streams that state no usage are
    /// [counted](crate::usage::Source::Counted).
    Never,
}

impl MeterLayer {
    /// A meter on the system's clock that [asks for usage](IncludeUsage::Auto).
    pub fn new() -> Self {
        Self {
            clock: SystemClock,
            observe: (),
            include_usage: IncludeUsage::Auto,
        }
    }
}

impl Default for MeterLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<C, O> MeterLayer<C, O> {
    /// Takes the times of content from another clock.
    pub fn with_clock<D: Clock>(self, clock: D) -> MeterLayer<D, O> {
        let Self {
            observe,
            include_usage,
            ..
        } = self;
        MeterLayer {
            clock,
            observe,
            include_usage,
        }
    }

    /// Tells `observe` of answers that cannot be read and of models that refuse to state usage.
    /// Default: nobody.
    pub fn with_observe<P: Observe>(self, observe: P) -> MeterLayer<C, P> {
        let Self {
            clock,
            include_usage,
            ..
        } = self;
        MeterLayer {
            clock,
            observe,
            include_usage,
        }
    }

    /// Whether to ask for the usage of streams. Default: [`IncludeUsage::Auto`].
    pub fn include_usage(mut self, include_usage: IncludeUsage) -> Self {
        self.include_usage = include_usage;
        self
    }
}

impl<S, C: Clone, O: Clone> Layer<S> for MeterLayer<C, O> {
    type Service = MeterService<S, C, O>;

    fn layer(&self, inner: S) -> Self::Service {
        MeterService {
            inner,
            clock: self.clock.clone(),
            observe: self.observe.clone(),
            asking: Asking::new(self.include_usage),
        }
    }
}
