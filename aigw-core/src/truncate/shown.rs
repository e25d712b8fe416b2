use std::fmt;

use super::{
    event::{Choice, Event, Identity, Kind},
    form::{Field, Form},
};
use crate::{
    call::Call,
    json::{Mode, Scanner},
    sse::Token,
};

/// What a stream has shown of itself that its [ending](super::ending()) takes up: its identity, and
/// what is still open in it.
///
/// # Memory
///
/// Constant, but for the first event of a Responses stream, which is kept up to [64
/// KiB](Shown::CAP): of a larger one, the ending repeats the identity alone.
pub struct Shown {
    pub(super) call: Call,
    pub(super) form: Form,
    pub(super) identity: Identity,
    pub(super) choices: Vec<Choice>,
    /// The block that is open.
    pub(super) block: Option<u64>,
    pub(super) sequence: Option<u64>,
    /// The data of the event that began the answer, where the ending repeats it. `None` where it is
    /// too large.
    pub(super) first: Option<Vec<u8>>,
    scanner: Scanner<Field>,
    event: Event,
    has_begun: bool,
    is_over: bool,
}

/// How many choices are told apart: as many as OpenAI gives at once.
const MOST_CHOICES: usize = 128;

impl Shown {
    /// The greatest first event that is kept: 64 KiB.
    pub const CAP: usize = 64 << 10;

    /// Of a stream in answer to this call, of which nothing has passed. `None` where no ending is
    /// known for what is asked.
    #[must_use]
    pub fn of(call: &Call) -> Option<Self> {
        let form = Form::of(call.dialect(), call.operation())?;
        Some(Self {
            // A prompt can be large, and streams take minutes.
            call: call.without_body(),
            form,
            identity: Identity::default(),
            choices: Vec::new(),
            block: None,
            sequence: None,
            first: Some(Vec::new()),
            scanner: Scanner::new(form.shape(), Mode::Lenient),
            event: Event::default(),
            has_begun: false,
            is_over: false,
        })
    }

    /// Reads on. What an event shows counts once it has ended.
    pub fn read(&mut self, token: Token<'_>) {
        match token {
            Token::Data(data) => self.data(data),
            // JSON reads the line feed between data lines as a blank.
            Token::DataLine => self.data(b"\n"),
            Token::Event => self.end_event(),
            Token::Name(_) => {}
        }
    }

    /// Whether the stream is in the middle of an answer, so that an ending fits behind the last
    /// event: it has begun one, and has told neither why the model stopped nor of an error.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.is_over
            && match self.form {
                Form::Responses | Form::Anthropic => self.has_begun,
                _ => self.open_choices().next().is_some(),
            }
    }

    /// The choices under way.
    pub(super) fn open_choices(&self) -> impl Iterator<Item = u64> {
        let open = self.choices.iter().filter(|choice| !choice.is_finished);
        open.map(|choice| choice.index)
    }

    fn data(&mut self, data: &[u8]) {
        if self.form == Form::Responses && !self.has_begun {
            self.keep(data);
        }
        // What is not JSON, such as `[DONE]`, says nothing here.
        let _ = self.scanner.scan(data, &mut self.event);
    }

    fn keep(&mut self, data: &[u8]) {
        let fits = |first: &Vec<u8>| first.len().saturating_add(data.len()) <= Self::CAP;
        self.first = self.first.take().filter(fits);
        if let Some(first) = &mut self.first {
            first.extend_from_slice(data);
        }
    }

    fn end_event(&mut self) {
        self.identify();
        let Event {
            kind,
            sequence,
            current,
            has_failed,
            ..
        } = self.event;
        self.sequence = sequence.or(self.sequence);
        self.is_over |= has_failed || kind == Kind::End || current.is_finished;
        match kind {
            Kind::Start => self.has_begun = true,
            Kind::BlockStart => self.block = Some(current.index),
            Kind::BlockStop => self.block = None,
            Kind::Other | Kind::End => {}
        }
        for choice in &self.event.choices {
            let mut known = self.choices.iter_mut();
            if let Some(known) = known.find(|known| known.index == choice.index) {
                known.is_finished |= choice.is_finished;
            } else if self.choices.len() < MOST_CHOICES {
                self.choices.push(*choice);
            }
        }
        if !self.has_begun {
            self.first = Some(Vec::new());
        }
        self.event.reset();
        self.scanner.reset();
    }

    fn identify(&mut self) {
        let Identity { id, model, created } = &mut self.event.identity;
        let known = &mut self.identity;
        known.id = known.id.take().or_else(|| id.take());
        known.model = known.model.take().or_else(|| model.take());
        known.created = known.created.filter(|at| *at > 0).or(*created);
        self.event.is_known = known.id.is_some() && known.model.is_some();
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown")
            .field("call", &self.call)
            .field("open", &self.is_open())
            .finish_non_exhaustive()
    }
}
