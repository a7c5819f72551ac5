//! Whatever the decoder reads, the encoder writes, and it comes back the same.

#![no_main]

use std::mem::MaybeUninit;

use libfuzzer_sys::fuzz_target;
use wirearray::column::Table;
use wirearray::decode;
use wirearray::encode::{self, Options};
use wirearray::plan::Plan;
use wirearray_fuzz::{KEEPING, Sample};

fuzz_target!(|data: &[u8]| {
    let Some(sample) = Sample::new(data) else { return };
    for message in &sample.messages {
        let Ok(table) = decode::decode(&sample.plan, message.as_slice().into(), KEEPING) else { continue };
        let bytes = encode(&sample.plan, &table, None);
        let again = decode(&sample.plan, &bytes);
        assert_eq!(again, table);
        assert_eq!(encode(&sample.plan, &again, None), bytes, "what was encoded encodes to itself");
        // Padding is an unknown field, which is not kept here.
        let aligned = decode::decode(
            &sample.plan,
            encode(&sample.plan, &table, Some(64)).as_slice().into(),
            decode::Options::DEFAULT,
        );
        assert_eq!(
            aligned.unwrap(),
            decode::decode(&sample.plan, bytes.as_slice().into(), decode::Options::DEFAULT).unwrap()
        );
    }
});

fn encode(plan: &Plan, table: &Table, align: Option<usize>) -> Vec<u8> {
    let measured = encode::measure(plan, table, 0, Options { align, ..Options::default() }).unwrap();
    let mut memory = vec![MaybeUninit::uninit(); measured.len()];
    measured.write(&mut memory).unwrap().to_vec()
}

fn decode(plan: &Plan, bytes: &[u8]) -> Table {
    decode::decode(plan, bytes.into(), KEEPING).unwrap()
}
