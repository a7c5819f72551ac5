//! Protocol Buffers bytes to columns, for every schema, at the speed of memory.
//!
//! A batch of N messages is a set of columns. A [`schema::Schema`] says what messages there are, a [`plan::Plan`] which
//! fields of one are decoded, [`decode`] runs the plan over bytes, and a [`column::Table`] is the result: the arrays,
//! offsets and validity that NumPy and Arrow have too. `ARCHITECTURE.md` has the map.
//!
//! ```
//! use std::sync::Arc;
//! use wirearray::{column::Data, decode, plan::Plan, schema};
//!
//! let text = r#"syntax = "proto3"; message Series { repeated double times = 1; }"#;
//! let descriptors = schema::compile_source("series.proto", text, &[])?;
//! let schema = Arc::new(schema::Schema::from_descriptor_set(&descriptors)?);
//! let message = schema.message_id("Series").unwrap();
//! let plan = Plan::new(schema, message);
//!
//! let bytes = b"\x0a\x08\0\0\0\0\0\0\xf0\x3f".as_slice(); // field 1, eight bytes, 1.0
//! let table = decode::decode(&plan, bytes.into(), decode::Options::default())?;
//! let Data::List(times) = &table.column(0).data else { unreachable!() };
//! let Data::Numbers(values) = &times.values else { unreachable!() };
//! assert_eq!(values.values.as_slice::<u64>(), [1.0f64.to_bits()]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod error;
pub mod slots;
pub mod varint;
pub mod simd;
pub mod cores;
pub mod stack;
pub mod wire;
pub mod schema;
pub mod column;
pub mod plan;
pub mod decode;
pub mod encode;
pub mod framing;
pub mod parallel;
pub mod input;
pub mod output;
pub mod stream;
pub mod arrow;
#[cfg(feature = "reference")]
pub mod reference;

pub use error::{DecodeError, DecodeErrorKind, EncodeError, EncodeErrorKind, SchemaError, SchemaErrorKind};
