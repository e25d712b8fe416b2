use std::{error::Error, io};

use aigw_core::outcome::{Fault, FaultKind};
use hyper_util::client::legacy;

use super::connect::TooSlow;
use crate::leaf;

/// What an error of the pooled client means.
pub(super) fn request(error: &legacy::Error) -> Fault {
    if error.is_connect() {
        return Fault::new(connecting(error), false);
    }
    // Without a cause below it, the client itself would not send the request, or dropped it before its turn.
    match error.source().and_then(<dyn Error>::downcast_ref) {
        Some(cause) => exchange(cause),
        None => Fault::new(FaultKind::Request, false),
    }
}

/// What an error of hyper means, once there is a connection.
pub(super) fn exchange(error: &hyper::Error) -> Fault {
    if error.is_canceled() {
        // hyper gives the request back unsent: its connection closed first.
        return Fault::new(FaultKind::Reset, false);
    }
    let kind = if error.is_user() || error.is_body_write_aborted() {
        FaultKind::Request
    } else if error.is_incomplete_message() || error.is_closed() {
        FaultKind::Reset
    } else if error.is_parse() {
        FaultKind::Protocol
    } else {
        // A stream that the provider reset has no kind of its own there.
        match leaf::diagnose(error).kind {
            FaultKind::Other | FaultKind::Connect => FaultKind::Reset,
            kind => kind,
        }
    };
    Fault::new(kind, true)
}

fn connecting(error: &(dyn Error + 'static)) -> FaultKind {
    let mut next = Some(error);
    while let Some(error) = next {
        if error.is::<TooSlow>() {
            return FaultKind::ConnectTimeout;
        }
        // An I/O error is silent about what it wraps: its source is that one's source.
        let wrapped = error
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .is_some_and(|inner| inner.is::<rustls::Error>());
        if wrapped || error.is::<rustls::Error>() {
            return FaultKind::Tls;
        }
        next = error.source();
    }
    FaultKind::Connect
}
