//! What the targets share: how the fuzzer's bytes become a schema and messages of it.
//!
//! A schema is one of `testdata/cases`, by its number, or one that is made by choices. So mutations of the bytes behind it
//! are mutations of messages, and the schema stays what it was.

#[path = "../../crates/wirearray/tests/support/case.rs"]
#[allow(dead_code, reason = "the targets take schemas and messages from cases, and no verdicts")]
mod case;
#[path = "../../crates/wirearray/tests/support/random.rs"]
mod random;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use random::{Choices, ROOT};
use wirearray::column::Table;
use wirearray::decode::{self, Options};
use wirearray::plan::Plan;
use wirearray::schema::{Schema, compile_source};
use wirearray::{DecodeError, reference};

pub mod stream;

/// Unknown fields are kept, so that they are compared with all else.
pub const KEEPING: Options = Options { keep_unknown: true, ..Options::DEFAULT };

/// The bytes in front of a message: the number of its case, of two bytes, and the flags of [`Sample::new`].
pub const HEADER_LEN: usize = 3;

/// The flag that has messages written by choices instead of taken as they are.
const IS_WRITTEN: u8 = 1;

/// Schemas made by choices that are kept: the fuzzer tries many messages of each.
const MADE: usize = 256;

/// A schema, with messages of it that need not be good.
pub struct Sample {
    /// The plan of everything.
    pub plan: Arc<Plan>,
    /// The messages.
    pub messages: Vec<Vec<u8>>,
    /// Paths within the schema, where it is one of those that were made.
    pub paths: Vec<String>,
}

impl Sample {
    /// Nothing where the bytes are too few.
    pub fn new(data: &[u8]) -> Option<Self> {
        let (plan, flags, rest) = split(data)?;
        let is_made = plan.schema().message_id(ROOT).is_some();
        if !is_made {
            return Some(Self { plan, messages: vec![rest.to_vec()], paths: Vec::new() });
        }
        let mut choices = Choices::new(rest);
        let schema = Arc::clone(plan.schema());
        let paths = (0..2).map(|_| random::path(&mut choices, &schema)).collect();
        if flags & IS_WRITTEN == 0 {
            return Some(Self { plan, messages: vec![rest.to_vec()], paths });
        }
        let legal: Vec<_> = (0..2).map(|_| random::message(&mut choices, &schema)).collect();
        let damaged: Vec<_> = legal.iter().map(|message| random::damaged(&mut choices, message)).collect();
        Some(Self { plan, messages: [legal, damaged].concat(), paths })
    }
}

/// The plan that the first bytes ask for, the flags, and what is left.
pub fn split(data: &[u8]) -> Option<(Arc<Plan>, u8, &[u8])> {
    let (&[low, high, flags], rest) = data.split_first_chunk::<HEADER_LEN>()?;
    if let Some(plan) = plans().get(usize::from(u16::from_le_bytes([low, high]))) {
        return Some((Arc::clone(plan), flags, rest));
    }
    let (&len, rest) = rest.split_first()?;
    let (choices, rest) = rest.split_at(rest.len().min(usize::from(len)));
    Some((made(choices), flags, rest))
}

/// The plans of the cases, in their order.
fn plans() -> &'static [Arc<Plan>] {
    static PLANS: OnceLock<Vec<Arc<Plan>>> = OnceLock::new();
    PLANS.get_or_init(|| case::read_cases().into_iter().map(|case| Arc::new(case.whole)).collect())
}

/// The plan of the outermost message of a schema that is made by choices.
fn made(choices: &[u8]) -> Arc<Plan> {
    thread_local!(static KEPT: RefCell<HashMap<Vec<u8>, Arc<Plan>>> = RefCell::default());
    if let Some(plan) = KEPT.with_borrow(|kept| kept.get(choices).cloned()) {
        return plan;
    }
    let text = random::schema_text(&mut Choices::new(choices));
    let descriptors = compile_source("random.proto", &text, &[]).unwrap_or_else(|error| panic!("{error}: {text}"));
    let schema = Schema::from_descriptor_set(&descriptors).unwrap_or_else(|error| panic!("{error}: {text}"));
    let root = schema.message_id(ROOT).unwrap();
    let plan = Arc::new(Plan::new(Arc::new(schema), root));
    KEPT.with_borrow_mut(|kept| {
        if kept.len() == MADE {
            kept.clear();
        }
        kept.insert(choices.to_vec(), Arc::clone(&plan));
    });
    plan
}

/// Messages of all cases that the fuzzer can get through in no time, with the number of each one's case.
pub fn seeds() -> Vec<(u16, Arc<Plan>, Vec<u8>)> {
    const LONGEST: usize = 2048;
    let cases = case::read_cases().into_iter().zip(plans()).enumerate();
    let each = cases.flat_map(|(number, (case, plan))| {
        case.messages.into_iter().map(move |message| (u16::try_from(number).unwrap(), Arc::clone(plan), message))
    });
    each.filter(|(_, _, message)| message.len() <= LONGEST).collect()
}

/// Decodes a message, and holds what comes of it to what the reference decoder makes of it.
pub fn decode_both(plan: &Plan, bytes: &[u8], options: Options) -> Result<Table, DecodeError> {
    let (fast, slow) = (decode::decode(plan, bytes.into(), options), reference::decode(plan, bytes, options));
    match (&fast, &slow) {
        (Ok(fast), Ok(slow)) => assert_eq!(fast, slow),
        (Err(fast), Err(slow)) => assert_eq!((fast.kind(), fast.offset()), (slow.kind(), slow.offset())),
        _ => panic!("{fast:?} against {slow:?}"),
    }
    fast
}
