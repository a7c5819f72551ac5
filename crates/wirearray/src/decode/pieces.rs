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

    /// Where the first varint starts that ends in a piece; within it, where it is too long, so that it is still too long.
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
        varint::count(&self.run[self.range(piece)])
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::DecodeErrorKind;
    use crate::slots::slots;
    use crate::varint::{Varint64, encode};

    /// The elements of all pieces, each of which has to be whole: what comes of a run is the same without pieces.
    fn elements<T: Fixed>(pieces: &impl Pieces<T>) -> Vec<T> {
        let of_piece = |piece| {
            let mut room = slots(pieces.count(piece));
            let count = room.len();
            let elements = pieces.fill(piece, &mut room);
            assert_eq!(elements.len(), count, "piece {piece} is whole");
            elements.to_vec()
        };
        (0..pieces.len()).flat_map(of_piece).collect()
    }

    #[test]
    fn varints_cut_at_every_byte_belong_to_the_piece_in_which_they_end() {
        let values: Vec<u64> = (0..300).map(|n: u64| u64::MAX >> (n * 7 % 64)).collect();
        let run: Vec<u8> = values
            .iter()
            .flat_map(|&value| {
                let (bytes, len) = encode(value);
                bytes.to_le_bytes().into_iter().take(len)
            })
            .collect();
        for piece_len in varint::MAX_LEN + 1..70 {
            let pieces = PackedVarints::<Varint64> { run: &run, piece_len, kind: PhantomData };
            assert_eq!(pieces.len(), run.len().div_ceil(piece_len));
            assert_eq!(elements(&pieces), values, "pieces of {piece_len} bytes");
            // Behind so many pieces are the varints that end in others.
            let before: usize = (0..2).map(|piece| pieces.count(piece)).sum();
            assert_eq!(varint::count(pieces.from(2)), values.len() - before);
            assert!(pieces.from(pieces.len()).is_empty());
        }
    }

    #[test]
    fn a_varint_that_is_too_long_is_found_in_one_of_its_pieces() {
        for len in [11, 30, 100] {
            let run = [&[1; 20][..], &vec![0x80; len], &[1; 20]].concat();
            let pieces = PackedVarints::<Varint64> { run: &run, piece_len: 11, kind: PhantomData };
            let is_whole = |piece| {
                let mut room = slots(pieces.count(piece));
                let count = room.len();
                pieces.fill(piece, &mut room).len() == count
            };
            let whole = (0..pieces.len()).take_while(|&piece| is_whole(piece)).count();
            assert!(whole < pieces.len(), "{len}");
            // What is left begins with it, or with those that end in the same piece.
            let left = pieces.from(whole);
            let fault = left.iter().position(|&byte| byte == 0x80).unwrap();
            assert!(fault < 11 && varint::decode(&left[fault..]) == Err(DecodeErrorKind::OverlongVarint), "{len}");
        }
    }

    #[test]
    fn fixed_width_numbers_are_cut_between_them() {
        let values: Vec<u64> = (0..100).map(|n: u64| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
        let run: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let records: Vec<u8> =
            values.iter().flat_map(|value| [&[0x81, 0x7f][..], &value.to_le_bytes()].concat()).collect();
        for piece in 1..40 {
            let packed = PackedFixed { run: &run, piece_len: piece * 8 };
            assert_eq!(elements::<u64>(&packed), values, "{piece} in a piece");
            let unpacked = Records { records: &records, tag: [0x81, 0x7f], piece };
            assert_eq!(elements::<u64>(&unpacked), values, "{piece} in a piece");
            assert_eq!(
                (Pieces::<u64>::len(&packed), Pieces::<u64>::len(&unpacked)),
                (100usize.div_ceil(piece), 100usize.div_ceil(piece))
            );
        }
    }

    #[test]
    fn pieces_are_as_long_as_the_second_cache_likes_and_no_shorter_than_a_varint() {
        assert_eq!([0, 1000, 1 << 20, 1 << 30].map(piece_len), [11, 62, 64 << 10, 256 << 10]);
    }
}
