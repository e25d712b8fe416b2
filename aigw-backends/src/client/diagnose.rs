use std::{error::Error, io};

use aigw_core::outcome::{Fault, FaultKind};
use hyper_util::client::legacy;

use super::connect::TooSlow;

/// What an error of the pooled client means.
pub(super) fn request(error: &legacy::Error) -> Fault {
    if error.is_connect() {
        return Fault::undispatched(connecting(error));
    }
    // Without a cause below it, the client itself would not send the request, or dropped it before
    // its turn.
    match error.source().and_then(<dyn Error>::downcast_ref) {
        Some(cause) => exchange(cause),
        None => Fault::undispatched(FaultKind::Request),
    }
}

/// What an error of hyper means, once there is a connection.
pub(super) fn exchange(error: &hyper::Error) -> Fault {
    if error.is_canceled() {
        // hyper gives the request back unsent: its connection closed first.
        return Fault::undispatched(FaultKind::Reset);
    }
    let kind = if error.is_user() || error.is_body_write_aborted() {
        FaultKind::Request
    } else if error.is_incomplete_message() || error.is_closed() {
        FaultKind::Reset
    } else if error.is_parse() {
        FaultKind::Protocol
    } else {
        match causes(error).find_map(io_kind) {
            // How hyper reports a chunk that is none.
            Some(io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => FaultKind::Protocol,
            // A stream that the provider reset has no kind of its own here.
            _ => FaultKind::Reset,
        }
    };
    Fault::dispatched(kind)
}

fn connecting(error: &(dyn Error + 'static)) -> FaultKind {
    causes(error)
        .find_map(|error| {
            if error.is::<TooSlow>() {
                Some(FaultKind::ConnectTimeout)
            } else {
                error.is::<rustls::Error>().then_some(FaultKind::Tls)
            }
        })
        .unwrap_or(FaultKind::Connect)
}

/// An error and everything below it.
fn causes<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&error| {
        // An I/O error is silent about what it wraps: its source is that one's source.
        match error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(wrapped) => Some(wrapped as &dyn Error),
            None => error.source(),
        }
    })
}

fn io_kind(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    error.downcast_ref().map(io::Error::kind)
}
