//! Members of an object one after the other, as long as each stands whole in its chunk and without
//! a blank: most of what answers and requests consist of. All else is left to the states.

use super::{
    Scanner, Sink,
    scanner::{Broken, after},
    state::{Role, State},
    text::plain_len,
};

impl<F: Copy> Scanner<F> {
    /// Reads on from the opening quote of a key, with which `rest` begins; answers how many bytes
    /// were read.
    pub(super) fn members(
        &mut self,
        rest: &[u8],
        begin: u64,
        sink: &mut impl Sink<F>,
    ) -> Result<usize, Broken> {
        let container = self.place.container();
        let mut taken = 0;
        loop {
            taken += 1;
            let behind = after(rest, taken);
            let at = begin + taken as u64;
            let Some((key, [b'"', b':', value @ ..])) =
                behind.split_at_checked(plain_len(behind, self.mode))
            else {
                let role = container.map_or(Role::ForeignKey, |_| Role::Key);
                return Ok(taken + self.begin_text(role, behind, at, sink)?);
            };
            taken += key.len() + 2;
            let at = at + key.len() as u64;
            self.place.node = container.and_then(|container| self.shape.child(container, key));
            self.check_repetition(at + 1)?;
            self.place.state = State::Value;
            let at = at + 2;
            match value.first() {
                Some(b'"') => {
                    let role = self.begin_value(b'"', at, sink);
                    taken += 1 + self.begin_text(role, after(value, 1), at + 1, sink)?;
                }
                Some(byte @ (b't' | b'f' | b'n' | b'-' | b'0'..=b'9')) => {
                    self.begin_value(*byte, at, sink);
                    taken += self.begin_scalar(*byte, value, at, sink)?;
                }
                _ => return Ok(taken),
            }
            match after(rest, taken) {
                [b',', b'"', ..] if self.place.state == State::After => taken += 1,
                _ => return Ok(taken),
            }
        }
    }
}
