use super::{
    state::State,
    tree::{NodeId, Tree},
};

/// Where in a document a [`Scanner`](super::Scanner) stands. But for the bytes of a token that a
/// chunk boundary cuts, it is all that reading on needs.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) state: State,
    /// The place in the shape of the value that is expected or being read.
    pub(super) node: Option<NodeId>,
    /// Where that value began.
    pub(super) began: u64,
    /// Open containers. Those up to `live` lie on a path of the shape.
    depth: u8,
    live: u8,
    /// The open containers as bits, the innermost lowest: 1 is an object.
    objects: u128,
    /// The containers on a path: their places in the shape, and where they began.
    nodes: [NodeId; LIVE],
    begins: [u64; LIVE],
    /// Open containers of a subtree that is skipped without looking at its grammar.
    pub(super) skipped: usize,
    /// Bit *n*: the key of node *n* has stood in the document.
    seen: u128,
    /// Where in the document the chunk ends that is read, or was read last.
    pub(super) end: u64,
}

/// The deepest path of any shape, in containers.
pub(super) const LIVE: usize = 12;

/// The deepest nesting of a strict document.
pub(super) const MAX_DEPTH: u8 = 127;

impl Place {
    /// At the beginning of a document.
    pub(super) const fn start() -> Self {
        Self {
            state: State::Value,
            node: Some(Tree::ROOT),
            began: 0,
            depth: 0,
            live: 0,
            objects: 0,
            nodes: [Tree::ROOT; LIVE],
            begins: [0; LIVE],
            skipped: 0,
            seen: 0,
            end: 0,
        }
    }

    /// The same for another document. The containers are left as they are: `depth` and `live` say
    /// which count, and clearing them for each event would cost more than reading it.
    pub(super) fn restart(&mut self) {
        self.state = State::Value;
        self.node = Some(Tree::ROOT);
        self.depth = 0;
        self.live = 0;
        self.skipped = 0;
        self.seen = 0;
        self.end = 0;
    }

    /// Whether no container is open.
    pub(super) fn is_outside(&self) -> bool {
        self.depth == 0
    }

    pub(super) fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }

    /// Enters the container that has begun, on a path if it is a `node`; answers `false` where that
    /// is one too many.
    pub(super) fn open(&mut self, object: bool, node: Option<NodeId>) -> bool {
        if self.depth == MAX_DEPTH {
            return false;
        }
        let on_path = self.live == self.depth;
        self.depth += 1;
        self.objects = self.objects << 1 | u128::from(object);
        let level = usize::from(self.live);
        // Paths deeper than `LIVE` do not exist.
        if on_path
            && let Some(node) = node
            && let Some((open, began)) = self.nodes.get_mut(level).zip(self.begins.get_mut(level))
        {
            (*open, *began) = (node, self.began);
            self.live = self.depth;
        }
        true
    }

    /// Leaves the innermost container, which is now the value that has been read.
    pub(super) fn close(&mut self) {
        self.node = None;
        if self.live == self.depth {
            self.live = self.live.saturating_sub(1);
            let level = usize::from(self.live);
            if let Some((node, began)) = self.nodes.get(level).zip(self.begins.get(level)) {
                (self.node, self.began) = (Some(*node), *began);
            }
        }
        self.depth = self.depth.saturating_sub(1);
        self.objects >>= 1;
    }

    /// The innermost container, if it lies on a path.
    pub(super) fn container(&self) -> Option<NodeId> {
        if self.live != self.depth {
            return None;
        }
        self.nodes
            .get(usize::from(self.live).checked_sub(1)?)
            .copied()
    }

    /// Notes that the keys of these bits stand here; answers whether one stood before.
    pub(super) fn repeats(&mut self, bits: u128) -> bool {
        let before = self.seen;
        self.seen |= bits;
        before & bits != 0
    }

    pub(super) fn end_value(&mut self) {
        self.state = match self.depth {
            0 => State::Done,
            _ => State::After,
        };
    }
}
