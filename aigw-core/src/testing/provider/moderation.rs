//! Moderations by a list of words.

use serde_json::{Map, Value, json};

use super::{
    asked::{Asked, Told},
    conversation::text_of,
    tokens,
};

/// The categories of `openai/types/moderation.py`, each with the words that it flags.
const CATEGORIES: [(&str, &[&str]); 13] = [
    ("harassment", &["idiot", "loser", "stupid"]),
    ("harassment/threatening", &["threaten"]),
    ("hate", &["hate", "hateful", "slur"]),
    ("hate/threatening", &["exterminate"]),
    ("illicit", &["counterfeit", "shoplift"]),
    ("illicit/violent", &["bomb", "explosive"]),
    ("self-harm", &["suicide", "self-harm"]),
    ("self-harm/instructions", &[]),
    ("self-harm/intent", &[]),
    ("sexual", &["porn", "sexual"]),
    ("sexual/minors", &[]),
    ("violence", &["attack", "kill", "murder", "shoot", "stab"]),
    ("violence/graphic", &["gore", "dismember"]),
];

/// The score of a category whose words stand in the text, and of any other.
const FLAGGED: f64 = 0.95;
const CLEAN: f64 = 0.01;

/// `openai/types/moderation_create_response.py`: a result for each text, one for a list of parts.
pub(super) fn create(asked: &Asked<'_>) -> Told {
    let input = asked.body.get("input").unwrap_or(&Value::Null);
    let texts: Vec<String> = match input {
        Value::Array(texts) if texts.iter().all(Value::is_string) => {
            texts.iter().map(text_of).collect()
        }
        one => vec![text_of(one)],
    };
    let used = texts.iter().map(|text| tokens::count(text)).sum();
    let results: Vec<Value> = texts.iter().map(|text| result(text)).collect();
    let body = json!({
        "id": format!("modr-{}", asked.id),
        "model": asked.model,
        "results": results,
    });
    Told::plain(body, used)
}

fn result(text: &str) -> Value {
    let text = text.to_lowercase();
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric() && c != '-')
        .collect();
    let (mut categories, mut scores, mut types) = (Map::new(), Map::new(), Map::new());
    let mut flagged = false;
    for (category, list) in CATEGORIES {
        let hit = words.iter().any(|word| list.contains(word));
        flagged |= hit;
        categories.insert(category.into(), hit.into());
        scores.insert(category.into(), if hit { FLAGGED } else { CLEAN }.into());
        types.insert(category.into(), json!(["text"]));
    }
    json!({
        "flagged": flagged,
        "categories": categories,
        "category_scores": scores,
        "category_applied_input_types": types,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_whole_words_of_the_list() {
        let violent = result("I will KILL the process.");
        assert_eq!(violent["flagged"], true);
        assert_eq!(violent["categories"]["violence"], true);
        assert_eq!(violent["categories"]["hate"], false);
        assert_eq!(result("A skilled attacker's tale")["flagged"], false);
    }
}
