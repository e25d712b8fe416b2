use std::{error::Error, fmt};

use aigw_core::{BoxError, outcome::Fault};

/// A transport's error, with what it means as its [source](Error::source).
///
/// It reads as the transport's error does, causes included; [`Fault::find`] finds the meaning
/// behind it.
#[derive(Debug)]
pub struct TransportError {
    fault: Fault,
    error: BoxError,
}

impl TransportError {
    /// An error whose meaning is known.
    #[must_use]
    pub fn new(fault: Fault, error: BoxError) -> Self {
        Self { fault, error }
    }

    /// What the error means.
    #[must_use]
    pub fn fault(&self) -> Fault {
        self.fault
    }

    /// The transport's own error.
    #[must_use]
    pub fn into_inner(self) -> BoxError {
        self.error
    }
}

impl fmt::Display for TransportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)?;
        // The causes stand here because the source is taken by the fault.
        let mut next = self.error.source();
        while let Some(cause) = next {
            write!(f, ": {cause}")?;
            next = cause.source();
        }
        Ok(())
    }
}

impl Error for TransportError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.fault)
    }
}
