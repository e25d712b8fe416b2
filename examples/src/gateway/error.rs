use std::{error, fmt};

/// Why a gateway cannot be set up: the key at fault and the reason.
#[derive(Debug)]
pub struct Error {
    key: String,
    reason: Box<dyn error::Error + Send + Sync>,
}

impl Error {
    /// What is wrong with a key of the file.
    pub fn new(
        key: impl Into<String>,
        reason: impl Into<Box<dyn error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            key: key.into(),
            reason: reason.into(),
        }
    }

    /// Names the key of an error.
    pub(super) fn at<E>(key: impl Into<String>) -> impl FnOnce(E) -> Self
    where
        E: Into<Box<dyn error::Error + Send + Sync>>,
    {
        let key = key.into();
        |reason| Self {
            key,
            reason: reason.into(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.key, self.reason)?;
        let mut cause = self.reason.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}

impl error::Error for Error {}
