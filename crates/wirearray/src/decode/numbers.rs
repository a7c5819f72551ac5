//! Numbers: how each kind is read, one at a time, in runs and packed.

use super::frame::Reader;
use super::{Decoder, Views};
use crate::column::{View, Width};
use crate::error::{DecodeErrorKind, NoView, WireError, WireResult};
use crate::plan::{Number, Step};
use crate::varint::{self, unzigzag32, unzigzag64};
use crate::wire::Cursor;

/// A kind of number written as a varint.
pub(super) trait Varint {
    type Element: Width;
    fn from_varint(varint: u64) -> Self::Element;
}

/// A kind of number written in little-endian bytes, as many as its element has.
pub(super) trait Fixed: Width {
    fn from_le(bytes: &[u8]) -> Self;
    fn read(cursor: &mut Cursor<'_>) -> WireResult<Self>;
}

pub(super) struct Varint64;
pub(super) struct Varint32;
pub(super) struct Zigzag64;
pub(super) struct Zigzag32;
pub(super) struct Bool;

impl Varint for Varint64 {
    type Element = u64;
    #[inline(always)]
    fn from_varint(varint: u64) -> u64 {
        varint
    }
}

impl Varint for Varint32 {
    type Element = u32;
    /// The specification keeps the low 32 bits of a longer number.
    #[inline(always)]
    fn from_varint(varint: u64) -> u32 {
        varint as u32
    }
}

impl Varint for Zigzag64 {
    type Element = u64;
    #[inline(always)]
    fn from_varint(varint: u64) -> u64 {
        unzigzag64(varint)
    }
}

impl Varint for Zigzag32 {
    type Element = u32;
    #[inline(always)]
    fn from_varint(varint: u64) -> u32 {
        unzigzag32(varint as u32)
    }
}

impl Varint for Bool {
    type Element = u8;
    /// Every number but 0 is true, also one whose low 32 bits are 0.
    #[inline(always)]
    fn from_varint(varint: u64) -> u8 {
        u8::from(varint != 0)
    }
}

impl Fixed for u64 {
    #[inline(always)]
    fn from_le(bytes: &[u8]) -> u64 {
        bytes.first_chunk().map_or(0, |&bytes| u64::from_le_bytes(bytes))
    }

    #[inline(always)]
    fn read(cursor: &mut Cursor<'_>) -> WireResult<u64> {
        cursor.read_fixed64()
    }
}

impl Fixed for u32 {
    #[inline(always)]
    fn from_le(bytes: &[u8]) -> u32 {
        bytes.first_chunk().map_or(0, |&bytes| u32::from_le_bytes(bytes))
    }

    #[inline(always)]
    fn read(cursor: &mut Cursor<'_>) -> WireResult<u32> {
        cursor.read_fixed32()
    }
}

/// One number.
impl<'p> Decoder<'p> {
    #[inline(always)]
    pub(super) fn set_number(&mut self, reader: &mut Reader<'_, 'p>, step: Step, number: Number) -> WireResult<()> {
        match number {
            Number::Varint64 => self.set_varint::<Varint64>(reader, step),
            Number::Varint32 => self.set_varint::<Varint32>(reader, step),
            Number::Zigzag64 => self.set_varint::<Zigzag64>(reader, step),
            Number::Zigzag32 => self.set_varint::<Zigzag32>(reader, step),
            Number::Bool => self.set_varint::<Bool>(reader, step),
            Number::Fixed64 => self.set_fixed::<u64>(reader, step),
            Number::Fixed32 => self.set_fixed::<u32>(reader, step),
            Number::ClosedEnum => self.set_closed_enum(reader, step),
        }
    }

    #[inline(always)]
    fn set_varint<V: Varint>(&mut self, reader: &mut Reader<'_, 'p>, step: Step) -> WireResult<()> {
        let value = V::from_varint(reader.cursor.read_varint()?);
        self.set(reader, step, value)
    }

    #[inline(always)]
    fn set_fixed<T: Fixed>(&mut self, reader: &mut Reader<'_, 'p>, step: Step) -> WireResult<()> {
        let value = T::read(&mut reader.cursor)?;
        self.set(reader, step, value)
    }

    #[inline(always)]
    pub(super) fn set<T: Width>(&mut self, reader: &Reader<'_, 'p>, step: Step, value: T) -> WireResult<()> {
        if step.is_in_oneof {
            self.choose(reader, step);
        }
        let at_most = reader.rows_left();
        T::numbers(self.column(reader, step)?).set(reader.frame.row, value, at_most);
        Ok(())
    }
}

/// Unpacked runs: the same tag before each number.
impl<'p> Decoder<'p> {
    #[inline(always)]
    pub(super) fn append_number(&mut self, reader: &mut Reader<'_, 'p>, step: Step, number: Number) -> WireResult<()> {
        match number {
            Number::Varint64 => self.append_varints::<Varint64>(reader, step),
            Number::Varint32 => self.append_varints::<Varint32>(reader, step),
            Number::Zigzag64 => self.append_varints::<Zigzag64>(reader, step),
            Number::Zigzag32 => self.append_varints::<Zigzag32>(reader, step),
            Number::Bool => self.append_varints::<Bool>(reader, step),
            Number::Fixed64 => self.append_fixed::<u64>(reader, step),
            Number::Fixed32 => self.append_fixed::<u32>(reader, step),
            Number::ClosedEnum => self.append_closed_enum(reader, step),
        }
    }

    #[inline(never)]
    fn append_varints<V: Varint>(&mut self, reader: &mut Reader<'_, 'p>, step: Step) -> WireResult<()> {
        let tag = reader.tag_bytes();
        let first = V::from_varint(reader.cursor.read_varint()?);
        let at_most = reader.rows_left();
        let column = self.column(reader, step)?;
        let values = V::Element::lists(column).open(reader.frame.row, at_most);
        values.push(first, at_most);
        while reader.cursor.remaining().starts_with(tag) {
            reader.cursor.advance(tag.len());
            values.push(V::from_varint(reader.cursor.read_varint()?), at_most);
        }
        Ok(())
    }

    #[inline(never)]
    fn append_fixed<T: Fixed>(&mut self, reader: &mut Reader<'_, 'p>, step: Step) -> WireResult<()> {
        if self.options.views == Views::Always {
            return Err(no_view(reader, NoView::NotPackedFixedWidth));
        }
        // The loops below are compiled for tags of one and two bytes; a longer one takes a step for each number.
        match reader.tag_bytes().len() {
            1 => self.append_records::<T, 1>(reader, step),
            2 => self.append_records::<T, 2>(reader, step),
            _ => {
                let value = T::read(&mut reader.cursor)?;
                let at_most = reader.rows_left();
                T::lists(self.column(reader, step)?).open(reader.frame.row, at_most).push(value, at_most);
                Ok(())
            }
        }
    }

    /// Appends all numbers that follow each other with the same tag of `TAG` bytes: a strided gather.
    fn append_records<T: Fixed, const TAG: usize>(
        &mut self,
        reader: &mut Reader<'_, 'p>,
        step: Step,
    ) -> WireResult<()> {
        // Records are counted and gathered in pieces that stay in cache between the two.
        const PIECE: usize = 4096;
        let stride = TAG + size_of::<T>();
        let tag = reader.tag_bytes();
        let start = reader.field_start;
        let mut records = reader.input.bytes.get(start..reader.frame.end).unwrap_or_default();
        let is_next = |record: &&[u8]| record[..TAG] == tag[..TAG];
        if records.len() < stride {
            return Err(reader.cursor.fault(DecodeErrorKind::Truncated));
        }
        let at_most = reader.len_left() / stride + 1;
        let values = T::lists(self.column(reader, step)?).open(reader.frame.row, at_most);
        let mut count = PIECE;
        while count == PIECE {
            let mut piece = records.chunks_exact(stride);
            count = piece.clone().take(PIECE).take_while(is_next).count();
            values.extend(count, at_most, || piece.next().map_or_else(T::default, |record| T::from_le(&record[TAG..])));
            records = &records[count * stride..];
        }
        reader.seek(reader.frame.end - records.len());
        Ok(())
    }
}

/// Packed runs: one tag and a length before all numbers.
impl<'p> Decoder<'p> {
    #[inline(always)]
    pub(super) fn append_packed(&mut self, reader: &mut Reader<'_, 'p>, step: Step, number: Number) -> WireResult<()> {
        let length_start = reader.cursor.position();
        let run = reader.cursor.read_delimited()?;
        if run.is_empty() {
            return Ok(());
        }
        match number {
            Number::Varint64 => self.append_packed_varints::<Varint64>(reader, step, run),
            Number::Varint32 => self.append_packed_varints::<Varint32>(reader, step, run),
            Number::Zigzag64 => self.append_packed_varints::<Zigzag64>(reader, step, run),
            Number::Zigzag32 => self.append_packed_varints::<Zigzag32>(reader, step, run),
            Number::Bool => self.append_packed_varints::<Bool>(reader, step, run),
            Number::Fixed64 => self.append_packed_fixed::<u64>(reader, step, run, length_start),
            Number::Fixed32 => self.append_packed_fixed::<u32>(reader, step, run, length_start),
            Number::ClosedEnum => self.append_packed_closed_enum(reader, step, run),
        }
    }

    #[inline(never)]
    fn append_packed_varints<V: Varint>(
        &mut self,
        reader: &mut Reader<'_, 'p>,
        step: Step,
        run: &[u8],
    ) -> WireResult<()> {
        let mut varints = Varints::new(reader, run)?;
        let count = varint::count(run);
        let at_most = reader.len_left().saturating_add(count);
        let values = V::Element::lists(self.column(reader, step)?).open(reader.frame.row, at_most);
        values.extend(count, at_most, || V::from_varint(varints.next_or_zero()));
        varints.finish()
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
        if !run.len().is_multiple_of(width) {
            let kind = DecodeErrorKind::RaggedPackedLength { length: run.len() as u64, width: width as u8 };
            return Err(WireError::new(kind, length_start));
        }
        if self.take_view::<T>(reader, step, run)? {
            return Ok(());
        }
        let at_most = reader.len_left().saturating_add(run.len()) / width;
        let values = T::lists(self.column(reader, step)?).open(reader.frame.row, at_most);
        values.extend_from_le_bytes(run, at_most);
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
        match varint::read(self.rest) {
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

    pub(super) fn finish(self) -> WireResult<()> {
        self.fault.map_or(Ok(()), Err)
    }
}

/// The first fault in a packed run that ends with byte `end` of the input, and not with the last byte of a varint.
#[cold]
fn first_fault(run: &[u8], end: usize) -> WireError {
    let mut rest = run;
    loop {
        match varint::read(rest) {
            Ok((_, len)) => rest = &rest[len..],
            Err(kind) => return WireError::new(kind, end.saturating_sub(rest.len())),
        }
    }
}
