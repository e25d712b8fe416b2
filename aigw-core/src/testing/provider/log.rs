use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri, request};

/// A call as it reached the provider, and what became of its answer so far.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Received {
    /// The method.
    pub method: Method,
    /// The target as it was sent: path and query, over HTTP/2 and in memory often the host too.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; empty until it has been read whole.
    pub body: Bytes,
    /// The status of the answer, once there is one.
    pub status: Option<StatusCode>,
    /// How far the answer got.
    pub fate: Fate,
}

impl Received {
    /// The path, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// The body as JSON; `None` if it is none.
    #[must_use]
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// What became of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fate {
    /// The request is still being read, or the answer being sent.
    #[default]
    InFlight,
    /// Everything that the script had to say was read.
    Finished,
    /// The answer broke off because a script said so.
    Broken,
    /// The caller lost interest: answer or body were dropped before their end.
    Dropped,
}

/// The latest calls, oldest first, and how many are in flight.
#[derive(Debug, Default)]
pub(super) struct Log {
    entries: Mutex<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    kept: VecDeque<Arc<Mutex<Received>>>,
    /// Bytes of the bodies that were kept since they were last added up: never too few.
    body_bytes: usize,
    in_flight: usize,
}

/// Bytes of bodies that the log holds, give or take the latest; the oldest calls go first.
const KEPT_BODY_BYTES: usize = 256 << 20;

impl Entries {
    fn add_body(&mut self, len: usize) {
        self.body_bytes = self.body_bytes.saturating_add(len);
        if self.body_bytes <= KEPT_BODY_BYTES {
            return;
        }
        let mut bytes = 0;
        let keep = self.kept.iter().rev().take_while(|call| {
            bytes += lock(call).body.len();
            bytes <= KEPT_BODY_BYTES / 2
        });
        let kept = keep.count();
        self.kept.drain(..self.kept.len().saturating_sub(kept));
        self.body_bytes = bytes;
    }
}

impl Log {
    /// Enters a call, forgetting the oldest beyond `keep`.
    pub(super) fn enter(self: &Arc<Self>, head: &request::Parts, keep: usize) -> Entry {
        let received = Arc::new(Mutex::new(Received {
            method: head.method.clone(),
            uri: head.uri.clone(),
            headers: head.headers.clone(),
            body: Bytes::new(),
            status: None,
            fate: Fate::InFlight,
        }));
        let mut entries = lock(&self.entries);
        entries.in_flight += 1;
        entries.kept.push_back(Arc::clone(&received));
        let excess = entries.kept.len().saturating_sub(keep);
        entries.kept.drain(..excess);
        Entry {
            log: Arc::clone(self),
            received: (keep > 0).then_some(received),
        }
    }

    pub(super) fn calls(&self) -> Vec<Received> {
        let entries = lock(&self.entries);
        entries.kept.iter().map(|call| lock(call).clone()).collect()
    }

    pub(super) fn clear(&self) {
        let mut entries = lock(&self.entries);
        entries.kept.clear();
        entries.body_bytes = 0;
    }

    pub(super) fn in_flight(&self) -> usize {
        lock(&self.entries).in_flight
    }
}

/// A call in flight. Dropped without a fate, it counts as dropped by the caller.
pub(super) struct Entry {
    log: Arc<Log>,
    received: Option<Arc<Mutex<Received>>>,
}

impl Entry {
    /// The request has been read.
    pub(super) fn read(&self, body: &Bytes) {
        if self.received.is_some() {
            lock(&self.log.entries).add_body(body.len());
            self.note(|call| call.body = body.clone());
        }
    }

    pub(super) fn note(&self, fact: impl FnOnce(&mut Received)) {
        if let Some(received) = &self.received {
            fact(&mut lock(received));
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.note(|call| {
            if call.fate == Fate::InFlight {
                call.fate = Fate::Dropped;
            }
        });
        lock(&self.log.entries).in_flight -= 1;
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_bodies_push_out_the_oldest_calls() {
        let log = Arc::new(Log::default());
        let (head, ()) = http::Request::new(()).into_parts();
        let body = Bytes::from(vec![0; KEPT_BODY_BYTES / 8]);
        for _ in 0..100 {
            log.enter(&head, 1000).read(&body);
            assert!(log.calls().len() <= 9);
        }
        assert_eq!(
            log.calls().last().map(|call| call.body.len()),
            Some(body.len())
        );
    }
}
