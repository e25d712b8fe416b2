/// How the events of a stream begin and end again and again, around the one value that says
/// something new, and what is known of such an event.
///
/// What a scanner makes of bytes depends on these bytes alone. An event that begins as one before
/// it is therefore read on from where that beginning ends, whatever it holds.
pub(super) struct Familiar<T, const LONGEST: usize> {
    /// The beginning and the ending, one behind the other.
    bytes: [u8; LONGEST],
    /// Where the beginning ends in them.
    beginning: usize,
    /// Where the ending does.
    ending: usize,
    known: Option<T>,
    /// How many more events are learnt. A stream whose events never begin alike costs no more.
    lessons: u8,
}

/// A beginning of fewer bytes saves less than its comparison costs.
const SHORTEST: usize = 16;

/// Streams change between text, thinking and the arguments of tools.
const LESSONS: u8 = 16;

impl<T, const LONGEST: usize> Familiar<T, LONGEST> {
    pub(super) const fn new() -> Self {
        Self {
            bytes: [0; LONGEST],
            beginning: 0,
            ending: 0,
            known: None,
            lessons: LESSONS,
        }
    }

    /// What is known of an event that begins so, and how it goes on.
    #[inline]
    pub(super) fn recognize<'e>(&self, event: &'e [u8]) -> Option<(&T, &'e [u8])> {
        let known = self.known.as_ref()?;
        let rest = event.strip_prefix(self.bytes.get(..self.beginning)?)?;
        Some((known, rest))
    }

    /// The same without the ending, where an event ends so.
    #[inline]
    pub(super) fn without_ending<'e>(&self, rest: &'e [u8]) -> Option<&'e [u8]> {
        let ending = self.bytes.get(self.beginning..self.ending)?;
        rest.strip_suffix(ending).filter(|_| !ending.is_empty())
    }

    /// Whether there is anything to be learnt from an event that begins so.
    pub(super) fn is_new(&self, beginning: &[u8]) -> bool {
        let room = SHORTEST..=LONGEST;
        self.lessons > 0 && room.contains(&beginning.len())
    }

    /// Keeps how an event begins and ends. An ending for which there is no room is not kept.
    pub(super) fn learn(&mut self, beginning: &[u8], ending: &[u8], known: T) {
        let ends = beginning.len() + ending.len();
        let ending = if ends <= LONGEST { ending } else { &[] };
        let both = beginning.iter().chain(ending);
        self.bytes
            .iter_mut()
            .zip(both)
            .for_each(|(to, from)| *to = *from);
        self.beginning = beginning.len();
        self.ending = beginning.len() + ending.len();
        self.known = Some(known);
        self.lessons = self.lessons.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGINNING: &[u8] = b"the same beginning: ";

    fn learnt(ending: &[u8]) -> Familiar<u8, 32> {
        let mut familiar = Familiar::new();
        assert!(familiar.is_new(BEGINNING));
        familiar.learn(BEGINNING, ending, 7);
        familiar
    }

    #[test]
    fn what_begins_alike_is_recognized() {
        let familiar = learnt(b"!");
        let event = [BEGINNING, b"value!"].concat();
        assert_eq!(familiar.recognize(&event), Some((&7, &b"value!"[..])));
        assert_eq!(familiar.without_ending(b"value!"), Some(&b"value"[..]));
        assert_eq!(familiar.without_ending(b"value?"), None);
        assert_eq!(familiar.recognize(b"the same beginnin"), None);
        assert_eq!(Familiar::<u8, 32>::new().recognize(&event), None);
    }

    #[test]
    fn an_ending_without_room_is_not_kept() {
        let familiar = learnt(b"longer than is left");
        let event = [BEGINNING, b"1longer than is left"].concat();
        let (_, rest) = familiar.recognize(&event).unwrap();
        assert_eq!(familiar.without_ending(rest), None);
    }

    #[test]
    fn what_is_too_short_or_too_long_is_not_learnt() {
        let familiar = Familiar::<u8, 32>::new();
        assert!(!familiar.is_new(&[b'a'; SHORTEST - 1]));
        assert!(familiar.is_new(&[b'a'; SHORTEST]) && familiar.is_new(&[b'a'; 32]));
        assert!(!familiar.is_new(&[b'a'; 33]));
    }

    #[test]
    fn a_stream_that_is_never_alike_is_given_up() {
        let mut familiar = Familiar::<u8, 32>::new();
        let lessons = (0..u8::MAX).take_while(|number| {
            let beginning = [*number; SHORTEST];
            let is_new = familiar.is_new(&beginning);
            if is_new {
                familiar.learn(&beginning, b"", *number);
            }
            is_new
        });
        assert_eq!(lessons.count(), usize::from(LESSONS));
    }
}
