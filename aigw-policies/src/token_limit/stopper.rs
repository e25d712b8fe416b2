use std::sync::Arc;

use aigw_core::{
    call::Call,
    meter::{Ending, Meter, Metered, Origin, Reads},
    sse::{Lexer, Token},
    truncate::{self, Shown},
    usage::Usage,
};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header};

use super::Budget;

/// Finds where a stream can be ended, and ends it there.
pub(super) struct Stopper {
    lexer: Lexer,
    shown: Shown,
    /// How many answers are written.
    answers: u64,
    /// Some of an event has passed, and its end has not.
    is_within: bool,
    /// Which budget has nothing left.
    spent: Option<Arc<Budget>>,
}

/// Where in a frame a stream ends.
pub(super) struct Place {
    /// How much of the frame passes.
    pub(super) passes: usize,
    /// What passes ends in half a line ending.
    awaits_lf: bool,
    /// For which budget.
    pub(super) budget: Arc<Budget>,
}

impl Stopper {
    /// For an answer to this call with these headers, which is made ready for being ended. `None`
    /// where it cannot be.
    pub(super) fn of(
        call: &Call,
        answers: u64,
        headers: &mut HeaderMap,
        meter: &Meter,
    ) -> Option<Box<Self>> {
        let is_plain = match headers.get(header::CONTENT_ENCODING) {
            Some(encoding) => encoding.as_bytes().eq_ignore_ascii_case(b"identity"),
            None => true,
        };
        if !is_plain || meter.origin() != Origin::Provider || meter.reads() != Reads::Events {
            return None;
        }
        let shown = Shown::of(call)?;
        // The caller may receive less than was announced, or more.
        headers.remove(header::CONTENT_LENGTH);
        Some(Box::new(Self {
            lexer: Lexer::new(),
            shown,
            answers,
            is_within: false,
            spent: None,
        }))
    }

    /// Reads what would pass next of this body, and remembers a budget that has nothing left.
    /// Answers where the stream is to end, if that is in this frame.
    pub(super) fn read(
        &mut self,
        data: &[u8],
        spent: Option<Arc<Budget>>,
        body: &impl Metered,
    ) -> Option<Place> {
        self.spent = self.spent.take().or(spent);
        // The second half of a line ending belongs to the event that it ended.
        let half = usize::from(self.lexer.awaits_lf() && data.starts_with(b"\n"));
        let mut end = (!self.is_within).then_some(half);
        let mut rest = data;
        while let Some(token) = self.lexer.next(&mut rest) {
            self.shown.read(token);
            if token == Token::Event {
                end = Some(data.len() - rest.len());
            }
        }
        self.is_within = end != Some(data.len());
        let (passes, budget) = (end?, self.spent.as_ref()?);
        if !self.shown.is_open() || self.has_ended(body) {
            return None;
        }
        Some(Place {
            passes,
            awaits_lf: passes == data.len() && self.lexer.awaits_lf(),
            budget: Arc::clone(budget),
        })
    }

    /// Whether the provider has ended the answer by itself, though not all of it has passed: the
    /// meter reads ahead of an event that is held back.
    fn has_ended(&self, body: &impl Metered) -> bool {
        let meter = body.meter();
        body.ending() != Ending::Dropped
            || meter.in_band_error().is_some()
            || (self.answers == 1 && meter.finish().is_some())
    }

    /// What follows such a place.
    pub(super) fn ending(&self, place: &Place, usage: &Usage) -> Bytes {
        let ending = truncate::ending(&self.shown, usage);
        if !place.awaits_lf {
            return ending;
        }
        let mut whole = BytesMut::with_capacity(1 + ending.len());
        whole.extend_from_slice(b"\n");
        whole.extend_from_slice(&ending);
        whole.freeze()
    }
}
