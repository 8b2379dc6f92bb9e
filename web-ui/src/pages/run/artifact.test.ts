import { expect, test } from 'vitest';

import { kindOf, summarize } from './artifact';

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

test('a file is known by its ending', () => {
    expect([kindOf('a.b/Screen.PNG'), kindOf('x.pcap'), kindOf('core'), kindOf('out.txt')]).toEqual([
        'picture',
        'capture',
        'other',
        'text',
    ]);
});
