//! Embeddings that are the same for the same text, and near for near texts.

use serde_json::{Value, json};

use super::{
    asked::{Asked, Told},
    base64, tokens,
};

/// What is to be embedded: a text, or tokens of some tokenizer.
#[derive(Debug)]
pub(super) enum Input {
    Text(String),
    Tokens(Vec<u64>),
}

/// Dimensions where the caller names none, as the vendors' small models have.
const DIMENSIONS: u64 = 1536;

/// The most dimensions that a caller gets.
const MOST_DIMENSIONS: u64 = 16_384;

/// Words count in full, and their trigrams a little: inflected and misspelt words stay near.
const WORD_WEIGHT: f32 = 1.0;
const TRIGRAM_WEIGHT: f32 = 0.35;

/// Short words say little about what a text is about.
const SHORT_WORD_WEIGHT: f32 = 0.25;
const SHORT_WORD: usize = 3;

/// `openai/types/create_embedding_response.py`.
pub(super) fn create(asked: &Asked<'_>) -> Told {
    let inputs = inputs(asked.body.get("input").unwrap_or(&Value::Null));
    let used = inputs.iter().map(Input::tokens).sum();
    let dimensions = asked.body.get("dimensions").and_then(Value::as_u64);
    let as_base64 = asked.body.get("encoding_format") == Some(&"base64".into());
    let embedding = |(index, input): (usize, &Input)| {
        let vector = vector(input, dimensions);
        let embedding = if as_base64 {
            let bytes: Vec<u8> = vector
                .iter()
                .flat_map(|value| value.to_le_bytes())
                .collect();
            Value::from(base64::encode(&bytes))
        } else {
            json!(vector)
        };
        json!({"object": "embedding", "index": index, "embedding": embedding})
    };
    let data: Vec<Value> = inputs.iter().enumerate().map(embedding).collect();
    let mut body = json!({"object": "list", "data": data, "model": asked.model});
    let usage = json!({"prompt_tokens": used, "total_tokens": used});
    super::asked::put(
        &mut body,
        "usage",
        super::answer::stated(&asked.script.usage, usage),
    );
    Told::plain(body, used)
}

impl Input {
    fn tokens(&self) -> u64 {
        match self {
            Self::Text(text) => tokens::count(text),
            Self::Tokens(tokens) => tokens.len() as u64,
        }
    }

    fn features(&self) -> Vec<(String, f32)> {
        match self {
            Self::Tokens(tokens) => {
                let feature = |token: &u64| (format!("#{token}"), WORD_WEIGHT);
                tokens.iter().map(feature).collect()
            }
            Self::Text(text) => text
                .to_lowercase()
                .split(|c: char| !c.is_alphanumeric())
                .filter(|word| !word.is_empty())
                .flat_map(word_features)
                .collect(),
        }
    }
}

fn word_features(word: &str) -> Vec<(String, f32)> {
    let letters: Vec<char> = format!("^{word}$").chars().collect();
    if letters.len() <= SHORT_WORD + 2 {
        return vec![(word.to_owned(), SHORT_WORD_WEIGHT)];
    }
    let trigram = |letters: &[char]| (letters.iter().collect(), TRIGRAM_WEIGHT);
    let mut features: Vec<_> = letters.windows(3).map(trigram).collect();
    features.push((word.to_owned(), WORD_WEIGHT));
    features
}

/// A text, many texts, tokens, or many lists of tokens.
fn inputs(input: &Value) -> Vec<Input> {
    let token_list =
        |values: &[Value]| values.iter().map(Value::as_u64).collect::<Option<Vec<_>>>();
    match input {
        Value::Array(values) => match token_list(values) {
            Some(tokens) if !tokens.is_empty() => vec![Input::Tokens(tokens)],
            _ => values.iter().flat_map(inputs).collect(),
        },
        Value::String(text) => vec![Input::Text(text.clone())],
        _ => Vec::new(),
    }
}

/// Each feature of the input adds its weight, with a sign, at a place of its own; then the vector
/// is brought to length one.
pub(super) fn vector(input: &Input, dimensions: Option<u64>) -> Vec<f32> {
    let dimensions = dimensions.unwrap_or(DIMENSIONS).clamp(1, MOST_DIMENSIONS);
    let mut vector = vec![0.0f32; usize::try_from(dimensions).unwrap_or_default()];
    for (feature, weight) in input.features() {
        let hash = fnv1a(feature.as_bytes());
        let place = usize::try_from(hash % dimensions).unwrap_or_default();
        let sign = if hash >> 63 == 0 { 1.0 } else { -1.0 };
        if let Some(value) = vector.get_mut(place) {
            *value += sign * weight;
        }
    }
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|value| *value /= length);
    } else if let Some(first) = vector.first_mut() {
        // A text without a word still has a direction.
        *first = 1.0;
    }
    vector
}

/// FNV-1a, finished as MurmurHash3 does so that the high bits are as good as the low.
fn fnv1a(bytes: &[u8]) -> u64 {
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)
    });
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn similarity(a: &str, b: &str) -> f32 {
        let of = |text: &str| vector(&Input::Text(text.into()), None);
        of(a).iter().zip(of(b)).map(|(a, b)| a * b).sum()
    }

    #[test]
    fn near_texts_are_near_and_others_far() {
        let question = "What is the capital of France?";
        assert!(similarity(question, question) > 0.999);
        assert!(similarity(question, "what's the capital city of France") > 0.75);
        assert!(similarity(question, "How do I bake sourdough bread?") < 0.2);
        assert!(similarity("", question) < 0.2);
    }

    #[test]
    fn vectors_have_the_asked_dimensions_and_length_one() {
        for dimensions in [1, 64, 3072] {
            let vector = vector(&Input::Text("some words".into()), Some(dimensions));
            let length: f32 = vector.iter().map(|value| value * value).sum();
            assert_eq!(vector.len() as u64, dimensions);
            assert!((length - 1.0).abs() < 1e-5);
        }
    }

    #[test]
    fn reads_every_form_of_input() {
        let cases = [
            (json!("a"), 1),
            (json!(["a", "b"]), 2),
            (json!([1, 2, 3]), 1),
            (json!([[1, 2], [3]]), 2),
            (json!([]), 0),
        ];
        for (input, expected) in cases {
            assert_eq!(inputs(&input).len(), expected, "{input}");
        }
    }
}
