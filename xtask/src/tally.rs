//! Counts of tests, read from the closing lines of the test runners.

use std::ops::AddAssign;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
    pub(crate) skipped: u64,
}

impl Tally {
    /// Reads a closing line of `cargo nextest run` or of `cargo test`; another line is `None`.
    pub(crate) fn from_closing_line(line: &str) -> Option<Self> {
        let counts = match line.trim_start().strip_prefix("Summary [") {
            Some(rest) => rest.split_once(" run: ")?.1,
            None => line.strip_prefix("test result: ")?.split_once(". ")?.1,
        };
        let mut tally = Self::default();
        for part in without_parentheses(counts).split([',', ';']) {
            let Some((count, word)) = part.trim().split_once(' ') else {
                continue;
            };
            let Ok(count) = count.parse::<u64>() else {
                continue;
            };
            match word.trim() {
                "passed" => tally.passed += count,
                "skipped" | "ignored" => tally.skipped += count,
                "measured" | "filtered out" => {}
                // "failed", "timed out", "exec failed", and what a later runner may add.
                _ => tally.failed += count,
            }
        }
        Some(tally)
    }

    pub(crate) fn run(self) -> u64 {
        self.passed + self.failed
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// A remark such as `(1 slow, 2 leaky)` repeats tests that are counted already.
fn without_parentheses(text: &str) -> String {
    let mut depth = 0_usize;
    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(c),
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: u64, failed: u64, skipped: u64) -> Option<Tally> {
        Some(Tally {
            passed,
            failed,
            skipped,
        })
    }

    #[test]
    fn closing_lines_of_both_runners_are_read() {
        for (line, expected) in [
            (
                "     Summary [   0.1s] 5 tests run: 5 passed, 2 skipped",
                tally(5, 0, 2),
            ),
            (
                "     Summary [   0.1s] 1 test run: 1 passed (1 slow, 1 leaky), 0 skipped",
                tally(1, 0, 0),
            ),
            (
                "     Summary [ 31.2s] 7/9 tests run: 3 passed, 2 failed, 1 timed out, 4 skipped",
                tally(3, 3, 4),
            ),
            (
                "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 2 filtered out",
                tally(3, 0, 1),
            ),
            (
                "test result: FAILED. 1 passed; 2 failed; 0 ignored; finished in 0.1s",
                tally(1, 2, 0),
            ),
            ("        PASS [   0.1s] a test result: none", None),
            ("   Compiling aigw-core v0.1.0", None),
        ] {
            assert_eq!(Tally::from_closing_line(line), expected, "{line}");
        }
    }
}
