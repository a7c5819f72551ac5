//! Finished values: memory of our own, or a view of the input, shared by everything that shows it.

use std::ops::Range;
use std::sync::Arc;

use super::buffer::Element;
use super::late::Late;
use super::storage::Frozen;
use super::storage::LentMemory;

/// Input that views may outlive the decoding in: a buffer that a caller lent, or a mapped file.
pub type Owner = Arc<dyn AsRef<[u8]> + Send + Sync>;

/// Bytes that are finished: cheap to clone and to slice, freed by the last owner.
#[derive(Clone)]
pub struct Memory {
    source: Source,
    /// Which of the source's bytes these are.
    range: Range<usize>,
}

#[derive(Clone)]
enum Source {
    Owned(Arc<Frozen>),
    View(Owner),
    Late(Arc<Late>),
}

impl Memory {
    pub(super) fn owned(frozen: Frozen) -> Self {
        let range = 0..frozen.as_bytes().len();
        Self { source: Source::Owned(Arc::new(frozen)), range }
    }

    /// The bytes `range` of the input itself.
    pub(super) fn view(owner: Owner, range: Range<usize>) -> Self {
        Self { source: Source::View(owner), range }
    }

    /// Bytes that someone else holds. They need not be aligned, and may change meanwhile.
    pub fn lent(owner: Owner) -> Self {
        let range = 0..(*owner).as_ref().len();
        Self::view(owner, range)
    }

    /// Bytes that someone hands over, to be read and written here.
    pub fn handed_over(memory: LentMemory) -> Self {
        Self::owned(Frozen::lent(memory))
    }

    /// So many bytes of our own, which `make` makes once someone looks at them.
    pub(super) fn late(len: usize, make: impl Fn() -> Self + Send + 'static) -> Self {
        Self { source: Source::Late(Arc::new(Late::new(make))), range: 0..len }
    }

    /// True where the bytes have still to be made, which takes time.
    pub fn is_late(&self) -> bool {
        matches!(&self.source, Source::Late(late) if !late.is_made())
    }

    /// Makes them, where they have still to be.
    pub fn make(&self) {
        self.as_bytes();
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.range.len()
    }

    /// True without any.
    pub fn is_empty(&self) -> bool {
        self.range.is_empty()
    }

    /// The bytes. They are made where they have still to be.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        let bytes = match &self.source {
            Source::Owned(frozen) => frozen.as_bytes(),
            Source::View(owner) => (**owner).as_ref(),
            Source::Late(late) => late.as_bytes(),
        };
        bytes.get(self.range.clone()).unwrap_or_default()
    }

    /// Some of the bytes, without a copy.
    ///
    /// # Panics
    ///
    /// Panics where there are not that many.
    #[must_use]
    pub fn slice(&self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.range.len(), "the slice is within the memory");
        let range = self.range.start + range.start..self.range.start + range.end;
        Self { source: self.source.clone(), range }
    }

    /// The bytes as elements.
    ///
    /// # Panics
    ///
    /// Panics where the bytes are not an aligned, whole number of elements: of a view, or of elements of another type.
    pub fn as_slice<T: Element>(&self) -> &[T] {
        bytemuck::cast_slice(self.as_bytes())
    }

    /// True where the bytes are someone else's, and so must not be written to.
    pub fn is_view(&self) -> bool {
        matches!(self.source, Source::View(_))
    }
}

impl AsRef<[u8]> for Memory {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl std::fmt::Debug for Memory {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sort = if self.is_view() { "view" } else { "memory" };
        write!(f, "{sort} of {} bytes", self.len())
    }
}

impl PartialEq for Memory {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}
