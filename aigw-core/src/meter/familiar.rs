/// How the events of a stream begin again and again: the bytes before the first value that says
/// anything new, and what is known behind them.
///
/// What a scanner makes of bytes depends on these bytes alone. An event that begins as one before
/// it is therefore read on from where that beginning ends, whatever it holds.
pub(super) struct Familiar<T> {
    bytes: [u8; LONGEST],
    len: usize,
    known: Option<T>,
    /// How many more beginnings are learnt. A stream whose events never begin alike costs no more.
    lessons: u8,
}

/// The longest beginning that is kept. OpenAI's chunks have one of less than 200 bytes, Azure's of
/// less than 300.
const LONGEST: usize = 384;

/// Not worth the comparison.
const SHORTEST: usize = 16;

/// Streams change between text, thinking and the arguments of tools.
const LESSONS: u8 = 16;

impl<T> Familiar<T> {
    pub(super) const fn new() -> Self {
        Self {
            bytes: [0; LONGEST],
            len: 0,
            known: None,
            lessons: LESSONS,
        }
    }

    /// What is known of an event that begins so, and how it goes on.
    #[inline]
    pub(super) fn recognize<'d>(&self, event: &'d [u8]) -> Option<(&T, &'d [u8])> {
        let known = self.known.as_ref()?;
        let rest = event.strip_prefix(self.bytes.get(..self.len)?)?;
        Some((known, rest))
    }

    /// Keeps a beginning and what is known behind it.
    pub(super) fn learn(&mut self, beginning: &[u8], known: impl FnOnce() -> Option<T>) {
        if self.lessons == 0 || beginning.len() < SHORTEST {
            return;
        }
        let Some(bytes) = self.bytes.get_mut(..beginning.len()) else {
            return;
        };
        bytes.copy_from_slice(beginning);
        self.len = beginning.len();
        self.known = known();
        self.lessons -= 1;
    }
}
