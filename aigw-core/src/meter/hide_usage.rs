use std::{
    collections::VecDeque,
    fmt,
    ops::Range,
    pin::Pin,
    sync::LazyLock,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use pin_project::pin_project;

use super::{Ending, Meter, Metered, familiar::Familiar};
use crate::{
    json::{Mode, Scanner, Shape, Sink, Value, Want},
    sse::{Lexer, Token},
};

/// Keeps from the caller the usage event that it did not ask for.
///
/// Drops the one event with empty `choices` and non-null `usage`, and changes no other byte. An
/// event that a chunk boundary cuts is held back until it is known what it is, up to [64
/// KiB](HideUsage::CAP); a larger one passes.
#[pin_project]
pub struct HideUsage<B: Body> {
    #[pin]
    inner: B,
    hider: Option<Box<Hider>>,
    /// What passes before the inner body is asked for more.
    ready: VecDeque<Bytes>,
    /// What passes behind that: trailers or an error.
    last: Option<Result<Frame<Bytes>, B::Error>>,
    /// The inner body has said that it is over: not every body can be asked again.
    ended: bool,
}

/// The longest beginning of an event that is kept, up to its first choice.
const FAMILIAR: usize = 256;

/// The greatest part of an event that is held back.
const CAP: usize = 64 << 10;

impl<B: Body> HideUsage<B> {
    /// The greatest part of an event that is held back: 64 KiB, far above any usage event.
    pub const CAP: usize = CAP;

    /// Passes everything.
    pub(super) fn off(inner: B) -> Self {
        Self {
            inner,
            hider: None,
            ready: VecDeque::new(),
            last: None,
            ended: false,
        }
    }

    /// Drops the usage event.
    pub(super) fn on(inner: B) -> Self {
        Self {
            inner,
            hider: Some(Box::default()),
            ready: VecDeque::new(),
            last: None,
            ended: false,
        }
    }
}

impl<B: Body<Data = Bytes>> Body for HideUsage<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let mut this = self.project();
        let Some(hider) = this.hider else {
            return this.inner.poll_frame(cx);
        };
        loop {
            if let Some(bytes) = this.ready.pop_front() {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
            if let Some(last) = this.last.take() {
                return Poll::Ready(Some(last));
            }
            if *this.ended {
                return Poll::Ready(None);
            }
            // Most of the time one piece passes.
            let mut first = None;
            let mut pass = |bytes| match &first {
                None => first = Some(bytes),
                Some(_) => this.ready.push_back(bytes),
            };
            match ready!(this.inner.as_mut().poll_frame(cx)) {
                Some(Ok(frame)) if frame.is_data() => {
                    hider.sift(frame.into_data().unwrap_or_default(), &mut pass);
                }
                // No event goes on behind trailers, an error or the end: what is held was none.
                end => {
                    hider.release(&mut pass);
                    *this.ended = end.is_none();
                    *this.last = end;
                }
            }
            if let Some(bytes) = first {
                return Poll::Ready(Some(Ok(Frame::data(bytes))));
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        let held = self
            .hider
            .as_ref()
            .is_some_and(|hider| !hider.held.is_empty());
        self.ready.is_empty()
            && self.last.is_none()
            && !held
            && (self.ended || self.inner.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        match self.hider {
            None => self.inner.size_hint(),
            Some(_) => SizeHint::new(),
        }
    }
}

impl<B: Metered> Metered for HideUsage<B> {
    fn meter(&self) -> &Meter {
        self.inner.meter()
    }

    fn ending(&self) -> Ending {
        self.inner.ending()
    }
}

/// Tells the usage event from the others.
struct Hider {
    lexer: Lexer,
    scanner: Scanner<Found>,
    seen: Seen,
    /// How events begin that have a choice.
    familiar: Familiar<(), FAMILIAR>,
    /// The beginning of the undecided event, from earlier chunks.
    held: Vec<Bytes>,
    held_len: usize,
    /// The last event was dropped.
    dropped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    Choices,
    Choice,
    Usage,
}

/// What the current event has shown.
#[derive(Default)]
struct Seen {
    choices: bool,
    usage: bool,
    /// Where its first choice begins.
    choice: Option<u64>,
    /// It is not the usage event: it has a choice, cannot be read or is too large.
    settled: bool,
}

static SHAPE: LazyLock<Shape<Found>> = LazyLock::new(|| {
    Shape::new(&[
        ("choices", Found::Choices, Want::Begin),
        ("choices.*", Found::Choice, Want::Begin),
        ("usage", Found::Usage, Want::Begin),
    ])
});

impl Default for Hider {
    fn default() -> Self {
        Self {
            lexer: Lexer::new(),
            scanner: Scanner::new(&SHAPE, Mode::Lenient),
            seen: Seen::default(),
            familiar: Familiar::new(),
            held: Vec::new(),
            held_len: 0,
            dropped: false,
        }
    }
}

impl Sink<Found> for Seen {
    fn begin(&mut self, found: Found, first: u8, at: u64) {
        match found {
            Found::Choices => self.choices = first == b'[',
            Found::Choice => {
                self.choice.get_or_insert(at);
                self.settled = true;
            }
            Found::Usage => self.usage = first == b'{',
        }
    }

    fn value(&mut self, _: Found, _: Value<'_>, _: Range<u64>) {}
}

impl Seen {
    fn is_usage(&self) -> bool {
        self.choices && self.usage && !self.settled
    }
}

impl Hider {
    /// Passes what of a chunk may pass.
    fn sift(&mut self, chunk: Bytes, pass: &mut impl FnMut(Bytes)) {
        let mut rest = &chunk[..];
        // What may pass begins at `from`; the current event begins at `event`.
        let (mut from, mut event) = (0, 0);
        if self.is_between_events() && self.lexer.awaits_lf() && rest.starts_with(b"\n") {
            // The second half of the line ending that ended the last event shares its fate.
            event = 1;
            from = usize::from(self.dropped);
        }
        while let Some(token) = self.lexer.next(&mut rest) {
            match token {
                Token::Data(data) if !self.seen.settled => self.judge(data),
                Token::Event => {
                    let end = chunk.len() - rest.len();
                    if self.seen.is_usage() {
                        pass_some(chunk.slice(from..event), pass);
                        self.held.clear();
                        self.held_len = 0;
                        self.dropped = true;
                        from = end;
                    } else {
                        self.release(pass);
                        self.dropped = false;
                    }
                    self.seen = Seen::default();
                    self.scanner.reset();
                    event = end;
                }
                _ => {}
            }
        }
        let undecided = chunk.len() - event;
        if undecided == 0 && from == 0 {
            return pass_some(chunk, pass);
        }
        if !self.seen.settled && self.held_len + undecided <= CAP {
            pass_some(chunk.slice(from..event), pass);
            if undecided > 0 {
                self.held.push(chunk.slice(event..));
                self.held_len += undecided;
            }
        } else {
            // An event of which a part has passed passes whole.
            self.seen.settled = true;
            self.release(pass);
            pass_some(chunk.slice(from..), pass);
        }
    }

    /// Learns from the data of an event what it is.
    fn judge(&mut self, data: &[u8]) {
        let first = self.scanner.is_at_start();
        if first && self.familiar.recognize(data).is_some() {
            self.seen.settled = true;
            return;
        }
        self.seen.settled |= self.scanner.scan(data, &mut self.seen).is_err();
        let choice = self.seen.choice.and_then(|at| usize::try_from(at).ok());
        if first
            && let Some(beginning) = choice.and_then(|at| data.get(..=at))
            && self.familiar.is_new(beginning)
        {
            self.familiar.learn(beginning, &[], ());
        }
    }

    fn is_between_events(&self) -> bool {
        self.held.is_empty() && !self.seen.settled
    }

    /// Passes what was held back.
    fn release(&mut self, pass: &mut impl FnMut(Bytes)) {
        self.held_len = 0;
        self.held.drain(..).for_each(pass);
    }
}

fn pass_some(bytes: Bytes, pass: &mut impl FnMut(Bytes)) {
    if !bytes.is_empty() {
        pass(bytes);
    }
}

impl<B: Body> fmt::Debug for HideUsage<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HideUsage")
            .field("hides", &self.hider.is_some())
            .finish_non_exhaustive()
    }
}
