use std::fmt;

/// What a call asks for, in whichever dialect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Operation {
    /// A conversation: chat completions, Anthropic Messages, Gemini `generateContent`.
    Chat,
    /// OpenAI's older text completions.
    Completions,
    /// OpenAI Responses, creation only.
    Responses,
    /// Vectors for texts.
    Embeddings,
    /// Image generation from a text.
    Images,
    /// Image edits and variations: uploads.
    ImageEdits,
    /// Speech from a text.
    Speech,
    /// Text from speech, in its language or translated: uploads.
    Transcription,
    /// Content classification.
    Moderations,
    /// The list of models, or one model.
    Models,
    /// How many tokens a prompt would be, without an answer.
    CountTokens,
    /// Anything else. Passed through unread.
    Other,
}

impl Operation {
    /// Every operation.
    pub const ALL: &[Self] = &[
        Self::Chat,
        Self::Completions,
        Self::Responses,
        Self::Embeddings,
        Self::Images,
        Self::ImageEdits,
        Self::Speech,
        Self::Transcription,
        Self::Moderations,
        Self::Models,
        Self::CountTokens,
        Self::Other,
    ];

    /// The name as configuration and logs spell it, and as [`FromStr`](std::str::FromStr) and serde
    /// (feature `serde`) read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completions => "completions",
            Self::Responses => "responses",
            Self::Embeddings => "embeddings",
            Self::Images => "images",
            Self::ImageEdits => "image-edits",
            Self::Speech => "speech",
            Self::Transcription => "transcription",
            Self::Moderations => "moderations",
            Self::Models => "models",
            Self::CountTokens => "count-tokens",
            Self::Other => "other",
        }
    }

    /// Whether the request body is one JSON document that [`CallLayer`](crate::call::CallLayer)
    /// reads. Every other body passes unread.
    #[must_use]
    pub const fn has_json_body(self) -> bool {
        matches!(
            self,
            Self::Chat
                | Self::Completions
                | Self::Responses
                | Self::Embeddings
                | Self::Images
                | Self::Speech
                | Self::Moderations
                | Self::CountTokens
        )
    }

    /// Whether the call cannot be served without naming a model, in the body or in the path.
    #[must_use]
    pub const fn needs_model(self) -> bool {
        matches!(
            self,
            Self::Chat | Self::Completions | Self::Embeddings | Self::Speech | Self::CountTokens
        )
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
