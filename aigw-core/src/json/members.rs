//! Members of an object one after the other, as long as each stands whole in its chunk and without
//! a blank: most of what answers and requests consist of. All else is left to the states.

use super::{
    machine::{Listener, Machine, Rest},
    state::{Role, State},
    text::plain_len,
};

impl Machine {
    /// Reads on behind the opening quote of a key.
    pub(super) fn members<'c>(&mut self, mut rest: &'c [u8], sink: &mut Listener<'_>) -> Rest<'c> {
        let tree = self.tree;
        let container = self.place.container().and_then(|id| tree.node(id));
        loop {
            let Some((key, [b'"', behind @ ..])) = rest.split_at_checked(plain_len(rest)) else {
                let role = container.map_or(Role::ForeignKey, |_| Role::Key);
                return self.begin_text(role, rest, sink);
            };
            self.place.node = container.and_then(|container| container.child(key));
            self.check_repetition(behind)?;
            let [b':', value @ ..] = behind else {
                self.place.state = State::Colon;
                return Ok(behind);
            };
            self.place.state = State::Value;
            let left = match value {
                [b'"', text @ ..] => {
                    let role = self.begin_value(value, sink);
                    self.begin_text(role, text, sink)?
                }
                [b't' | b'f' | b'n' | b'-' | b'0'..=b'9', ..] => {
                    self.begin_value(value, sink);
                    self.begin_scalar(value, sink)?
                }
                _ => return Ok(value),
            };
            match left {
                [b',', b'"', next @ ..] if self.place.state == State::After => rest = next,
                _ => return Ok(left),
            }
        }
    }
}
