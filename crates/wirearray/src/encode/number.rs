//! Numbers: how each kind is written, and how many bytes it takes.

use std::ops::Range;

use super::message::Label;
use crate::column::Element;
use crate::schema::{Kind, Scalar};
use crate::simd::{self, Backend};
use crate::varint;
use crate::wire::{WireType, WriteResult, Writer};

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Fixed64,
    Fixed32,
    /// int64, uint64.
    Varint64,
    /// int32, enums.
    Signed32,
    /// uint32.
    Varint32,
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
            Kind::Scalar(Scalar::Uint32) => Self::Varint32,
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
    /// How many bytes successive values take, the bytes of some elements.
    fn len_of_run(values: &[u8]) -> u64;
    /// Writes a value behind a label.
    fn put(value: Self::Element, label: Label, out: &mut Writer<'_>) -> WriteResult;
    /// Writes successive values, the bytes of some elements, one right behind the other.
    fn put_run(values: &[u8], out: &mut Writer<'_>) -> WriteResult;
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
                type $number = $crate::varint::Varint64;
                $body
            }
            $crate::encode::number::Form::Signed32 => {
                type $number = $crate::varint::Signed32;
                $body
            }
            $crate::encode::number::Form::Varint32 => {
                type $number = $crate::varint::Varint32;
                $body
            }
            $crate::encode::number::Form::Zigzag64 => {
                type $number = $crate::varint::Zigzag64;
                $body
            }
            $crate::encode::number::Form::Zigzag32 => {
                type $number = $crate::varint::Zigzag32;
                $body
            }
            $crate::encode::number::Form::Bool => {
                type $number = $crate::varint::Bool;
                $body
            }
        }
    };
}
pub(super) use with_number;

pub(super) struct Fixed64;
pub(super) struct Fixed32;

macro_rules! fixed {
    ($name:ident, $element:ty) => {
        impl Number for $name {
            type Element = $element;

            #[inline(always)]
            fn len(_: $element) -> usize {
                size_of::<$element>()
            }

            #[inline(always)]
            fn len_of_run(values: &[u8]) -> u64 {
                values.len() as u64
            }

            #[inline(always)]
            fn put(value: $element, label: Label, out: &mut Writer<'_>) -> WriteResult {
                out.put_labelled(label.bits, label.len, u64::from(value), size_of::<$element>())
            }

            /// The bytes of the column are those of the wire.
            #[inline(always)]
            fn put_run(values: &[u8], out: &mut Writer<'_>) -> WriteResult {
                out.put_slice(values)
            }
        }
    };
}

fixed!(Fixed64, u64);
fixed!(Fixed32, u32);

impl<K: varint::Kind<Element: Element>> Number for K {
    type Element = K::Element;

    #[inline(always)]
    fn len(value: K::Element) -> usize {
        varint::len(K::varint(value))
    }

    #[inline(always)]
    fn len_of_run(values: &[u8]) -> u64 {
        if are_few::<K::Element>(values) {
            return all::<K::Element>(values).map(|value| Self::len(value) as u64).sum();
        }
        simd::len_of_varints::<K>(Backend::active(), values)
    }

    #[inline(always)]
    fn put(value: K::Element, label: Label, out: &mut Writer<'_>) -> WriteResult {
        let varint = K::varint(value);
        match varint::encode_short(varint) {
            Some((bytes, len)) => out.put_labelled(label.bits, label.len, bytes, len),
            None => {
                out.put_labelled(label.bits, label.len, 0, 0)?;
                out.put_varint(varint)
            }
        }
    }

    #[inline(always)]
    fn put_run(values: &[u8], out: &mut Writer<'_>) -> WriteResult {
        if are_few::<K::Element>(values) {
            return all::<K::Element>(values).try_for_each(|value| Self::put(value, Label::NONE, out));
        }
        out.put_varints::<K>(Backend::active(), values)
    }
}

/// True of so few elements that calling a kernel for them takes longer than to handle them one by one.
#[inline(always)]
fn are_few<T: Element>(values: &[u8]) -> bool {
    values.len() < 8 * size_of::<T>()
}

/// Element number `index` of a column's bytes, which need not be aligned.
#[inline(always)]
pub(super) fn element<T: Element>(bytes: &[u8], index: usize) -> T {
    let size = size_of::<T>();
    bytemuck::pod_read_unaligned(&bytes[index * size..][..size])
}

/// Some successive elements of a column's bytes.
#[inline(always)]
pub(super) fn elements<T: Element>(bytes: &[u8], range: Range<usize>) -> impl Iterator<Item = T> {
    all::<T>(bytes_of::<T>(bytes, range))
}

#[inline(always)]
fn all<T: Element>(bytes: &[u8]) -> impl Iterator<Item = T> {
    bytes.chunks_exact(size_of::<T>()).map(bytemuck::pod_read_unaligned)
}

/// The bytes of some successive elements of a column's bytes.
#[inline(always)]
pub(super) fn bytes_of<T: Element>(bytes: &[u8], range: Range<usize>) -> &[u8] {
    &bytes[range.start * size_of::<T>()..range.end * size_of::<T>()]
}
