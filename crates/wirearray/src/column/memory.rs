//! Finished values: memory of our own, or a view of the input, shared by everything that shows it.

use std::ops::Range;
use std::sync::Arc;

use super::buffer::{Element, Frozen};

/// Input that views may outlive the decoding in: a buffer that a caller lent, or a mapped file.
pub type Owner = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// Bytes that are finished: cheap to clone, freed by the last owner.
#[derive(Clone)]
pub struct Memory(Source);

#[derive(Clone)]
enum Source {
    Owned(Arc<Frozen>),
    View { owner: Owner, range: Range<usize> },
}

impl Memory {
    pub(super) fn owned(frozen: Frozen) -> Self {
        Self(Source::Owned(Arc::new(frozen)))
    }

    /// The bytes `range` of the input itself.
    pub(super) fn view(owner: Owner, range: Range<usize>) -> Self {
        Self(Source::View { owner, range })
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Source::Owned(frozen) => frozen.as_bytes(),
            Source::View { owner, range } => (**owner).as_ref().get(range.clone()).unwrap_or_default(),
        }
    }

    /// The bytes as elements.
    ///
    /// # Panics
    ///
    /// Panics where the bytes are not an aligned, whole number of elements: of a view, or of elements of another type.
    pub fn as_slice<T: Element>(&self) -> &[T] {
        bytemuck::cast_slice(self.as_bytes())
    }

    /// True where the bytes are the input's own, and so must not be written to.
    pub fn is_view(&self) -> bool {
        matches!(self.0, Source::View { .. })
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sort = if self.is_view() { "view" } else { "memory" };
        write!(f, "{sort} of {} bytes", self.as_bytes().len())
    }
}

impl PartialEq for Memory {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}
