//! Reads the segments of a path: pure, without allocation.

use super::spelling::in_any_case;

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

/// The segments of a path, the first one first, empty ones dropped.
pub(super) fn forwards(path: &str) -> Forwards<'_> {
    Forwards { rest: path }
}

/// See [`forwards`].
#[derive(Clone, Debug)]
pub(super) struct Forwards<'p> {
    rest: &'p str,
}

impl<'p> Iterator for Forwards<'p> {
    type Item = Segment<'p>;

    fn next(&mut self) -> Option<Segment<'p>> {
        let onward = self.rest.trim_start_matches('/');
        let text = onward.split('/').next().filter(|text| !text.is_empty())?;
        self.rest = onward.get(text.len()..).unwrap_or_default();
        Some(Segment { text, onward })
    }
}

/// What stands behind the last place where `marker` does, which may be nothing.
pub(super) fn after<'p>(path: &'p str, marker: &[&str]) -> Option<&'p str> {
    let (last, before) = marker.split_last()?;
    let mut segments = backwards(path);
    while let Some(segment) = segments.next() {
        if in_any_case(segment.text, last) {
            let mut further = segments.clone();
            let mut words = before.iter().rev();
            if words.all(|word| {
                further
                    .next()
                    .is_some_and(|further| in_any_case(further.text, word))
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
    pub(super) fn ends_with(&self, words: &[&str]) -> Option<&'p str> {
        let mut first = None;
        let mut segments = self.segments.iter();
        for word in words.iter().rev() {
            let segment = segments.next().filter(|segment| !segment.text.is_empty())?;
            if *word != ANY && !in_any_case(segment.text, word) {
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

    #[test]
    fn segments_come_from_either_end_with_all_that_follows_them() {
        let segments: Vec<_> = backwards("//a/bc//d/")
            .map(|segment| (segment.text, segment.onward, segment.behind()))
            .collect();
        let expected = [
            ("d", "d/", ""),
            ("bc", "bc//d/", "d/"),
            ("a", "a/bc//d/", "bc//d/"),
        ];
        assert_eq!(segments, expected);
        let forth: Vec<_> = forwards("//a/bc//d/")
            .map(|segment| (segment.text, segment.onward, segment.behind()))
            .collect();
        assert_eq!(forth.into_iter().rev().collect::<Vec<_>>(), expected);
        assert_eq!(forwards("///").next(), None);
        assert_eq!(backwards("///").next(), None);
        assert_eq!(backwards("").next(), None);
    }

    #[test]
    fn a_marker_is_looked_for_from_the_end() {
        assert_eq!(after("/x/m/a/m/b/c", &["m"]), Some("b/c"));
        assert_eq!(after("/x//m//n//a", &["m", "n"]), Some("a"));
        assert_eq!(after("/m/x/n", &["m", "n"]), None);
        assert_eq!(after("/m", &["m"]), Some(""));
        assert_eq!(after("/n", &["m", "n"]), None);
    }

    #[test]
    fn a_path_ends_with_words_of_which_some_may_be_any() {
        let tail = Tail::of("/v1/models/g//");
        assert_eq!(tail.ends_with(&["models", ANY]), Some("models/g//"));
        assert_eq!(tail.ends_with(&["g"]), Some("g//"));
        assert_eq!(tail.ends_with(&["models"]), None);
        assert_eq!(Tail::of("/g").ends_with(&[ANY, "g"]), None);
    }
}
