//! Packed runs: one tag and a length before all numbers.

use std::marker::PhantomData;

use super::frame::Reader;
use super::numbers::{Fixed, Varint, with_number};
use super::pieces::{PackedFixed, PackedVarints, piece_len};
use super::{Decoder, Views};
use crate::column::{Buffer, View, Width};
use crate::cores::Cores;
use crate::error::{DecodeErrorKind, NoView, WireError, WireResult};
use crate::plan::{Number, Step};
use crate::simd::{self, Backend};
use crate::varint;

impl<'p> Decoder<'p> {
    #[inline(always)]
    pub(super) fn append_packed(&mut self, reader: &mut Reader<'_, 'p>, step: Step, number: Number) -> WireResult<()> {
        let length_start = reader.cursor.position();
        let run = reader.cursor.read_delimited()?;
        if run.is_empty() {
            return Ok(());
        }
        with_number!(
            number,
            V => self.append_packed_varints::<V>(reader, step, run),
            T => self.append_packed_fixed::<T>(reader, step, run, length_start),
            closed enum => self.append_packed_closed_enum(reader, step, run)
        )
    }

    #[inline(never)]
    fn append_packed_varints<V: Varint>(
        &mut self,
        reader: &mut Reader<'_, 'p>,
        step: Step,
        run: &[u8],
    ) -> WireResult<()> {
        // Each number takes a byte at least, and the bytes behind the run may hold more of them.
        let at_most = reader.len_left().saturating_add(run.len());
        let cores = self.options.cores;
        let values = V::Element::lists(self.column(reader, step)?).open(reader.frame.row, at_most);
        let rest = decode_run::<V>(values, run, at_most, cores);
        // The bytes behind the run belong to the next field, so the last varint has to end within it.
        if rest.is_empty() { Ok(()) } else { Err(first_fault(rest, reader.cursor.position())) }
    }

    #[inline(never)]
    fn append_packed_fixed<T: Fixed>(
        &mut self,
        reader: &mut Reader<'_, 'p>,
        step: Step,
        run: &[u8],
        length_start: usize,
    ) -> WireResult<()> {
        let width = size_of::<T>();
        check_length(run, width, length_start)?;
        if self.take_view::<T>(reader, step, run)? {
            return Ok(());
        }
        let at_most = reader.len_left().saturating_add(run.len()) / width;
        let threads = self.options.cores.for_len(run.len());
        let values = T::lists(self.column(reader, step)?).open(reader.frame.row, at_most);
        let at_most = if run.len() < LONG { at_most } else { values.reserve_or_count(at_most, || run.len() / width) };
        let mut rest = run;
        if threads > 1 {
            let pieces = PackedFixed { run, piece_len: piece_len(run.len()).next_multiple_of(width) };
            let whole = values.fill_in_pieces(threads, &pieces, run.len() / width, at_most);
            rest = &run[(whole * pieces.piece_len).min(run.len())..];
        }
        values.extend_from_le_bytes(rest, at_most);
        Ok(())
    }

    /// Takes a view of the run, where views are wanted and this one is possible; true where it did.
    fn take_view<T: Fixed>(&mut self, reader: &Reader<'_, 'p>, step: Step, run: &[u8]) -> WireResult<bool> {
        let is_demanded = self.options.views == Views::Always;
        let is_aligned = run.as_ptr().addr().is_multiple_of(align_of::<T>());
        let is_wanted = is_demanded || (is_aligned && self.options.views == Views::WhereAligned);
        if !is_wanted {
            return Ok(false);
        }
        let Some(owner) = reader.input.owner else {
            return if is_demanded { Err(no_view(reader, NoView::NoOwner)) } else { Ok(false) };
        };
        let end = reader.cursor.position();
        let view = View { owner: owner.clone(), range: end.saturating_sub(run.len())..end };
        let is_taken = T::lists(self.column(reader, step)?).try_view(reader.frame.row, view);
        if is_demanded && !is_taken {
            return Err(no_view(reader, NoView::SeveralRuns));
        }
        Ok(is_taken)
    }
}

/// Refuses a run that does not consist of numbers of so many bytes; its length stands at byte `length_start`.
#[inline(always)]
pub(super) fn check_length(run: &[u8], width: usize, length_start: usize) -> WireResult<()> {
    if run.len().is_multiple_of(width) {
        return Ok(());
    }
    let kind = DecodeErrorKind::RaggedPackedLength { length: run.len() as u64, width: width as u8 };
    Err(WireError::new(kind, length_start))
}

/// A run of fewer bytes is over before anything but reading one varint after the other has begun.
const SHORT: usize = 24;

/// A run of at least so many bytes is worth to look for address space beforehand.
pub(super) const LONG: usize = 512 << 10;

#[inline]
fn decode_short_run<'a, V: Varint>(values: &mut Buffer<V::Element>, mut run: &'a [u8], at_most: usize) -> &'a [u8] {
    while let Ok((varint, len)) = varint::decode(run) {
        values.push(V::of(varint), at_most);
        run = &run[len..];
    }
    run
}

/// Appends the varints of a packed run; returns what is left of it, from the first fault on.
#[inline]
pub(super) fn decode_run<'a, V: Varint>(
    values: &mut Buffer<V::Element>,
    run: &'a [u8],
    at_most: usize,
    cores: Cores,
) -> &'a [u8] {
    if run.len() < SHORT {
        return decode_short_run::<V>(values, run, at_most);
    }
    let backend = Backend::active();
    let mut rest = run;
    let at_most = if run.len() < LONG { at_most } else { values.reserve_or_count(at_most, || varint::count(run)) };
    let threads = cores.for_len(run.len());
    if threads > 1 {
        let pieces = PackedVarints::<V> { run, piece_len: piece_len(run.len()), kind: PhantomData };
        // Without address space for them all, or from a piece with a fault on, it goes on as with one thread.
        let whole = values.fill_in_pieces(threads, &pieces, run.len(), at_most);
        rest = pieces.from(whole);
    }
    let is_some = |rest: &[u8]| !rest.is_empty();
    values.fill_from(rest, at_most, is_some, |rest, room| {
        let decoded = simd::decode_varints::<V>(backend, rest, room);
        (decoded.read, decoded.values)
    })
}

/// An array was to be a view of the input, and the current field's values cannot be one.
#[cold]
pub(super) fn no_view(reader: &Reader<'_, '_>, reason: NoView) -> WireError {
    WireError::new(DecodeErrorKind::NoView(reason), reader.field_start)
}

/// The varints of a packed run that ends with the last byte of one.
pub(super) struct Varints<'a> {
    rest: &'a [u8],
    /// The byte of the input at which the run ends.
    end: usize,
    fault: Option<WireError>,
}

impl<'a> Varints<'a> {
    pub(super) fn new(reader: &Reader<'_, '_>, run: &'a [u8]) -> WireResult<Self> {
        let end = reader.cursor.position();
        match run.last() {
            // The bytes behind the run belong to the next field, so the last varint has to end within it.
            Some(0x80..) => Err(first_fault(run, end)),
            _ => Ok(Self { rest: run, end, fault: None }),
        }
    }

    /// The next varint, or 0 behind the first fault, which [`Varints::finish`] reports.
    #[inline(always)]
    pub(super) fn next_or_zero(&mut self) -> u64 {
        match varint::decode(self.rest) {
            Ok((value, len)) => {
                self.rest = &self.rest[len..];
                value
            }
            Err(kind) => self.note(kind),
        }
    }

    #[cold]
    fn note(&mut self, kind: DecodeErrorKind) -> u64 {
        let offset = self.end.saturating_sub(self.rest.len());
        self.fault.get_or_insert(WireError::new(kind, offset));
        self.rest = &[];
        0
    }

    /// Reads all of them.
    pub(super) fn check(mut self) -> WireResult<()> {
        while !self.rest.is_empty() {
            self.next_or_zero();
        }
        self.finish()
    }

    pub(super) fn finish(self) -> WireResult<()> {
        self.fault.map_or(Ok(()), Err)
    }
}

/// The first fault in a packed run that ends with byte `end` of the input, and has one.
#[cold]
fn first_fault(run: &[u8], end: usize) -> WireError {
    let mut rest = run;
    loop {
        match varint::decode(rest) {
            Ok((_, len)) => rest = &rest[len..],
            Err(kind) => return WireError::new(kind, end.saturating_sub(rest.len())),
        }
    }
}
