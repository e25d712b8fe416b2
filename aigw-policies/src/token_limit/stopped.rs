use std::sync::Arc;

use super::Budget;

/// A stream was ended for a budget that had nothing left: stated in the call's
/// [record](aigw_core::call::Record) when it is.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stopped {
    /// Which it was; the first of them where there were several.
    pub budget: Arc<Budget>,
}
