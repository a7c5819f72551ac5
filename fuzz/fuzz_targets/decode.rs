//! The decoder makes of any bytes what the reference decoder makes of them: whole, in part, and many at a time.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wirearray::decode::{self, Input, Options};
use wirearray::reference;
use wirearray_fuzz::{KEEPING, Sample, decode_both};

/// More than a block of messages that look alike.
const ALIKE: usize = 70;

fuzz_target!(|data: &[u8]| {
    let Some(Sample { plan, messages, paths }) = Sample::new(data) else { return };
    for message in &messages {
        let alone = decode_both(&plan, message, KEEPING);
        let _ = decode_both(&plan, message, Options::DEFAULT);
        // All messages within others are kept unread.
        let _ = decode_both(&plan, message, Options { most_tables: 1, ..KEEPING });
        let rows = (0..ALIKE).map(|_| (Input::from(message.as_slice()), 0..message.len()));
        match (alone, decode::decode_many(&plan, rows, 0, KEEPING)) {
            (Ok(alone), Ok(many)) => assert_eq!(alone.take(&[0; ALIKE]), many),
            (Err(alone), Err(many)) => {
                assert_eq!((alone.kind(), alone.offset(), Some(0)), (many.kind(), many.offset(), many.row()));
                assert_eq!(alone.path(), many.path());
            }
            (alone, many) => panic!("{alone:?} alone, {many:?} among others"),
        }
        if message.len() < 256 {
            let _ = decode_both(&plan, &message.repeat(ALIKE), KEEPING);
        }
        let selected = plan.select(paths.iter().map(String::as_str)).unwrap();
        // Faults in fields that are left out stay unseen, so there are more messages that the decoder accepts.
        if let (false, Ok(slow)) = (paths.is_empty(), reference::decode(&selected, message, KEEPING)) {
            assert_eq!(decode::decode(&selected, message.as_slice().into(), KEEPING).as_ref(), Ok(&slow));
        }
    }
});
