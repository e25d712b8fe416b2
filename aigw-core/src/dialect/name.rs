use std::{error::Error, fmt, str::FromStr};

use super::{Dialect, Operation};

impl FromStr for Dialect {
    type Err = ParseError;

    /// The dialect of that name, as [`as_str`](Self::as_str) spells it.
    fn from_str(name: &str) -> Result<Self, ParseError> {
        let mut all = Self::ALL.iter().copied();
        all.find(|one| one.as_str() == name).ok_or_else(|| {
            ParseError::new("dialect", name, Self::ALL.iter().map(|one| one.as_str()))
        })
    }
}

impl FromStr for Operation {
    type Err = ParseError;

    /// The operation of that name, as [`as_str`](Self::as_str) spells it.
    fn from_str(name: &str) -> Result<Self, ParseError> {
        let mut all = Self::ALL.iter().copied();
        all.find(|one| one.as_str() == name).ok_or_else(|| {
            ParseError::new("operation", name, Self::ALL.iter().map(|one| one.as_str()))
        })
    }
}

/// A name that no [`Dialect`] or no [`Operation`] has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    what: &'static str,
    name: Box<str>,
    known: Box<[&'static str]>,
}

impl ParseError {
    fn new(what: &'static str, name: &str, known: impl Iterator<Item = &'static str>) -> Self {
        Self {
            what,
            name: name.into(),
            known: known.collect(),
        }
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, name, known } = self;
        let known = known.join("`, `");
        write!(f, "unknown {what} `{name}`, expected one of `{known}`")
    }
}

impl Error for ParseError {}

/// By name (feature `serde`).
#[cfg(feature = "serde")]
mod serde {
    use std::{borrow::Cow, str::FromStr};

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

    use super::{Dialect, Operation, ParseError};

    impl<'de> Deserialize<'de> for Dialect {
        fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
            by_name(source)
        }
    }

    impl<'de> Deserialize<'de> for Operation {
        fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
            by_name(source)
        }
    }

    impl Serialize for Dialect {
        fn serialize<S: Serializer>(&self, target: S) -> Result<S::Ok, S::Error> {
            target.serialize_str(self.as_str())
        }
    }

    impl Serialize for Operation {
        fn serialize<S: Serializer>(&self, target: S) -> Result<S::Ok, S::Error> {
            target.serialize_str(self.as_str())
        }
    }

    fn by_name<'de, D, T>(source: D) -> Result<T, D::Error>
    where
        D: Deserializer<'de>,
        T: FromStr<Err = ParseError>,
    {
        let name = Cow::<str>::deserialize(source)?;
        name.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_round_trips() {
        for &dialect in Dialect::ALL {
            assert_eq!(dialect.as_str().parse(), Ok(dialect));
        }
        for &operation in Operation::ALL {
            assert_eq!(operation.as_str().parse(), Ok(operation));
        }
    }

    #[test]
    fn an_unknown_name_is_told_the_known_ones() {
        let error = "klingon".parse::<Dialect>().unwrap_err().to_string();
        let expected = "unknown dialect `klingon`, expected one of `openai`, `azure-openai`, ";
        assert!(error.starts_with(expected), "{error}");
        assert!("Chat".parse::<Operation>().is_err());
    }

    #[cfg(feature = "serde")]
    #[test]
    fn files_name_them_as_logs_do() {
        let json = serde_json::to_string(&Dialect::AzureAi).unwrap();
        assert_eq!(json, r#""azure-ai""#);
        assert_eq!(
            serde_json::from_str::<Dialect>(&json).unwrap(),
            Dialect::AzureAi
        );
        let operations: Vec<Operation> = serde_json::from_str(r#"["count-tokens"]"#).unwrap();
        assert_eq!(operations, [Operation::CountTokens]);
    }
}
