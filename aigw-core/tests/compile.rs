//! The common mistakes of a stack do not compile, and the compiler says what to do about them.

#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/compile/*.rs");
}
