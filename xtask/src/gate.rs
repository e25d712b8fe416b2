//! A run of named steps: each is timed, none stops the others, and the end says what failed.

use std::time::{Duration, Instant};

use crate::cmd::Result;
use crate::tally::Tally;

#[derive(Debug)]
pub(crate) struct Gate {
    started: Instant,
    steps: Vec<Step>,
    tally: Tally,
}

#[derive(Debug)]
struct Step {
    name: &'static str,
    took: Duration,
    /// Why it failed.
    error: Option<String>,
}

impl Gate {
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            steps: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// Runs a step; a failure is noted for the end and answered with `None`.
    pub(crate) fn step<T>(
        &mut self,
        name: &'static str,
        step: impl FnOnce(&mut Tally) -> Result<T>,
    ) -> Option<T> {
        println!("\n=== {name}");
        let started = Instant::now();
        let result = step(&mut self.tally);
        let took = started.elapsed();
        let (done, error) = match result {
            Ok(value) => (Some(value), None),
            Err(error) => (None, Some(error.to_string())),
        };
        match &error {
            None => println!("=== {name}: done in {:.1}s", took.as_secs_f64()),
            Some(error) => {
                println!(
                    "=== {name}: FAILED after {:.1}s: {error}",
                    took.as_secs_f64()
                );
            }
        }
        self.steps.push(Step { name, took, error });
        done
    }

    /// Prints steps, failures and, last, the counts in the form that test runners close with.
    ///
    /// # Errors
    ///
    /// When a step or a test failed, or when no test ran at all.
    pub(crate) fn finish(self) -> Result {
        println!("\n=== steps");
        for step in &self.steps {
            let verdict = if step.error.is_some() { "FAILED" } else { "ok" };
            println!(
                "{:>8.1}s  {:<6}  {}",
                step.took.as_secs_f64(),
                verdict,
                step.name
            );
        }
        let failed = self
            .steps
            .iter()
            .filter_map(|step| Some((step.name, step.error.as_ref()?)));
        let failed: Vec<_> = failed.collect();
        for (name, error) in &failed {
            println!("FAILED {name}: {error}");
        }
        let Tally {
            passed,
            failed: failures,
            skipped,
        } = self.tally;
        let (took, run) = (self.started.elapsed().as_secs_f64(), self.tally.run());
        let counts = format!("{passed} passed, {failures} failed");
        println!("     Summary [{took:>8.3}s] {run} tests run: {counts}, {skipped} skipped");
        println!("{counts}");
        if !failed.is_empty() || failures > 0 {
            return Err(format!("{} of {} steps failed", failed.len(), self.steps.len()).into());
        }
        if passed == 0 {
            return Err("no test ran".into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one_pass(tally: &mut Tally) -> Result {
        tally.passed += 1;
        Ok(())
    }

    #[test]
    fn a_failed_step_fails_the_gate_but_not_the_steps_after_it() {
        let mut gate = Gate::start();
        assert_eq!(gate.step::<()>("a", |_| Err("broken".into())), None);
        assert_eq!(gate.step("b", one_pass), Some(()));
        assert!(gate.finish().is_err());
    }

    #[test]
    fn a_gate_that_ran_no_test_has_not_passed() {
        assert!(Gate::start().finish().is_err());
    }

    #[test]
    fn a_gate_whose_steps_all_pass_passes() {
        let mut gate = Gate::start();
        gate.step("a", one_pass);
        assert!(gate.finish().is_ok());
    }
}
