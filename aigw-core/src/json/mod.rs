//! Reads chosen paths of JSON as it passes, in any chunks, in constant memory.
//!
//! A [`Shape`] lists the paths that matter; a [`Scanner`] walks the bytes once and tells a [`Sink`]
//! what stands there. Requests are scanned [strictly](Mode::Strict), because what we read must be
//! what the provider reads; answers [leniently](Mode::Lenient), because a provider's flaw is not
//! ours to refuse, and subtrees that no path enters are passed over sixteen bytes at a time. A
//! [`Mark`] lets a scanner go on where another document of the same beginning was left. Of long
//! strings a sink is told wherever they stand.

mod block;
mod buffer;
mod flat;
mod machine;
mod mark;
mod members;
mod number;
mod place;
mod scalar;
mod scanner;
mod shape;
mod sink;
mod state;
mod text;
mod tree;
mod value;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    mark::Mark,
    scanner::{Mode, Scanner},
    shape::{Shape, Want},
    sink::{Flaw, Malformed, Sink},
    value::{Text, Value},
};
