//! What went wrong, where: the kind, the byte offset and the field path.
//!
//! Three errors leave the engine. A [`DecodeError`] speaks of bytes, an [`EncodeError`] of columns, a [`SchemaError`] of a
//! `.proto` text or a descriptor. Each is one word wide, so that a `Result` stays in registers; building one is never on
//! the fast path.

mod decode;
mod encode;
mod schema;

pub use decode::{Checked, DecodeError, DecodeErrorKind, McapFault, NoView, RegistryFault, WireError, WireResult};
pub use encode::{EncodeError, EncodeErrorKind};
pub use schema::{Place, SchemaError, SchemaErrorKind};
