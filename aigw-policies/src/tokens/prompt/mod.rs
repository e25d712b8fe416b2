//! Reads what of a request becomes tokens: its texts, and what has a size of its own.
//!
//! ```text
//!  part of a call, raw JSON ──► content · tools · format ──► Tally
//!                                        │                     ├─ texts: features, or tokens
//!                                        └ media: image, audio └─ fixed: framing, images, audio
//! ```
//!
//! One reader serves estimates, bounds and counts, so that they differ in nothing but in what a
//! text is worth. It goes over the JSON once, in constant memory, whatever stands there.

mod audio;
mod base64;
mod content;
mod format;
mod image;
mod json;
mod key;
mod media;
mod raw;
mod recipe;
mod schema;
mod size;
mod source;
mod string;
mod tally;
mod tools;

#[cfg(test)]
mod tests;

use aigw_core::call::{Call, Part, PartKind};
use serde::de::DeserializeSeed;

use self::{
    content::{Content, Level},
    format::Format,
    tools::Tools,
};
pub(super) use self::{
    json::{Json, Unexpected},
    recipe::Recipe,
    string::Raw,
    tally::{Tally, Texts},
};

/// Reads the whole prompt of a call.
pub(super) fn read<T: Texts>(call: &Call, recipe: &Recipe, texts: T) -> Tally<T> {
    let mut tally = Tally::new(texts);
    around(call, recipe, &mut tally);
    for part in call.parts() {
        read_part(call, part, recipe, &mut tally);
    }
    tally
}

/// What a call costs beside its parts.
pub(super) fn around<T>(call: &Call, recipe: &Recipe, tally: &mut Tally<T>) {
    if !call.parts().is_empty() {
        tally.fixed += recipe.priming();
    }
    // What is stored at the provider cannot be seen from here.
    tally.assumed |= call.previous_response().is_some();
}

/// Reads one part of a prompt.
pub(super) fn read_part<T: Texts>(call: &Call, part: &Part, recipe: &Recipe, tally: &mut Tally<T>) {
    let before = tally.clone();
    let level = match part.kind {
        PartKind::Tools | PartKind::Format => None,
        PartKind::Message => {
            tally.fixed += recipe.per_message();
            Some(Level::Message)
        }
        // Instructions, and the whole input as one string, are framed as a message by the provider.
        PartKind::System => {
            tally.fixed += recipe.per_bare_message();
            Some(Level::Nested)
        }
        _ => {
            tally.fixed += recipe.per_bare_message();
            Some(Level::Input)
        }
    };
    let read = match level {
        Some(level) => Content {
            tally,
            recipe,
            level,
        }
        .read(&mut Json::of(call, part)),
        None => read_form(call.json(part), part.kind, recipe, tally),
    };
    // What is not as any provider wants it, such as half a surrogate pair, counts as it is written.
    if read.is_err() {
        *tally = before;
        tally.assumed = true;
        tally.text(&String::from_utf8_lossy(call.json(part)));
    }
}

/// Reads what a model is told of tools, or of the form of its answer.
fn read_form<T: Texts>(
    json: &[u8],
    kind: PartKind,
    recipe: &Recipe,
    tally: &mut Tally<T>,
) -> Result<(), Unexpected> {
    let mut json_of = serde_json::Deserializer::from_slice(json);
    let read = match kind {
        PartKind::Format if recipe.bare_schema() => {
            Format::schema(tally, &String::from_utf8_lossy(json));
            Ok(())
        }
        PartKind::Format => Format { tally }.deserialize(&mut json_of),
        _ => Tools { tally, recipe }.deserialize(&mut json_of),
    };
    read.map_err(|_| Unexpected)
}
