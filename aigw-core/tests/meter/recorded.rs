//! Every recorded answer, whole, cut and cut off.

use aigw_core::{
    meter::{Ending, InBandError, IncludeUsage, Meter},
    outcome::{Fault, FaultKind},
    usage::{Kind, Source, Usage},
};
use proptest::prelude::*;

use crate::{
    answer::{answer, ok, read},
    fixtures::{ALL, Fixture},
    support::{Read, Script, cut},
};

const TRUNCATED: Ending = Ending::Fault(Fault::dispatched(FaultKind::Truncated));

fn through(fixture: &Fixture, body: Script) -> (Read, Meter, Ending) {
    let response = ok(fixture.media, body);
    read(answer(
        fixture.uri,
        fixture.request,
        IncludeUsage::Never,
        response,
    ))
}

/// A meter without its times, to compare.
pub(crate) type Shown<'m> = (
    Usage,
    Option<&'m str>,
    Option<&'m str>,
    Option<&'m InBandError>,
    (u64, u64),
);

pub(crate) fn shown(meter: &Meter) -> Shown<'_> {
    let finish = meter.finish().map(|finish| finish.as_str());
    let content = (meter.content_bytes(), meter.chunks());
    (
        *meter.reported(),
        meter.model(),
        finish,
        meter.in_band_error(),
        content,
    )
}

fn expect(fixture: &Fixture, meter: &Meter, ending: Ending, how: &str) {
    let name = fixture.name;
    let usage: Usage = fixture.usage.iter().copied().collect();
    assert_eq!(*meter.reported(), usage, "{name} {how}");
    assert_eq!(meter.model(), fixture.model, "{name} {how}");
    let finish = meter.finish().map(|finish| finish.as_str());
    assert_eq!(finish, fixture.finish, "{name} {how}");
    let code = meter.in_band_error().map(|error| error.code.as_deref());
    assert_eq!(code.map(Option::unwrap), fixture.error, "{name} {how}");
    let content = (meter.content_bytes(), meter.chunks());
    assert_eq!(
        content,
        (fixture.content_bytes, fixture.chunks),
        "{name} {how}"
    );
    let whole = if fixture.error.is_some() {
        Ending::InBandError
    } else {
        Ending::Complete
    };
    assert_eq!(ending, whole, "{name} {how}");
}

#[test]
fn every_recorded_answer_is_read_as_its_vendor_documents_it() {
    for fixture in ALL {
        let (read, meter, ending) = through(fixture, Script::chunks([fixture.bytes]));
        assert_eq!(read.bytes(), fixture.bytes, "{}", fixture.name);
        expect(fixture, &meter, ending, "whole");
        let source = match (fixture.usage, fixture.content_bytes) {
            ([], 0) => Source::Unmeasured,
            ([], _) => Source::Counted,
            _ => Source::Reported,
        };
        assert_eq!(meter.source(), source, "{}", fixture.name);
        assert_eq!(meter.first_content().is_some(), fixture.content_bytes > 0);
    }
}

#[test]
fn a_cut_at_any_byte_changes_neither_the_bytes_nor_the_meter() {
    for fixture in ALL {
        let (_, whole, _) = through(fixture, Script::chunks([fixture.bytes]));
        for place in 0..=fixture.bytes.len() {
            let (read, meter, ending) =
                through(fixture, Script::chunks(cut(fixture.bytes, [place])));
            assert_eq!(read.frames.len(), 2);
            assert_eq!(read.bytes(), fixture.bytes, "{} at {place}", fixture.name);
            assert_eq!(shown(&meter), shown(&whole), "{} at {place}", fixture.name);
            expect(fixture, &meter, ending, "cut");
        }
    }
}

#[test]
fn bytes_one_by_one_are_read_like_the_whole() {
    for fixture in ALL {
        let (read, meter, ending) =
            through(fixture, Script::chunks(fixture.bytes.chunks(1)).exact());
        assert_eq!(read.bytes(), fixture.bytes);
        expect(fixture, &meter, ending, "byte by byte");
    }
}

/// Whether `later` states nothing less than `earlier`.
fn grows(earlier: &Usage, later: &Usage) -> bool {
    earlier
        .iter()
        .all(|(kind, count)| later.get(kind).is_some_and(|now| now >= count))
}

#[test]
fn an_answer_that_breaks_off_is_complete_only_after_its_terminal_and_its_usage_only_grows() {
    for fixture in ALL {
        let (name, mut before) = (fixture.name, Usage::default());
        let whole: Usage = fixture.usage.iter().copied().collect();
        for end in 0..=fixture.bytes.len() {
            let (read, meter, ending) = through(fixture, Script::chunks([&fixture.bytes[..end]]));
            assert_eq!(read.bytes(), &fixture.bytes[..end]);
            let expected = match fixture.fails_at() {
                Some(at) if end >= at => Ending::InBandError,
                Some(_) => TRUNCATED,
                None if end >= fixture.complete_at() => Ending::Complete,
                None => TRUNCATED,
            };
            assert_eq!(ending, expected, "{name} ends at {end}");
            assert!(grows(&before, meter.reported()), "{name} ends at {end}");
            assert!(grows(meter.reported(), &whole), "{name} ends at {end}");
            before = *meter.reported();
        }
    }
}

/// The bytes with every line ending as `end`.
fn with_line_ends(bytes: &[u8], end: &str) -> Vec<u8> {
    let text = std::str::from_utf8(bytes).unwrap();
    text.replace("\r\n", "\n").replace('\n', end).into_bytes()
}

#[test]
fn every_line_ending_reads_the_same_however_it_is_cut() {
    for fixture in ALL.iter().filter(|fixture| fixture.is_stream()) {
        for end in ["\r", "\r\n"] {
            let bytes = with_line_ends(fixture.bytes, end);
            // Before, inside and behind each line ending; elsewhere a cut is like any other.
            let ends = |byte: Option<&u8>| byte.is_some_and(|byte| matches!(byte, b'\r' | b'\n'));
            let places =
                (1..=bytes.len()).filter(|n| ends(bytes.get(*n)) || ends(bytes.get(n - 1)));
            for place in places {
                let (read, meter, ending) = through(fixture, Script::chunks(cut(&bytes, [place])));
                assert_eq!(read.bytes(), bytes);
                expect(
                    fixture,
                    &meter,
                    ending,
                    &format!("with {end:?} cut at {place}"),
                );
            }
        }
    }
}

#[test]
fn a_byte_order_mark_comments_and_foreign_fields_change_nothing() {
    for fixture in ALL.iter().filter(|fixture| fixture.is_stream()) {
        let text = std::str::from_utf8(fixture.bytes)
            .unwrap()
            .replace("\r\n", "\n");
        let noisy = text.replace("data: ", ": ping\nid: 7\nretry: 1\nunheard-of\ndata:");
        let noisy = format!("\u{feff}: hello\n\n{noisy}: bye");
        for place in (0..noisy.len()).step_by(7) {
            let body = Script::chunks(cut(noisy.as_bytes(), [place]));
            let (read, meter, ending) = through(fixture, body);
            assert_eq!(read.bytes(), noisy.as_bytes());
            expect(fixture, &meter, ending, "noisy");
        }
    }
}

#[test]
fn data_of_several_lines_is_one_document() {
    for fixture in ALL.iter().filter(|fixture| fixture.is_stream()) {
        let text = std::str::from_utf8(fixture.bytes)
            .unwrap()
            .replace("\r\n", "\n");
        // Between members, where JSON allows a line feed. Not inside strings: those have spaces.
        let lines = text.replace(",\"", ",\ndata: \"");
        // Names and arguments in escaped strings keep theirs, for they have a backslash there.
        let (read, meter, ending) = through(fixture, Script::chunks(lines.as_bytes().chunks(7)));
        assert_eq!(read.bytes(), lines.as_bytes());
        expect(fixture, &meter, ending, "in several lines");
    }
}

#[test]
fn every_kind_that_providers_count_stands_in_some_recorded_answer() {
    let stated = |kind| {
        ALL.iter()
            .any(|fixture| fixture.usage.iter().any(|(known, _)| *known == kind))
    };
    let missing: Vec<_> = Kind::ALL
        .iter()
        .copied()
        .filter(|kind| !stated(*kind))
        .collect();
    // Only streamed and edited images state it.
    assert_eq!(missing, [Kind::OutputImage]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn many_cuts_change_nothing(
        fixture in prop::sample::select(ALL.iter().collect::<Vec<_>>()),
        places: Vec<prop::sample::Index>,
        exact: bool,
    ) {
        let places = places.iter().map(|place| place.index(fixture.bytes.len() + 1));
        let mut body = Script::chunks(cut(fixture.bytes, places));
        if exact {
            body = body.exact();
        }
        let (read, meter, ending) = through(fixture, body);
        prop_assert_eq!(read.bytes(), fixture.bytes);
        expect(fixture, &meter, ending, "cut often");
    }
}
