use std::{fmt, time::Duration};

/// How long something takes, as Go prints it, and OpenAI with it: `12ms`, `1.5s`, `6m0s`. In
/// milliseconds, which are rounded up.
pub(crate) struct Wait(pub(crate) Duration);

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.as_nanos().div_ceil(1_000_000);
        let (hours, minutes, rest) = (ms / 3_600_000, ms / 60_000 % 60, ms % 60_000);
        match (hours, minutes) {
            (0, 0) if rest < 1000 && rest > 0 => return write!(f, "{rest}ms"),
            (0, 0) => {}
            (0, minutes) => write!(f, "{minutes}m")?,
            (hours, minutes) => write!(f, "{hours}h{minutes}m")?,
        }
        let (whole, thousandths) = (rest / 1000, rest % 1000);
        match thousandths {
            0 => write!(f, "{whole}s"),
            _ if thousandths % 100 == 0 => write!(f, "{whole}.{}s", thousandths / 100),
            _ if thousandths % 10 == 0 => write!(f, "{whole}.{:02}s", thousandths / 10),
            _ => write!(f, "{whole}.{thousandths:03}s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_written_as_openai_writes_them() {
        for (ms, text) in [
            (0, "0s"),
            (12, "12ms"),
            (1_000, "1s"),
            (1_500, "1.5s"),
            (1_050, "1.05s"),
            (1_010, "1.01s"),
            (59_007, "59.007s"),
            (360_000, "6m0s"),
            (86_400_000, "24h0m0s"),
            (3_723_450, "1h2m3.45s"),
        ] {
            assert_eq!(Wait(Duration::from_millis(ms)).to_string(), text);
        }
        assert_eq!(Wait(Duration::from_micros(1)).to_string(), "1ms");
    }
}
