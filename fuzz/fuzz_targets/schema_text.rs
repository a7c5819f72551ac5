//! Any text compiles to a schema or to an error.

#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use wirearray::plan::Plan;
use wirearray::schema::{Schema, compile_source};

fuzz_target!(|text: &str| {
    let Ok(descriptors) = compile_source("fuzz.proto", text, &[]) else { return };
    // The compiler and the engine need not agree on what a schema may be; neither of them may give up.
    let Ok(schema) = Schema::from_descriptor_set(&descriptors) else { return };
    let schema = Arc::new(schema);
    for (message, _) in schema.messages().take(8) {
        let plan = Plan::new(Arc::clone(&schema), message);
        let again = Schema::from_descriptor_set(&schema.descriptor_set_of(message));
        assert!(again.is_ok(), "{again:?} of {}", plan.message_name(0));
    }
});
