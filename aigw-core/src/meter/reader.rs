use std::sync::Arc;

use http::HeaderMap;

use super::{
    Meter, Reads,
    familiar::Familiar,
    tally::{News, Shares, Tally},
};
use crate::{
    call::Call,
    dialect::{Field, Form, Terminal, form},
    headers::media_type,
    json::{Mark, Mode, Scanner},
    sse::{Lexer, Token},
};

/// Reads an answer as it passes, into a [`Meter`].
pub(super) enum Reader {
    /// Nothing in it can be read, or nothing is known to stand in it.
    Opaque,
    /// One JSON document.
    Document(Box<Reading>),
    /// A stream of events with a JSON document each.
    Events(Box<Events>),
}

/// What reading needs besides the meter.
pub(super) struct Reading {
    scanner: Scanner<Field>,
    terminal: Terminal,
    choices: u64,
    whole: bool,
    shares: Shares,
    finished: u64,
    terminated: bool,
    malformed: bool,
}

pub(super) struct Events {
    lexer: Lexer,
    reading: Reading,
    familiar: Familiar<Known, LONGEST_FRAME>,
    /// How much of `[DONE]` the event's data has matched; `None` once it is something else.
    done: Option<usize>,
    /// Content of the events before this one.
    content_before: u64,
    /// An event that has ended says that nothing more will come. One that is cut off says nothing:
    /// no client reads it.
    complete: bool,
}

/// What is known of events that are alike but for one value.
struct Known {
    /// Where that value comes.
    mark: Mark,
    /// The model that the meter knew. While it is this one, nothing else in them is new.
    model: Option<Arc<str>>,
}

impl Known {
    fn fits(&self, meter: &Meter) -> bool {
        is_same(self.model.as_ref(), meter.model.as_ref())
    }
}

/// Whether the meter has learnt of no other model in between.
fn is_same(before: Option<&Arc<str>>, now: Option<&Arc<str>>) -> bool {
    match (before, now) {
        (Some(before), Some(now)) => Arc::ptr_eq(before, now),
        (before, now) => before.is_none() && now.is_none(),
    }
}

/// The longest beginning and ending of an event that are kept, together. OpenAI's chunks have some
/// 200 bytes besides their content, Azure's twice as many.
const LONGEST_FRAME: usize = 512;

/// What OpenAI's streams say last.
const DONE: &[u8] = b"[DONE]";

impl Reader {
    /// The reader for an answer to `call` with these headers.
    pub(super) fn new(call: &Call, headers: &HeaderMap) -> Self {
        let Some(form) = form(call.dialect(), call.operation()) else {
            return Self::Opaque;
        };
        let events = || {
            let reading = Reading::new(form, call.choices(), false);
            Self::Events(Box::new(Events::new(reading)))
        };
        match media_type(headers) {
            None if call.streams() => events(),
            Some(media) if media.eq_ignore_ascii_case("text/event-stream") => events(),
            Some(media) if media.eq_ignore_ascii_case("application/json") => {
                Self::Document(Box::new(Reading::new(form, call.choices(), true)))
            }
            _ => Self::Opaque,
        }
    }

    /// What is read of the answer.
    pub(super) fn reads(&self) -> Reads {
        match self {
            Self::Opaque => Reads::Nothing,
            Self::Document(_) => Reads::Document,
            Self::Events(_) => Reads::Events,
        }
    }

    /// Reads on.
    pub(super) fn read(&mut self, chunk: &[u8], meter: &mut Meter) {
        match self {
            Self::Opaque => {}
            Self::Document(reading) => {
                reading.scan(chunk, meter);
                if meter.carried() > 0 {
                    meter.chunks = 1;
                }
            }
            Self::Events(events) => events.read(chunk, meter),
        }
    }

    /// Whether what has passed says of itself that it is everything. An answer that cannot be read
    /// is taken to be.
    pub(super) fn is_complete(&self) -> bool {
        match self {
            Self::Opaque => true,
            Self::Document(reading) => reading.malformed || reading.scanner.is_complete(),
            Self::Events(events) => events.complete,
        }
    }

    /// Whether what has passed says that nothing can follow it, whatever the transport says.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Opaque => false,
            Self::Document(reading) => !reading.malformed && reading.scanner.is_complete(),
            Self::Events(events) => events.complete && events.reading.terminated,
        }
    }
}

impl Reading {
    fn new(form: &'static Form, choices: u64, whole: bool) -> Self {
        Self {
            scanner: Scanner::new(&form.shape, Mode::Lenient),
            terminal: form.terminal,
            choices,
            whole,
            shares: Shares::default(),
            finished: 0,
            terminated: false,
            malformed: false,
        }
    }

    /// Reads on; answers what was new.
    fn scan(&mut self, json: &[u8], meter: &mut Meter) -> News {
        let mut news = News::default();
        if self.malformed {
            return news;
        }
        let mut tally = Tally {
            meter,
            shares: &mut self.shares,
            finished: &mut self.finished,
            terminal: match self.terminal {
                Terminal::Event(types) => types,
                _ => &[],
            },
            terminated: &mut self.terminated,
            whole: self.whole,
            news: &mut news,
        };
        self.malformed = self.scanner.scan(json, &mut tally).is_err();
        news
    }

    fn is_terminated(&self) -> bool {
        match self.terminal {
            Terminal::Finish => self.terminated || self.finished >= self.choices.max(1),
            Terminal::Event(_) => self.terminated,
        }
    }
}

impl Events {
    fn new(reading: Reading) -> Self {
        Self {
            lexer: Lexer::new(),
            reading,
            familiar: Familiar::new(),
            done: Some(0),
            content_before: 0,
            complete: false,
        }
    }

    fn read(&mut self, chunk: &[u8], meter: &mut Meter) {
        let mut rest = chunk;
        while let Some(token) = self.lexer.next(&mut rest) {
            match token {
                Token::Data(data) => {
                    self.match_done(data);
                    if self.reading.scanner.is_at_start() {
                        self.begin_event(data, meter);
                    } else {
                        self.reading.scan(data, meter);
                    }
                }
                // JSON reads the line feed between data lines as a blank.
                Token::DataLine => {
                    self.done = None;
                    self.reading.scan(b"\n", meter);
                }
                Token::Event => self.end_event(meter),
                Token::Name(_) => {}
            }
        }
    }

    /// Reads the first data of an event.
    fn begin_event(&mut self, data: &[u8], meter: &mut Meter) {
        let recognized = self.familiar.recognize(data);
        let Some((known, rest)) = recognized.filter(|(known, _)| known.fits(meter)) else {
            return self.learn(data, meter);
        };
        self.reading.scanner.resume(&known.mark);
        let Some(value) = self.familiar.without_ending(rest) else {
            self.reading.scan(rest, meter);
            return;
        };
        self.reading.scan(value, meter);
        // Behind that value the ending says nothing new, and completes the document: unless the
        // value was a model, which the ending may take back.
        if known.fits(meter) && self.reading.scanner.has_read(&known.mark) {
            self.reading.scanner.complete();
        } else if let Some(ending) = rest.get(value.len()..) {
            self.reading.scan(ending, meter);
        }
    }

    /// Reads the first data of an event that is like none before, and how it begins and ends.
    fn learn(&mut self, data: &[u8], meter: &mut Meter) {
        let model = meter.model.clone();
        let news = self.reading.scan(data, meter);
        let scanner = &self.reading.scanner;
        let first = news.first.and_then(|at| usize::try_from(at).ok());
        if let Some((beginning, rest)) = first.and_then(|at| data.split_at_checked(at))
            // The first content is waited for, and may be the last.
            && meter.chunks > 0
            && self.familiar.is_new(beginning)
            // What names another model is not learnt yet.
            && is_same(model.as_ref(), meter.model.as_ref())
            && !self.reading.malformed
            && let Some(mark) = scanner.mark(beginning)
        {
            let ending = scanner
                .value_len(&mark, rest)
                .filter(|_| scanner.is_complete() && !news.more)
                .and_then(|value| rest.get(value..));
            let known = Known { mark, model };
            self.familiar
                .learn(beginning, ending.unwrap_or_default(), known);
        }
    }

    fn match_done(&mut self, data: &[u8]) {
        let expected = self.done.and_then(|seen| DONE.get(seen..));
        self.done = match (expected, self.done) {
            (Some(expected), Some(seen)) if expected.starts_with(data) => Some(seen + data.len()),
            _ => None,
        };
    }

    fn end_event(&mut self, meter: &mut Meter) {
        self.reading.terminated |= self.done == Some(DONE.len());
        self.done = Some(0);
        if meter.carried() > self.content_before {
            self.content_before = meter.carried();
            meter.chunks += 1;
        }
        self.complete |= self.reading.is_terminated();
        self.reading.malformed = false;
        self.reading.scanner.reset();
    }
}
