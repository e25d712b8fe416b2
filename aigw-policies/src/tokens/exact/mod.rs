//! Counts prompts by the vocabularies of OpenAI's models.

mod begun;
mod cut;
mod encoding;
#[expect(
    clippy::module_inception,
    reason = "the module is named for its main type"
)]
mod exact;
mod memo;
mod tokens;

#[cfg(test)]
mod tests;

pub use self::exact::Exact;
