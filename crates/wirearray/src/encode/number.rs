//! Numbers: how each kind is written, and how many bytes it takes.

use super::message::Label;
use crate::column::Element;
use crate::schema::{Kind, Scalar};
use crate::varint;
use crate::wire::{WireType, WriteResult, Writer};

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Fixed64,
    Fixed32,
    /// int64, uint64.
    Varint64,
    /// int32, enums: as 64 bits with the sign, so that a negative one takes ten bytes.
    Signed32,
    /// uint32.
    Unsigned32,
    Zigzag64,
    Zigzag32,
    Bool,
}

impl Form {
    /// The form of a field of that kind, where it is a number.
    pub(super) fn of(kind: Kind) -> Option<Self> {
        Some(match kind {
            Kind::Scalar(Scalar::Double | Scalar::Fixed64 | Scalar::Sfixed64) => Self::Fixed64,
            Kind::Scalar(Scalar::Float | Scalar::Fixed32 | Scalar::Sfixed32) => Self::Fixed32,
            Kind::Scalar(Scalar::Int64 | Scalar::Uint64) => Self::Varint64,
            Kind::Scalar(Scalar::Int32) | Kind::Enum(_) => Self::Signed32,
            Kind::Scalar(Scalar::Uint32) => Self::Unsigned32,
            Kind::Scalar(Scalar::Sint64) => Self::Zigzag64,
            Kind::Scalar(Scalar::Sint32) => Self::Zigzag32,
            Kind::Scalar(Scalar::Bool) => Self::Bool,
            _ => return None,
        })
    }

    /// The bytes of a value where that does not depend on it.
    pub(super) fn uniform_len(self) -> Option<usize> {
        if self == Self::Bool { Some(1) } else { self.fixed_width() }
    }

    /// The same, of values whose bytes on the wire are those in the column.
    pub(super) fn fixed_width(self) -> Option<usize> {
        match self {
            Self::Fixed64 => Some(8),
            Self::Fixed32 => Some(4),
            _ => None,
        }
    }

    /// The wire type of one value alone.
    pub(super) fn wire_type(self) -> WireType {
        match self {
            Self::Fixed64 => WireType::Fixed64,
            Self::Fixed32 => WireType::Fixed32,
            _ => WireType::Varint,
        }
    }
}

/// A form as a type, so that loops are compiled for each.
pub(super) trait Number {
    /// The element of a column of such numbers.
    type Element: Element;
    /// How many bytes a value takes.
    fn len(value: Self::Element) -> usize;
    /// Writes it behind a label.
    fn put(value: Self::Element, label: Label, out: &mut Writer<'_>) -> WriteResult;
}

/// Evaluates an expression with `$number` standing for the [`Number`] of a [`Form`].
macro_rules! with_number {
    ($form:expr, $number:ident => $body:expr) => {
        match $form {
            $crate::encode::number::Form::Fixed64 => {
                type $number = $crate::encode::number::Fixed64;
                $body
            }
            $crate::encode::number::Form::Fixed32 => {
                type $number = $crate::encode::number::Fixed32;
                $body
            }
            $crate::encode::number::Form::Varint64 => {
                type $number = $crate::encode::number::Varint64;
                $body
            }
            $crate::encode::number::Form::Signed32 => {
                type $number = $crate::encode::number::Signed32;
                $body
            }
            $crate::encode::number::Form::Unsigned32 => {
                type $number = $crate::encode::number::Unsigned32;
                $body
            }
            $crate::encode::number::Form::Zigzag64 => {
                type $number = $crate::encode::number::Zigzag64;
                $body
            }
            $crate::encode::number::Form::Zigzag32 => {
                type $number = $crate::encode::number::Zigzag32;
                $body
            }
            $crate::encode::number::Form::Bool => {
                type $number = $crate::encode::number::Bool;
                $body
            }
        }
    };
}
pub(super) use with_number;

macro_rules! fixed {
    ($name:ident, $element:ty) => {
        pub(super) struct $name;

        impl Number for $name {
            type Element = $element;

            #[inline(always)]
            fn len(_: $element) -> usize {
                size_of::<$element>()
            }

            #[inline(always)]
            fn put(value: $element, label: Label, out: &mut Writer<'_>) -> WriteResult {
                out.put_labelled(label.bits, label.len, u64::from(value), size_of::<$element>())
            }
        }
    };
}

macro_rules! varint {
    ($name:ident, $element:ty, $value:ident => $varint:expr) => {
        pub(super) struct $name;

        impl Number for $name {
            type Element = $element;

            #[inline(always)]
            fn len($value: $element) -> usize {
                varint::len($varint)
            }

            #[inline(always)]
            fn put($value: $element, label: Label, out: &mut Writer<'_>) -> WriteResult {
                let varint = $varint;
                match varint::encode_short(varint) {
                    Some((bytes, len)) => out.put_labelled(label.bits, label.len, bytes, len),
                    None => {
                        out.put_labelled(label.bits, label.len, 0, 0)?;
                        out.put_varint(varint)
                    }
                }
            }
        }
    };
}

fixed!(Fixed64, u64);
fixed!(Fixed32, u32);
varint!(Varint64, u64, value => value);
varint!(Signed32, u32, value => i64::from(value.cast_signed()).cast_unsigned());
varint!(Unsigned32, u32, value => u64::from(value));
varint!(Zigzag64, u64, value => varint::zigzag64(value));
varint!(Zigzag32, u32, value => u64::from(varint::zigzag32(value)));
// A lent array of bool can hold any byte; every one but 0 is true.
varint!(Bool, u8, value => u64::from(value != 0));

/// Element number `index` of a column's bytes, which need not be aligned.
#[inline(always)]
pub(super) fn element<T: Element>(bytes: &[u8], index: usize) -> T {
    let size = size_of::<T>();
    bytemuck::pod_read_unaligned(&bytes[index * size..][..size])
}

/// Some successive elements of a column's bytes.
#[inline(always)]
pub(super) fn elements<T: Element>(bytes: &[u8], range: std::ops::Range<usize>) -> impl Iterator<Item = T> {
    let size = size_of::<T>();
    bytes[range.start * size..range.end * size].chunks_exact(size).map(bytemuck::pod_read_unaligned)
}
