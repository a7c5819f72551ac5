//! What stands in front of a message: its length, in one of a handful of forms.

use super::{Framing, TooLong, tfrecord};
use crate::error::DecodeErrorKind;
use crate::varint;

/// How long the prefix at the front of `rest` is, and the length that it says; nothing where it is cut short.
#[inline(always)]
pub(super) fn read(framing: Framing, rest: &[u8]) -> Result<Option<(usize, u64)>, DecodeErrorKind> {
    let found = match framing {
        Framing::Single => None,
        Framing::Delimited => return read_varint(rest),
        Framing::U32Be => rest.first_chunk().map(|len| (4, u64::from(u32::from_be_bytes(*len)))),
        Framing::U32Le => rest.first_chunk().map(|len| (4, u64::from(u32::from_le_bytes(*len)))),
        Framing::U64Be => rest.first_chunk().map(|len| (8, u64::from_be_bytes(*len))),
        Framing::U64Le => rest.first_chunk().map(|len| (8, u64::from_le_bytes(*len))),
        Framing::TfRecord => return tfrecord::read_len(rest),
        Framing::Grpc => match rest.first_chunk() {
            Some(&[0 | 1, a, b, c, d]) => Some((5, u64::from(u32::from_be_bytes([a, b, c, d])))),
            Some(&[flag, ..]) => return Err(DecodeErrorKind::IllegalFrameFlag(flag)),
            None => None,
        },
    };
    Ok(found)
}

#[inline(always)]
fn read_varint(rest: &[u8]) -> Result<Option<(usize, u64)>, DecodeErrorKind> {
    match *rest {
        [] => Ok(None),
        // Most messages of a log are short.
        [len @ ..0x80, ..] => Ok(Some((1, u64::from(len)))),
        [low, high @ ..0x80, ..] => Ok(Some((2, u64::from(low & 0x7f) | u64::from(high) << 7))),
        _ => match varint::decode(rest) {
            Ok((len, prefix)) => Ok(Some((prefix, len))),
            Err(DecodeErrorKind::Truncated) => Ok(None),
            Err(_) => Err(DecodeErrorKind::IllegalFrameLength),
        },
    }
}

/// Appends the prefix of a message of `len` bytes.
pub(super) fn put(framing: Framing, len: usize, out: &mut Vec<u8>) -> Result<(), TooLong> {
    let wide = len as u64;
    let narrow = || u32::try_from(len).map_err(|_| TooLong(len));
    match framing {
        Framing::Single => {}
        Framing::Delimited => varint::put(wide, out),
        Framing::U32Be => out.extend(narrow()?.to_be_bytes()),
        Framing::U32Le => out.extend(narrow()?.to_le_bytes()),
        Framing::U64Be => out.extend(wide.to_be_bytes()),
        Framing::U64Le => out.extend(wide.to_le_bytes()),
        Framing::TfRecord => {
            out.extend(wide.to_le_bytes());
            out.extend(tfrecord::masked_checksum(&wide.to_le_bytes()).to_le_bytes());
        }
        Framing::Grpc => {
            out.push(0);
            out.extend(narrow()?.to_be_bytes());
        }
    }
    Ok(())
}
