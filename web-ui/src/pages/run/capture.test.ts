import { expect, test } from 'vitest';

import { summarize } from './capture';

/** A capture of frames, one second apart, as a machine of this byte order writes it. */
function capture(frames: number[][], little = true): ArrayBuffer {
    const size = 24 + frames.reduce((sum, frame) => sum + 16 + frame.length, 0);
    const view = new DataView(new ArrayBuffer(size));
    view.setUint32(0, 0xa1b2c3d4, little);
    view.setUint32(20, 1, little);
    let at = 24;
    frames.forEach((frame, second) => {
        view.setUint32(at, second, little);
        view.setUint32(at + 8, frame.length, little);
        view.setUint32(at + 12, frame.length, little);
        frame.forEach((byte, index) => view.setUint8(at + 16 + index, byte));
        at += 16 + frame.length;
    });
    return view.buffer;
}

const frame = (kind: [number, number], ...rest: number[]) => [...Array<number>(12).fill(0), ...kind, ...rest];
const IPV4_UDP = frame([0x08, 0x00], ...Array<number>(9).fill(0), 17, 0);
const ARP = frame([0x08, 0x06], 0, 0);
const TAGGED_TCP = frame([0x81, 0x00], 0, 20, 0x08, 0x00, ...Array<number>(9).fill(0), 6, 0);

test('a capture is told in a few words, in either byte order', () => {
    for (const little of [true, false]) {
        expect(summarize(capture([IPV4_UDP, ARP, IPV4_UDP, TAGGED_TCP], little))).toEqual({
            packets: 4,
            bytes: IPV4_UDP.length * 2 + ARP.length + TAGGED_TCP.length,
            millis: 3_000,
            protocols: [
                ['UDP', 2],
                ['ARP', 1],
                ['TCP', 1],
            ],
            cut: false,
        });
    }
});

test('one that is cut, empty or no capture says so', () => {
    const whole = capture([ARP, ARP]);
    expect(summarize(whole.slice(0, whole.byteLength - 3))).toMatchObject({ packets: 1, cut: true });
    expect(summarize(capture([]))).toMatchObject({ packets: 0, millis: 0 });
    expect(summarize(new ArrayBuffer(24))).toBeUndefined();
    expect(summarize(new ArrayBuffer(3))).toBeUndefined();
});

/** A block of a pcapng file, with its two lengths. */
function block(kind: number, body: number[], little: boolean): number[] {
    const padded = [...body, ...Array<number>((4 - (body.length % 4)) % 4).fill(0)];
    const length = word(padded.length + 12, little);
    return [...word(kind, little), ...length, ...padded, ...length];
}

const word = (value: number, little: boolean, bytes = 4): number[] => {
    const big = Array.from({ length: bytes }, (_, nth) => Math.floor(value / 256 ** (bytes - 1 - nth)) % 256);
    return little ? big.reverse() : big;
};

const section = (little: boolean) =>
    block(
        0x0a0d0d0a,
        [
            ...word(0x1a2b3c4d, little),
            ...word(1, little, 2),
            ...word(0, little, 2),
            ...Array<number>(8).fill(255),
        ],
        little,
    );
const described = (link: number, options: number[], little: boolean) =>
    block(1, [...word(link, little, 2), 0, 0, ...word(65535, little), ...options], little);
const enhanced = (of: number, units: number, frame: number[], little: boolean) =>
    block(
        6,
        [
            ...word(of, little),
            ...word(Math.floor(units / 2 ** 32), little),
            ...word(units % 2 ** 32, little),
            ...word(frame.length, little),
            ...word(frame.length, little),
            ...frame,
        ],
        little,
    );
const whole = (...blocks: number[][]) => Uint8Array.from(blocks.flat()).buffer;

const COOKED_DNS = [
    ...Array<number>(14).fill(0),
    0x08,
    0x00,
    0x45,
    ...Array<number>(8).fill(0),
    17,
    ...Array<number>(10).fill(0),
    0xc0,
    0x00,
    0,
    53,
];
const BARE_NGAP = [0x60, 0, 0, 0, 0, 8, 132, ...Array<number>(33).fill(0), 0x96, 0x0c, 0x80, 0x00];

test('pcapng is told as well: several interfaces and sections, each with its own link, clock and byte order', () => {
    // Nanoseconds on the second interface: an option of one byte, padded.
    const nanos = (little: boolean) => [...word(9, little, 2), ...word(1, little, 2), 9, 0, 0, 0, 0, 0, 0, 0];
    const bytes = whole(
        section(true),
        described(113, [], true),
        described(101, nanos(true), true),
        enhanced(0, 1_000_000, COOKED_DNS, true),
        enhanced(1, 3_500_000_000, BARE_NGAP, true),
        block(5, [0, 0, 0, 0], true),
        section(false),
        described(1, [], false),
        enhanced(0, 2_000_000, ARP, false),
        block(3, [...word(ARP.length, false), ...ARP], false),
    );
    expect(summarize(bytes)).toEqual({
        packets: 4,
        bytes: COOKED_DNS.length + BARE_NGAP.length + 2 * ARP.length,
        millis: 2_500,
        protocols: [
            ['ARP', 2],
            ['DNS', 1],
            ['NGAP', 1],
        ],
        cut: false,
    });
});

test('a damaged pcapng is told as far as it goes', () => {
    const good = [section(true), described(1, [], true), enhanced(0, 0, ARP, true)];
    const bytes = whole(...good, enhanced(0, 1, ARP, true));
    expect(summarize(bytes.slice(0, -5))).toMatchObject({ packets: 1, cut: true });
    // A length of nothing would go round for ever; an interface that was never told of is none.
    expect(summarize(whole(...good, [6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]))).toMatchObject({
        packets: 1,
        cut: true,
    });
    expect(summarize(whole(section(true), described(1, [], true), enhanced(7, 0, ARP, true)))).toMatchObject({
        packets: 0,
    });
    // Packets without a time have none between them.
    const simple = block(3, [...word(ARP.length, true), ...ARP], true);
    expect(summarize(whole(section(true), described(1, [], true), simple))?.millis).toBeUndefined();
    expect(summarize(whole([0x0a, 0x0d, 0x0d, 0x0a, ...Array<number>(24).fill(7)]))).toBeUndefined();
});
