use std::{
    future::poll_fn,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
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
    /// Spawns a task that waits for `body` and reads it to its end or to the bounds. Drops it where no place is free.
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
        let sleep = deadline.map(|deadline| runtime.sleep_until(deadline));
        let bytes = bounds.bytes;
        runtime.spawn(async move {
            let _place = place;
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

async fn read<B: Body>(body: B, mut bytes: u64) {
    let mut body = std::pin::pin!(body);
    while let Some(Ok(frame)) = poll_fn(|cx: &mut Context<'_>| next(body.as_mut(), cx)).await {
        let size = frame.data_ref().map_or(0, Buf::remaining);
        bytes = bytes.saturating_sub(size as u64);
        if bytes == 0 || body.is_end_stream() {
            return;
        }
    }
}

fn next<B: Body>(
    body: Pin<&mut B>,
    cx: &mut Context<'_>,
) -> Poll<Option<Result<http_body::Frame<B::Data>, B::Error>>> {
    body.poll_frame(cx)
}
