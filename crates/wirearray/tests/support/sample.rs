//! Random schemas with messages of them.

#[path = "random.rs"]
mod random;

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use random::{Choices, ROOT};
use wirearray::plan::Plan;
use wirearray::schema::{Schema, compile_source};

/// A schema, with messages of it that are legal but for their text, and others that were damaged.
pub(crate) struct Sample {
    pub(crate) text: String,
    pub(crate) plan: Plan,
    pub(crate) legal: Vec<Vec<u8>>,
    pub(crate) damaged: Vec<Vec<u8>>,
    pub(crate) paths: Vec<String>,
}

impl std::fmt::Debug for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { text, legal, damaged, paths, .. } = self;
        write!(f, "{text}legal {legal:02x?}\ndamaged {damaged:02x?}\npaths {paths:?}")
    }
}

impl Sample {
    fn new(choices: &[u8]) -> Self {
        let mut choices = Choices::new(choices);
        let text = random::schema_text(&mut choices);
        let descriptors = compile_source("random.proto", &text, &[]).unwrap_or_else(|error| panic!("{error}: {text}"));
        let schema = Arc::new(Schema::from_descriptor_set(&descriptors).unwrap());
        let paths = (0..=choices.below(3)).map(|_| random::path(&mut choices, &schema)).collect();
        let legal: Vec<_> = (0..3).map(|_| random::message(&mut choices, &schema)).collect();
        let damaged = legal.iter().map(|message| random::damaged(&mut choices, message)).collect();
        let root = schema.message_id(ROOT).unwrap();
        Self { text, plan: Plan::new(schema, root), legal, damaged, paths }
    }

    pub(crate) fn messages(&self) -> impl Iterator<Item = &[u8]> {
        self.legal.iter().chain(&self.damaged).map(Vec::as_slice)
    }
}

pub(crate) fn samples() -> impl Strategy<Value = Sample> {
    vec(any::<u8>(), 0..1000).prop_map(|choices| Sample::new(&choices))
}
