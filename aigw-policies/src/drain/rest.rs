use std::{
    future::poll_fn,
    sync::Arc,
    task::{Poll, ready},
};

use aigw_core::rt::{Spawn, Timer};
use bytes::Buf;
use http_body::Body;

use super::{Bounds, bounds::Places};

/// What it takes to read an answer on: shared by a layer's futures and bodies.
#[derive(Debug)]
pub(super) struct Drainer<R>(Arc<Shared<R>>);

#[derive(Debug)]
struct Shared<R> {
    bounds: Bounds,
    places: Places,
    runtime: R,
}

impl<R> Drainer<R> {
    pub(super) fn new(bounds: Bounds, runtime: R) -> Self {
        Self(Arc::new(Shared {
            places: Places::new(bounds.concurrent),
            bounds,
            runtime,
        }))
    }
}

impl<R> Clone for Drainer<R> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<R: Spawn + Timer> Drainer<R> {
    /// Spawns a task that waits for `body` and reads it to its end or to the bounds. Drops it where
    /// no place is free.
    pub(super) fn read_on<F, B>(&self, body: F)
    where
        F: Future<Output = Option<B>> + Send + 'static,
        B: Body + Send + 'static,
    {
        let Shared {
            bounds,
            places,
            runtime,
        } = &*self.0;
        if bounds.are_zero() {
            return;
        }
        let Some(place) = places.take() else {
            return;
        };
        // A bound beyond the range of time is none.
        let deadline = runtime.now().checked_add(bounds.time);
        let timer = runtime.clone();
        let bytes = bounds.bytes;
        runtime.spawn(async move {
            let _place = place;
            // Made in the task: an answer may be dropped where no timer runs.
            let sleep = deadline.map(|deadline| timer.sleep_until(deadline));
            let mut reading = std::pin::pin!(async move {
                if let Some(body) = body.await {
                    read(body, bytes).await;
                }
            });
            let mut sleep = std::pin::pin!(sleep);
            poll_fn(|cx| {
                let late = sleep
                    .as_mut()
                    .as_pin_mut()
                    .is_some_and(|sleep| sleep.poll(cx).is_ready());
                match reading.as_mut().poll(cx) {
                    Poll::Pending if !late => Poll::Pending,
                    _ => Poll::Ready(()),
                }
            })
            .await;
        });
    }
}

/// Reads to the end, an error, or so many bytes.
async fn read<B: Body>(body: B, mut bytes: u64) {
    let mut body = std::pin::pin!(body);
    poll_fn(|cx| {
        match ready!(body.as_mut().poll_frame(cx)) {
            Some(Ok(frame)) => {
                let size = frame.data_ref().map_or(0, Buf::remaining);
                bytes = bytes.saturating_sub(size as u64);
            }
            None | Some(Err(_)) => return Poll::Ready(()),
        }
        if bytes == 0 || body.is_end_stream() {
            return Poll::Ready(());
        }
        // One frame a turn: an answer that is all there must not keep the thread from others.
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
