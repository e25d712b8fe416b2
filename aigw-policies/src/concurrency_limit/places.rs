use std::{
    collections::{HashMap, hash_map},
    fmt, mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::{
    Levels,
    gate::{Class, Entry, Gate, Standing, Terms, Ticket},
    lease::Lease,
};
use crate::budget::Key;

/// The gates of a limit, by key. A key has one only while a call of it is inside or waits, so that
/// made-up keys cost no memory.
///
/// One lock for all of them: it is held for a look-up and some counting. No waker is called, cloned
/// or dropped behind it but those of this call, for a waker may run whatever its executor wants,
/// the drop of another call among it.
#[derive(Clone)]
pub(super) struct Places(Arc<Mutex<State>>);

struct State {
    terms: Terms,
    gates: HashMap<Arc<Key>, Gate<Waker>>,
}

/// How it went.
#[derive(Debug)]
pub(super) enum Entered {
    Inside(Place),
    Waiting(Waiting),
    Full,
}

impl Places {
    pub(super) fn new(terms: Terms) -> Self {
        Self(Arc::new(Mutex::new(State {
            terms,
            gates: HashMap::new(),
        })))
    }

    /// Takes a place, or one in the queue.
    pub(super) fn enter(&self, key: Arc<Key>, class: Class) -> Entered {
        let mut state = self.lock();
        let terms = state.terms;
        let gate = state.gates.entry(Arc::clone(&key)).or_default();
        // Nothing is to be woken before it is polled.
        let entry = gate.enter(&terms, class, Waker::noop().clone());
        drop(state);
        let places = self.clone();
        match entry {
            Entry::Inside => Entered::Inside(Place::new(places, key)),
            Entry::Waiting { ticket, displaced } => {
                let ticket = Some(ticket);
                let waiting = Waiting {
                    places,
                    key,
                    ticket,
                };
                wake(displaced);
                Entered::Waiting(waiting)
            }
            Entry::Full => Entered::Full,
        }
    }

    pub(super) fn terms(&self) -> Terms {
        self.lock().terms
    }

    /// Changes how many may be inside, and lets in who may enter now.
    pub(super) fn set_calls(&self, calls: usize) {
        let mut woken = Vec::new();
        let mut state = self.lock();
        let State { terms, gates } = &mut *state;
        terms.calls = calls;
        for gate in gates.values_mut() {
            woken.extend(std::iter::from_fn(|| gate.admit(terms)));
        }
        drop(state);
        wake(woken);
    }

    /// What there is in sum.
    pub(super) fn levels(&self) -> Levels {
        let state = self.lock();
        let mut sum = Levels::default();
        for gate in state.gates.values() {
            sum.in_flight += gate.inside();
            sum.queued += gate.waiting();
        }
        sum
    }

    /// What there is of each key.
    pub(super) fn levels_by_key(&self) -> Vec<(Arc<Key>, Levels)> {
        let state = self.lock();
        let levels = state.gates.iter().map(|(key, gate)| {
            let levels = Levels {
                in_flight: gate.inside(),
                queued: gate.waiting(),
            };
            (Arc::clone(key), levels)
        });
        levels.collect()
    }

    /// Does something at the gate of a key, and takes it down if it is not needed any more.
    fn at<T>(&self, key: &Arc<Key>, act: impl FnOnce(&mut Gate<Waker>, &Terms) -> T) -> Option<T> {
        let mut state = self.lock();
        let State { terms, gates } = &mut *state;
        // The entry takes a key, which costs a count: looking up twice costs more.
        let hash_map::Entry::Occupied(mut entry) = gates.entry(Arc::clone(key)) else {
            return None;
        };
        let done = act(entry.get_mut(), terms);
        if entry.get().is_untouched() {
            entry.remove();
        }
        Some(done)
    }

    /// No code behind the lock panics, and if it did, each gate would be whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Places {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Places")
            .field("terms", &self.terms())
            .field("levels", &self.levels())
            .finish_non_exhaustive()
    }
}

/// A place inside, given on when dropped.
#[must_use]
pub(super) struct Place {
    places: Places,
    key: Arc<Key>,
    /// Of the same place among those of all processes, where they share them.
    lease: Option<Lease>,
}

impl Place {
    fn new(places: Places, key: Arc<Key>) -> Self {
        let lease = None;
        Self { places, key, lease }
    }

    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    pub(super) fn hold(&mut self, lease: Lease) {
        self.lease = Some(lease);
    }

    /// How many are inside of the same key, this one among them.
    pub(super) fn inside(&self) -> usize {
        let inside = self.places.at(&self.key, |gate, _| gate.inside());
        inside.unwrap_or_default()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // Before whoever comes next asks for one.
        self.lease = None;
        let next = self.places.at(&self.key, |gate, terms| gate.leave(terms));
        wake(next.flatten());
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Place").field(&self.key).finish()
    }
}

/// A place in the queue, left when dropped. If a place inside was given to it that it did not
/// notice, that one is given on.
#[must_use]
pub(super) struct Waiting {
    places: Places,
    key: Arc<Key>,
    /// `None` once it is spent.
    ticket: Option<Ticket>,
}

impl Waiting {
    /// Completes with a place inside, or with `None` when the one in the queue is lost.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Place>> {
        let Some(ticket) = self.ticket else {
            return Poll::Pending;
        };
        let standing = self.places.at(&self.key, |gate, _| {
            match gate.standing(ticket) {
                Standing::Waiting(waker) if waker.will_wake(cx.waker()) => Standing::Waiting(None),
                Standing::Waiting(waker) => {
                    let old = mem::replace(waker, cx.waker().clone());
                    // Dropped outside.
                    Standing::Waiting(Some(old))
                }
                Standing::Inside => Standing::Inside,
                Standing::Displaced => Standing::Displaced,
            }
        });
        match standing {
            Some(Standing::Waiting(_)) => Poll::Pending,
            Some(Standing::Inside) => {
                self.ticket = None;
                Poll::Ready(Some(self.place()))
            }
            Some(Standing::Displaced) | None => {
                self.ticket = None;
                Poll::Ready(None)
            }
        }
    }

    /// Leaves the queue, but with a place inside if one was given in the meantime.
    pub(super) fn give_up(&mut self) -> Option<Place> {
        let ticket = self.ticket.take()?;
        let standing = self.places.at(&self.key, |gate, _| gate.give_up(ticket));
        matches!(standing, Some(Standing::Inside)).then(|| self.place())
    }

    fn place(&self) -> Place {
        Place::new(self.places.clone(), Arc::clone(&self.key))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        drop(self.give_up());
    }
}

impl fmt::Debug for Waiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Waiting").field(&self.key).finish()
    }
}

/// Called without the lock.
fn wake(woken: impl IntoIterator<Item = Waker>) {
    woken.into_iter().for_each(Waker::wake);
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        task::Wake,
    };

    use super::*;

    const ONE: Terms = Terms {
        calls: 1,
        reserve: 0,
        queue: 8,
    };

    fn key() -> Arc<Key> {
        Arc::new(Key::new("", ["a"].map(Some)))
    }

    fn place(places: &Places) -> Place {
        match places.enter(key(), Class::High) {
            Entered::Inside(place) => place,
            other => panic!("{other:?}"),
        }
    }

    fn waiting(places: &Places, class: Class) -> Waiting {
        match places.enter(key(), class) {
            Entered::Waiting(waiting) => waiting,
            other => panic!("{other:?}"),
        }
    }

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Count {
        fn get(&self) -> usize {
            self.0.load(Ordering::Relaxed)
        }
    }

    fn poll(
        waiting: &mut Waiting,
        waker: &Arc<impl Wake + Send + Sync + 'static>,
    ) -> Poll<Option<Place>> {
        waiting.poll(&mut Context::from_waker(&Arc::clone(waker).into()))
    }

    fn levels(in_flight: usize, queued: usize) -> Levels {
        Levels { in_flight, queued }
    }

    #[test]
    fn the_waker_of_the_last_poll_is_woken_once() {
        let places = Places::new(ONE);
        let first = place(&places);
        let mut second = waiting(&places, Class::High);
        let (old, new) = (Arc::<Count>::default(), Arc::<Count>::default());
        assert!(poll(&mut second, &old).is_pending());
        assert!(poll(&mut second, &new).is_pending());
        assert!(poll(&mut second, &new).is_pending());
        drop(first);
        assert_eq!((old.get(), new.get()), (0, 1));
        assert!(matches!(poll(&mut second, &new), Poll::Ready(Some(_))));
        assert_eq!(Arc::strong_count(&old), 1, "a waker is kept for nothing");
    }

    #[test]
    fn a_place_that_was_given_and_not_noticed_is_passed_on() {
        let places = Places::new(ONE);
        let first = place(&places);
        let second = waiting(&places, Class::High);
        let mut third = waiting(&places, Class::High);
        let woken = Arc::<Count>::default();
        assert!(poll(&mut third, &woken).is_pending());
        drop(first);
        assert_eq!((places.levels(), woken.get()), (levels(1, 1), 0));
        drop(second);
        assert_eq!((places.levels(), woken.get()), (levels(1, 0), 1));
        let place = poll(&mut third, &woken);
        assert!(matches!(place, Poll::Ready(Some(_))));
        drop(place);
        assert_eq!(places.levels(), levels(0, 0));
    }

    #[test]
    fn whoever_gives_up_as_a_place_is_given_has_it() {
        let places = Places::new(ONE);
        let first = place(&places);
        let mut second = waiting(&places, Class::High);
        drop(first);
        let place = second.give_up();
        assert!(place.is_some());
        drop(second);
        assert_eq!(places.levels(), levels(1, 0));
        drop(place);
        assert_eq!(places.levels(), levels(0, 0));
    }

    #[test]
    fn whoever_gives_up_in_the_queue_leaves_it_once() {
        let places = Places::new(ONE);
        let first = place(&places);
        let mut second = waiting(&places, Class::High);
        assert!(second.give_up().is_none() && second.give_up().is_none());
        drop(second);
        assert_eq!(places.levels(), levels(1, 0));
        drop(first);
        assert_eq!(places.levels(), levels(0, 0));
    }

    #[test]
    fn whoever_is_displaced_is_woken_to_learn_it() {
        let places = Places::new(Terms { queue: 1, ..ONE });
        let first = place(&places);
        let mut low = waiting(&places, Class::Low);
        let woken = Arc::<Count>::default();
        assert!(poll(&mut low, &woken).is_pending());
        let high = waiting(&places, Class::High);
        assert_eq!(woken.get(), 1);
        assert!(matches!(poll(&mut low, &woken), Poll::Ready(None)));
        assert!(matches!(places.enter(key(), Class::Low), Entered::Full));
        drop((first, low));
        assert_eq!(places.levels(), levels(1, 0));
        drop(high);
        assert_eq!(places.levels(), levels(0, 0));
    }

    #[test]
    fn a_key_is_forgotten_with_its_last_call() {
        let places = Places::new(Terms { queue: 1, ..ONE });
        let first = place(&places);
        let low = waiting(&places, Class::Low);
        let high = waiting(&places, Class::High);
        drop((first, high));
        assert_eq!(places.levels(), levels(0, 0));
        // It lost its place in the queue, and does not know it yet.
        assert_eq!(places.levels_by_key().len(), 1);
        drop(low);
        assert!(places.levels_by_key().is_empty());
    }

    #[test]
    fn a_waker_may_end_another_call() {
        /// An executor that drops what it has finished when it wakes somebody.
        struct Drops(Mutex<Vec<Place>>);

        impl Wake for Drops {
            fn wake(self: Arc<Self>) {
                let places = mem::take(&mut *self.0.lock().unwrap());
                drop(places);
            }
        }

        let places = Places::new(Terms { calls: 2, ..ONE });
        let (first, second) = (place(&places), place(&places));
        let waker = Arc::new(Drops(Mutex::new(vec![second])));
        let mut third = waiting(&places, Class::High);
        assert!(poll(&mut third, &waker).is_pending());
        drop(first);
        assert_eq!(places.levels(), levels(1, 0));
        assert!(matches!(poll(&mut third, &waker), Poll::Ready(Some(_))));
        assert_eq!(places.levels(), levels(0, 0));
    }

    #[test]
    fn more_calls_are_let_in_at_once() {
        let places = Places::new(ONE);
        let _first = place(&places);
        let mut queue: Vec<Waiting> = (0..3).map(|_| waiting(&places, Class::High)).collect();
        places.set_calls(3);
        let woken = Arc::<Count>::default();
        let polled: Vec<_> = queue.iter_mut().map(|it| poll(it, &woken)).collect();
        let inside = polled.iter().map(Poll::is_ready).collect::<Vec<_>>();
        assert_eq!(inside, [true, true, false]);
        assert_eq!(places.levels(), levels(3, 1));
    }
}
