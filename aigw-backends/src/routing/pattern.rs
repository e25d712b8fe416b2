use aigw_core::BoxError;
use globset::{Glob, GlobSet, GlobSetBuilder};

/// The models of a route.
#[derive(Clone, Debug)]
pub(super) enum Pattern {
    /// Every model, and none.
    Any,
    Of {
        names: Vec<Box<str>>,
        globs: GlobSet,
    },
}

impl Pattern {
    pub(super) fn try_new(models: &[Box<str>]) -> Result<Self, BoxError> {
        if models.is_empty() {
            return Ok(Self::Any);
        }
        let mut names = Vec::new();
        let mut globs = GlobSetBuilder::new();
        for model in models {
            if model.contains(['*', '?', '[', '{']) {
                globs.add(Glob::new(model)?);
            } else {
                names.push(model.clone());
            }
        }
        Ok(Self::Of {
            names,
            globs: globs.build()?,
        })
    }

    pub(super) fn matches(&self, model: Option<&str>) -> bool {
        match (self, model) {
            (Self::Any, _) => true,
            (Self::Of { .. }, None) => false,
            (Self::Of { names, globs }, Some(model)) => {
                names.iter().any(|name| **name == *model) || globs.is_match(model)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, model: &str) -> bool {
        Pattern::try_new(&[pattern.into()])
            .unwrap()
            .matches(Some(model))
    }

    #[test]
    fn a_name_is_itself_and_a_glob_is_many() {
        assert!(matches("gpt-4o", "gpt-4o"));
        assert!(!matches("gpt-4o", "gpt-4o-mini"));
        assert!(!matches("gpt-4o", "GPT-4o"));
        assert!(matches("gpt-4o*", "gpt-4o-mini"));
        assert!(matches("*", "meta-llama/Llama-3.1-8B"));
        assert!(matches("ft:gpt-4o:acme::x", "ft:gpt-4o:acme::x"));
    }

    #[test]
    fn a_call_without_a_model_matches_only_routes_without_one() {
        assert!(!Pattern::try_new(&["*".into()]).unwrap().matches(None));
        assert!(Pattern::try_new(&[]).unwrap().matches(None));
    }
}
