/// Bytes of a fixed greatest number, for what a chunk boundary may cut in two.
#[derive(Clone)]
pub(super) struct Buffer<const N: usize> {
    bytes: [u8; N],
    len: usize,
    overflowed: bool,
}

impl<const N: usize> Buffer<N> {
    pub(super) const fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
            overflowed: false,
        }
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
        self.overflowed = false;
    }

    /// Whether nothing was added.
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0 && !self.overflowed
    }

    /// Adds bytes, or none of them once they do not fit.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        let end = self.len + bytes.len();
        match self.bytes.get_mut(self.len..end) {
            Some(room) if !self.overflowed => {
                room.copy_from_slice(bytes);
                self.len = end;
            }
            _ => self.overflowed = true,
        }
    }

    /// What was added, unless it did not fit.
    pub(super) fn get(&self) -> Option<&[u8]> {
        if self.overflowed {
            None
        } else {
            self.bytes.get(..self.len)
        }
    }
}
