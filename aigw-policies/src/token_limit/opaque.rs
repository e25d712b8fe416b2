/// What happens to calls whose tokens nobody can count beforehand: uploads, and operations that are
/// not known.
///
/// There is no default, since every choice has its price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OnOpaque {
    /// They pass, and are charged with what their answers show: the usage that they report, or else
    /// the text that they bring.
    Pass,
    /// They are refused, 403 `forbidden`, where a budget of tokens or money holds for them. One of
    /// calls alone lets them pass.
    Refuse,
    /// They are expected to use so many tokens of input, and are charged with them unless their
    /// answers report another number, and with what their answers show.
    Charge(u64),
}
