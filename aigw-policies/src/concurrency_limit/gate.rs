use std::collections::{BTreeMap, BTreeSet};

/// The calls of one key: how many are inside, and which wait, in the order in which they may enter.
///
/// It knows neither time nor tasks: `W` is whatever wakes a waiter, and is given back when there is
/// something to wake it for. At any moment no waiter is there who may enter, so that whoever comes
/// need not look at the queue: nobody in it is overtaken within a class.
#[derive(Debug)]
pub(super) struct Gate<W> {
    inside: usize,
    waiting: BTreeMap<Ticket, W>,
    /// Waiters that lost their place in the queue and do not know it yet.
    displaced: BTreeSet<Ticket>,
    tickets: u64,
}

/// What a limit admits, the same for each key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    /// Calls that may be inside.
    pub(super) calls: usize,
    /// How many of them a call of low priority leaves free.
    pub(super) reserve: usize,
    /// Calls that may wait.
    pub(super) queue: usize,
}

/// How important a call is. The order is that of the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    High,
    Low,
}

/// A place in the queue: high before low, then as they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket {
    class: Class,
    number: u64,
}

/// What becomes of a call that comes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Entry<W> {
    /// It is inside, until it [leaves](Gate::leave).
    Inside,
    /// It waits, until it is woken or [gives up](Gate::give_up). Whoever lost its place in the
    /// queue to it is to be woken.
    Waiting {
        ticket: Ticket,
        displaced: Option<W>,
    },
    /// There is no place, not even to wait.
    Full,
}

/// What has become of a waiter.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Standing<W> {
    Waiting(W),
    /// It was let in, and must [leave](Gate::leave).
    Inside,
    /// It lost its place in the queue.
    Displaced,
}

impl Terms {
    /// How many may be inside when one of this class has entered.
    pub(super) fn most(&self, class: Class) -> usize {
        match class {
            Class::High => self.calls,
            Class::Low => self.calls.saturating_sub(self.reserve),
        }
    }

    fn admit(&self, inside: usize, class: Class) -> bool {
        inside < self.most(class)
    }
}

impl<W> Gate<W> {
    /// A call comes.
    pub(super) fn enter(&mut self, terms: &Terms, class: Class, waiter: W) -> Entry<W> {
        if terms.admit(self.inside, class) {
            self.inside += 1;
            return Entry::Inside;
        }
        let mut displaced = None;
        if self.waiting.len() >= terms.queue {
            // Low ones give way, the last first: or else they could keep the high ones out by
            // filling the queue.
            let last = self.waiting.last_entry();
            let Some(last) = last.filter(|last| last.key().class > class) else {
                return Entry::Full;
            };
            self.displaced.insert(*last.key());
            displaced = Some(last.remove());
        }
        let number = self.tickets;
        self.tickets += 1;
        let ticket = Ticket { class, number };
        self.waiting.insert(ticket, waiter);
        Entry::Waiting { ticket, displaced }
    }

    /// A call that was inside is over: who enters in its place, to be woken.
    pub(super) fn leave(&mut self, terms: &Terms) -> Option<W> {
        self.inside = self.inside.saturating_sub(1);
        self.admit(terms)
    }

    /// Lets the first waiter in, if it may enter: who is to be woken. One call suffices after one
    /// has left; after the terms have become wider, it takes as many as have an answer.
    pub(super) fn admit(&mut self, terms: &Terms) -> Option<W> {
        let first = self.waiting.first_entry()?;
        if !terms.admit(self.inside, first.key().class) {
            return None;
        }
        self.inside += 1;
        Some(first.remove())
    }

    /// What has become of a waiter; one that still waits can put another in place of what wakes it.
    /// Otherwise the ticket is spent.
    pub(super) fn standing(&mut self, ticket: Ticket) -> Standing<&mut W> {
        match self.waiting.get_mut(&ticket) {
            Some(waiter) => Standing::Waiting(waiter),
            None if self.displaced.remove(&ticket) => Standing::Displaced,
            None => Standing::Inside,
        }
    }

    /// A waiter waits no longer. The ticket is spent. Nobody else may enter for it: whoever stood
    /// behind it was not waiting for it, but for a place.
    pub(super) fn give_up(&mut self, ticket: Ticket) -> Standing<W> {
        match self.waiting.remove(&ticket) {
            Some(waiter) => Standing::Waiting(waiter),
            None if self.displaced.remove(&ticket) => Standing::Displaced,
            None => Standing::Inside,
        }
    }

    pub(super) fn inside(&self) -> usize {
        self.inside
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Whether it is as if no call had ever come.
    pub(super) fn is_untouched(&self) -> bool {
        self.inside == 0 && self.waiting.is_empty() && self.displaced.is_empty()
    }
}

impl<W> Default for Gate<W> {
    fn default() -> Self {
        Self {
            inside: 0,
            waiting: BTreeMap::new(),
            displaced: BTreeSet::new(),
            tickets: 0,
        }
    }
}
