//! What the kernel marks in the bytes of a serial line: a break.
//!
//! With PARMRK and without INPCK a break comes as `FF 00 00`, and a byte `FF` as `FF FF`; everything else is as it was. The kernel marks a byte
//! with a wrong parity or frame the same way, `FF 00 X`, only where INPCK asks it to; such a byte is data here as it always was.

/// What marks begin with.
const MARK: u8 = 0xff;
/// Breaks that wait to be told; whoever asks after so many learns of the last ones.
const BREAKS_MAX: u32 = 1_000_000;

/// Reads marks, wherever the bytes are cut.
#[derive(Debug, Default)]
pub(super) struct Marks {
    place: Place,
    breaks: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Data,
    /// After `FF`.
    Mark,
    /// After `FF 00`.
    Marked,
}

impl Marks {
    /// Takes what was read; data go to `into`.
    pub(super) fn read(&mut self, mut bytes: &[u8], into: &mut Vec<u8>) {
        while let Some((&byte, rest)) = bytes.split_first() {
            if self.place == Place::Data {
                let plain = memchr::memchr(MARK, bytes).unwrap_or(bytes.len());
                if let Some((text, rest)) = bytes.split_at_checked(plain).filter(|_| plain > 0) {
                    into.extend_from_slice(text);
                    bytes = rest;
                    continue;
                }
            }
            self.place = match (self.place, byte) {
                (Place::Data, _) => Place::Mark,
                (Place::Mark, 0) => Place::Marked,
                (Place::Marked, 0) => {
                    self.breaks = self.breaks.saturating_add(1).min(BREAKS_MAX);
                    Place::Data
                }
                (Place::Mark | Place::Marked, byte) => {
                    into.push(byte);
                    Place::Data
                }
            };
            bytes = rest;
        }
    }

    /// Takes one break that came and was not told.
    pub(super) fn take_break(&mut self) -> bool {
        let is_there = self.breaks > 0;
        self.breaks = self.breaks.saturating_sub(1);
        is_there
    }

    /// The line begins anew: half a mark of the old one means nothing.
    pub(super) fn begin_anew(&mut self) {
        self.place = Place::Data;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A piece of what came over a line.
    #[derive(Clone, Debug)]
    enum Came {
        Data(Vec<u8>),
        Break,
    }

    fn came() -> impl Strategy<Value = Vec<Came>> {
        let byte = prop_oneof![any::<u8>(), Just(0xff_u8), Just(0_u8)];
        let data = proptest::collection::vec(byte, 0..6).prop_map(Came::Data);
        proptest::collection::vec(prop_oneof![3 => data, 1 => Just(Came::Break)], 0..8)
    }

    proptest! {
        #[test]
        fn every_byte_and_every_break_arrives_however_they_were_cut(came in came(), cut in 1_usize..5) {
            // As the kernel writes it.
            let (mut wire, mut data, mut breaks) = (Vec::new(), Vec::new(), 0);
            for one in &came {
                match one {
                    Came::Data(bytes) => {
                        data.extend_from_slice(bytes);
                        for &byte in bytes {
                            wire.extend(std::iter::repeat_n(byte, if byte == 0xff { 2 } else { 1 }));
                        }
                    }
                    Came::Break => {
                        breaks += 1;
                        wire.extend_from_slice(b"\xff\0\0");
                    }
                }
            }
            let (mut marks, mut read) = (Marks::default(), Vec::new());
            wire.chunks(cut).for_each(|piece| marks.read(piece, &mut read));
            prop_assert_eq!(read, data);
            prop_assert_eq!(std::iter::from_fn(|| marks.take_break().then_some(())).count(), breaks);
        }
    }
}
