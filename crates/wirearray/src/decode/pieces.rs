//! Long runs of numbers, in pieces that several threads decode at once.

use crate::slots::Slot;
use std::marker::PhantomData;
use std::ops::Range;

use super::numbers::{Fixed, Varint};
use crate::column::{Pieces, copy_le};
use crate::simd::{self, Backend};
use crate::varint;

/// The bytes of a piece: little enough that they are still in the second cache when they have been counted and are decoded.
const PIECE: usize = 256 << 10;

/// The bytes of a piece where the whole run has `len` bytes: several for each thread, also where tests want several threads
/// for little, and more than the longest varint.
pub(super) fn piece_len(len: usize) -> usize {
    (len / 16).clamp(varint::MAX_LEN + 1, PIECE)
}

/// A packed run of varints, cut at any byte: a varint belongs to the piece in which it ends.
pub(super) struct PackedVarints<'a, V> {
    pub(super) run: &'a [u8],
    pub(super) piece_len: usize,
    pub(super) kind: PhantomData<fn() -> V>,
}

impl<'a, V: Varint> PackedVarints<'a, V> {
    /// What is left of the run behind the varints that end in the pieces before one.
    pub(super) fn from(&self, piece: usize) -> &'a [u8] {
        let before = &self.run[..self.range(piece).start];
        &self.run[before.iter().rposition(|&byte| byte < 0x80).map_or(0, |last| last + 1)..]
    }

    /// Where the first varint starts that ends in a piece; within it, where it is too long.
    fn start(&self, piece: usize) -> usize {
        let before = &self.run[..self.range(piece).start];
        let tail = before.iter().rev().take(varint::MAX_LEN).take_while(|&&byte| byte >= 0x80).count();
        before.len() - tail
    }

    fn range(&self, piece: usize) -> Range<usize> {
        let start = (piece * self.piece_len).min(self.run.len());
        start..(start + self.piece_len).min(self.run.len())
    }
}

impl<V: Varint> Pieces<V::Element> for PackedVarints<'_, V> {
    fn len(&self) -> usize {
        self.run.len().div_ceil(self.piece_len)
    }

    fn count(&self, piece: usize) -> usize {
        let bytes = &self.run[self.range(piece)];
        // Where none ends in so many bytes there is one that is too long: room for it makes `fill` find that out.
        varint::count(bytes).max(usize::from(bytes.len() > varint::MAX_LEN))
    }

    fn fill<'m>(&self, piece: usize, room: &'m mut [Slot<V::Element>]) -> &'m mut [V::Element] {
        let end = self.range(piece).end;
        simd::decode_varints::<V>(Backend::active(), &self.run[self.start(piece)..end], room).values
    }
}

/// A packed run of fixed-width numbers.
pub(super) struct PackedFixed<'a> {
    pub(super) run: &'a [u8],
    /// A multiple of the width.
    pub(super) piece_len: usize,
}

impl<T: Fixed> Pieces<T> for PackedFixed<'_> {
    fn len(&self) -> usize {
        self.run.len().div_ceil(self.piece_len)
    }

    fn count(&self, piece: usize) -> usize {
        (self.run.len() - piece * self.piece_len).min(self.piece_len) / size_of::<T>()
    }

    fn fill<'m>(&self, piece: usize, room: &'m mut [Slot<T>]) -> &'m mut [T] {
        copy_le(&self.run[piece * self.piece_len..], room)
    }
}

/// Records of fixed-width numbers with the same tag of `TAG` bytes before each, as far as they go.
pub(super) struct Records<'a, const TAG: usize> {
    /// A whole number of records.
    pub(super) records: &'a [u8],
    pub(super) tag: [u8; TAG],
    /// The records of a piece.
    pub(super) piece: usize,
}

impl<T: Fixed, const TAG: usize> Pieces<T> for Records<'_, TAG> {
    fn len(&self) -> usize {
        (self.records.len() / (TAG + size_of::<T>())).div_ceil(self.piece)
    }

    fn count(&self, piece: usize) -> usize {
        (self.records.len() / (TAG + size_of::<T>()) - piece * self.piece).min(self.piece)
    }

    fn fill<'m>(&self, piece: usize, room: &'m mut [Slot<T>]) -> &'m mut [T] {
        let start = piece * self.piece * (TAG + size_of::<T>());
        simd::gather(Backend::active(), &self.records[start..], self.tag, room)
    }
}
