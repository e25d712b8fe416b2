//! What every body here needs of frames and hints.

use bytes::{Buf, Bytes};
use http_body::{Frame, SizeHint};

/// The same frame with its data as [`Bytes`]: free of cost where they are that already.
pub(crate) fn into_bytes<D: Buf>(frame: Frame<D>) -> Frame<Bytes> {
    frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))
}

/// The hint of a body with so many bytes in front of it.
pub(crate) fn longer(rest: SizeHint, bytes: u64) -> SizeHint {
    let mut hint = SizeHint::new();
    hint.set_lower(rest.lower().saturating_add(bytes));
    if let Some(upper) = rest.upper() {
        hint.set_upper(upper.saturating_add(bytes));
    }
    hint
}
