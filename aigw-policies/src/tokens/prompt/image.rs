use aigw_core::dialect::Dialect;

use super::{
    json::{Json, Unexpected},
    size::Size,
};

/// How a model counts images, by the vendors' own pages.
///
/// - OpenAI, *Images and vision*, "Calculating costs",
///   <https://platform.openai.com/docs/guides/images-vision#calculating-costs>.
/// - Anthropic, *Vision*, "Calculate image costs",
///   <https://docs.claude.com/en/docs/build-with-claude/vision>.
/// - Gemini, *Image understanding*, "Token calculation",
///   <https://ai.google.dev/gemini-api/docs/image-understanding>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Images {
    /// OpenAI: scaled down into 2048 × 2048, then to 768 on the shorter side, and cut into squares
    /// of 512. Looked at less closely, an image is its base alone.
    Tiles { base: u64, tile: u64 },
    /// OpenAI's smaller models: squares of 32, at most 1536 of them, times a factor in hundredths.
    Patches { hundredths: u64 },
    /// Anthropic: scaled down to 1568 on the longer side, 750 pixels to the token.
    Area,
    /// Gemini: small images are one crop, others squares of two thirds of the shorter side.
    Crops,
}

/// How closely an image is looked at. `auto` is close, since that is what it is for every image that
/// is not tiny, and what costs more.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Detail {
    Low,
    #[default]
    High,
}

/// What an image is taken to be that is not in the request: a common size of generated ones, and
/// about that of a scaled photograph.
const USUAL: Size = Size {
    width: 1024,
    height: 1024,
};

/// The models of OpenAI by the beginnings of their names, the longer before the shorter.
const OPENAI: &[(&str, Images)] = &[
    (
        "gpt-4o-mini",
        Images::Tiles {
            base: 2833,
            tile: 5667,
        },
    ),
    ("gpt-4.1-mini", Images::Patches { hundredths: 162 }),
    ("gpt-4.1-nano", Images::Patches { hundredths: 246 }),
    ("gpt-5-mini", Images::Patches { hundredths: 162 }),
    ("gpt-5-nano", Images::Patches { hundredths: 246 }),
    (
        "gpt-5",
        Images::Tiles {
            base: 70,
            tile: 140,
        },
    ),
    ("o4-mini", Images::Patches { hundredths: 172 }),
    (
        "o1",
        Images::Tiles {
            base: 75,
            tile: 150,
        },
    ),
    (
        "o3",
        Images::Tiles {
            base: 75,
            tile: 150,
        },
    ),
    (
        "computer-use-preview",
        Images::Tiles {
            base: 65,
            tile: 129,
        },
    ),
];

/// The most tokens that Anthropic's page has for one image.
const MOST_BY_AREA: u64 = 1600;

/// The most patches of one image.
const MOST_PATCHES: u64 = 1536;

impl Images {
    pub(super) fn new(dialect: Dialect, model: &str) -> Self {
        match dialect {
            Dialect::Anthropic => Self::Area,
            Dialect::Gemini => Self::Crops,
            _ => OPENAI
                .iter()
                .find(|(prefix, _)| model.starts_with(prefix))
                .map_or(
                    Self::Tiles {
                        base: 85,
                        tile: 170,
                    },
                    |(_, images)| *images,
                ),
        }
    }

    /// The tokens of one image, or of the usual one.
    pub(super) fn tokens(self, size: Option<Size>, detail: Detail) -> u64 {
        let size = size.unwrap_or(USUAL);
        match self {
            Self::Tiles { base, .. } if detail == Detail::Low => base,
            Self::Tiles { base, tile } => {
                let seen = size.within(2048.0, f64::max).within(768.0, f64::min);
                base + tile * seen.squares(512.0)
            }
            Self::Patches { hundredths } => (patches(size) * hundredths).div_ceil(100),
            Self::Area => {
                let (width, height) = size.within(1568.0, f64::max).0;
                ((width * height / 750.0).ceil() as u64).clamp(1, MOST_BY_AREA)
            }
            Self::Crops if size.width <= 384 && size.height <= 384 => 258,
            Self::Crops => {
                let side = (f64::from(size.width.min(size.height)) / 1.5)
                    .floor()
                    .max(1.0);
                // A strip of one pixel would be as many crops as it is long.
                258 * size.pixels().squares(side).min(64)
            }
        }
    }
}

fn patches(size: Size) -> u64 {
    let (width, height) = size.pixels().0;
    let all = size.pixels().squares(32.0);
    if all <= MOST_PATCHES {
        return all;
    }
    // Scaled down until so many cover it, and further until one side is whole patches.
    let scale = (1024.0 * MOST_PATCHES as f64 / (width * height)).sqrt();
    let (across, down) = (width * scale / 32.0, height * scale / 32.0);
    let whole = (across.floor() / across).min(down.floor() / down);
    let scaled = Pixels((width * scale * whole, height * scale * whole));
    scaled.squares(32.0).min(MOST_PATCHES)
}

/// Width and height while they are scaled.
#[derive(Clone, Copy)]
struct Pixels((f64, f64));

impl Pixels {
    /// Scaled down, never up, until this side is at most so long.
    fn within(self, most: f64, side: impl Fn(f64, f64) -> f64) -> Self {
        let (width, height) = self.0;
        let scale = (most / side(width, height)).min(1.0);
        Self((width * scale, height * scale))
    }

    /// How many squares cover it.
    fn squares(self, side: f64) -> u64 {
        // What scaling left behind the point must not begin a square.
        let along = |length: f64| (length / side - 1e-6).ceil().max(1.0) as u64;
        let (width, height) = self.0;
        along(width).saturating_mul(along(height))
    }
}

impl Size {
    fn pixels(self) -> Pixels {
        Pixels((f64::from(self.width), f64::from(self.height)))
    }

    fn within(self, most: f64, side: impl Fn(f64, f64) -> f64) -> Pixels {
        self.pixels().within(most, side)
    }
}

impl Detail {
    /// Reads it; `None` where there is a null.
    pub(super) fn read(json: &mut Json<'_>) -> Result<Option<Self>, Unexpected> {
        let word = json.string_or_null()?;
        let detail = word.map(|word| match &*word.decode()? {
            "low" => Ok(Self::Low),
            _ => Ok(Self::High),
        });
        detail.transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn size(width: u32, height: u32) -> Size {
        Size { width, height }
    }

    fn tokens(model: &str, size: Size, detail: Detail) -> u64 {
        Images::new(Dialect::OpenAi, model).tokens(Some(size), detail)
    }

    /// The examples of the vendors' pages.
    #[test]
    fn images_count_as_the_vendors_pages_have_it() {
        let high = |model, width, height| tokens(model, size(width, height), Detail::High);
        assert_eq!(high("gpt-4o", 1024, 1024), 765);
        assert_eq!(high("gpt-4o", 2048, 4096), 1105);
        assert_eq!(tokens("gpt-4o", size(4096, 8192), Detail::Low), 85);
        assert_eq!(high("gpt-4o-mini", 1024, 1024), 2833 + 4 * 5667);
        assert_eq!(high("o1", 1024, 1024), 75 + 4 * 150);
        assert_eq!(high("gpt-5", 1024, 1024), 70 + 4 * 140);
        assert_eq!(high("gpt-4.1-mini", 1024, 1024), 1659);
        assert_eq!(patches(size(1024, 1024)), 1024);
        assert_eq!(patches(size(1800, 2400)), 1452);

        let tokens = |dialect, width, height| {
            Images::new(dialect, "").tokens(Some(size(width, height)), Detail::High)
        };
        assert_eq!(tokens(Dialect::Anthropic, 200, 200), 54);
        assert_eq!(tokens(Dialect::Anthropic, 1000, 1000), 1334);
        assert_eq!(tokens(Dialect::Anthropic, 6000, 8000), 1600);
        assert_eq!(tokens(Dialect::Gemini, 384, 384), 258);
        assert_eq!(tokens(Dialect::Gemini, 960, 540), 6 * 258);
    }

    #[test]
    fn an_unknown_size_is_the_usual_one() {
        let images = Images::new(Dialect::OpenAi, "gpt-4o");
        assert_eq!(images.tokens(None, Detail::High), 765);
        assert_eq!(images.tokens(None, Detail::Low), 85);
    }

    #[test]
    fn no_size_costs_without_bound() {
        let extremes = [1, 31, 512, 2049, 65_535, u32::MAX];
        let rules = [
            Images::Tiles {
                base: 85,
                tile: 170,
            },
            Images::Patches { hundredths: 246 },
            Images::Area,
            Images::Crops,
        ];
        for (rule, width, height) in rules.iter().flat_map(|rule| {
            let heights = move |width| extremes.map(move |height| (rule, width, height));
            extremes.into_iter().flat_map(heights)
        }) {
            let tokens = rule.tokens(Some(size(width, height)), Detail::High);
            assert!(
                (1..=64 * 258).contains(&tokens),
                "{rule:?} {width} {height}: {tokens}"
            );
        }
    }
}
