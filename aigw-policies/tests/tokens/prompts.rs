//! Prompts as people write them, put together from `texts/`.

use serde_json::{Value, json};

use crate::chance::Chance;

/// A language that prompts are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    English,
    Japanese,
    Arabic,
    Code,
}

/// Of the paragraphs, each half has every second one: what is learnt from one is tried on the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    First,
    Second,
}

impl Language {
    pub(crate) const ALL: [Self; 4] = [Self::English, Self::Japanese, Self::Arabic, Self::Code];

    fn paragraphs(self, half: Half) -> Vec<&'static str> {
        let (texts, end) = match self {
            Self::English => (include_str!("texts/english.txt"), "\n"),
            Self::Japanese => (include_str!("texts/japanese.txt"), "\n"),
            Self::Arabic => (include_str!("texts/arabic.txt"), "\n"),
            Self::Code => (include_str!("texts/code.txt"), "----\n"),
        };
        let texts = texts.split(end).filter(|text| !text.is_empty());
        let skipped = match half {
            Half::First => 0,
            Half::Second => 1,
        };
        texts.skip(skipped).step_by(2).collect()
    }

    fn text(self, half: Half, chance: &mut Chance) -> String {
        let paragraphs = self.paragraphs(half);
        let mut text = String::new();
        for place in 0..=chance.below(4) {
            if place > 0 {
                text += chance.one_of(&["\n", "\n\n", " ", "\n- ", "\n\n## ", "\n1. "]);
            }
            text += chance.one_of(&paragraphs);
        }
        match chance.below(8) {
            0 => {
                text += &format!(
                    "\n\n(ref. {}-{:04})",
                    chance.below(9999),
                    chance.below(9999)
                )
            }
            1 => text = format!("```\n{text}\n```"),
            2 => {
                text += &format!(
                    "\nhttps://example.com/docs/{}?page={}",
                    chance.below(99_999),
                    chance.below(99)
                )
            }
            _ => {}
        }
        text
    }

    /// The body of a chat: perhaps instructions, and some turns.
    pub(crate) fn chat(self, half: Half, chance: &mut Chance) -> Value {
        let mut messages = Vec::new();
        if chance.below(2) == 0 {
            messages.push(json!({"role": "system", "content": self.text(half, chance)}));
        }
        for _ in 0..=chance.below(3) * chance.below(3) {
            messages.push(json!({"role": "user", "content": self.text(half, chance)}));
            messages.push(json!({"role": "assistant", "content": self.text(half, chance)}));
        }
        messages.push(json!({"role": "user", "content": self.text(half, chance)}));
        json!({ "messages": messages })
    }
}
