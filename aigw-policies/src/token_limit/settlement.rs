//! What a call is charged in the end: pure.

use aigw_core::{
    meter::{Ending, Meter, Origin, Reads},
    outcome::Fault,
    usage::{Kind, Source, Usage},
};
use http::StatusCode;

/// What a call was expected to use when it was admitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) input: u64,
    pub(super) output: u64,
    /// The input of a call whose answer does not report it. As expected, but never nothing for a
    /// prompt: else who keeps the report from coming would read for nothing.
    pub(super) unreported: u64,
}

impl Expected {
    pub(super) fn usage(self) -> Usage {
        of(self.input, self.output)
    }
}

fn of(input: u64, output: u64) -> Usage {
    [(Kind::Input, input), (Kind::Output, output)]
        .into_iter()
        .collect()
}

/// How a call went.
#[derive(Clone, Copy, Debug)]
pub(super) enum Went<'a> {
    /// The caller hung up before there was an answer, or the service below failed by itself: a
    /// provider may have read the prompt.
    Unknown,
    /// There was an answer.
    Answered {
        status: StatusCode,
        meter: &'a Meter,
        ending: Ending,
    },
}

/// What a call has used, as far as it can be known, and whether a provider has seen it.
///
/// | the answer | is charged |
/// |---|---|
/// | of a cache, of ours, or for a call that reached no provider | nothing |
/// | none, although the call reached the provider | the expected input |
/// | with its usage | that, and what passed of an output that was cut off |
/// | an error without a usage | nothing: providers charge no refusal |
/// | a stream without a usage | the expected input, and the content that passed |
/// | a document that did not come whole, or what cannot be read | what was expected |
pub(super) fn used(expected: Expected, went: Went<'_>) -> (Usage, bool) {
    let Expected {
        output, unreported, ..
    } = expected;
    let (status, meter, ending) = match went {
        Went::Unknown => return (of(unreported, 0), true),
        Went::Answered {
            status,
            meter,
            ending,
        } => (status, meter, ending),
    };
    match (meter.origin(), ending) {
        (Origin::Provider, _) => {}
        // Our answer for one that the provider owed us.
        (
            Origin::None,
            Ending::Fault(Fault {
                dispatched: true, ..
            }),
        ) => return (of(unreported, 0), true),
        _ => return (Usage::default(), false),
    }
    let passed = meter.output_estimate();
    let usage = match (meter.source(), meter.reads()) {
        (Source::Reported, _) => {
            let mut usage = *meter.reported();
            if usage.input().is_none() {
                usage.set(Kind::Input, unreported);
            }
            // Some providers state at the beginning what stands until then, and more at the end.
            if ending != Ending::Complete || usage.output().is_none() {
                usage.set(Kind::Output, usage.output().unwrap_or_default().max(passed));
            }
            usage
        }
        _ if !status.is_success() => Usage::default(),
        // A stream is made as it is sent, a document whole before it is.
        (_, Reads::Events) => of(unreported, passed),
        (Source::Counted, _) if ending == Ending::Complete => of(unreported, passed),
        _ => of(unreported, output.max(passed)),
    };
    (usage, true)
}
