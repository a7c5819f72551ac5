//! Numbers: how each kind is read, one at a time.

use super::Decoder;
use super::frame::Reader;
use crate::column::Width;
use crate::error::WireResult;
use crate::plan::{Number, Step};
use crate::simd::Word;
use crate::varint::{Bool, Kind, Varint32, Varint64, Zigzag32, Zigzag64};
use crate::wire::Cursor;

/// A kind of number written as a varint, with a column for it.
pub(super) trait Varint: Kind<Element: Width> {}

impl<K: Kind<Element: Width>> Varint for K {}

/// A number written in little-endian bytes, as many as it has, with a column for it.
pub(super) trait Fixed: Width + Word {
    fn read(cursor: &mut Cursor<'_>) -> WireResult<Self>;
}

impl Fixed for u64 {
    #[inline(always)]
    fn read(cursor: &mut Cursor<'_>) -> WireResult<u64> {
        cursor.read_fixed64()
    }
}

impl Fixed for u32 {
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
        let value = V::of(reader.cursor.read_varint()?);
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
            self.choose(reader, reader.frame.field(step));
        }
        let at_most = reader.rows_left();
        T::numbers(self.column(reader, step)?).set(reader.frame.row, value, at_most);
        Ok(())
    }
}
