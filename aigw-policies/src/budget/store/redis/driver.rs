use std::{
    collections::VecDeque,
    fmt, mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use aigw_core::rt::Timer;
use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, Value};

use super::{
    asked::{self, Asked},
    flight::{Answer, Flight, PATIENCE},
    leases::Change,
    outbox::Correction,
    shared::Shared,
    wire::{self, Decisions, LEASE, Living},
};
use crate::boxed::Boxed;

/// Asks Redis for decisions, those that come at once together; tells it what was settled, and what
/// became of decisions that nobody waited for; asks whether it is there again while it does not
/// answer; says that this process lives; and renews the leases of its calls and gives them back.
///
/// Completes when the last handle of its store is gone, with their reserving futures and leases, and
/// Redis knows everything. While Redis does not answer it does not.
///
/// # Cancel safety
///
/// Dropping it loses what Redis was not told, and Redis is not asked any more: as while it does not
/// answer, [`OnError`](super::OnError) decides. Leases end fifteen seconds after they were renewed.
#[must_use = "without its driver a store decides and settles nothing"]
pub struct Driver(Boxed<()>);

/// How often a process says that it lives: three times while it is believed.
const BEAT: Duration = Duration::from_secs(5);

/// How long after a failure it is asked again: the first time, and at most.
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(2);

/// The most corrections that are sent at once, and the most claims: a script holds up everybody for
/// as long as it runs.
const BATCH: usize = 128;

/// How many calls may be on their way whose decisions somebody waits for. What is asked meanwhile
/// goes together with the next one: the more is asked, the less each decision costs.
const FLIGHTS: usize = 4;

impl Driver {
    pub(super) fn new<T: Timer>(shared: Arc<Shared<T>>) -> Self {
        let now = shared.timer.now();
        Self(Boxed::new(Running {
            sleep: None,
            shared,
            asked: VecDeque::new(),
            flights: Vec::new(),
            batch: Vec::new(),
            number: 0,
            changes: Vec::new(),
            owed: (0, 0),
            work: None,
            phase: Phase::Up,
            beat: now,
            since: None,
            pause: FIRST_RETRY,
        }))
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").finish_non_exhaustive()
    }
}

struct Running<T: Timer> {
    shared: Arc<Shared<T>>,
    /// Decisions that are still to be asked for.
    asked: VecDeque<Arc<Asked>>,
    flights: Vec<Flight>,
    /// The corrections that are sent until Redis has them, and their number.
    batch: Vec<Correction>,
    number: u64,
    /// Leases that are renewed or given back, as they were last told.
    changes: Vec<Change>,
    /// How many corrections and changes Redis must know of before it decides again.
    owed: (usize, usize),
    work: Option<Work>,
    phase: Phase,
    /// When Redis is to be told next that this process lives.
    beat: Instant,
    /// Since when Redis has known what it knew when it was last told.
    since: Option<u64>,
    /// How long after the next failure Redis is asked again.
    pause: Duration,
    /// Until when it sleeps. Made where it is polled: a timer may need a runtime.
    sleep: Option<(Instant, Pin<Box<T::Sleep>>)>,
}

/// What Redis is being asked.
struct Work {
    task: Task,
    answer: Answer,
    begun: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    Lease,
    Beat,
    /// The last beat, which says that this process ends.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Up,
    /// Redis does not answer, and is asked again then.
    Down(Instant),
    /// It answers, and must know what was kept for it before it decides again.
    Recovering,
}

/// What is left to be told when a batch is taken.
struct Left {
    /// Nobody is left who could add to it.
    is_closed: bool,
    corrections: bool,
    changes: bool,
}

/// What comes next.
enum Next {
    Do(Task),
    Wait(Instant),
}

// What is polled inside is pinned by itself.
impl<T: Timer> Unpin for Running<T> {}

impl<T: Timer> Future for Running<T> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.take_asked(cx);
            let now = self.shared.timer.now();
            self.land(cx, now);
            let Left {
                is_closed,
                corrections,
                changes,
            } = self.take_batch();
            if self.take_off(now, corrections) {
                continue;
            }
            let until = if let Some(mut work) = self.work.take() {
                let until = work.begun + PATIENCE;
                match Pin::new(&mut work.answer).poll(cx) {
                    Poll::Ready(answer) => {
                        self.finish(work.task, work.begun, answer, now);
                        if work.task == Task::End {
                            return Poll::Ready(());
                        }
                        continue;
                    }
                    // It may still be done, and is sent again: batches are numbered.
                    Poll::Pending if now >= until => {
                        self.fail(now);
                        continue;
                    }
                    Poll::Pending => self.work = Some(work),
                }
                until
            } else {
                match self.next(is_closed, changes, now) {
                    Next::Wait(until) => until,
                    Next::Do(task) => {
                        self.begin(task, now);
                        continue;
                    }
                }
            };
            let until = self
                .flights
                .iter()
                .filter_map(Flight::patience)
                .fold(until, Instant::min);
            if !self.has_slept_until(until, cx) {
                self.shared.tell_flushers();
                return Poll::Pending;
            }
        }
    }
}

impl<T: Timer> Running<T> {
    fn take_asked(&mut self, cx: &Context<'_>) {
        let mut inbox = self.shared.inbox();
        inbox.driver = Some(cx.waker().clone());
        self.asked.extend(inbox.asked.drain(..));
    }

    /// Takes the corrections that are to be sent next; answers what is left.
    fn take_batch(&mut self) -> Left {
        let mut inbox = self.shared.inbox();
        if self.batch.is_empty() {
            self.batch = inbox.outbox.batch(BATCH);
            self.number += u64::from(!self.batch.is_empty());
        }
        inbox.in_hand = self.batch.len() + self.changes.len();
        Left {
            is_closed: inbox.is_closed,
            corrections: !inbox.outbox.is_empty(),
            changes: !self.changes.is_empty() || !inbox.leases.is_empty(),
        }
    }

    /// Takes the changes that are to be sent now. Until then, who asks for a lease of the same key
    /// may give back what is given back.
    fn take_changes(&mut self) {
        if self.changes.is_empty() {
            let mut inbox = self.shared.inbox();
            self.changes = inbox.leases.batch(BATCH);
            inbox.in_hand = self.batch.len() + self.changes.len();
        }
    }

    /// Sends the next call, if there is anything to be sent and it may be.
    fn take_off(&mut self, now: Instant, corrections_are_left: bool) -> bool {
        if self.phase != Phase::Up || self.shared.is_lost() {
            // Whoever asked before that was known is not to wait.
            let asked = mem::take(&mut self.asked);
            self.give_up(&asked, false);
        }
        let may_carry = !matches!(self.phase, Phase::Down(_));
        let is_carried = self.flights.iter().any(|flight| flight.carries);
        let carries = may_carry && !self.batch.is_empty() && !is_carried;
        let waited_for = || self.flights.iter().filter(|it| it.is_waited_for()).count();
        let has_room = || self.flights.len() < FLIGHTS || waited_for() < FLIGHTS;
        // No decision overtakes a correction that was there before: it may be of its own call.
        let would_overtake = is_carried && corrections_are_left;
        let may_ask = carries || (!would_overtake && has_room());
        let decisions = match may_ask {
            true => self.next_decisions(),
            false => Vec::new(),
        };
        if !carries && decisions.is_empty() {
            return false;
        }
        let corrections = match carries {
            true => &*self.batch,
            false => &[],
        };
        let Shared { keys, .. } = &*self.shared;
        let time = self.shared.named_time();
        let call = wire::decide(keys, (self.number, corrections), &decisions, time);
        let answer = self.shared.line.send(call);
        let flight = Flight::new(decisions, carries, now, answer);
        self.flights.push(flight);
        true
    }

    /// So many decisions as are asked for together.
    fn next_decisions(&mut self) -> Vec<Arc<Asked>> {
        let (mut decisions, mut claims) = (Vec::new(), 0);
        while claims < BATCH
            && let Some(asked) = self.asked.pop_front()
        {
            if asked.is_left() {
                self.shared.inbox().left -= 1;
            } else {
                claims += asked.claims(<[_]>::len);
                decisions.push(asked);
            }
        }
        decisions
    }

    /// Tells what calls have answered.
    fn land(&mut self, cx: &mut Context<'_>, now: Instant) {
        for mut flight in mem::take(&mut self.flights) {
            match flight.poll(cx) {
                Poll::Ready(answer) => self.arrive(flight, answer, now),
                Poll::Pending => {
                    let is_over = flight.patience().is_some_and(|until| now >= until);
                    // It may still be done, and is sent again: batches are numbered.
                    if is_over && mem::take(&mut flight.carries) {
                        self.fail(now);
                    } else if is_over {
                        self.give_up(&flight.decisions, true);
                        continue;
                    }
                    self.flights.push(flight);
                }
            }
        }
    }

    fn arrive(&mut self, flight: Flight, answer: RedisResult<Value>, now: Instant) {
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
                    self.answer(&asked, decided, true);
                }
                if !is_read {
                    self.fail(now);
                }
            }
            Err(error) => {
                // Sending it again would not help, and nothing else would ever be sent.
                if carries && is_a_fault_of_ours(&error) {
                    self.shared.inbox().outbox.drop_unsent(self.batch.len());
                    self.done();
                }
                if !decisions.is_empty() || !is_a_fault_of_ours(&error) {
                    self.fail(now);
                }
                let was_sent = error.is_unrecoverable_error() || error.is_io_error();
                self.give_up(&decisions, was_sent);
            }
        }
    }

    /// Nothing is left to be done of the batch.
    fn done(&mut self) {
        self.owed.0 = self.owed.0.saturating_sub(self.batch.len());
        self.batch.clear();
    }

    fn next(&mut self, is_closed: bool, changes_are_left: bool, now: Instant) -> Next {
        if self.phase == Phase::Up && self.shared.is_lost() {
            self.retry(now);
        }
        match self.phase {
            Phase::Down(retry) if now < retry => return Next::Wait(retry),
            Phase::Down(_) => return Next::Do(Task::Beat),
            Phase::Up | Phase::Recovering => {}
        }
        // First of all: there may be no end to what is to be settled.
        if now >= self.beat {
            return Next::Do(Task::Beat);
        }
        if self.phase == Phase::Recovering && self.owed == (0, 0) {
            self.phase = Phase::Up;
            self.shared.find();
        }
        if changes_are_left {
            return Next::Do(Task::Lease);
        }
        if is_closed && self.batch.is_empty() && self.flights.is_empty() && self.asked.is_empty() {
            Next::Do(Task::End)
        } else {
            Next::Wait(self.beat)
        }
    }

    fn begin(&mut self, task: Task, now: Instant) {
        let Shared { keys, process, .. } = &*self.shared;
        let call = match task {
            Task::Lease => {
                self.take_changes();
                wire::lease(&self.shared, &self.changes)
            }
            Task::Beat => wire::beat(keys, process, LEASE),
            Task::End => wire::beat(keys, process, Duration::ZERO),
        };
        self.work = Some(Work {
            task,
            answer: self.shared.line.send(call),
            begun: now,
        });
    }

    fn finish(&mut self, task: Task, begun: Instant, answer: RedisResult<Value>, now: Instant) {
        match (task, answer) {
            (Task::Lease, Ok(_)) => self.changed(),
            // It ends by itself, or is renewed with the next beat.
            (Task::Lease, Err(error)) if is_a_fault_of_ours(&error) => self.changed(),
            (Task::Beat, Ok(answer)) => match wire::living(answer) {
                Ok(living) => self.live(living, begun),
                Err(_) => self.fail(now),
            },
            (Task::End, _) => {}
            (_, Err(_)) => self.fail(now),
        }
    }

    fn changed(&mut self) {
        self.owed.1 = self.owed.1.saturating_sub(self.changes.len());
        self.changes.clear();
    }

    /// Redis knows that this process lives.
    fn live(&mut self, living: Living, begun: Instant) {
        let Living { processes, since } = living;
        if self
            .since
            .replace(since)
            .is_some_and(|known| known != since)
        {
            self.shared.forget();
        }
        self.shared.set_processes(processes);
        let mut inbox = self.shared.inbox();
        inbox.leases.renew();
        self.beat = begun + BEAT;
        match self.phase {
            Phase::Down(_) => {
                // What comes meanwhile does not hold up the end of the outage.
                let owed = (inbox.outbox.seal(), inbox.leases.len());
                self.owed = (self.batch.len() + owed.0, self.changes.len() + owed.1);
                self.phase = Phase::Recovering;
            }
            // It has been there for a while.
            Phase::Up => self.pause = FIRST_RETRY,
            Phase::Recovering => {}
        }
    }

    fn fail(&mut self, now: Instant) {
        self.shared.lose();
        self.retry(now);
    }

    fn retry(&mut self, now: Instant) {
        self.phase = Phase::Down(now + self.pause);
        self.pause = (self.pause * 2).min(LAST_RETRY);
    }

    fn has_slept_until(&mut self, until: Instant, cx: &mut Context<'_>) -> bool {
        let timer = &self.shared.timer;
        let (at, sleep) = self
            .sleep
            .get_or_insert_with(|| (until, Box::pin(timer.sleep_until(until))));
        if *at != until {
            timer.reset(sleep.as_mut(), until);
            *at = until;
        }
        let has_slept = sleep.as_mut().poll(cx).is_ready();
        if has_slept {
            self.sleep = None;
        }
        has_slept
    }
}

impl<T: Timer> Running<T> {
    /// No answer comes. What was sent may have been done.
    fn give_up<'a>(&self, decisions: impl IntoIterator<Item = &'a Arc<Asked>>, was_sent: bool) {
        for asked in decisions {
            self.answer(asked, None, was_sent);
        }
    }

    /// Tells whoever waits for a decision, and gives back what it has taken if nobody does.
    fn answer(&self, asked: &Asked, answer: asked::Answer, was_sent: bool) {
        if was_sent && answer.is_none() {
            self.shared.in_doubt.count();
        }
        if let Err((claims, answer)) = asked.answer(answer) {
            let mut inbox = self.shared.inbox();
            inbox.left -= 1;
            inbox.outbox.push_all(asked::give_back(claims, answer));
        }
    }
}

impl<T: Timer> Drop for Running<T> {
    fn drop(&mut self) {
        let is_closed = {
            let mut inbox = self.shared.inbox();
            self.asked.extend(inbox.asked.drain(..));
            inbox.is_closed
        };
        if is_closed {
            return;
        }
        // Nobody asks Redis any more, so nobody is to wait for it.
        self.shared.lose();
        self.give_up(&self.asked, false);
        for flight in &self.flights {
            self.give_up(&flight.decisions, true);
        }
    }
}

/// Whether a script has failed by itself.
fn is_a_fault_of_ours(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError)
}
