//! The gate against a model that decides anew each time, looking at everybody.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::gate::{Class, Entry, Gate, Standing, Terms, Ticket};

/// What happens. Numbers choose among those who are there.
#[derive(Clone, Copy, Debug)]
enum Step {
    Enter(Class),
    Leave(usize),
    /// A waiter looks what has become of it.
    Look(usize),
    /// A waiter is dropped, whatever has become of it.
    Drop(usize),
    /// So many may be inside, above the reserve.
    Calls(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let class = prop_oneof![Just(Class::High), Just(Class::Low)];
    let any = 0..64usize;
    let step = prop_oneof![
        4 => class.prop_map(Step::Enter),
        3 => any.clone().prop_map(Step::Leave),
        1 => any.clone().prop_map(Step::Look),
        1 => any.prop_map(Step::Drop),
        1 => (1..5usize).prop_map(Step::Calls),
    ];
    prop::collection::vec(step, 0..200)
}

#[derive(Debug)]
struct Model {
    terms: Terms,
    inside: BTreeSet<usize>,
    /// In the order in which they came.
    waiting: Vec<(usize, Class)>,
    displaced: BTreeSet<usize>,
}

impl Model {
    fn may_enter(&self, class: Class) -> bool {
        let kept = match class {
            Class::High => 0,
            Class::Low => self.terms.reserve,
        };
        self.inside.len() + kept < self.terms.calls
    }

    /// Lets in whoever may enter, one after the other.
    fn settle(&mut self) -> Vec<usize> {
        let mut entered = Vec::new();
        loop {
            let first = |class| self.waiting.iter().position(|(_, of)| *of == class);
            let next = [Class::High, Class::Low].into_iter().find_map(first);
            match next {
                Some(next) if self.may_enter(self.waiting[next].1) => {
                    let (id, _) = self.waiting.remove(next);
                    self.inside.insert(id);
                    entered.push(id);
                }
                _ => return entered,
            }
        }
    }

    fn enter(&mut self, id: usize, class: Class) -> Result<Option<usize>, ()> {
        self.waiting.push((id, class));
        self.settle();
        if self.waiting.len() <= self.terms.queue {
            return Ok(None);
        }
        let last_low = self.waiting.iter().rposition(|(_, of)| *of == Class::Low);
        match (class, last_low) {
            (Class::High, Some(last)) => {
                let (displaced, _) = self.waiting.remove(last);
                self.displaced.insert(displaced);
                Ok(Some(displaced))
            }
            _ => {
                self.waiting.pop();
                Err(())
            }
        }
    }

    fn standing(&self, id: usize) -> Standing<usize> {
        if self.inside.contains(&id) {
            Standing::Inside
        } else if self.displaced.contains(&id) {
            Standing::Displaced
        } else {
            Standing::Waiting(id)
        }
    }
}

struct Pair {
    gate: Gate<usize>,
    model: Model,
    /// Of those who have not learnt yet what has become of them.
    tickets: BTreeMap<usize, Ticket>,
    calls: usize,
}

impl Pair {
    fn step(&mut self, step: Step) {
        match step {
            Step::Enter(class) => self.enter(class),
            Step::Leave(choice) => {
                if let Some(id) = nth(self.model.inside.iter(), choice) {
                    self.look(id);
                    self.leave(id);
                }
            }
            Step::Look(choice) => {
                if let Some(id) = nth(self.tickets.keys(), choice) {
                    self.look(id);
                }
            }
            Step::Drop(choice) => {
                if let Some(id) = nth(self.tickets.keys(), choice) {
                    self.give_up(id);
                }
            }
            Step::Calls(above) => {
                self.model.terms.calls = self.model.terms.reserve + above;
                let terms = self.model.terms;
                let entered: Vec<usize> = std::iter::from_fn(|| self.gate.admit(&terms)).collect();
                assert_eq!(entered, self.model.settle());
            }
        }
    }

    fn enter(&mut self, class: Class) {
        let id = self.calls;
        self.calls += 1;
        let entry = self.gate.enter(&self.model.terms, class, id);
        let expected = self.model.enter(id, class);
        match entry {
            Entry::Inside => {
                assert!(self.model.inside.contains(&id));
                let kept = match class {
                    Class::High => 0,
                    Class::Low => self.model.terms.reserve,
                };
                assert!(self.gate.inside() + kept <= self.model.terms.calls);
            }
            Entry::Waiting { ticket, displaced } => {
                assert_eq!(expected, Ok(displaced));
                assert_eq!(self.model.standing(id), Standing::Waiting(id));
                self.tickets.insert(id, ticket);
            }
            Entry::Full => assert_eq!(expected, Err(())),
        }
    }

    fn leave(&mut self, id: usize) {
        let woken = self.gate.leave(&self.model.terms);
        self.model.inside.remove(&id);
        assert_eq!(Vec::from_iter(woken), self.model.settle());
    }

    fn look(&mut self, id: usize) {
        let Some(ticket) = self.tickets.get(&id) else {
            return;
        };
        let standing = match self.gate.standing(*ticket) {
            Standing::Waiting(waiter) => Standing::Waiting(*waiter),
            Standing::Inside => Standing::Inside,
            Standing::Displaced => Standing::Displaced,
        };
        assert_eq!(standing, self.model.standing(id));
        if !matches!(standing, Standing::Waiting(_)) {
            self.tickets.remove(&id);
            self.model.displaced.remove(&id);
        }
    }

    fn give_up(&mut self, id: usize) {
        let Some(ticket) = self.tickets.remove(&id) else {
            return;
        };
        let standing = self.gate.give_up(ticket);
        assert_eq!(standing, self.model.standing(id));
        match standing {
            Standing::Inside => self.leave(id),
            Standing::Displaced => assert!(self.model.displaced.remove(&id)),
            Standing::Waiting(_) => {
                self.model.waiting.retain(|(waiter, _)| *waiter != id);
                assert!(
                    self.model.settle().is_empty(),
                    "somebody waited for a waiter"
                );
            }
        }
    }

    /// What must hold at any moment.
    fn check(&self) {
        let Model { terms, waiting, .. } = &self.model;
        assert_eq!(self.gate.inside(), self.model.inside.len());
        assert_eq!(self.gate.waiting(), waiting.len());
        assert!(waiting.len() <= terms.queue, "the queue is too long");
        for (id, class) in waiting {
            assert!(!self.model.may_enter(*class), "{id} waits, and may enter");
        }
        let nobody =
            self.model.inside.is_empty() && waiting.is_empty() && self.model.displaced.is_empty();
        assert_eq!(self.gate.is_untouched(), nobody);
    }
}

fn nth<'a>(mut all: impl ExactSizeIterator<Item = &'a usize>, choice: usize) -> Option<usize> {
    let count = all.len().max(1);
    all.nth(choice % count).copied()
}

proptest! {
    #[test]
    fn the_gate_decides_as_one_who_looks_at_everybody(
        calls in 1..5usize,
        reserve in 0..3usize,
        queue in 0..5usize,
        steps in steps(),
    ) {
        let terms = Terms { calls: calls + reserve, reserve, queue };
        let mut pair = Pair {
            gate: Gate::default(),
            model: Model {
                terms,
                inside: BTreeSet::new(),
                waiting: Vec::new(),
                displaced: BTreeSet::new(),
            },
            tickets: BTreeMap::new(),
            calls: 0,
        };
        for step in steps {
            pair.step(step);
            pair.check();
        }
        // Everybody goes, the waiters first: nothing is left of them.
        while let Some(id) = nth(pair.tickets.keys(), 0) {
            pair.give_up(id);
            pair.check();
        }
        while let Some(id) = nth(pair.model.inside.iter(), 0) {
            pair.leave(id);
            pair.check();
        }
        prop_assert!(pair.gate.is_untouched());
    }
}

const TERMS: Terms = Terms {
    calls: 3,
    reserve: 1,
    queue: 2,
};

#[test]
fn a_low_call_leaves_the_reserve_free() {
    let mut gate = Gate::default();
    assert_eq!(gate.enter(&TERMS, Class::Low, "a"), Entry::Inside);
    assert_eq!(gate.enter(&TERMS, Class::Low, "b"), Entry::Inside);
    assert!(matches!(
        gate.enter(&TERMS, Class::Low, "c"),
        Entry::Waiting { .. }
    ));
    assert_eq!(gate.enter(&TERMS, Class::High, "d"), Entry::Inside);
    assert_eq!(gate.leave(&TERMS), None, "the reserve was given away");
    assert_eq!(gate.leave(&TERMS), Some("c"));
}

#[test]
fn the_last_low_waiter_gives_way_to_a_high_one_and_no_high_one_does() {
    let terms = Terms { calls: 2, ..TERMS };
    let mut gate = Gate::default();
    assert_eq!(gate.enter(&terms, Class::High, "a"), Entry::Inside);
    assert_eq!(gate.enter(&terms, Class::High, "b"), Entry::Inside);
    let mut tickets = Vec::new();
    for (class, name, gives_way) in [
        (Class::Low, "c", None),
        (Class::Low, "d", None),
        (Class::High, "e", Some("d")),
        (Class::High, "f", Some("c")),
    ] {
        match gate.enter(&terms, class, name) {
            Entry::Waiting { ticket, displaced } => {
                assert_eq!(displaced, gives_way, "{name}");
                tickets.push(ticket);
            }
            other => panic!("{name}: {other:?}"),
        }
    }
    assert_eq!(gate.enter(&terms, Class::High, "g"), Entry::Full);
    assert_eq!(gate.enter(&terms, Class::Low, "h"), Entry::Full);
    assert_eq!(gate.standing(tickets[1]), Standing::Displaced);
    assert_eq!(gate.give_up(tickets[0]), Standing::Displaced);
    assert_eq!(
        (gate.leave(&terms), gate.leave(&terms)),
        (Some("e"), Some("f"))
    );
}
