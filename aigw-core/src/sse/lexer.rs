/// Splits an event stream into [`Token`]s, chunk by chunk, in constant memory.
#[derive(Clone, Debug, Default)]
pub struct Lexer {
    state: State,
    /// The last line ended in CR: an LF right behind it belongs to the same end.
    after_cr: bool,
    /// The event has a field.
    has_field: bool,
    /// The event has a data line.
    has_data: bool,
}

/// A piece of an event stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Token<'c> {
    /// Some of the event's name; more may follow.
    Name(&'c [u8]),
    /// Some of a data line; more may follow.
    Data(&'c [u8]),
    /// Another data line of the same event begins. The event's data has an LF here.
    DataLine,
    /// The blank line that ends an event. The bytes of the event end where the lexer stands now.
    Event,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// At the beginning of the stream, after so many bytes of a byte order mark.
    Start(u8),
    LineStart,
    /// In a field name of which the bytes so far are these (padded with zeros; none when it is too
    /// long to be known).
    Name([u8; LONGEST], u8),
    /// After the colon: one space is skipped.
    Colon(Field),
    Value(Field),
}

impl Default for State {
    fn default() -> Self {
        Self::Start(0)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Data,
    Event,
    /// `id`, `retry`, comments and whatever else: nothing here needs them.
    Other,
}

/// The longest field name that means something: `event`.
const LONGEST: usize = 5;

const BYTE_ORDER_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];

impl Lexer {
    /// A lexer at the beginning of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The next token of `chunk`, whose read part is cut off. `None` once the chunk is used up.
    #[inline]
    pub fn next<'c>(&mut self, chunk: &mut &'c [u8]) -> Option<Token<'c>> {
        loop {
            let rest = *chunk;
            let &byte = rest.first()?;
            if std::mem::take(&mut self.after_cr) && byte == b'\n' {
                *chunk = after(rest, 1);
                continue;
            }
            match self.state {
                State::LineStart => {
                    if let Some(value) = rest.strip_prefix(b"data: ") {
                        *chunk = value;
                        if let Some(token) = self.begin_value(Field::Data, State::Value) {
                            return Some(token);
                        }
                    } else if is_end(byte) {
                        *chunk = after(rest, self.line_end(rest));
                        let ended = std::mem::take(&mut self.has_field);
                        self.has_data = false;
                        if ended {
                            return Some(Token::Event);
                        }
                    } else {
                        self.state = State::Name([0; LONGEST], 0);
                    }
                }
                State::Value(field) => {
                    let len = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
                    let (value, tail) = rest.split_at_checked(len)?;
                    *chunk = after(tail, self.line_end(tail));
                    match field {
                        Field::Data if len > 0 => return Some(Token::Data(value)),
                        Field::Event if len > 0 => return Some(Token::Name(value)),
                        _ => {}
                    }
                }
                State::Name(name, len) => {
                    if is_end(byte) {
                        // A line without a colon is a field with an empty value.
                        let token = self.begin_value(field_of(name, len), State::Value);
                        *chunk = after(rest, self.line_end(rest));
                        if token.is_some() {
                            return token;
                        }
                        continue;
                    }
                    *chunk = after(rest, 1);
                    if byte != b':' {
                        self.state = longer(name, len, byte);
                    } else if let Some(token) = self.begin_value(field_of(name, len), State::Colon)
                    {
                        return Some(token);
                    }
                }
                State::Colon(field) => {
                    *chunk = after(rest, usize::from(byte == b' '));
                    self.state = State::Value(field);
                }
                State::Start(seen) => {
                    if BYTE_ORDER_MARK.get(usize::from(seen)) == Some(&byte) {
                        *chunk = after(rest, 1);
                        self.state = State::Start(seen + 1);
                    } else if matches!(seen, 0 | 3) {
                        self.state = State::LineStart;
                    } else {
                        // Half a mark is the beginning of a field name that nobody knows.
                        self.state = State::Name([0; LONGEST], u8::MAX);
                    }
                }
            }
        }
    }

    /// Whether the last byte read was a CR, so that an LF that follows at once still belongs to
    /// what has ended.
    #[must_use]
    pub fn awaits_lf(&self) -> bool {
        self.after_cr
    }

    fn begin_value(&mut self, field: Field, then: fn(Field) -> State) -> Option<Token<'static>> {
        self.state = then(field);
        // A comment alone is no event, but bytes that a blank line ends all the same.
        self.has_field = true;
        let again = field == Field::Data && std::mem::replace(&mut self.has_data, true);
        again.then_some(Token::DataLine)
    }

    /// Takes the end of a line if `rest` begins with one; answers its length.
    fn line_end(&mut self, rest: &[u8]) -> usize {
        let len = match rest {
            [b'\r', b'\n', ..] => 2,
            [b'\r'] => {
                self.after_cr = true;
                1
            }
            [b'\r' | b'\n', ..] => 1,
            _ => return 0,
        };
        self.state = State::LineStart;
        len
    }
}

fn after(rest: &[u8], len: usize) -> &[u8] {
    rest.get(len..).unwrap_or_default()
}

fn is_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

fn longer(mut name: [u8; LONGEST], len: u8, byte: u8) -> State {
    match name.get_mut(usize::from(len)) {
        Some(slot) => {
            *slot = byte;
            State::Name(name, len + 1)
        }
        None => State::Name(name, u8::MAX),
    }
}

fn field_of(name: [u8; LONGEST], len: u8) -> Field {
    match name.get(..usize::from(len)) {
        Some(b"data") => Field::Data,
        Some(b"event") => Field::Event,
        _ => Field::Other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An event as the specification dispatches it: name and data.
    type Event = (String, String);

    fn lex(chunks: &[&[u8]]) -> Vec<Event> {
        let mut lexer = Lexer::new();
        let (mut name, mut data) = (Vec::new(), Vec::new());
        let mut events = Vec::new();
        for chunk in chunks {
            let mut rest = *chunk;
            while let Some(token) = lexer.next(&mut rest) {
                match token {
                    Token::Name(piece) => name.extend_from_slice(piece),
                    Token::Data(piece) => data.extend_from_slice(piece),
                    Token::DataLine => data.push(b'\n'),
                    Token::Event => events.push((
                        String::from_utf8_lossy(&std::mem::take(&mut name)).into_owned(),
                        String::from_utf8_lossy(&std::mem::take(&mut data)).into_owned(),
                    )),
                }
            }
        }
        events
    }

    /// The same by splitting the whole stream into lines first.
    fn oracle(stream: &[u8]) -> Vec<Event> {
        let stream = stream.strip_prefix(&BYTE_ORDER_MARK[..]).unwrap_or(stream);
        let text = String::from_utf8_lossy(stream)
            .replace("\r\n", "\n")
            .replace('\r', "\n");
        let mut events = Vec::new();
        let (mut name, mut data, mut any) = (String::new(), Vec::new(), false);
        let mut lines: Vec<_> = text.split('\n').collect();
        lines.pop();
        for line in lines {
            if line.is_empty() {
                if std::mem::take(&mut any) {
                    events.push((
                        std::mem::take(&mut name),
                        std::mem::take(&mut data).join("\n"),
                    ));
                }
                continue;
            }
            any = true;
            let (field, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.strip_prefix(' ').unwrap_or(value);
            match field {
                "event" => name.push_str(value),
                "data" => data.push(value.to_owned()),
                _ => {}
            }
        }
        events
    }

    #[test]
    fn reads_every_line_ending_and_form() {
        let cases: &[(&str, &[(&str, &str)])] = &[
            ("data: a\n\n", &[("", "a")]),
            ("data: a\r\n\r\ndata: b\r\r", &[("", "a"), ("", "b")]),
            ("\u{feff}data:a\n\n", &[("", "a")]),
            ("event: x\ndata:  a\ndata\ndata: b\n\n", &[("x", " a\n\nb")]),
            (": ping\n\n", &[("", "")]),
            ("id: 1\nretry: 5\nunheard-of: 7\ndata: a\n\n", &[("", "a")]),
            ("data: a\n", &[]),
            ("\n\n\n", &[]),
        ];
        for (stream, events) in cases {
            let events: Vec<Event> = events
                .iter()
                .map(|(n, d)| ((*n).into(), (*d).into()))
                .collect();
            assert_eq!(lex(&[stream.as_bytes()]), events, "{stream:?}");
        }
    }

    #[test]
    fn an_event_ends_after_its_whole_line_ending() {
        for (stream, left) in [
            ("data: a\n\nx", 1),
            ("data: a\r\n\r\nx", 1),
            ("data: a\r\rx", 1),
        ] {
            let (mut lexer, mut rest) = (Lexer::new(), stream.as_bytes());
            while lexer.next(&mut rest) != Some(Token::Event) {}
            assert_eq!(rest.len(), left, "{stream:?}");
        }
    }

    proptest! {
        #[test]
        fn any_chunking_agrees_with_whole_lines(
            stream in "(data|event|id|x)?(:| |a|\u{feff}|日|\r|\n|\r\n|\n\n|\r\n\r\n|data: |event: |: ){0,30}",
            cuts: Vec<prop::sample::Index>,
        ) {
            let bytes = stream.as_bytes();
            let mut at: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            at.extend([0, bytes.len()]);
            at.sort_unstable();
            let chunks: Vec<_> = at.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(lex(&chunks), oracle(bytes));
        }
    }
}
