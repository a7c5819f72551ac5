//! Whatever the decoder reads, the encoder writes, and it comes back the same.

#![no_main]

use std::mem::MaybeUninit;

use libfuzzer_sys::fuzz_target;
use wirearray::EncodeErrorKind;
use wirearray::column::Table;
use wirearray::decode;
use wirearray::encode::{self, Options};
use wirearray::plan::Plan;
use wirearray_fuzz::{KEEPING, Sample};

fuzz_target!(|data: &[u8]| {
    let Some(sample) = Sample::new(data) else { return };
    for message in &sample.messages {
        let Ok(table) = decode::decode(&sample.plan, message.as_slice().into(), KEEPING) else { continue };
        // Required fields may be missing in what is read, and not in what is written.
        let Some(bytes) = encode(&sample.plan, &table, None) else { continue };
        let again = decode(&sample.plan, &bytes);
        assert_eq!(again, table);
        assert_eq!(encode(&sample.plan, &again, None).as_ref(), Some(&bytes), "what was encoded encodes to itself");
        // Padding is an unknown field, which is not kept here.
        let aligned = encode(&sample.plan, &table, Some(64)).expect("it can be encoded");
        let [plain, aligned] = [&bytes, &aligned]
            .map(|bytes| decode::decode(&sample.plan, bytes.as_slice().into(), decode::Options::DEFAULT).unwrap());
        assert_eq!(aligned, plain);
    }
});

fn encode(plan: &Plan, table: &Table, align: Option<usize>) -> Option<Vec<u8>> {
    let measured = match encode::measure(plan, table, 0, Options { align, ..Options::default() }) {
        Err(error) if matches!(error.kind(), EncodeErrorKind::MissingRequired) => return None,
        measured => measured.unwrap(),
    };
    let mut memory = vec![MaybeUninit::uninit(); measured.len()];
    Some(measured.write(&mut memory).unwrap().to_vec())
}

fn decode(plan: &Plan, bytes: &[u8]) -> Table {
    decode::decode(plan, bytes.into(), KEEPING).unwrap()
}
