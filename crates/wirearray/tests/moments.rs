//! Times within messages that are kept unread: those that are out of range are errors, as they are in messages that are read.

#[path = "support/buffers.rs"]
mod buffers;
#[path = "support/config.rs"]
mod config;

use std::sync::Arc;

use buffers::Buffers;
use config::config;
use proptest::collection::vec;
use proptest::prelude::*;
use wirearray::DecodeError;
use wirearray::cores::Cores;
use wirearray::decode::{OnError, Options, decode};
use wirearray::parallel;
use wirearray::plan::Plan;
use wirearray::schema::{Schema, compile_source};
use wirearray::varint;

const TEXT: &str = r#"
    syntax = "proto3";
    import "google/protobuf/timestamp.proto";
    import "google/protobuf/duration.proto";
    message M {
      M m = 1;
      repeated M r = 2;
      google.protobuf.Timestamp time = 3;
      repeated google.protobuf.Duration spans = 4;
      map<int32, M> e = 5;
      google.protobuf.Duration span = 6;
      oneof o { M a = 7; google.protobuf.Timestamp b = 8; }
    }
"#;

/// The last second of which any nanosecond fits, and others around it.
const SECONDS: [i64; 9] = [0, 1, -1, 5, 9_223_372_035, 9_223_372_036, 9_223_372_037, -9_223_372_036, i64::MIN];
const NANOS: [i64; 7] = [0, 1, -1, 999_999_999, -999_999_999, 1_000_000_000, i64::MIN];

/// A field: its number, and what is in it.
#[derive(Debug, Clone)]
enum Field {
    Message(u8, Vec<Field>),
    Time(u8, Vec<(u8, i64)>),
}

impl Field {
    fn write(&self, bytes: &mut Vec<u8>) {
        let mut payload = Vec::new();
        let number = match self {
            Self::Message(number, inner) => {
                inner.iter().for_each(|field| field.write(&mut payload));
                if *number == 5 {
                    let key_and_tag = [&[8, 1, 0x12], &length(payload.len())[..]].concat();
                    payload.splice(0..0, key_and_tag);
                }
                number
            }
            Self::Time(number, parts) => {
                for (part, value) in parts {
                    payload.push(part << 3);
                    payload.extend(length(value.cast_unsigned() as usize));
                }
                number
            }
        };
        bytes.push(number << 3 | 2);
        bytes.extend(length(payload.len()));
        bytes.append(&mut payload);
    }
}

fn length(value: usize) -> Vec<u8> {
    let (bytes, len) = varint::encode(value as u64);
    bytes.to_le_bytes()[..len].to_vec()
}

fn field() -> impl Strategy<Value = Field> {
    // Most are fine, so that there is something to find in others.
    let seconds = prop_oneof![6 => Just(7i64), 2 => Just(-7i64), 1 => prop::sample::select(&SECONDS[..])];
    let nanos = prop_oneof![6 => Just(7i64), 2 => Just(-7i64), 1 => prop::sample::select(&NANOS[..])];
    let part = prop_oneof![seconds.prop_map(|value| (1, value)), nanos.prop_map(|value| (2, value))];
    let time = (prop::sample::select(&[3u8, 4, 6, 8][..]), vec(part, 0..3))
        .prop_map(|(number, parts)| Field::Time(number, parts));
    time.prop_recursive(5, 40, 5, |inner| {
        (prop::sample::select(&[1u8, 2, 5, 7][..]), vec(inner, 0..5))
            .prop_map(|(number, inner)| Field::Message(number, inner))
    })
}

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn times_out_of_range_are_found_in_what_is_kept_unread_and_among_many_rows_without_any(
        messages in vec((vec(field(), 0..5), prop_oneof![6 => Just(0usize), 1 => 20..60usize]), 1..9),
        most_tables in 1..6usize,
    ) {
        let schema = Schema::from_descriptor_set(&compile_source("m.proto", TEXT, &[]).unwrap()).unwrap();
        let id = schema.message_id("M").unwrap();
        let plan = Plan::new(Arc::new(schema), id);
        let messages: Vec<Vec<u8>> = messages.iter().flat_map(|(fields, gap)| {
            let mut bytes = Vec::new();
            fields.iter().for_each(|field| field.write(&mut bytes));
            std::iter::repeat_n(Vec::new(), *gap).chain([bytes])
        }).collect();
        let few = Options { most_tables, ..Options::DEFAULT };
        let said = |error: DecodeError| (error.row(), error.kind(), error.offset(), error.path().to_owned());
        let mut faults = Vec::new();
        for (row, message) in messages.iter().enumerate() {
            let [read, unread] = [Options::DEFAULT, few].map(|options| decode(&plan, message.as_slice().into(), options).map_err(said));
            prop_assert_eq!(&read, &unread, "{:02x?}", message);
            faults.extend(read.err().map(|(_, kind, offset, path)| (Some(row), kind, offset, path)));
        }
        let many = |options| {
            let decoded = parallel::decode_many(&plan, &Buffers(&messages), Options { on_error: OnError::Skip, ..options }, Vec::new());
            (decoded.table, decoded.faults.into_iter().map(said).collect::<Vec<_>>())
        };
        let expected = many(Options::DEFAULT);
        prop_assert_eq!(&expected.1, &faults);
        for cores in [Cores::ONE, Cores { threads: Some(3), least_len: 1 }] {
            prop_assert_eq!(&many(Options { cores, ..few }), &expected);
        }
    }
}
