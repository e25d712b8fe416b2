//! What is asked of levels and told to them: which calls are on their way, and what goes next.

use std::{
    collections::VecDeque,
    mem,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};

use super::{
    asked::{self, Asked},
    flight::Flight,
    outbox::Correction,
    shared::{Inbox, Shared},
    wire::{self, Decided, Decisions},
};

/// The most corrections that are sent at once, and the most claims: a script holds up everybody for
/// as long as it runs.
pub(super) const BATCH: usize = 128;

/// How many calls may be on their way whose decisions somebody waits for. What is asked meanwhile
/// goes together with the next one: the more is asked, the less each decision costs.
const FLIGHTS: usize = 4;

/// Decisions and corrections that the driver has taken.
#[derive(Default)]
pub(super) struct Dispatch {
    /// Decisions that are still to be asked for.
    asked: VecDeque<Arc<Asked>>,
    flights: Vec<Flight>,
    /// The corrections that are sent until Redis has them, and their number.
    batch: Vec<Correction>,
    number: u64,
    /// Others wait behind the batch.
    are_more: bool,
    /// How many corrections Redis must know of before it decides again.
    owed: usize,
}

impl Dispatch {
    pub(super) fn take_asked(&mut self, inbox: &mut Inbox) {
        self.asked.extend(inbox.asked.drain(..));
    }

    /// Takes the corrections that are to be sent next.
    pub(super) fn take_batch(&mut self, inbox: &mut Inbox) {
        if self.batch.is_empty() {
            self.batch = inbox.outbox.batch(BATCH);
            self.number += u64::from(!self.batch.is_empty());
        }
        self.are_more = !inbox.outbox.is_empty();
    }

    /// How many corrections it has.
    pub(super) fn corrections(&self) -> usize {
        self.batch.len()
    }

    /// What there is to be told by now, Redis must know before it decides again: what comes meanwhile
    /// does not hold up the end of an outage.
    pub(super) fn seal(&mut self, inbox: &mut Inbox) {
        self.owed = self.batch.len() + inbox.outbox.seal();
    }

    pub(super) fn owed(&self) -> usize {
        self.owed
    }

    pub(super) fn is_idle(&self) -> bool {
        self.batch.is_empty() && self.flights.is_empty() && self.asked.is_empty()
    }

    /// Until when answers are waited for.
    pub(super) fn patience(&self) -> impl Iterator<Item = Instant> {
        self.flights.iter().filter_map(Flight::patience)
    }

    /// Nothing that was not sent is asked any more.
    pub(super) fn refuse<T>(&mut self, shared: &Shared<T>) {
        give_up(shared, &mem::take(&mut self.asked), false);
    }

    /// Nor is any answer waited for.
    pub(super) fn abandon<T>(&mut self, shared: &Shared<T>) {
        self.refuse(shared);
        for flight in mem::take(&mut self.flights) {
            give_up(shared, &flight.decisions, true);
        }
    }

    /// Sends the next call, if there is anything to be sent, with corrections only if it may.
    pub(super) fn take_off<T>(
        &mut self,
        shared: &Shared<T>,
        may_carry: bool,
        now: Instant,
    ) -> bool {
        let is_carried = self.flights.iter().any(|flight| flight.carries);
        let carries = may_carry && !self.batch.is_empty() && !is_carried;
        let waited_for = || self.flights.iter().filter(|it| it.is_waited_for()).count();
        let has_room = || self.flights.len() < FLIGHTS || waited_for() < FLIGHTS;
        // No decision overtakes a correction that was there before: it may be of its own call.
        let would_overtake = is_carried && self.are_more;
        let may_ask = carries || (!would_overtake && has_room());
        let decisions = match may_ask {
            true => self.next_decisions(shared),
            false => Vec::new(),
        };
        if !carries && decisions.is_empty() {
            return false;
        }
        let corrections = match carries {
            true => &*self.batch,
            false => &[],
        };
        let batch = (self.number, corrections);
        let call = wire::decide(&shared.keys, batch, &decisions, shared.named_time());
        let answer = shared.line.send(call);
        self.flights
            .push(Flight::new(decisions, carries, now, answer));
        true
    }

    /// So many decisions as are asked for together.
    fn next_decisions<T>(&mut self, shared: &Shared<T>) -> Vec<Arc<Asked>> {
        let (mut decisions, mut claims) = (Vec::new(), 0);
        while claims < BATCH
            && let Some(asked) = self.asked.pop_front()
        {
            if asked.is_left() {
                shared.inbox().left -= 1;
            } else {
                claims += asked.claims(<[_]>::len);
                decisions.push(asked);
            }
        }
        decisions
    }

    /// Tells what calls have answered. Answers whether Redis has failed one, or answers too late.
    pub(super) fn land<T>(
        &mut self,
        shared: &Shared<T>,
        cx: &mut Context<'_>,
        now: Instant,
    ) -> bool {
        let mut has_failed = false;
        for mut flight in mem::take(&mut self.flights) {
            match flight.poll(cx) {
                Poll::Ready(answer) => has_failed |= self.arrive(shared, flight, answer),
                Poll::Pending => {
                    let is_over = flight.patience().is_some_and(|until| now >= until);
                    // It may still be done, and is sent again: batches are numbered.
                    if is_over && mem::take(&mut flight.carries) {
                        has_failed = true;
                    } else if is_over {
                        give_up(shared, &flight.decisions, true);
                        continue;
                    }
                    self.flights.push(flight);
                }
            }
        }
        has_failed
    }

    /// Answers whether Redis has failed it.
    fn arrive<T>(
        &mut self,
        shared: &Shared<T>,
        flight: Flight,
        answer: RedisResult<Value>,
    ) -> bool {
        let Flight {
            decisions, carries, ..
        } = flight;
        match answer {
            Ok(answer) => {
                if carries {
                    self.done();
                }
                let (mut answers, mut is_read) = (Decisions::read(answer), true);
                for asked in decisions {
                    let decided = asked.claims(|claims| answers.next(claims));
                    is_read &= decided.is_some();
                    tell(shared, &asked, decided, true);
                }
                !is_read
            }
            Err(error) => {
                let is_ours = is_a_fault_of_ours(&error);
                // Sending it again would not help, and nothing else would ever be sent.
                if carries && is_ours {
                    shared.inbox().outbox.drop_unsent(self.batch.len());
                    self.done();
                }
                let was_sent = error.is_unrecoverable_error() || error.is_io_error();
                give_up(shared, &decisions, was_sent);
                !is_ours || !decisions.is_empty()
            }
        }
    }

    /// Nothing is left to be done of the batch.
    fn done(&mut self) {
        self.owed = self.owed.saturating_sub(self.batch.len());
        self.batch.clear();
    }
}

/// No answer comes. What was sent may have been done.
fn give_up<'a, T>(
    shared: &Shared<T>,
    decisions: impl IntoIterator<Item = &'a Arc<Asked>>,
    was_sent: bool,
) {
    for asked in decisions {
        tell(shared, asked, None, was_sent);
    }
}

/// Tells whoever waits for a decision, and gives back what it has taken if nobody does.
fn tell<T>(shared: &Shared<T>, asked: &Asked, decided: Option<Decided>, was_sent: bool) {
    if was_sent && decided.is_none() {
        shared.in_doubt.count();
    }
    if let Err((claims, decided)) = asked.answer(decided) {
        let mut inbox = shared.inbox();
        inbox.left -= 1;
        inbox.outbox.push_all(asked::give_back(claims, decided));
    }
}

/// Whether a script has failed by itself.
pub(super) fn is_a_fault_of_ours(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError)
}
