//! What every backend's kernel for packed varints promises, and where it may read and write.

/// Varints that are decoded together: kernels write their values in groups of so many.
pub(super) const GROUP: usize = 64;

/// The bytes behind the varints to be decoded that have to be readable: a kernel lists the ends of varints in blocks of 64
/// bytes, of which the last may begin just before the limit, and loads 128 bytes from the end of any that it listed.
pub(super) const SLACK: usize = 192;

/// Bytes whose varints' ends are listed at a time; the list stays in the first cache.
#[cfg(kernels)]
pub(super) const CHUNK: usize = 4096;

/// How far a kernel came.
///
/// A kernel gets a source, a limit that lies at least [`SLACK`] bytes before the source's end, and a destination. It decodes
/// varints from the start of the source, in whole groups, as long as the next group begins before the limit and has room.
/// It stops in front of a group with a varint of more than ten bytes, or that it is not made for. Varints behind the limit
/// may be decoded too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Progress {
    /// The bytes that it has read: whole varints.
    pub(super) read: usize,
    /// The values that it has written, one for each of those, at the start of the destination.
    pub(super) written: usize,
}
