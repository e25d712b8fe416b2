use std::{fmt::Display, sync::Arc};

use aigw_core::reject::{MakeRejection, Refuser};
use tower_layer::Layer;

use super::{Router, Table};

/// Lets through to one service only what a [`Table`] has a route for, aliases applied.
///
/// Every backend that the table names is the one service beneath. Where they are several, use a
/// [`Router`].
#[derive(Debug)]
#[must_use]
pub struct RouterLayer<K> {
    table: Arc<Table<K>>,
    refuser: Refuser,
}

impl<K> RouterLayer<K> {
    /// Routes by `table`.
    pub fn new(table: Table<K>) -> Self {
        Self {
            table: Arc::new(table),
            refuser: Refuser::default(),
        }
    }

    /// Refuses with `make` in place of [`DialectJson`](aigw_core::reject::DialectJson).
    pub fn rejection(mut self, make: impl MakeRejection + Send + Sync + 'static) -> Self {
        self.refuser = Refuser::new(make);
        self
    }
}

impl<S, K> Layer<S> for RouterLayer<K>
where
    S: Clone,
    K: Clone + Display,
{
    type Service = Router<K, S>;

    fn layer(&self, inner: S) -> Router<K, S> {
        Router::over_one(Arc::clone(&self.table), inner, self.refuser.clone())
    }
}

impl<K> Clone for RouterLayer<K> {
    fn clone(&self) -> Self {
        Self {
            table: Arc::clone(&self.table),
            refuser: self.refuser.clone(),
        }
    }
}
