//! Of which limits the headers of an answer tell.

use http::response::Parts;

use super::{Headers, Left};

/// A limit that an answer passes on its way out.
pub(crate) struct Passed<'a> {
    /// Where it tells what is left of it.
    pub(crate) names: &'a Headers,
    /// Where providers tell the same of limits of their own, which are another account's.
    pub(crate) providers: Headers,
    /// The limit and what is left of it; `None` where there is none, or nobody knows.
    pub(crate) left: Option<(u64, Left)>,
    pub(crate) is_degraded: bool,
}

/// A mark on an answer: under which names what is told, and how little is left of it.
#[derive(Clone, Default)]
struct Told(Vec<(Headers, u64)>);

impl Passed<'_> {
    /// Tells of the limit in an answer, unless one further in that tells under the same names has
    /// refused the call or has less left.
    pub(crate) fn tell(self, answer: &mut Parts) {
        let Self { names, .. } = self;
        let headers = &mut answer.headers;
        let told = answer.extensions.get_or_insert_default::<Told>();
        if told.0.is_empty() {
            names.clear_degraded(headers);
        }
        if told.least(&self.providers).is_none() {
            self.providers.clear(headers);
            told.0.push((self.providers, NOTHING_TOLD));
        }
        if self.is_degraded {
            names.write_degraded(headers);
        }
        let Some((limit, left)) = self.left else {
            return;
        };
        match told.least(names) {
            Some(least) if *least <= left.remaining => return,
            Some(least) => *least = left.remaining,
            None => told.0.push((names.clone(), left.remaining)),
        }
        names.write(limit, left, headers);
    }
}

/// Marks the answer that refuses a call: what it says under these names stands.
pub(crate) fn refused(names: &Headers, answer: &mut http::Extensions) {
    answer.insert(Told(vec![(names.clone(), 0)]));
}

/// More than anything is that can be left.
const NOTHING_TOLD: u64 = u64::MAX;

impl Told {
    fn least(&mut self, names: &Headers) -> Option<&mut u64> {
        let mut told = self.0.iter_mut();
        told.find_map(|(known, least)| (known == names).then_some(least))
    }
}
