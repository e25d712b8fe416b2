use super::tree::{FieldId, Tree};

/// The paths of a JSON document that matter.
///
/// A path is keys joined by `.`, with `*` for the elements of an array: `choices.*.delta.content`.
/// The empty path is the document itself.
#[derive(Debug)]
pub(crate) struct Shape<F> {
    tree: Tree,
    fields: Vec<F>,
}

/// What to tell about the values at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// The value itself, up to `Scanner::CAP` bytes, and where it stands.
    Value,
    /// How many bytes of UTF-8 a string means, piece by piece.
    Length,
    /// Where the value begins, in addition to what `Value` tells at its end.
    Begin,
}

impl<F: Copy> Shape<F> {
    pub(crate) fn new(paths: &[(&'static str, F, Want)]) -> Self {
        let mut tree = Tree::new();
        for (field, (path, _, want)) in paths.iter().enumerate() {
            tree.plant(path, FieldId::new(field), *want);
        }
        let fields = paths.iter().map(|(_, field, _)| *field).collect();
        Self { tree, fields }
    }

    /// The same, where the document may also be an array of such documents.
    pub(crate) fn or_array_of_it(mut self) -> Self {
        self.tree.repeat();
        self
    }

    pub(super) fn tree(&self) -> &Tree {
        &self.tree
    }

    pub(super) fn field(&self, id: FieldId) -> Option<F> {
        self.fields.get(id.index()).copied()
    }
}

#[cfg(test)]
impl<F> Shape<F> {
    pub(crate) fn is_within_bounds(&self) -> bool {
        self.tree.is_within_bounds()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::{Dialect, Operation, asked, form};

    #[test]
    fn a_shape_with_a_node_or_a_container_too_many_is_found() {
        let deep = |steps: usize| {
            let path = vec!["a"; steps].join(".");
            Shape::new(&[(&*path.leak(), (), Want::Value)])
        };
        assert!(deep(11).is_within_bounds());
        assert!(!deep(12).is_within_bounds());
        assert!(!deep(11).or_array_of_it().is_within_bounds());
        let wide = |keys: usize| {
            let paths: Vec<_> = (0..keys)
                .map(|key| (&*key.to_string().leak(), (), Want::Value))
                .collect();
            Shape::new(&paths)
        };
        assert!(wide(127).is_within_bounds());
        assert!(!wide(128).is_within_bounds());
    }

    #[test]
    fn every_shape_of_a_dialect_is_within_bounds() {
        for &dialect in Dialect::ALL {
            for &operation in Operation::ALL {
                let asks = asked(dialect, operation);
                assert!(
                    asks.is_within_bounds(),
                    "what {dialect} asks of {operation}"
                );
                let answers = form(dialect, operation);
                let fits = answers.is_none_or(|form| form.shape.is_within_bounds());
                assert!(fits, "what {dialect} answers to {operation}");
            }
        }
    }
}
