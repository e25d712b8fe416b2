use std::{error::Error, io};

use aigw_core::outcome::{Fault, FaultKind};

/// Reads what an error of any transport means, from itself and its [sources](Error::source).
///
/// A [`Fault`] that the transport stated itself counts first, then the first [`io::Error`].
/// Refused, unreachable and unknown addresses mean that nothing was dispatched; whenever the error
/// leaves it open, the fault says `dispatched`, so that a doubt never sends a call twice for free.
#[must_use]
pub fn diagnose(error: &(dyn Error + 'static)) -> Fault {
    if let Some(fault) = Fault::find(error) {
        return *fault;
    }
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            return from_io(error.kind());
        }
        next = error.source();
    }
    Fault::dispatched(FaultKind::Other)
}

/// What an I/O error means on a connection of which nothing else is known.
fn from_io(kind: io::ErrorKind) -> Fault {
    use io::ErrorKind as Io;

    match kind {
        Io::ConnectionRefused
        | Io::HostUnreachable
        | Io::NetworkUnreachable
        | Io::AddrNotAvailable
        | Io::NotFound => Fault::undispatched(FaultKind::Connect),
        Io::ConnectionReset
        | Io::ConnectionAborted
        | Io::BrokenPipe
        | Io::NotConnected
        | Io::UnexpectedEof
        | Io::TimedOut => Fault::dispatched(FaultKind::Reset),
        Io::InvalidData => Fault::dispatched(FaultKind::Protocol),
        _ => Fault::dispatched(FaultKind::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leaf::TransportError;

    #[test]
    fn an_error_in_doubt_counts_as_dispatched() {
        let error = std::fmt::Error;
        assert_eq!(diagnose(&error), Fault::dispatched(FaultKind::Other));
    }

    #[test]
    fn a_stated_fault_wins_over_the_error_around_it() {
        let fault = Fault::undispatched(FaultKind::Tls);
        let error = io::Error::from(io::ErrorKind::ConnectionReset);
        let error = TransportError::new(fault, error.into());
        assert_eq!(diagnose(&error), fault);
    }

    #[test]
    fn a_refused_connection_was_never_used() {
        let error = io::Error::from(io::ErrorKind::ConnectionRefused);
        assert_eq!(diagnose(&error), Fault::undispatched(FaultKind::Connect));
    }
}
