use super::{features::COUNT, regression::Weight};

const fn weight(value: f64, doubt: f64) -> Weight {
    Weight { value, doubt }
}

/// What a model is taken to count before it was heard: about what o200k_base counts in documentation,
/// code, and the messages of a web framework in a dozen languages.
pub(super) static PRIOR: [Weight; COUNT] = [
    weight(0.95, 0.3),  // a word
    weight(0.2, 0.1),   // a letter beyond its sixth
    weight(0.8, 0.4),   // a hump in it
    weight(1.6, 0.4),   // three digits, the first of them with the blank before
    weight(0.5, 0.3),   // a sign
    weight(0.05, 0.1),  // one like the sign before
    weight(1.0, 0.4),   // line ends
    weight(0.5, 0.4),   // an indent
    weight(0.5, 0.3),   // an accented letter
    weight(0.27, 0.15), // a Greek or Cyrillic letter
    weight(0.35, 0.2),  // a Hebrew or Arabic letter
    weight(0.63, 0.3),  // a kana
    weight(0.78, 0.3),  // a Chinese character
    weight(0.9, 0.3),   // a wide sign
    weight(0.75, 0.4),  // a Hangul syllable
    weight(0.4, 0.4),   // another letter of three bytes
    weight(1.4, 0.8),   // an emoji
    weight(0.0, 0.5),   // a text
    weight(1.0, 0.1),   // a token of framing, images or sound
    weight(0.5, 40.0),  // the call, for which a provider may have a prompt of its own
];
