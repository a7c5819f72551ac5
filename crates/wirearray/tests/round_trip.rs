//! Whatever the decoder reads, the encoder writes: random schemas and messages, there and back.

#[path = "support/config.rs"]
mod config;
#[path = "support/sample.rs"]
mod sample;
#[path = "support/show.rs"]
mod show;

use wirearray::slots::slots;

use config::config;
use proptest::prelude::*;
use sample::{Sample, samples};
use show::show_row;
use wirearray::EncodeError;
use wirearray::column::Table;
use wirearray::decode;
use wirearray::encode::{self, Options};
use wirearray::plan::Plan;
use wirearray::wire::{Sink, WriteResult};

proptest! {
    #![proptest_config(config(1000))]

    #[test]
    fn what_was_decoded_encodes_to_the_same_values(sample in samples()) {
        for table in sample.tables() {
            let bytes = encode_one(&sample.plan, &table, 0, Options::default()).unwrap();
            let again = decode_one(&sample.plan, &bytes);
            prop_assert_eq!(&again, &table, "{:02x?}", bytes);
            let twice = encode_one(&sample.plan, &again, 0, Options::default()).unwrap();
            prop_assert_eq!(&twice, &bytes, "what was encoded encodes to itself");
        }
    }

    #[test]
    fn many_messages_encode_as_each_one_does(sample in samples()) {
        let messages: Vec<&[u8]> = sample.accepted().collect();
        let inputs = messages.iter().map(|&message| (message.into(), 0..message.len()));
        let table = decode::decode_many(&sample.plan, inputs, 0, KEEPING).unwrap();
        let rows = table.rows();
        for range in [0..rows, 0..rows / 2, rows / 2..rows] {
            let measured = encode::measure_many(&sample.plan, &table, range.clone(), Options::default()).unwrap();
            let encoded = measured.to_strings().unwrap();
            prop_assert_eq!(encoded.offsets.len(), range.len());
            for (entry, row) in range.enumerate() {
                let alone = encode_one(&sample.plan, &table, row, Options::default()).unwrap();
                prop_assert_eq!(encoded.get(entry).unwrap(), &alone[..], "row {}", row);
            }
        }
    }

    #[test]
    fn a_sink_gets_the_bytes_that_memory_gets(sample in samples()) {
        for table in sample.tables() {
            let mut gathered = Gather(Vec::new());
            encode::measure(&sample.plan, &table, 0, Options::default()).unwrap().write_to(&mut gathered).unwrap();
            prop_assert_eq!(gathered.0, encode_one(&sample.plan, &table, 0, Options::default()).unwrap());
        }
    }

    #[test]
    fn alignment_changes_no_value(sample in samples()) {
        for table in sample.tables() {
            for align in [8, 64] {
                let options = Options { align: Some(align), ..Options::default() };
                let bytes = encode_one(&sample.plan, &table, 0, options).unwrap();
                let again = decode_one(&sample.plan, &bytes);
                prop_assert_eq!(show_row(&sample.plan, &again, 0), show_row(&sample.plan, &table, 0), "{:02x?}", bytes);
            }
        }
    }
}

/// Unknown fields are kept, and come back.
const KEEPING: decode::Options = decode::Options { keep_unknown: true, ..decode::Options::DEFAULT };

impl Sample {
    /// The messages that the decoder accepts.
    fn accepted(&self) -> impl Iterator<Item = &[u8]> {
        self.messages().filter(|message| decode::decode(&self.plan, (*message).into(), KEEPING).is_ok())
    }

    /// The same, decoded.
    fn tables(&self) -> impl Iterator<Item = Table> {
        self.accepted().map(|message| decode_one(&self.plan, message))
    }
}

struct Gather(Vec<u8>);

impl Sink for Gather {
    fn take(&mut self, bytes: &[u8]) -> WriteResult {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

fn decode_one(plan: &Plan, message: &[u8]) -> Table {
    decode::decode(plan, message.into(), KEEPING).unwrap()
}

fn encode_one(plan: &Plan, table: &Table, row: usize, options: Options) -> Result<Vec<u8>, EncodeError> {
    let measured = encode::measure(plan, table, row, options)?;
    let mut memory = slots(measured.len());
    measured.write(&mut memory).map(|bytes| bytes.to_vec())
}
