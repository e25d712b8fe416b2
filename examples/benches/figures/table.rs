//! Rows of figures, with the least, the middle and the greatest of each.

/// Measurements of one thing, one for each round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Figures(Vec<f64>);

impl Figures {
    pub(crate) fn push(&mut self, figure: f64) {
        self.0.push(figure);
    }

    /// The middle one.
    pub(crate) fn median(&self) -> f64 {
        self.at(0.5)
    }

    /// The figure below which this share of all figures lies.
    pub(crate) fn at(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        sorted
            .get((last as f64 * share).round() as usize)
            .copied()
            .unwrap_or(f64::NAN)
    }

    /// These figures over those of a baseline, pair by pair.
    pub(crate) fn over(&self, baseline: &Self) -> Self {
        self.pairs(baseline, |figure, base| figure / base)
    }

    /// What these figures have above those of a baseline, pair by pair.
    pub(crate) fn above(&self, baseline: &Self) -> Self {
        self.pairs(baseline, |figure, base| figure - base)
    }

    fn pairs(&self, baseline: &Self, of: fn(f64, f64) -> f64) -> Self {
        let pairs = self.0.iter().zip(&baseline.0);
        Self(pairs.map(|(figure, base)| of(*figure, *base)).collect())
    }
}

/// What a figure should be.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target {
    AtMost(f64),
    AtLeast(f64),
    None,
}

pub(crate) fn title(title: &str, unit: &str) {
    println!("\n{title}");
    println!(
        "  {:<44} {:>9} {:>9} {:>9}  {unit}",
        "", "min", "median", "max"
    );
}

/// One row; the median is held against the target.
pub(crate) fn row(name: &str, figures: &Figures, target: Target) {
    let median = figures.median();
    let verdict = match target {
        Target::AtMost(most) => format!("≤ {most}: {}", met(median <= most)),
        Target::AtLeast(least) => format!("≥ {least}: {}", met(median >= least)),
        Target::None => String::new(),
    };
    let [least, middle, greatest] = [0.0, 0.5, 1.0].map(|share| number(figures.at(share)));
    println!("  {name:<44} {least:>9} {middle:>9} {greatest:>9}  {verdict}");
}

fn met(met: bool) -> &'static str {
    if met { "met" } else { "MISSED" }
}

/// Four significant digits or so.
pub(crate) fn number(figure: f64) -> String {
    match figure.abs() {
        0.0..10.0 => format!("{figure:.3}"),
        10.0..100.0 => format!("{figure:.2}"),
        100.0..1000.0 => format!("{figure:.1}"),
        _ => format!("{figure:.0}"),
    }
}
