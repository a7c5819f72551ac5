//! Numbers: how each kind is read, one at a time.

use super::Decoder;
use super::frame::Reader;
use super::lane::Lane;
use super::trail::BLOCK;
use crate::column::Width;
use crate::error::WireResult;
use crate::plan::{Number, Step};
use crate::simd::Word;
use crate::varint::Kind;
use crate::wire::Cursor;

/// A kind of number written as a varint, with a column for it.
pub(super) trait Varint: Kind<Element: Width> {}

impl<K: Kind<Element: Width>> Varint for K {}

/// A number written in little-endian bytes, as many as it has, with a column for it.
pub(super) trait Fixed: Width + Word {
    fn read(cursor: &mut Cursor<'_>) -> WireResult<Self>;
    /// The values of a lane, where it holds such numbers.
    fn of_lane<'l>(lane: &'l Lane<'_>) -> Option<&'l [Self; BLOCK]>;
}

impl Fixed for u64 {
    #[inline(always)]
    fn read(cursor: &mut Cursor<'_>) -> WireResult<u64> {
        cursor.read_fixed64()
    }

    fn of_lane<'l>(lane: &'l Lane<'_>) -> Option<&'l [u64; BLOCK]> {
        if let Lane::Fixed64(values) = lane { Some(values) } else { None }
    }
}

impl Fixed for u32 {
    #[inline(always)]
    fn read(cursor: &mut Cursor<'_>) -> WireResult<u32> {
        cursor.read_fixed32()
    }

    fn of_lane<'l>(lane: &'l Lane<'_>) -> Option<&'l [u32; BLOCK]> {
        if let Lane::Fixed32(values) = lane { Some(values) } else { None }
    }
}

/// Evaluates one of three expressions: that of varints with `$varint` standing for the kind of varint that a [`Number`] is, that of
/// fixed-width numbers with `$fixed` standing for their type, or that of closed enums, whose values have to be looked at.
macro_rules! with_number {
    ($number:expr, $varint:ident => $of_varint:expr, $fixed:ident => $of_fixed:expr, closed enum => $of_enum:expr) => {
        match $number {
            $crate::plan::Number::Varint64 => with_number!(@ $varint = $crate::varint::Varint64, $of_varint),
            $crate::plan::Number::Varint32 => with_number!(@ $varint = $crate::varint::Varint32, $of_varint),
            $crate::plan::Number::Zigzag64 => with_number!(@ $varint = $crate::varint::Zigzag64, $of_varint),
            $crate::plan::Number::Zigzag32 => with_number!(@ $varint = $crate::varint::Zigzag32, $of_varint),
            $crate::plan::Number::Bool => with_number!(@ $varint = $crate::varint::Bool, $of_varint),
            $crate::plan::Number::Fixed64 => with_number!(@ $fixed = u64, $of_fixed),
            $crate::plan::Number::Fixed32 => with_number!(@ $fixed = u32, $of_fixed),
            $crate::plan::Number::ClosedEnum => $of_enum,
        }
    };
    (@ $name:ident = $type:ty, $expression:expr) => {{
        type $name = $type;
        $expression
    }};
}
pub(super) use with_number;

/// One number.
impl<'p> Decoder<'p> {
    #[inline(always)]
    pub(super) fn set_number(&mut self, reader: &mut Reader<'_, 'p>, step: Step, number: Number) -> WireResult<()> {
        with_number!(
            number,
            V => self.set_varint::<V>(reader, step),
            T => self.set_fixed::<T>(reader, step),
            closed enum => self.set_closed_enum(reader, step)
        )
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
