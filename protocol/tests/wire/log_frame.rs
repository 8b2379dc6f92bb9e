//! Binary frames, as hexadecimal text: `golden/v1/log_frame`.

use jackfield_protocol::log::{LogFrame, Stream};

use crate::value::attempt;

/// A frame with its golden file.
pub(crate) struct Frame {
    /// Its file below `golden/v1`, without ending.
    pub name: String,
    /// What it says.
    pub frame: LogFrame<'static>,
}

impl Frame {
    /// The frame as it travels.
    pub(crate) fn hex(&self) -> String {
        let digits: String = self.frame.encode().iter().map(|byte| format!("{byte:02x}")).collect();
        digits + "\n"
    }
}

/// One for each stream, one without bytes, one with every byte there is.
pub(crate) fn all() -> Vec<Frame> {
    const BYTES: [u8; 256] = {
        let mut bytes = [0; 256];
        let (mut place, mut byte) = (0, 0_u8);
        while place < bytes.len() {
            bytes[place] = byte;
            place += 1;
            byte = byte.wrapping_add(1);
        }
        bytes
    };
    let frame = |name: &str, stream, offset, bytes| Frame {
        name: format!("log_frame/{name}"),
        frame: LogFrame { attempt: attempt(), stream, offset, bytes },
    };
    let mut frames: Vec<Frame> = Stream::ALL
        .into_iter()
        .map(|stream| frame(stream.as_str(), stream, 65_536, b"no route to host\xff\r\n"))
        .collect();
    frames.push(frame("empty", Stream::Cli, 0, b""));
    frames.push(frame("every_byte", Stream::Cli, u64::MAX, &BYTES));
    frames
}

pub(crate) fn bytes_of(hex: &str) -> Vec<u8> {
    let digit = |digit: &u8| u8::try_from(char::from(*digit).to_digit(16).unwrap()).unwrap();
    hex.trim_end().as_bytes().chunks_exact(2).map(|pair| digit(&pair[0]) << 4 | digit(&pair[1])).collect()
}

#[test]
fn what_a_later_version_says_in_the_reserved_byte_is_ignored() {
    for frame in all() {
        let mut bytes = frame.frame.encode();
        bytes[15] = 0xff;
        assert_eq!(LogFrame::decode(&bytes).unwrap(), frame.frame, "{}", frame.name);
    }
}

#[test]
fn a_frame_cut_anywhere_in_its_header_is_refused() {
    for frame in all() {
        let bytes = frame.frame.encode();
        for length in 0..jackfield_protocol::log::HEADER_BYTES {
            let error = LogFrame::decode(&bytes[..length]).unwrap_err().to_string();
            assert!(error.contains(&format!("{length} bytes")), "{error}");
        }
    }
}
