use std::{error::Error, fmt};

/// Whose budget it is: the budget's name, and the values that its key has for the call.
///
/// Displayed as `monthly:=team-a:=gpt-4o:-`: a value that the call has not is a `-`, and a colon or
/// percent sign in a value is escaped as in a URL. Two keys are displayed alike only if they are.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Key {
    // Not shrunk to a `Box<str>`: most are thrown away after a moment.
    text: String,
    /// How much of the text is the budget's name.
    budget: usize,
}

impl Key {
    /// The key of a budget for a call with these values.
    #[must_use]
    pub fn new<V: AsRef<str>>(budget: &str, values: impl IntoIterator<Item = Option<V>>) -> Self {
        let mut text = String::with_capacity(64);
        escape(budget, &mut text);
        let budget = text.len();
        for value in values {
            match value {
                Some(value) => {
                    text.push_str(":=");
                    escape(value.as_ref(), &mut text);
                }
                None => text.push_str(":-"),
            }
        }
        Self { text, budget }
    }

    /// The key of a budget that is by so many properties.
    #[cfg(any(feature = "request-limit", feature = "token-limit"))]
    pub(crate) fn of(
        budget: &str,
        dimensions: usize,
        values: &[Option<&str>],
    ) -> Result<Self, KeyError> {
        let given = values.len();
        if given != dimensions {
            let expected = dimensions;
            return Err(KeyError { expected, given });
        }
        Ok(Self::new(budget, values.iter().copied()))
    }

    /// The same with another value in this place.
    #[cfg(feature = "token-limit")]
    pub(crate) fn with(&self, place: usize, value: &str) -> Self {
        let (budget, values) = self.text.split_at_checked(self.budget).unwrap_or_default();
        let mut text = budget.to_owned();
        // The first stands before the first colon, and is nothing.
        for (index, written) in values.split(':').skip(1).enumerate() {
            text.push(':');
            if index == place {
                text.push('=');
                escape(value, &mut text);
            } else {
                text.push_str(written);
            }
        }
        let budget = self.budget;
        Self { text, budget }
    }

    /// As it is displayed.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The budget's name, as it is displayed.
    #[must_use]
    pub fn budget(&self) -> &str {
        self.text.get(..self.budget).unwrap_or_default()
    }
}

fn escape(value: &str, text: &mut String) {
    let mut rest = value;
    while let Some((plain, special)) = rest
        .find([':', '%'])
        .and_then(|at| rest.split_at_checked(at))
    {
        text.push_str(plain);
        text.push_str(if special.starts_with(':') {
            "%3A"
        } else {
            "%25"
        });
        rest = special.get(1..).unwrap_or_default();
    }
    text.push_str(rest);
}

/// More or fewer values than a key has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyError {
    /// By how many properties calls are counted.
    pub expected: usize,
    /// How many values there were.
    pub given: usize,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { expected, given } = self;
        let values = if *given == 1 { "value" } else { "values" };
        write!(f, "{given} {values} for a key that has {expected}")
    }
}

impl Error for KeyError {}

impl From<Key> for String {
    fn from(key: Key) -> Self {
        key.text
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Its values may be the callers' secrets.
        write!(f, "Key({}:..)", self.budget())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_that_differ_are_displayed_differently() {
        let shown = |budget: &str, values: &[Option<&str>]| {
            Key::new(budget, values.iter().copied()).to_string()
        };
        assert_eq!(shown("rate", &[Some("a"), None]), "rate:=a:-");
        let alike = [
            shown("rate", &[Some("a:=b")]),
            shown("rate", &[Some("a"), Some("b")]),
            shown("rate", &[Some("a%3A=b")]),
            shown("rate:=a", &[Some("b")]),
            shown("rate", &[Some("-")]),
            shown("rate", &[None]),
            shown("rate", &[Some("")]),
            shown("rate", &[]),
        ];
        for (index, one) in alike.iter().enumerate() {
            assert!(!alike[index + 1..].contains(one), "{one}");
        }
        assert_eq!(Key::new("a:b", [Some("c")]).budget(), "a%3Ab");
    }

    #[cfg(feature = "token-limit")]
    #[test]
    fn a_value_is_replaced_in_its_place() {
        let key = |second| Key::new("a:b", [Some("c:d"), second, Some("")]);
        for second in [None, Some("x"), Some("x:y%")] {
            assert_eq!(key(second).with(1, "e:f"), key(Some("e:f")));
            assert_eq!(key(second).with(2, ""), key(second));
        }
        assert_eq!(Key::new("a", [None::<&str>; 0]).with(0, "b").as_str(), "a");
    }
}
