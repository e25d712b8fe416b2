//! Reads a path from its end: pure, without allocation.

/// One segment of a path, as the caller wrote it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Segment<'p> {
    pub(super) text: &'p str,
    /// The path from this segment on.
    pub(super) onward: &'p str,
}

impl<'p> Segment<'p> {
    /// The path behind this segment.
    pub(super) fn behind(self) -> &'p str {
        let behind = self.onward.get(self.text.len()..).unwrap_or_default();
        behind.trim_start_matches('/')
    }
}

/// How a segment is compared with a word.
pub(super) type Same = fn(&str, &str) -> bool;

/// In a list of words, any one segment.
pub(super) const ANY: &str = "*";

/// The segments of a path, the last one first, empty ones dropped.
#[derive(Clone, Debug)]
pub(super) struct Backwards<'p> {
    path: &'p str,
    /// How much of the path is still to come.
    rest: &'p str,
}

pub(super) fn backwards(path: &str) -> Backwards<'_> {
    Backwards { path, rest: path }
}

impl<'p> Iterator for Backwards<'p> {
    type Item = Segment<'p>;

    fn next(&mut self) -> Option<Segment<'p>> {
        let mut rest = self.rest;
        while let Some(shorter) = rest.strip_suffix('/') {
            rest = shorter;
        }
        // Paths are short: a search that is made for long texts would take longer to begin.
        let slash = rest.bytes().rposition(|byte| byte == b'/');
        let start = slash.map_or(0, |slash| slash + 1);
        let (before, text) = rest.split_at_checked(start)?;
        self.rest = before;
        (!text.is_empty()).then(|| Segment {
            text,
            onward: self.path.get(start..).unwrap_or_default(),
        })
    }
}

/// What stands behind the last place where `marker` does, which may be nothing.
pub(super) fn after<'p>(path: &'p str, marker: &[&str], same: Same) -> Option<&'p str> {
    let (last, before) = marker.split_last()?;
    let mut segments = backwards(path);
    while let Some(segment) = segments.next() {
        if same(segment.text, last) {
            let mut further = segments.clone();
            let mut words = before.iter().rev();
            if words.all(|word| {
                further
                    .next()
                    .is_some_and(|further| same(further.text, word))
            }) {
                return Some(segment.behind());
            }
        }
    }
    None
}

/// The end of a path: as many segments as any operation's words are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tail<'p> {
    /// The last one first; empty where the path has no more.
    pub(super) segments: [Segment<'p>; 3],
}

impl<'p> Tail<'p> {
    pub(super) fn of(path: &'p str) -> Self {
        let mut segments = backwards(path);
        Self {
            segments: std::array::from_fn(|_| segments.next().unwrap_or_default()),
        }
    }

    /// The path from `words` on, if it ends with them.
    pub(super) fn ends_with(&self, words: &[&str], same: Same) -> Option<&'p str> {
        let mut first = None;
        let mut segments = self.segments.iter();
        for word in words.iter().rev() {
            let segment = segments.next().filter(|segment| !segment.text.is_empty())?;
            if *word != ANY && !same(segment.text, word) {
                return None;
            }
            first = Some(segment.onward);
        }
        first
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(written: &str, word: &str) -> bool {
        written == word
    }

    #[test]
    fn segments_come_from_the_end_with_all_that_follows_them() {
        let segments: Vec<_> = backwards("//a/bc//d/")
            .map(|segment| (segment.text, segment.onward, segment.behind()))
            .collect();
        let expected = [
            ("d", "d/", ""),
            ("bc", "bc//d/", "d/"),
            ("a", "a/bc//d/", "bc//d/"),
        ];
        assert_eq!(segments, expected);
        assert_eq!(backwards("///").next(), None);
        assert_eq!(backwards("").next(), None);
    }

    #[test]
    fn a_marker_is_looked_for_from_the_end() {
        assert_eq!(after("/x/m/a/m/b/c", &["m"], same), Some("b/c"));
        assert_eq!(after("/x//m//n//a", &["m", "n"], same), Some("a"));
        assert_eq!(after("/m/x/n", &["m", "n"], same), None);
        assert_eq!(after("/m", &["m"], same), Some(""));
        assert_eq!(after("/n", &["m", "n"], same), None);
    }

    #[test]
    fn a_path_ends_with_words_of_which_some_may_be_any() {
        let tail = Tail::of("/v1/models/g//");
        assert_eq!(tail.ends_with(&["models", ANY], same), Some("models/g//"));
        assert_eq!(tail.ends_with(&["g"], same), Some("g//"));
        assert_eq!(tail.ends_with(&["models"], same), None);
        assert_eq!(Tail::of("/g").ends_with(&[ANY, "g"], same), None);
    }
}
