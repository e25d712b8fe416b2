use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

use super::{json::Unexpected, string::Raw};

/// What stands under a key of a message, in whichever dialect. Values tell themselves apart by
/// their keys, not by a `type` beside them, which may come later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Text, or what has text in it; every key that is not known.
    Text,
    /// Who speaks, where a message has it.
    Name,
    /// An image of OpenAI's dialect: a URL, or an object with one.
    ImageUrl,
    /// How closely an image is looked at.
    Detail,
    /// An object with data in it: an image, a sound, a file.
    Source,
    /// The data of a file, or an object that points to it.
    FileData,
    /// What points to a file elsewhere.
    FileUrl,
    /// In such an object: where the data is.
    Url,
    /// In such an object: the data. Elsewhere it is sealed.
    Data,
    /// What an object is.
    Type,
    /// JSON of a form that is not the dialect's, which the model sees as JSON.
    Free,
    /// What the model does not see.
    Hidden,
}

impl Key {
    pub(super) fn read(key: Raw<'_>) -> Result<Self, Unexpected> {
        match key.plain() {
            Some(key) => Ok(Self::new(key)),
            None => Ok(Self::new(key.decode()?.as_bytes())),
        }
    }

    fn new(key: &[u8]) -> Self {
        match key {
            b"name" => Self::Name,
            b"image_url" => Self::ImageUrl,
            b"detail" => Self::Detail,
            b"source" | b"inlineData" | b"inline_data" | b"input_audio" | b"file" => Self::Source,
            b"file_data" | b"fileData" => Self::FileData,
            b"file_id" | b"file_url" => Self::FileUrl,
            b"url" | b"fileUri" | b"file_uri" => Self::Url,
            b"data" => Self::Data,
            b"type" => Self::Type,
            b"input" | b"args" | b"response" => Self::Free,
            b"id" | b"call_id" | b"tool_use_id" | b"status" | b"index" | b"phase"
            | b"signature" | b"thoughtSignature" | b"thought_signature" | b"encrypted_content"
            | b"cache_control" | b"annotations" | b"citations" | b"logprobs" | b"filename"
            | b"mimeType" | b"mime_type" | b"media_type" => Self::Hidden,
            _ => Self::Text,
        }
    }
}

/// What stands under a key of a tool, a schema or a form of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SchemaKey {
    Name,
    Description,
    /// The schema of a function's parameters, as each dialect calls it.
    Parameters,
    /// Where a tool has its function, or its functions.
    Functions,
    Type,
    Enum,
    Properties,
    /// Other schemas, in a list or by name.
    Parts,
    /// The schema of an answer.
    Schema,
    Other,
}

impl SchemaKey {
    fn new(key: &str) -> Self {
        match key {
            "name" => Self::Name,
            "description" => Self::Description,
            "parameters" | "parametersJsonSchema" | "input_schema" => Self::Parameters,
            "function" | "functionDeclarations" | "function_declarations" | "custom" => {
                Self::Functions
            }
            "type" => Self::Type,
            "enum" => Self::Enum,
            "properties" | "$defs" | "definitions" => Self::Properties,
            "items" | "anyOf" | "oneOf" | "allOf" | "prefixItems" | "additionalProperties" => {
                Self::Parts
            }
            "schema" => Self::Schema,
            _ => Self::Other,
        }
    }
}

impl<'de> Deserialize<'de> for SchemaKey {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        /// Knows a key without keeping it.
        struct Known;
        impl Visitor<'_> for Known {
            type Value = SchemaKey;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E: Error>(self, key: &str) -> Result<SchemaKey, E> {
                Ok(SchemaKey::new(key))
            }
        }
        source.deserialize_str(Known)
    }
}
