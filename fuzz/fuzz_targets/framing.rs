//! A stream has the same rows and the same faults however it is read: mapped or read, by one thread or three, whole or in
//! batches.

#![no_main]

use libfuzzer_sys::fuzz_target;
use wirearray::parallel::{Decoded, Wanted};
use wirearray_fuzz::split;
use wirearray_fuzz::stream::Stream;

fuzz_target!(|data: &[u8]| {
    let Some((plan, flags, rest)) = split(data) else { return };
    let Some(stream) = Stream::new(flags, rest) else { return };
    let once = stream.decode(&plan, true, 1);
    for (is_mapped, threads) in [(true, 3), (false, 1), (false, 3)] {
        let again = stream.decode(&plan, is_mapped, threads);
        assert_eq!(shown(&once), shown(&again), "mapped: {is_mapped}, {threads} threads");
        assert_eq!(once.table, again.table, "mapped: {is_mapped}, {threads} threads");
    }
    let mut chain = stream.chain(false);
    let (mut rows, mut messages, mut faults) = (0, 0, 0);
    loop {
        let batch = stream.decode_next(&plan, &mut chain, Wanted { messages: 3, len: usize::MAX }, 1);
        (rows, messages, faults) = (rows + batch.table.rows(), messages + batch.messages, faults + batch.faults.len());
        if batch.stop.is_some() || batch.messages == 0 {
            assert_eq!(batch.stop.is_some(), once.stop.is_some());
            break;
        }
    }
    assert_eq!((rows, messages, faults), (once.table.rows(), once.messages, once.faults.len()), "in batches");
});

fn shown(decoded: &Decoded) -> String {
    format!("{} messages, {:?}, {:?}", decoded.messages, decoded.faults, decoded.stop)
}
