use super::{number::Number, text::Escape};

/// What may come next, or what is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A value must come.
    Value,
    /// After `[`: a value or the end.
    FirstElement,
    /// After `{`: a key or the end.
    FirstKey,
    /// After a comma in an object.
    Key,
    Colon,
    /// After a value: a comma or the end of its container.
    After,
    Text(Role, Escape),
    Number(Number),
    Literal(Literal, u8),
    Skip,
    Done,
    Broken,
}

/// What a string is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Key,
    /// A key of an object that no path enters.
    ForeignKey,
    Value,
    Length,
    Nothing,
}

impl Role {
    pub(super) const fn is_of_value(self) -> bool {
        !matches!(self, Self::Key | Self::ForeignKey)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    True,
    False,
    Null,
}
