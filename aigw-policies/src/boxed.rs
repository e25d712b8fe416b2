//! A future whose type nobody needs to name.

use std::{
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll},
};

/// A boxed future that is `Sync` whether what it boxes is or not.
// Locked by nobody: the lock makes a `Sync` of what is polled by one task alone.
pub(crate) struct Boxed<T>(Mutex<Pin<Box<dyn Future<Output = T> + Send>>>);

#[cfg(feature = "token-limit")]
impl<T> Boxed<T> {
    pub(crate) fn new(future: impl Future<Output = T> + Send + 'static) -> Self {
        Self(Mutex::new(Box::pin(future)))
    }
}

impl<T> Future for Boxed<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let future = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        future.as_mut().poll(cx)
    }
}
