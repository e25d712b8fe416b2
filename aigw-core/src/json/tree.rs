use super::shape::Want;

/// The paths of a [`Shape`](super::Shape) as a tree, with its fields by number: whatever they are,
/// one machine reads them.
#[derive(Debug)]
pub(super) struct Tree {
    nodes: Vec<Node>,
}

/// The place of a node in its tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NodeId(u8);

/// The place of a field in its shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FieldId(u8);

/// What to tell about the values at a path.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf {
    pub(super) field: FieldId,
    pub(super) want: Want,
}

#[derive(Debug)]
pub(super) struct Node {
    /// The key that leads here, or `*`.
    step: &'static str,
    /// The node's bit in a set of nodes, or 0 if an array lies on the way here: then a document may
    /// have any number of them.
    once: u128,
    keys: Vec<(&'static [u8], NodeId)>,
    /// A bit for each of the keys, by which most others are told apart.
    signs: u64,
    elements: Option<NodeId>,
    leaf: Option<Leaf>,
}

impl FieldId {
    /// A shape has fewer fields than nodes, and the nodes are few.
    pub(super) fn new(index: usize) -> Self {
        Self(u8::try_from(index).unwrap_or(u8::MAX))
    }

    pub(super) fn index(self) -> usize {
        usize::from(self.0)
    }
}

impl Tree {
    pub(super) const ROOT: NodeId = NodeId(0);

    pub(super) fn new() -> Self {
        Self {
            nodes: vec![Node::new("", 1)],
        }
    }

    /// Adds a path, at whose end this is to be told.
    pub(super) fn plant(&mut self, path: &'static str, field: FieldId, want: Want) {
        let steps = path.split('.').filter(|step| !step.is_empty());
        let end = steps.fold(Self::ROOT, |node, step| self.step(node, step));
        if let Some(node) = self.nodes.get_mut(usize::from(end.0)) {
            node.leaf = Some(Leaf { field, want });
        }
    }

    /// Lets the document be an array of documents as well.
    pub(super) fn repeat(&mut self) {
        if let Some(root) = self.nodes.first_mut() {
            root.elements = Some(Self::ROOT);
        }
    }

    fn step(&mut self, from: NodeId, step: &'static str) -> NodeId {
        let fresh = NodeId(u8::try_from(self.nodes.len()).unwrap_or(u8::MAX));
        let Some(node) = self.nodes.get_mut(usize::from(from.0)) else {
            return from;
        };
        let known = match step {
            "*" => node.elements,
            key => node.child(key.as_bytes()),
        };
        if let Some(known) = known {
            return known;
        }
        let once = match step {
            "*" => 0,
            _ if node.once == 0 => 0,
            _ => 1u128.checked_shl(u32::from(fresh.0)).unwrap_or(0),
        };
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

    #[inline]
    pub(super) fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(usize::from(id.0))
    }
}

#[cfg(test)]
impl Tree {
    /// Whether a scanner sees every key of it that stands twice: each node has a bit, and each path
    /// has room for its containers.
    pub(super) fn is_within_bounds(&self) -> bool {
        let root = self.nodes.first().and_then(|root| root.elements);
        // An array of documents is one container more.
        let around = usize::from(root == Some(Self::ROOT));
        let bits = u128::BITS as usize;
        self.nodes.len() <= bits && around + self.containers(Self::ROOT) <= super::place::LIVE
    }

    /// How many containers are open at most in what stands at a node, its own value being one.
    fn containers(&self, node: NodeId) -> usize {
        let Some(Node { keys, elements, .. }) = self.node(node) else {
            return 0;
        };
        let below = keys.iter().map(|(_, id)| *id).chain(*elements);
        let below = below.filter(|id| *id != Self::ROOT);
        1 + below.map(|id| self.containers(id)).max().unwrap_or(0)
    }
}

impl Node {
    const fn new(step: &'static str, once: u128) -> Self {
        Self {
            step,
            once,
            keys: Vec::new(),
            signs: 0,
            elements: None,
            leaf: None,
        }
    }

    /// The node below this key.
    #[inline]
    pub(super) fn child(&self, key: &[u8]) -> Option<NodeId> {
        if self.signs & sign(key) == 0 {
            return None;
        }
        let resembles = |known: &[u8]| known.len() == key.len() && known.first() == key.first();
        self.keys
            .iter()
            .find(|(known, _)| resembles(known) && *known == key)
            .map(|(_, id)| *id)
    }

    /// The node of the elements, where this is an array.
    #[inline]
    pub(super) fn elements(&self) -> Option<NodeId> {
        self.elements
    }

    #[inline]
    pub(super) fn leaf(&self) -> Option<Leaf> {
        self.leaf
    }

    /// The key that leads here.
    pub(super) fn key(&self) -> &'static str {
        self.step
    }

    /// The node's bit in a set of nodes, or 0 for one that a document may have any number of.
    #[inline]
    pub(super) fn once(&self) -> u128 {
        self.once
    }

    /// Whether any path goes on below.
    #[inline]
    pub(super) fn goes_on(&self) -> bool {
        self.elements.is_some() || !self.keys.is_empty()
    }
}

/// One bit of 64, made of a key's length and first byte.
#[inline]
fn sign(key: &[u8]) -> u64 {
    let first = key.first().copied().unwrap_or_default();
    1u64.rotate_left(u32::from(first) + 7 * key.len() as u32)
}
