//! Where a stream can be split: stretches of it that hold whole messages.

use super::chunk::Origin;
use super::{Extent, Format};
use crate::error::{DecodeError, DecodeErrorKind, WireError};
use crate::framing::{Ahead, Framing, Walk};

/// Messages that follow each other in a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// Where they lie.
    pub extent: Extent,
    /// How many they are.
    pub messages: usize,
}

/// Stretches of a stream in memory, of `target` bytes each or a little more.
pub fn partitions(bytes: &[u8], format: Format, target: usize) -> Result<Vec<Stretch>, DecodeError> {
    let origin = Origin { name: None, start: 0, is_unpacked: false };
    let mut stretches = Vec::new();
    let mut at = 0;
    if format.framing == Framing::Single {
        return Ok(vec![Stretch { extent: 0..bytes.len() as u64, messages: 1 }]);
    }
    while at < bytes.len() {
        let until = at.saturating_add(target.max(1));
        let mut walk = Walk::new(format.framing, false, at);
        while walk.end < until.min(bytes.len()) {
            match walk.go(bytes, usize::MAX, until).map_err(|error| origin.error(error))? {
                Ahead::Message(_) => {}
                // What is compressed is for whoever decodes it to say.
                Ahead::BadMessage(_, end) => (walk.end, walk.count) = (end, walk.count + 1),
                Ahead::Nothing => {
                    return Err(origin.error(WireError::new(DecodeErrorKind::TruncatedFrame, walk.end)));
                }
            }
        }
        stretches.push(Stretch { extent: at as u64..walk.end as u64, messages: walk.count });
        at = walk.end;
    }
    Ok(stretches)
}
