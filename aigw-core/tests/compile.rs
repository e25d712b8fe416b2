//! The common mistakes of a stack do not compile, and the compiler says what to do about them.

// The list of bodies in the messages is that of all features.
#[cfg(feature = "test-util")]
#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/compile/*.rs");
}
