use std::{
    pin::Pin,
    task::{Context, Poll},
};

use pin_project::pin_project;

use super::{
    gate::Class,
    limit::Why,
    places::{Place, Waiting},
};

/// A call in the queue, until it is let in or its time is over.
#[pin_project]
pub(super) struct Wait<F> {
    waiting: Waiting,
    class: Class,
    #[pin]
    sleep: F,
}

impl<F: Future<Output = ()>> Wait<F> {
    pub(super) fn new(waiting: Waiting, class: Class, sleep: F) -> Self {
        Self {
            waiting,
            class,
            sleep,
        }
    }

    pub(super) fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Place, Why>> {
        let this = self.project();
        if let Poll::Ready(place) = this.waiting.poll(cx) {
            return Poll::Ready(place.ok_or(Why::Displaced));
        }
        this.sleep.poll(cx).map(|()| {
            // One that came free just now is taken nevertheless: it would be passed on unused.
            this.waiting.give_up().ok_or(Why::Late)
        })
    }

    pub(super) fn class(&self) -> Class {
        self.class
    }
}

#[cfg(test)]
mod tests {
    use std::{pin::pin, sync::Arc, task::Waker};

    use super::{
        super::{
            gate::Terms,
            places::{Entered, Places},
        },
        *,
    };
    use crate::budget::Key;

    /// A place, and a wait for it that is over when `sleep` is; what comes of it at once.
    fn race<F>(sleep: impl FnOnce(Place) -> F) -> Poll<Result<Place, Why>>
    where
        F: Future<Output = ()>,
    {
        let places = Places::new(Terms {
            calls: 1,
            reserve: 0,
            queue: 1,
        });
        let key = Arc::new(Key::new("", [None::<&str>; 0]));
        let enter = || places.enter(Arc::clone(&key), Class::High);
        let (Entered::Inside(place), Entered::Waiting(waiting)) = (enter(), enter()) else {
            panic!("one enters, and one waits");
        };
        let wait = pin!(Wait::new(waiting, Class::High, sleep(place)));
        wait.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_place_that_comes_free_as_the_time_is_over_is_taken() {
        let taken = race(|place| async move { drop(place) });
        assert!(matches!(taken, Poll::Ready(Ok(_))), "{taken:?}");
    }

    #[test]
    fn whoever_has_waited_long_enough_gives_up() {
        let late = race(|place| async { std::mem::forget(place) });
        assert!(matches!(late, Poll::Ready(Err(Why::Late))), "{late:?}");
    }
}
