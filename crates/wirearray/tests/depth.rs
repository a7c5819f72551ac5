//! Messages nested as deeply as may be, on a stack that has no room for them, and hostile ones nested deeper.

use std::sync::Arc;

use wirearray::column::{Data, Table};
use wirearray::decode::{self, MOST_DEPTH_LIMIT, Options};
use wirearray::plan::Plan;
use wirearray::{DecodeErrorKind, arrow, encode, schema, varint};

const RECURSIVE: &str = "message Timestamp { optional int64 seconds = 1; optional int32 nanos = 2; } \
     message M { optional M a = 1; repeated M b = 2; map<int32, M> c = 3; optional group G = 4 { optional M d = 1; } \
                 optional Timestamp time = 5; repeated int32 e = 6; optional Set set = 7; } \
     message Set { option message_set_wire_format = true; extensions 4 to max; } \
     extend Set { optional M item = 4; }";

/// Threads of the C library for small systems get little more.
const SMALL_STACK: usize = 64 << 10;

/// Far more levels than stack.
const HOSTILE: usize = 100_000;

fn on_a_small_stack(work: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        std::thread::Builder::new().stack_size(SMALL_STACK).spawn_scoped(scope, work).unwrap();
    });
}

/// Two plans of the same messages. Those that hold times are always read, so that in the second there are none.
fn plans() -> [Plan; 2] {
    ["google.protobuf", "other"].map(|package| {
        let text = format!("syntax = \"proto2\"; package {package}; {RECURSIVE}");
        let descriptors = schema::compile_source("m.proto", &text, &[]).unwrap();
        let schema = Arc::new(schema::Schema::from_descriptor_set(&descriptors).unwrap());
        let message = schema.message_id(&format!("{package}.M")).unwrap();
        Plan::new(schema, message)
    })
}

fn plan() -> Plan {
    let [plan, _] = plans();
    plan
}

/// What may be put around a message.
#[derive(Clone, Copy)]
enum Around {
    Length(u8),
    Group(u8, u8),
    /// Of a message set, the extension of number 4.
    Item,
}

/// What one level more puts around a message, innermost first, in each way that messages hold messages.
const WAYS: [(&str, &[Around]); 5] = [
    ("a", &[Around::Length(0x0a)]),
    ("b", &[Around::Length(0x12)]),
    ("an entry of c", &[Around::Length(0x12), Around::Length(0x1a)]),
    ("d in a group", &[Around::Length(0x0a), Around::Group(0x23, 0x24)]),
    ("items of message sets", &[Around::Item, Around::Length(0x3a)]),
];

/// As many levels around some bytes, in time that grows as they do.
fn nested(levels: usize, way: &[Around], innermost: &[u8]) -> Vec<u8> {
    let (mut front, mut back) = (Vec::new(), Vec::new());
    let rest = levels % way.len();
    for &around in way.iter().cycle().take(levels - rest).chain(&[Around::Length(0x0a); 2][..rest]) {
        match around {
            Around::Length(tag) => {
                let (len, len_len) = varint::encode((front.len() + innermost.len() + back.len()) as u64);
                front.extend(len.to_le_bytes()[..len_len].iter().rev());
                front.push(tag);
            }
            Around::Group(start, end) => {
                front.push(start);
                back.push(end);
            }
            Around::Item => {
                let (len, len_len) = varint::encode((front.len() + innermost.len() + back.len()) as u64);
                front.extend(len.to_le_bytes()[..len_len].iter().rev());
                front.extend([0x1a, 0x04, 0x10, 0x0b]);
                back.push(0x0c);
            }
        }
    }
    front.reverse();
    [front.as_slice(), innermost, &back].concat()
}

/// A message with a time and a number.
const INNERMOST: &[u8] = b"\x2a\x02\x08\x01\x32\x01\x07";

fn decode(plan: &Plan, bytes: &[u8], depth_limit: u32) -> Result<Table, DecodeErrorKind> {
    let options = Options { depth_limit, ..Options::DEFAULT };
    decode::decode(plan, bytes.into(), options).map_err(|error| error.kind())
}

#[test]
fn ten_thousand_levels_are_decoded_and_walked() {
    on_a_small_stack(|| {
        for (plan, (name, way)) in plans().iter().flat_map(|plan| WAYS.map(|way| (plan, way))) {
            // The time is one more.
            let bytes = nested(MOST_DEPTH_LIMIT as usize - 1, way, INNERMOST);
            let table = decode(plan, &bytes, MOST_DEPTH_LIMIT).unwrap();
            assert_eq!(table.height(), MOST_DEPTH_LIMIT, "{name}");
            assert_eq!(table.take(&[0, 0]).height(), MOST_DEPTH_LIMIT, "{name}");
            assert_eq!(table, decode(plan, &bytes, MOST_DEPTH_LIMIT).unwrap());
            assert_eq!(table.take(&[0, 0]).slice(1..2), table);
            let data = Data::Table(Arc::new(table));
            assert_eq!(Data::join(&[data.clone(), data.clone()]).unwrap().len(), 2);
            let Data::Table(table) = &data else { unreachable!() };
            assert_eq!(plan.moment_faults(table), []);
            assert!(
                encode::measure(plan, table, 0, encode::Options::default()).is_err(),
                "parsers read a hundred levels"
            );
            assert!(arrow::export_table(plan, table, arrow::Options::default(), arrow::Rows::Struct).is_err());
            assert!(plan.adopt(0, &self::plan(), table).is_err());
        }
    });
}

#[test]
fn a_level_more_than_the_limit_is_too_deep() {
    on_a_small_stack(|| {
        let plan = plan();
        for (name, way) in WAYS {
            for limit in [0, 1, 2, 100, MOST_DEPTH_LIMIT] {
                let error = decode(&plan, &nested(limit as usize + 1, way, b""), limit).unwrap_err();
                assert_eq!(error, DecodeErrorKind::TooDeep(limit), "{name}");
                assert!(decode(&plan, &nested(limit as usize, way, b""), limit).is_ok(), "{name}");
            }
        }
        let beyond = nested(MOST_DEPTH_LIMIT as usize + 1, WAYS[0].1, b"");
        let beyond = decode(&plan, &beyond, u32::MAX).unwrap_err();
        assert_eq!(beyond, DecodeErrorKind::TooDeep(MOST_DEPTH_LIMIT), "no one may ask for more");
    });
}

#[test]
fn a_hundred_thousand_levels_of_anything_are_an_error() {
    on_a_small_stack(|| {
        let plan = plan();
        let mut hostile = WAYS.map(|(name, way)| (name, nested(HOSTILE, way, b""))).to_vec();
        hostile.push(("groups that no field is", nested(HOSTILE, &[Around::Group(0x53, 0x54)], b"")));
        hostile.push(("groups without an end", vec![0x53; HOSTILE]));
        hostile.push(("items in items", nested(1, &[Around::Length(0x3a)], &vec![0x0b; HOSTILE])));
        for (name, bytes) in hostile {
            for limit in [100, MOST_DEPTH_LIMIT] {
                let error = decode(&plan, &bytes, limit).unwrap_err();
                assert_eq!(error, DecodeErrorKind::TooDeep(limit), "{name}");
            }
        }
    });
}
