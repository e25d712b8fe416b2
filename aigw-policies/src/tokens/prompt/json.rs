//! Reads JSON that a [`Call`] has found to be well-formed, once and without a copy: what stands in a
//! string is its reader's to make out.

use aigw_core::call::{Call, LongString, Part};

use super::string::Raw;

/// What is left of a document.
#[derive(Clone, Copy, Debug)]
pub(in crate::tokens) struct Json<'j> {
    rest: &'j [u8],
    /// Where it ends in the body that it is a part of.
    end: usize,
    /// Strings of that body of which it is known where they end.
    known: &'j [LongString],
}

/// The document is not as any provider wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tokens) struct Unexpected;

impl<'j> Json<'j> {
    pub(in crate::tokens) fn new(json: &'j [u8]) -> Self {
        let (rest, end) = (json, json.len());
        let known = &[];
        Self { rest, end, known }
    }

    /// A part of a call.
    pub(in crate::tokens) fn of(call: &'j Call, part: &Part) -> Self {
        let known = call.long_strings();
        let first = known.partition_point(|string| string.span.start < part.span.start);
        Self {
            rest: call.json(part),
            end: part.span.end,
            known: known.get(first..).unwrap_or_default(),
        }
    }

    /// The first byte of the next value, or what ends a list or an object.
    pub(super) fn peek(&mut self) -> Option<u8> {
        self.rest = self.rest.trim_ascii_start();
        self.rest.first().copied()
    }

    /// Enters an object, if the next value is one.
    pub(super) fn enter(&mut self) -> Result<(), Unexpected> {
        self.take(b'{')
    }

    /// Passes over what stands before the next element of a list; answers whether there is one.
    pub(super) fn element(&mut self) -> Result<bool, Unexpected> {
        match self.peek() {
            Some(b'[' | b',') => {
                self.step();
                match self.peek() {
                    Some(b']') => {
                        self.step();
                        Ok(false)
                    }
                    _ => Ok(true),
                }
            }
            Some(b']') => {
                self.step();
                Ok(false)
            }
            _ => Err(Unexpected),
        }
    }

    /// The key of the next member of an object that was entered; `None` where it ends.
    pub(super) fn key(&mut self) -> Result<Option<Raw<'j>>, Unexpected> {
        if self.peek() == Some(b',') {
            self.step();
        }
        if self.peek() == Some(b'}') {
            self.step();
            return Ok(None);
        }
        let key = self.string()?;
        self.take(b':')?;
        Ok(Some(key))
    }

    pub(in crate::tokens) fn string(&mut self) -> Result<Raw<'j>, Unexpected> {
        if self.peek() != Some(b'"') {
            return Err(Unexpected);
        }
        let read = match self.known() {
            Some(string) => Raw::known(self.rest, string),
            None => Raw::read(self.rest),
        };
        let (string, rest) = read.ok_or(Unexpected)?;
        self.rest = rest;
        Ok(string)
    }

    /// What is known of the string that stands here.
    fn known(&mut self) -> Option<&'j LongString> {
        let here = self.end - self.rest.len();
        while let [string, behind @ ..] = self.known {
            if string.span.start > here {
                break;
            }
            self.known = behind;
            if string.span.start == here {
                return Some(string);
            }
        }
        None
    }

    /// A string; `None` where there is a null.
    pub(super) fn string_or_null(&mut self) -> Result<Option<Raw<'j>>, Unexpected> {
        if self.peek() == Some(b'n') {
            self.skip()?;
            return Ok(None);
        }
        self.string().map(Some)
    }

    /// Passes over a value; answers how it is written.
    pub(super) fn skip(&mut self) -> Result<&'j [u8], Unexpected> {
        match self.peek().ok_or(Unexpected)? {
            b'"' => return Ok(self.string()?.json()),
            b'{' | b'[' => {}
            _ => {
                let ends =
                    |byte: &u8| matches!(byte, b',' | b'}' | b']') || byte.is_ascii_whitespace();
                let length = self.rest.iter().position(ends).unwrap_or(self.rest.len());
                return Ok(self.advance(length));
            }
        }
        let whole = self.rest;
        let mut depth = 0_usize;
        loop {
            // Blanks, commas, numbers and words stand between what counts here.
            let counts = |byte: &u8| matches!(byte, b'"' | b'{' | b'[' | b'}' | b']');
            let next = self.rest.iter().position(counts).ok_or(Unexpected)?;
            self.advance(next);
            match self.rest.first() {
                Some(b'"') => {
                    self.string()?;
                    continue;
                }
                Some(b'{' | b'[') => depth += 1,
                _ => depth -= 1,
            }
            self.step();
            if depth == 0 {
                return Ok(whole
                    .get(..whole.len() - self.rest.len())
                    .unwrap_or_default());
            }
        }
    }

    fn take(&mut self, expected: u8) -> Result<(), Unexpected> {
        if self.peek() != Some(expected) {
            return Err(Unexpected);
        }
        self.step();
        Ok(())
    }

    fn step(&mut self) {
        self.advance(1);
    }

    fn advance(&mut self, length: usize) -> &'j [u8] {
        let (passed, rest) = self
            .rest
            .split_at_checked(length)
            .unwrap_or((self.rest, &[]));
        self.rest = rest;
        passed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// Passes over every value of a document; answers what its strings say.
    fn strings(json: &mut Json<'_>) -> Result<Vec<String>, Unexpected> {
        let mut said = Vec::new();
        match json.peek() {
            Some(b'"') => said.push(json.string()?.decode()?.into_owned()),
            Some(b'{') => {
                json.enter()?;
                while let Some(key) = json.key()? {
                    said.push(key.decode()?.into_owned());
                    said.extend(strings(json)?);
                }
            }
            Some(b'[') => {
                while json.element()? {
                    said.extend(strings(json)?);
                }
            }
            _ => {
                json.skip()?;
            }
        }
        Ok(said)
    }

    fn said(value: &Value, said: &mut Vec<String>) {
        match value {
            Value::String(text) => said.push(text.clone()),
            Value::Array(list) => list.iter().for_each(|value| self::said(value, said)),
            Value::Object(map) => {
                for (key, value) in map {
                    said.push(key.clone());
                    self::said(value, said);
                }
            }
            _ => {}
        }
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            r#"([a-z{}\[\]:,"\\\n]|\PC){0,8}"#.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(r#"[a-z"\\]{0,3}"#, inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn it_reads_what_serde_does(value in values()) {
            for text in [value.to_string(), format!(" {value:#}\n")] {
                let mut json = Json::new(text.as_bytes());
                let mut expected = Vec::new();
                said(&value, &mut expected);
                prop_assert_eq!(strings(&mut json).unwrap(), expected);
                prop_assert_eq!(json.peek(), None);
                let mut json = Json::new(text.as_bytes());
                prop_assert_eq!(json.skip().unwrap(), text.trim().as_bytes());
            }
        }

        #[test]
        fn what_is_no_json_comes_to_an_end(bytes in r#"[{}\[\],:"\\a0 ]{0,40}"#) {
            // Whatever it says of it.
            let _ = strings(&mut Json::new(bytes.as_bytes()));
            let _ = Json::new(bytes.as_bytes()).skip();
        }
    }

    #[test]
    fn what_is_no_string_is_not_read_as_one() {
        let json = json!([5, true, null, [], {}]).to_string();
        let mut json = Json::new(json.as_bytes());
        while json.element().unwrap() {
            assert_eq!(json.string().err(), Some(Unexpected));
            json.skip().unwrap();
        }
    }
}
