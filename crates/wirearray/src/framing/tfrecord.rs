//! The checksums of TensorFlow's records: CRC-32C, rotated and shifted so that a checksum of checksums tells something. The
//! layout is documented in TensorFlow's `tensorflow/core/lib/io/record_writer.h`.

use crate::error::{Checked, DecodeErrorKind};

pub(super) const CHECKSUM_LEN: usize = 4;

const HEADER_LEN: usize = 8 + CHECKSUM_LEN;

/// Reads the length, and checks it: wherever the next record is depends on it.
pub(super) fn read_len(rest: &[u8]) -> Result<Option<(usize, u64)>, DecodeErrorKind> {
    let Some((len, checksum)) = rest.first_chunk::<HEADER_LEN>().and_then(|header| header.split_first_chunk::<8>())
    else {
        return Ok(None);
    };
    if masked_checksum(len).to_le_bytes() != *checksum {
        return Err(DecodeErrorKind::FrameChecksum(Checked::Length));
    }
    Ok(Some((HEADER_LEN, u64::from_le_bytes(*len))))
}

pub(super) fn check_data(data: &[u8], footer: &[u8]) -> Result<(), DecodeErrorKind> {
    let matches = masked_checksum(data).to_le_bytes() == *footer;
    if matches { Ok(()) } else { Err(DecodeErrorKind::FrameChecksum(Checked::Data)) }
}

pub(super) fn masked_checksum(bytes: &[u8]) -> u32 {
    const DELTA: u32 = 0xa282_ead8;
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(DELTA)
}
