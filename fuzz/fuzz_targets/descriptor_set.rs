//! Any bytes make a schema or an error, and what a schema made of any bytes decodes is what the reference decoder makes of it.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use wirearray::plan::Plan;
use wirearray::schema::Schema;
use wirearray_fuzz::{KEEPING, decode_both};

fuzz_target!(|data: &[u8]| {
    // The length of the descriptors, the descriptors, a message.
    let Some((&len, rest)) = data.split_first_chunk() else { return };
    let (descriptors, message) = rest.split_at(rest.len().min(usize::from(u16::from_le_bytes(len))));
    let Ok(schema) = Schema::from_descriptor_set(descriptors) else { return };
    let schema = Arc::new(schema);
    for (root, _) in schema.messages().take(4) {
        let _ = decode_both(&Plan::new(Arc::clone(&schema), root), message, KEEPING);
    }
});
