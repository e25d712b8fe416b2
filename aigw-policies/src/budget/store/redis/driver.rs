use std::{
    fmt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::{Duration, Instant},
};

use aigw_core::rt::Timer;
use redis::{ErrorKind, RedisError, RedisResult, ServerErrorKind, Value, aio::ConnectionLike};

use super::{
    leases::Change,
    orphan::{Answer, Found, Orphan},
    outbox::Correction,
    shared::Shared,
    wire::{self, LEASE, Living},
};
use crate::boxed::Boxed;

/// Tells Redis what was settled, and what became of decisions that nobody waited for; asks whether
/// it is there again while it does not answer; says that this process lives; and renews the leases
/// of its calls and gives them back.
///
/// Completes when the last handle of its store is gone, with their reserving futures and leases, and
/// Redis knows everything. While Redis does not answer it does not.
///
/// # Cancel safety
///
/// Dropping it loses what Redis was not told; leases end fifteen seconds after they were renewed.
#[must_use = "without its driver a store settles nothing"]
pub struct Driver(Boxed<()>);

/// How often a process says that it lives: three times while it is believed.
const BEAT: Duration = Duration::from_secs(5);

/// How long Redis may take over what the driver asks, and over a decision that nobody waits for.
const PATIENCE: Duration = Duration::from_secs(2);
const ORPHANED: Duration = Duration::from_secs(30);

/// How long after a failure it is asked again: the first time, and at most.
const FIRST_RETRY: Duration = Duration::from_millis(50);
const LAST_RETRY: Duration = Duration::from_secs(2);

/// The most corrections that are sent at once: a script holds up everybody for as long as it runs.
const BATCH: usize = 128;

impl Driver {
    pub(super) fn new<C, T>(shared: Arc<Shared<T>>, connection: C) -> Self
    where
        C: ConnectionLike + Clone + Send + Sync + 'static,
        T: Timer,
    {
        let now = shared.timer.now();
        Self(Boxed::new(Running {
            sleep: None,
            shared,
            connection,
            orphans: Vec::new(),
            batch: Vec::new(),
            number: 0,
            changes: Vec::new(),
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

struct Running<C, T: Timer> {
    shared: Arc<Shared<T>>,
    connection: C,
    /// Decisions that nobody waits for, and until when they are waited for here.
    orphans: Vec<(Orphan, Instant)>,
    /// What is sent until Redis has it, and its number.
    batch: Vec<Correction>,
    number: u64,
    /// Leases that are renewed or given back.
    changes: Vec<Change>,
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
    Settle,
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

/// What comes next.
enum Next {
    Do(Task),
    Wait(Instant),
}

// What is polled inside is pinned by itself.
impl<C, T: Timer> Unpin for Running<C, T> {}

impl<C, T> Future for Running<C, T>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
    T: Timer,
{
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.take_orphans(cx);
            self.ask_orphans(cx);
            let is_closed = self.take_batch();
            let now = self.shared.timer.now();
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
                match self.next(is_closed, now) {
                    Next::Wait(until) => until,
                    Next::Do(task) => {
                        self.begin(task, now);
                        continue;
                    }
                }
            };
            if !self.has_slept_until(until, cx) {
                self.shared.tell_flushers();
                return Poll::Pending;
            }
        }
    }
}

impl<C, T> Running<C, T>
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
    T: Timer,
{
    fn take_orphans(&mut self, cx: &Context<'_>) {
        let until = self.shared.timer.now() + ORPHANED;
        let mut inbox = self.shared.inbox();
        inbox.driver = Some(cx.waker().clone());
        let orphans = inbox.orphans.drain(..).map(|orphan| (orphan, until));
        self.orphans.extend(orphans);
        inbox.in_hand = self.orphans.len() + self.batch.len() + self.changes.len();
    }

    fn ask_orphans(&mut self, cx: &mut Context<'_>) {
        let Self {
            shared, orphans, ..
        } = self;
        let now = shared.timer.now();
        orphans.retain_mut(|(orphan, until)| match orphan.poll(cx) {
            Poll::Pending if now < *until => true,
            Poll::Pending | Poll::Ready(Found::InDoubt) => {
                shared.in_doubt.count();
                false
            }
            Poll::Ready(Found::Taken(corrections)) => {
                let outbox = &mut shared.inbox().outbox;
                for correction in corrections {
                    outbox.push(correction);
                }
                false
            }
        });
    }

    /// Takes what is to be sent next; answers whether nobody is left who could add to it.
    fn take_batch(&mut self) -> bool {
        let mut inbox = self.shared.inbox();
        if self.batch.is_empty() {
            self.batch = inbox.outbox.batch(BATCH);
            self.number += u64::from(!self.batch.is_empty());
        }
        if self.changes.is_empty() {
            self.changes = inbox.leases.batch(BATCH);
        }
        inbox.in_hand = self.orphans.len() + self.batch.len() + self.changes.len();
        inbox.is_closed
    }

    fn next(&mut self, is_closed: bool, now: Instant) -> Next {
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
        if !self.changes.is_empty() {
            return Next::Do(Task::Lease);
        }
        if !self.batch.is_empty() {
            return Next::Do(Task::Settle);
        }
        if self.phase == Phase::Recovering {
            self.phase = Phase::Up;
            self.shared.find();
        }
        if is_closed && self.orphans.is_empty() {
            Next::Do(Task::End)
        } else {
            Next::Wait(self.beat)
        }
    }

    fn begin(&mut self, task: Task, now: Instant) {
        let Shared { keys, process, .. } = &*self.shared;
        let call = match task {
            Task::Settle => {
                let time = self.shared.named_time();
                wire::settle(keys, self.number, &self.batch, time)
            }
            Task::Lease => wire::lease(&self.shared, &self.changes),
            Task::Beat => wire::beat(keys, process, LEASE),
            Task::End => wire::beat(keys, process, Duration::ZERO),
        };
        self.work = Some(Work {
            task,
            answer: Answer::new(wire::send(call, self.connection.clone())),
            begun: now,
        });
    }

    fn finish(&mut self, task: Task, begun: Instant, answer: RedisResult<Value>, now: Instant) {
        match (task, answer) {
            (Task::Settle, Ok(_)) => self.batch.clear(),
            (Task::Lease, Ok(_)) => self.changes.clear(),
            // It ends by itself, or is renewed with the next beat.
            (Task::Lease, Err(error)) if is_a_fault_of_ours(&error) => self.changes.clear(),
            // Sending it again would not help, and nothing else would ever be sent.
            (Task::Settle, Err(error)) if is_a_fault_of_ours(&error) => {
                self.shared.inbox().outbox.lose(self.batch.len());
                self.batch.clear();
            }
            (Task::Beat, Ok(answer)) => match wire::living(answer) {
                Ok(living) => self.live(living, begun),
                Err(_) => self.fail(now),
            },
            (Task::End, _) => {}
            (_, Err(_)) => self.fail(now),
        }
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
        self.shared.inbox().leases.renew();
        self.beat = begun + BEAT;
        match self.phase {
            Phase::Down(_) => self.phase = Phase::Recovering,
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

/// Whether a script has failed by itself.
fn is_a_fault_of_ours(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::ResponseError)
}
