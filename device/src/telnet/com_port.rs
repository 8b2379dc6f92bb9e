//! RFC 2217: a serial line behind a terminal server, set over telnet. The bytes of its orders and answers; no sockets.

use std::collections::VecDeque;

use crate::{
    limits::COM_PORT_ANSWERS_MAX,
    line::{Flow, LineOrder, ModemLines, Parity},
};

/// What a server adds to the code of an order when it answers.
const ANSWER: u8 = 100;
const SIGNATURE: u8 = 0;
const SET_BAUDRATE: u8 = 1;
const SET_DATASIZE: u8 = 2;
const SET_PARITY: u8 = 3;
const SET_STOPSIZE: u8 = 4;
const SET_CONTROL: u8 = 5;
const BREAK_ON: u8 = 5;
const BREAK_OFF: u8 = 6;
const SET_LINESTATE_MASK: u8 = 10;
const SET_MODEMSTATE_MASK: u8 = 11;
const PURGE_DATA: u8 = 12;
const NOTIFY_LINESTATE: u8 = 106;
/// The bit of a line's state that says that a break has come.
const LINESTATE_BREAK: u8 = 0x10;
const NOTIFY_MODEMSTATE: u8 = 107;
const SUSPEND: u8 = 108;
const RESUME: u8 = 109;

const NAME: &[u8] = b"jackfield";

/// One order: code, value, and what it is about for an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) code: u8,
    pub(super) value: Vec<u8>,
    pub(super) what: String,
}

impl Order {
    fn control(value: u8, what: &str) -> Self {
        Self { code: SET_CONTROL, value: vec![value], what: what.to_owned() }
    }

    /// Whether these bytes answer it; some servers name the value they use instead of the one they were asked for.
    pub(super) fn is_answered_by(&self, code: u8, value: &[u8]) -> bool {
        let control_kind = |value: u8| match value {
            0..=3 => 0_u8,
            4..=6 => 1,
            7..=9 => 2,
            10..=12 => 3,
            _ => 4,
        };
        let same_kind = match (self.code, self.value.first(), value.first()) {
            (SET_CONTROL, Some(asked), Some(is)) => control_kind(*asked) == control_kind(*is),
            _ => true,
        };
        code == self.code.saturating_add(ANSWER) && same_kind
    }
}

/// The orders that set a line.
pub(super) fn orders(order: LineOrder) -> Vec<Order> {
    match order {
        LineOrder::Set { speed, framing, flow } => {
            let mut orders = Vec::new();
            if let Some(speed) = speed {
                let what = format!("{speed} bits per second");
                orders.push(Order { code: SET_BAUDRATE, value: speed.to_be_bytes().to_vec(), what });
            }
            if let Some(framing) = framing {
                let parity = match framing.parity {
                    Parity::None => 1,
                    Parity::Odd => 2,
                    Parity::Even => 3,
                    Parity::Mark => 4,
                    Parity::Space => 5,
                };
                for (code, value) in [
                    (SET_DATASIZE, framing.data_bits),
                    (SET_PARITY, parity),
                    (SET_STOPSIZE, framing.stop_bits),
                ] {
                    orders.push(Order { code, value: vec![value], what: framing.to_string() });
                }
            }
            orders.extend(flow.map(|flow| match flow {
                Flow::None => Order::control(1, "no flow control"),
                Flow::Software => Order::control(2, "software flow control"),
                Flow::Hardware => Order::control(3, "hardware flow control"),
            }));
            orders
        }
        LineOrder::Break(_) => {
            vec![Order::control(BREAK_ON, "a break"), Order::control(BREAK_OFF, "the end of a break")]
        }
        LineOrder::Dtr(on) => vec![Order::control(if on { 8 } else { 9 }, "DTR")],
        LineOrder::Rts(on) => vec![Order::control(if on { 11 } else { 12 }, "RTS")],
        LineOrder::Purge => vec![Order { code: PURGE_DATA, value: vec![3], what: "a purge".to_owned() }],
    }
}

/// What the terminal server has said about the line.
#[derive(Debug, Default)]
pub(super) struct ComPort {
    answers: VecDeque<(u8, Vec<u8>)>,
    /// It has no room for more.
    pub(super) suspended: bool,
    /// CTS, DSR, RI and CD, in the upper half of the byte.
    pub(super) modem: Option<u8>,
    /// Breaks that came and were not told.
    pub(super) breaks: u32,
    /// What it calls itself.
    pub(super) signature: String,
}

impl ComPort {
    /// Takes a sub-negotiation; some are answered.
    pub(super) fn hear(&mut self, sub: &[u8]) -> Option<Vec<u8>> {
        let (&code, value) = sub.split_first()?;
        match (code, value) {
            (SIGNATURE, []) => return Some([&[SIGNATURE], NAME].concat()),
            (code, text) if code == SIGNATURE.saturating_add(ANSWER) => {
                self.signature = String::from_utf8_lossy(text).into_owned();
            }
            (SUSPEND, _) => self.suspended = true,
            (RESUME, _) => self.suspended = false,
            (NOTIFY_MODEMSTATE, [state, ..]) => self.modem = Some(*state),
            (NOTIFY_LINESTATE, [state, ..]) => {
                self.breaks = self.breaks.saturating_add(u32::from(state & LINESTATE_BREAK != 0));
            }
            (code, value) => {
                if self.answers.len() >= COM_PORT_ANSWERS_MAX {
                    self.answers.pop_front();
                }
                self.answers.push_back((code, value.to_vec()));
            }
        }
        None
    }

    /// The answer to an order, if it has come.
    pub(super) fn answer(&mut self, order: &Order) -> Option<Vec<u8>> {
        let at = self.answers.iter().position(|(code, value)| order.is_answered_by(*code, value))?;
        self.answers.remove(at).map(|(_, value)| value)
    }

    /// Forgets how the modem lines were, and makes the order that has the server tell how they are.
    pub(super) fn ask_modem(&mut self) -> Order {
        self.modem = None;
        Order { code: SET_MODEMSTATE_MASK, value: vec![0xff], what: "the modem lines".to_owned() }
    }

    /// The order that has the server tell of each break: unasked it tells nothing of the line's state.
    pub(super) fn ask_breaks() -> Order {
        Order { code: SET_LINESTATE_MASK, value: vec![LINESTATE_BREAK], what: "breaks that come".to_owned() }
    }

    /// The modem lines as the server told them last.
    pub(super) fn modem_lines(&self) -> Option<ModemLines> {
        let state = self.modem?;
        let is_on = |bit: u8| state & bit != 0;
        Some(ModemLines { cts: is_on(0x10), dsr: is_on(0x20), ri: is_on(0x40), cd: is_on(0x80) })
    }

    /// Answers to earlier orders are of no interest any more.
    pub(super) fn forget_answers(&mut self) {
        self.answers.clear();
    }

    /// The words that ask for the server's name.
    pub(super) fn ask_signature() -> Vec<u8> {
        vec![SIGNATURE]
    }
}

/// Whether an answer grants what was asked. The end of a break is never refused: ser2net, on a line that has no break, answers it
/// with the one that it did not make.
pub(super) fn grants(order: &Order, answer: &[u8]) -> bool {
    answer == order.value || (order.code == SET_CONTROL && order.value == [BREAK_OFF])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn orders_are_the_bytes_of_the_rfc() {
        let set = LineOrder::Set {
            speed: Some(115_200),
            framing: Some("7E2".parse().unwrap()),
            flow: Some(Flow::Hardware),
        };
        let told: Vec<(u8, Vec<u8>)> =
            orders(set).into_iter().map(|order| (order.code, order.value)).collect();
        assert_eq!(told, [(1, vec![0, 1, 0xc2, 0]), (2, vec![7]), (3, vec![3]), (4, vec![2]), (5, vec![3])]);
        let codes =
            |order| orders(order).iter().map(|order| (order.code, order.value[0])).collect::<Vec<_>>();
        assert_eq!(codes(LineOrder::Break(Duration::ZERO)), [(5, 5), (5, 6)]);
        assert_eq!(codes(LineOrder::Dtr(true)), [(5, 8)]);
        assert_eq!(codes(LineOrder::Rts(false)), [(5, 12)]);
        assert_eq!(codes(LineOrder::Purge), [(12, 3)]);
    }

    #[test]
    fn answers_find_their_orders_whatever_comes_between() {
        let mut line = ComPort::default();
        for sub in [&b"\x6b\x30"[..], b"\x69\x08", b"\x65\0\0\x96\0", b"\x6c", b"\x6a\x10", b"\x64ser2net"] {
            assert_eq!(line.hear(sub), None);
        }
        assert_eq!(line.hear(b"\0"), Some(b"\0jackfield".to_vec()));
        assert!(line.suspended);
        assert_eq!((line.modem, line.breaks, line.signature.as_str()), (Some(0x30), 1, "ser2net"));
        let speed = Order { code: 1, value: vec![0, 0, 0x96, 0], what: String::new() };
        assert_eq!(line.answer(&Order::control(5, "a break")), None);
        let answer = line.answer(&speed).unwrap();
        assert!(grants(&speed, &answer));
        assert!(line.answer(&Order::control(9, "DTR")).is_some_and(|answer| answer == [8]));
    }
}
