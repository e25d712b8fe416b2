/// The paths of a JSON document that matter, as a tree.
///
/// A path is keys joined by `.`, with `*` for the elements of an array: `choices.*.delta.content`.
/// The empty path is the document itself.
#[derive(Debug)]
pub(crate) struct Shape<F> {
    nodes: Vec<Node<F>>,
}

/// The place of a node in its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeId(u8);

#[derive(Debug)]
struct Node<F> {
    /// The key that leads here, or `*`.
    step: &'static str,
    /// Whether no array lies on the way here.
    once: bool,
    keys: Vec<(&'static [u8], NodeId)>,
    /// A bit for each of the keys, by which most others are told apart.
    signs: u64,
    elements: Option<NodeId>,
    leaf: Option<Leaf<F>>,
}

/// What to tell about the values at a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf<F> {
    pub(super) field: F,
    pub(super) want: Want,
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
    const ROOT: NodeId = NodeId(0);

    pub(crate) fn new(paths: &[(&'static str, F, Want)]) -> Self {
        let mut shape = Self {
            nodes: vec![Node::new("", true)],
        };
        for (path, field, want) in paths {
            let steps = path.split('.').filter(|step| !step.is_empty());
            let node = steps.fold(Self::ROOT, |node, step| shape.step(node, step));
            if let Some(node) = shape.nodes.get_mut(usize::from(node.0)) {
                node.leaf = Some(Leaf {
                    field: *field,
                    want: *want,
                });
            }
        }
        shape
    }

    /// The same, where the document may also be an array of such documents.
    pub(crate) fn or_array_of_it(mut self) -> Self {
        if let Some(root) = self.nodes.first_mut() {
            root.elements = Some(Self::ROOT);
        }
        self
    }

    fn step(&mut self, from: NodeId, step: &'static str) -> NodeId {
        let fresh = NodeId(u8::try_from(self.nodes.len()).unwrap_or(u8::MAX));
        let Some(node) = self.nodes.get_mut(usize::from(from.0)) else {
            return from;
        };
        let known = match step {
            "*" => node.elements,
            key => node
                .keys
                .iter()
                .find(|(known, _)| *known == key.as_bytes())
                .map(|(_, id)| *id),
        };
        if let Some(known) = known {
            return known;
        }
        let once = node.once && step != "*";
        match step {
            "*" => node.elements = Some(fresh),
            key => {
                node.keys.push((key.as_bytes(), fresh));
                node.signs |= sign(key.as_bytes());
            }
        }
        self.nodes.push(Node::new(step, once));
        fresh
    }

    pub(super) fn root(&self) -> NodeId {
        Self::ROOT
    }

    #[inline]
    pub(super) fn child(&self, node: NodeId, key: &[u8]) -> Option<NodeId> {
        let node = self.nodes.get(usize::from(node.0))?;
        if node.signs & sign(key) == 0 {
            return None;
        }
        let resembles = |known: &[u8]| known.len() == key.len() && known.first() == key.first();
        node.keys
            .iter()
            .find(|(known, _)| resembles(known) && *known == key)
            .map(|(_, id)| *id)
    }

    #[inline]
    pub(super) fn elements(&self, node: NodeId) -> Option<NodeId> {
        self.nodes.get(usize::from(node.0))?.elements
    }

    #[inline]
    pub(super) fn leaf(&self, node: NodeId) -> Option<Leaf<F>> {
        self.nodes.get(usize::from(node.0))?.leaf
    }

    /// The node's bit in a set of nodes, or 0 for one that a document may have any number of.
    pub(super) fn bit_if_once(&self, node: NodeId) -> u128 {
        let once = self
            .nodes
            .get(usize::from(node.0))
            .is_some_and(|node| node.once);
        if once {
            1u128.checked_shl(u32::from(node.0)).unwrap_or(0)
        } else {
            0
        }
    }

    /// The key that leads to a node.
    pub(super) fn key(&self, node: NodeId) -> &'static str {
        self.nodes
            .get(usize::from(node.0))
            .map_or("", |node| node.step)
    }

    /// Whether any path goes on below.
    #[inline]
    pub(super) fn goes_on(&self, node: NodeId) -> bool {
        self.nodes
            .get(usize::from(node.0))
            .is_some_and(|node| node.elements.is_some() || !node.keys.is_empty())
    }
}

#[cfg(test)]
impl<F: Copy> Shape<F> {
    /// Whether a scanner sees every key of it that stands twice: each node has a bit, and each path
    /// has room for its containers.
    pub(crate) fn is_within_bounds(&self) -> bool {
        // An array of documents is one container more.
        let around = usize::from(self.elements(Self::ROOT) == Some(Self::ROOT));
        let bits = u128::BITS as usize;
        self.nodes.len() <= bits && around + self.containers(Self::ROOT) <= super::place::LIVE
    }

    /// How many containers are open at most in what stands at a node, its own value being one.
    fn containers(&self, node: NodeId) -> usize {
        let Some(Node { keys, elements, .. }) = self.nodes.get(usize::from(node.0)) else {
            return 0;
        };
        let below = keys.iter().map(|(_, id)| *id).chain(*elements);
        let below = below.filter(|id| *id != Self::ROOT);
        1 + below.map(|id| self.containers(id)).max().unwrap_or(0)
    }
}

impl<F> Node<F> {
    const fn new(step: &'static str, once: bool) -> Self {
        Self {
            step,
            once,
            keys: Vec::new(),
            signs: 0,
            elements: None,
            leaf: None,
        }
    }
}

/// One bit of 64, made of a key's length and first byte.
#[inline]
fn sign(key: &[u8]) -> u64 {
    let first = key.first().copied().unwrap_or_default();
    1u64.rotate_left(u32::from(first) + 7 * key.len() as u32)
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
