//! What the kernel needs of a set of instructions.

#![allow(unsafe_code, reason = "a kernel trusts what is implemented, and that calls what is compiled for it")]

use std::mem::MaybeUninit;

use crate::simd::kernel::GROUP;
use crate::varint::Kind;

/// A set of instructions. A value is the proof that this processor has them, so no method is unsafe. All of them are inlined
/// into one function that is compiled for those instructions, and so is everything that calls them.
///
/// That is how `memchr` 2.8 does it (`src/vector.rs`); there the caller's promise stands in for the proof.
///
/// # Safety
///
/// The methods have to do what they say: the kernel reads where the places lie that they list.
pub(in crate::simd) unsafe trait Instructions: Copy {
    /// Sixteen bytes.
    type Vector: Copy;
    /// Two times sixteen bytes.
    type Pair: Copy;
    /// Sixty-four bytes.
    type Block: Copy;

    fn load_block(self, bytes: &[u8; 64]) -> Self::Block;
    /// A bit for each byte that is above `bound`, the first one lowest.
    fn above(self, block: Self::Block, bound: u8) -> u64;
    /// Whether any byte is above `bound`.
    fn any_above(self, block: Self::Block, bound: u8) -> bool;

    /// The same number in each 16-bit lane.
    fn splat_16(self, number: u16) -> Self::Vector;
    /// Sums of 16-bit lanes.
    fn add_16(self, left: Self::Vector, right: Self::Vector) -> Self::Vector;
    /// Stores places, each moved by what its 16-bit lane of `start` says.
    fn store_places(self, slots: &mut [MaybeUninit<u16>; 8], places: &[u8; 8], start: Self::Vector);

    /// How far each place is behind the one before; 255 where it is further than that.
    fn lens(self, places: &[u16; 1 + GROUP]) -> Self::Block;
    /// Each length less one.
    fn keys_of_one(self, lens: Self::Block) -> [u8; GROUP];
    /// Lengths less one, up to 15: the first of two bytes holds those of both, the first one in its low bits.
    fn keys_of_two(self, lens: Self::Block) -> [u8; GROUP];
    /// Lengths less one, up to 3: the first of four bytes holds those of all four, the first one in its lowest bits.
    fn keys_of_four(self, lens: Self::Block) -> [u8; GROUP];

    fn load(self, bytes: &[u8; 16]) -> Self::Vector;
    /// The bytes that `order` names, and zeros where it names 0x80.
    fn shuffle(self, bytes: Self::Vector, order: &[u8; 16]) -> Self::Vector;

    /// Joins two groups of seven bits in each 16-bit lane.
    fn join_2(self, bytes: Self::Vector) -> Self::Vector;
    /// Joins four groups of seven bits in each 32-bit lane.
    fn join_4(self, bytes: [Self::Vector; 2]) -> Self::Pair;
    /// Joins eight groups of seven bits in each 64-bit lane.
    fn join_8(self, bytes: [Self::Vector; 2]) -> Self::Pair;
    /// Joins ten groups of seven bits in each vector to a 64-bit lane, in which one bit of the last has room.
    fn join_10(self, bytes: [Self::Vector; 4]) -> Self::Pair;

    /// Stores varints, which are 16-bit lanes, as values.
    fn store_2<K: Kind>(self, slots: &mut [MaybeUninit<K::Element>; 8], varints: Self::Vector);
    /// Stores varints, which are 32-bit lanes, as values.
    fn store_4<K: Kind>(self, slots: &mut [MaybeUninit<K::Element>; 8], varints: Self::Pair);
    /// Stores varints, which are 64-bit lanes, as values.
    fn store_8<K: Kind>(self, slots: &mut [MaybeUninit<K::Element>; 4], varints: Self::Pair);
}

/// Implements [`Instructions`] for a proof by functions of the same names, which are compiled for what it proves.
macro_rules! implement_instructions {
    ($(fn $name:ident $(<$kind:ident>)? ($($argument:ident: $type:ty),*) -> $result:ty;)*) => {
        $(
            #[inline(always)]
            fn $name $(<$kind: Kind>)? (self, $($argument: $type),*) -> $result {
                // SAFETY: `self` is the proof that this processor has what the function is compiled for.
                unsafe { $name $(::<$kind>)? ($($argument),*) }
            }
        )*
    };
    ($proof:ty, $vector:ty, $pair:ty, $block:ty) => {
        // SAFETY: the functions do what the trait says, which tests compare with a plain loop.
        unsafe impl $crate::simd::shuffle::Instructions for $proof {
            type Vector = $vector;
            type Pair = $pair;
            type Block = $block;

            implement_instructions! {
                fn load_block(bytes: &[u8; 64]) -> $block;
                fn above(block: $block, bound: u8) -> u64;
                fn any_above(block: $block, bound: u8) -> bool;
                fn splat_16(number: u16) -> $vector;
                fn add_16(left: $vector, right: $vector) -> $vector;
                fn store_places(slots: &mut [MaybeUninit<u16>; 8], places: &[u8; 8], start: $vector) -> ();
                fn lens(places: &[u16; 1 + GROUP]) -> $block;
                fn keys_of_one(lens: $block) -> [u8; GROUP];
                fn keys_of_two(lens: $block) -> [u8; GROUP];
                fn keys_of_four(lens: $block) -> [u8; GROUP];
                fn load(bytes: &[u8; 16]) -> $vector;
                fn shuffle(bytes: $vector, order: &[u8; 16]) -> $vector;
                fn join_2(bytes: $vector) -> $vector;
                fn join_4(bytes: [$vector; 2]) -> $pair;
                fn join_8(bytes: [$vector; 2]) -> $pair;
                fn join_10(bytes: [$vector; 4]) -> $pair;
                fn store_2<K>(slots: &mut [MaybeUninit<K::Element>; 8], varints: $vector) -> ();
                fn store_4<K>(slots: &mut [MaybeUninit<K::Element>; 8], varints: $pair) -> ();
                fn store_8<K>(slots: &mut [MaybeUninit<K::Element>; 4], varints: $pair) -> ();
            }
        }
    };
}
pub(in crate::simd) use implement_instructions;
