/// The paths of a JSON document that matter, as a tree.
///
/// A path is keys joined by `.`, with `*` for the elements of an array: `choices.*.delta.content`.
#[derive(Debug)]
pub(crate) struct Shape<F> {
    nodes: Vec<Node<F>>,
}

/// The place of a node in its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeId(u8);

#[derive(Debug)]
struct Node<F> {
    keys: Vec<(&'static [u8], NodeId)>,
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
    /// The value itself, up to [`Scanner::CAP`](super::Scanner::CAP) bytes, and where it stands.
    Value,
    /// How many bytes of UTF-8 a string means, piece by piece.
    Length,
    /// Where the value begins, in addition to what `Value` tells at its end.
    Begin,
}

impl<F: Copy> Shape<F> {
    const ROOT: NodeId = NodeId(0);

    pub(crate) fn new(paths: &[(&'static str, F, Want)]) -> Self {
        let mut shape = Self { nodes: vec![Node::new()] };
        for (path, field, want) in paths {
            let node = path.split('.').fold(Self::ROOT, |node, step| shape.step(node, step));
            if let Some(node) = shape.nodes.get_mut(usize::from(node.0)) {
                node.leaf = Some(Leaf { field: *field, want: *want });
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
        let Some(node) = self.nodes.get_mut(usize::from(from.0)) else { return from };
        let known = match step {
            "*" => node.elements,
            key => node.keys.iter().find(|(known, _)| *known == key.as_bytes()).map(|(_, id)| *id),
        };
        if let Some(known) = known {
            return known;
        }
        match step {
            "*" => node.elements = Some(fresh),
            key => node.keys.push((key.as_bytes(), fresh)),
        }
        self.nodes.push(Node::new());
        fresh
    }

    pub(super) fn root(&self) -> NodeId {
        Self::ROOT
    }

    #[inline]
    pub(super) fn child(&self, node: NodeId, key: &[u8]) -> Option<NodeId> {
        let node = self.nodes.get(usize::from(node.0))?;
        node.keys.iter().find(|(known, _)| *known == key).map(|(_, id)| *id)
    }

    #[inline]
    pub(super) fn elements(&self, node: NodeId) -> Option<NodeId> {
        self.nodes.get(usize::from(node.0))?.elements
    }

    #[inline]
    pub(super) fn leaf(&self, node: NodeId) -> Option<Leaf<F>> {
        self.nodes.get(usize::from(node.0))?.leaf
    }

    /// Whether any path goes on below.
    #[inline]
    pub(super) fn goes_on(&self, node: NodeId) -> bool {
        self.nodes
            .get(usize::from(node.0))
            .is_some_and(|node| node.elements.is_some() || !node.keys.is_empty())
    }
}

impl<F> Node<F> {
    const fn new() -> Self {
        Self { keys: Vec::new(), elements: None, leaf: None }
    }
}
