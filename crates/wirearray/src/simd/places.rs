//! The table by which ends of varints are listed, eight bytes at a time.

/// For each pattern of eight bytes, in which a one stands for the last byte of a varint and the first byte is the lowest bit:
/// the places behind those bytes, in order. What follows them has no meaning.
pub(super) static PLACES: [[u8; 8]; 256] = places();

const fn places() -> [[u8; 8]; 256] {
    let mut places = [[0; 8]; 256];
    let mut pattern = 0;
    while pattern < 256 {
        let (mut count, mut byte) = (0, 0);
        while byte < 8 {
            if pattern >> byte & 1 == 1 {
                places[pattern][count] = byte + 1;
                count += 1;
            }
            byte += 1;
        }
        pattern += 1;
    }
    places
}
