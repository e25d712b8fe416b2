//! Where the events of a stream state what its ending must take up.

use std::sync::LazyLock;

use crate::{
    dialect::{Dialect, Operation},
    json::{
        Shape,
        Want::{Begin, Value},
    },
};

/// Streams that end alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Chat,
    Completions,
    Responses,
    Anthropic,
    Gemini,
}

/// What a path in an event states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field {
    Id,
    Model,
    Created,
    Type,
    Sequence,
    /// A whole choice.
    Choice,
    /// Of a choice, or of a block.
    Index,
    Finish,
    Error,
}

impl Form {
    /// `None` where no ending is known.
    pub(super) fn of(dialect: Dialect, operation: Operation) -> Option<Self> {
        Some(match (dialect, operation) {
            (Dialect::Anthropic, Operation::Chat) => Self::Anthropic,
            (Dialect::Gemini, Operation::Chat) => Self::Gemini,
            (Dialect::Anthropic | Dialect::Gemini, _) => return None,
            (_, Operation::Chat) => Self::Chat,
            (_, Operation::Completions) => Self::Completions,
            (_, Operation::Responses) => Self::Responses,
            _ => return None,
        })
    }

    pub(super) fn shape(self) -> &'static Shape<Field> {
        match self {
            Self::Chat | Self::Completions => &OPENAI,
            Self::Responses => &RESPONSES,
            Self::Anthropic => &ANTHROPIC,
            Self::Gemini => &GEMINI,
        }
    }
}

static OPENAI: LazyLock<Shape<Field>> = LazyLock::new(|| {
    Shape::new(&[
        ("id", Field::Id, Value),
        ("model", Field::Model, Value),
        ("created", Field::Created, Value),
        ("choices.*", Field::Choice, Value),
        ("choices.*.index", Field::Index, Value),
        ("choices.*.finish_reason", Field::Finish, Value),
        ("error", Field::Error, Begin),
    ])
});

static RESPONSES: LazyLock<Shape<Field>> = LazyLock::new(|| {
    Shape::new(&[
        ("type", Field::Type, Value),
        ("sequence_number", Field::Sequence, Value),
        ("response.id", Field::Id, Value),
        ("response.model", Field::Model, Value),
        ("response.created_at", Field::Created, Value),
        ("error", Field::Error, Begin),
    ])
});

static ANTHROPIC: LazyLock<Shape<Field>> = LazyLock::new(|| {
    Shape::new(&[
        ("type", Field::Type, Value),
        ("index", Field::Index, Value),
        ("delta.stop_reason", Field::Finish, Value),
        ("error", Field::Error, Begin),
    ])
});

static GEMINI: LazyLock<Shape<Field>> = LazyLock::new(|| {
    Shape::new(&[
        ("responseId", Field::Id, Value),
        ("modelVersion", Field::Model, Value),
        ("candidates.*", Field::Choice, Value),
        ("candidates.*.index", Field::Index, Value),
        ("candidates.*.finishReason", Field::Finish, Value),
        ("error", Field::Error, Begin),
    ])
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_within_bounds() {
        for shape in [&OPENAI, &RESPONSES, &ANTHROPIC, &GEMINI] {
            assert!(shape.is_within_bounds());
        }
    }
}
