use std::mem;

use bytes::{Bytes, BytesMut};

/// Bytes that arrive piece by piece, copied only once there are two pieces.
#[derive(Debug, Default)]
pub(crate) enum Gathered {
    #[default]
    None,
    One(Bytes),
    Many(BytesMut),
}

/// How much room is made for what was only announced, as a multiple of what has arrived: a caller
/// shall not have memory set aside by a few bytes.
const AHEAD: usize = 8;

impl Gathered {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::None => 0,
            Self::One(bytes) => bytes.len(),
            Self::Many(bytes) => bytes.len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a piece of what will be so many bytes, as far as is known.
    pub(crate) fn push(&mut self, piece: Bytes, announced: usize) {
        *self = match mem::take(self) {
            Self::None => Self::One(piece),
            Self::One(first) => {
                let arrived = first.len() + piece.len();
                let room = announced.clamp(arrived, arrived.saturating_mul(AHEAD));
                let mut bytes = BytesMut::with_capacity(room);
                bytes.extend_from_slice(&first);
                bytes.extend_from_slice(&piece);
                Self::Many(bytes)
            }
            Self::Many(mut bytes) => {
                bytes.extend_from_slice(&piece);
                Self::Many(bytes)
            }
        };
    }

    /// All that has arrived.
    pub(crate) fn take(&mut self) -> Bytes {
        match mem::take(self) {
            Self::None => Bytes::new(),
            Self::One(bytes) => bytes,
            Self::Many(bytes) => bytes.freeze(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_piece_is_not_copied() {
        let piece = Bytes::from(vec![b'a'; 8]);
        let mut gathered = Gathered::default();
        gathered.push(piece.clone(), 100);
        assert_eq!(gathered.take().as_ptr(), piece.as_ptr());
        assert!(gathered.is_empty() && gathered.take().is_empty());
    }

    #[test]
    fn an_announcement_makes_room_in_proportion_to_what_has_come() {
        for (announced, room) in [(0, 4), (5, 5), (20, 20), (usize::MAX, 4 * AHEAD)] {
            let mut gathered = Gathered::default();
            gathered.push(Bytes::from_static(b"ab"), announced);
            gathered.push(Bytes::from_static(b"cd"), announced);
            let Gathered::Many(bytes) = &gathered else {
                panic!("two pieces are put together");
            };
            assert_eq!(bytes.capacity(), room, "{announced}");
            gathered.push(Bytes::from_static(b"e"), announced);
            assert_eq!((gathered.len(), &*gathered.take()), (5, &b"abcde"[..]));
        }
    }
}
