//! Many values at a time: packed varints and strided records, by whatever the processor is good at.
//!
//! Every function here does what a plain loop over [`crate::varint`] would do, to the last bit, and is tested against it on
//! every backend. It knows bytes and numbers, no fields, and reports no faults: it stops in front of them, and the caller
//! finds out with the plain functions what is wrong there.

mod backend;
#[cfg(kernels = "x86_64")]
mod avx512;
#[cfg(kernels = "x86_64")]
mod avx2;
mod encode;
mod gather;
mod kernel;
#[cfg(kernels = "aarch64")]
mod neon;
mod places;
mod portable;
mod prefetch;
#[cfg(kernels)]
mod shuffle;
mod tagged;
mod varints;

pub use backend::{Backend, BackendError};
pub use encode::{Encoded, encode_varints, len_of_varints};
pub use gather::{Word, gather};
pub use prefetch::prefetch_behind;
pub use tagged::decode_tagged;
pub use varints::{Decoded, decode_varints};

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
