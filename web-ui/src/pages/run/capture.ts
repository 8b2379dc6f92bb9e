// What a packet capture says of itself in a few words: classic pcap and pcapng, in either byte order.

import { protocolOf } from './packet';

/** A packet capture in a few words. */
export type Capture = {
    packets: number;
    bytes: number;
    /** Milliseconds from the first packet to the last; none where packets have no time. */
    millis: number | undefined;
    /** How many packets of each protocol, the most frequent first. */
    protocols: [string, number][];
    /** The file ends within a packet, or is read only so far. */
    cut: boolean;
};

type Packet = {
    /** Milliseconds since 1970; none where the file does not say. */
    at: number | undefined;
    /** How long it was on the wire. */
    bytes: number;
    /** What it begins with, as `LINKTYPE_…` are numbered. */
    link: number;
    /** As much of it as was kept. */
    kept: DataView;
};

/** Packets one after the other; at the end, whether the file ends within one. */
type Packets = Generator<Packet, boolean>;

const CLASSIC_MICROS = 0xa1b2c3d4;
const CLASSIC_NANOS = 0xa1b23c4d;
const SECTION = 0x0a0d0d0a;
const ORDER = 0x1a2b3c4d;

/** Counts the packets of a capture; nothing where it is none. */
export function summarize(buffer: ArrayBuffer): Capture | undefined {
    const view = new DataView(buffer);
    if (view.byteLength < 24) return undefined;
    if (view.getUint32(0) === SECTION)
        return orderOf(view, 8, [ORDER]) === undefined ? undefined : sum(sections(view));
    const order = orderOf(view, 0, [CLASSIC_MICROS, CLASSIC_NANOS]);
    return order === undefined ? undefined : sum(classic(view, order));
}

/** Whether what stands there is little-endian; nothing where it is none of these numbers in either order. */
function orderOf(view: DataView, at: number, magic: readonly number[]): boolean | undefined {
    return [true, false].find((little) => magic.includes(view.getUint32(at, little)));
}

function sum(packets: Packets): Capture {
    const counts = new Map<string, number>();
    let [count, bytes, first, last] = [0, 0, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (;;) {
        const { done, value } = packets.next();
        if (done) {
            const protocols = [...counts].sort((a, b) => b[1] - a[1]);
            const millis = count === 0 ? 0 : last >= first ? last - first : undefined;
            return { packets: count, bytes, millis, protocols, cut: value };
        }
        count += 1;
        bytes += value.bytes;
        // Of several interfaces, packets need not stand in the order of time.
        first = Math.min(first, value.at ?? first);
        last = Math.max(last, value.at ?? last);
        const name = protocolOf(value.link, value.kept);
        counts.set(name, (counts.get(name) ?? 0) + 1);
    }
}

/** pcap: one header, then packets, each with its time and its two lengths. */
function* classic(view: DataView, little: boolean): Packets {
    const divisor = view.getUint32(0, little) === CLASSIC_NANOS ? 1_000_000 : 1_000;
    // The upper bits tell of checksums at the end of frames.
    const link = view.getUint32(20, little) & 0xffff;
    let at = 24;
    while (at + 16 <= view.byteLength) {
        const length = view.getUint32(at + 8, little);
        const end = at + 16 + length;
        if (end > view.byteLength) return true;
        yield {
            at: view.getUint32(at, little) * 1_000 + view.getUint32(at + 4, little) / divisor,
            bytes: view.getUint32(at + 12, little),
            link,
            kept: new DataView(view.buffer, at + 16, length),
        };
        at = end;
    }
    return at < view.byteLength;
}

/** What packets of an interface begin with, and what their times count. */
type Interface = { link: number; snap: number; perSecond: number; offset: number };

const BLOCKS = { interface: 1, packet: 2, simple: 3, enhanced: 6 } as const;

/** pcapng: sections of blocks, each of which says how long it is; interfaces first, then packets that name theirs. */
function* sections(view: DataView): Packets {
    let little = true;
    let interfaces: Interface[] = [];
    let at = 0;
    while (at + 12 <= view.byteLength) {
        const isSection = view.getUint32(at) === SECTION;
        if (isSection) {
            const order = at + 16 <= view.byteLength ? orderOf(view, at + 8, [ORDER]) : undefined;
            if (order === undefined) return true;
            [little, interfaces] = [order, []];
        }
        const length = view.getUint32(at + 4, little);
        // A block ends where it says, or the file cannot be read further.
        if (length < 12 || length % 4 !== 0 || at + length > view.byteLength) return true;
        const body = new DataView(view.buffer, at + 8, length - 12);
        const kind = isSection ? undefined : view.getUint32(at, little);
        if (kind === BLOCKS.interface) interfaces.push(interfaceOf(body, little));
        const packet = kind === undefined ? undefined : packetOf(kind, body, little, interfaces);
        if (packet !== undefined) yield packet;
        at += length;
    }
    return at < view.byteLength;
}

const RESOLUTION_OPTION = 9;
const OFFSET_OPTION = 14;

function interfaceOf(body: DataView, little: boolean): Interface {
    const of: Interface = { link: -1, snap: 0, perSecond: 1_000_000, offset: 0 };
    if (body.byteLength < 8) return of;
    [of.link, of.snap] = [body.getUint16(0, little), body.getUint32(4, little)];
    for (let at = 8; at + 4 <= body.byteLength;) {
        const [code, length] = [body.getUint16(at, little), body.getUint16(at + 2, little)];
        if (code === 0 || at + 4 + length > body.byteLength) break;
        if (code === RESOLUTION_OPTION && length === 1) {
            const power = body.getUint8(at + 4);
            of.perSecond = power >= 0x80 ? 2 ** (power & 0x7f) : 10 ** power;
        } else if (code === OFFSET_OPTION && length === 8) {
            of.offset = Number(body.getBigInt64(at + 4, little));
        }
        at += 4 + length + ((4 - (length % 4)) % 4);
    }
    return of;
}

/** The packet in a block; none in blocks of other kinds, and in damaged ones. */
function packetOf(
    kind: number,
    body: DataView,
    little: boolean,
    interfaces: readonly Interface[],
): Packet | undefined {
    if (kind === BLOCKS.simple) {
        const [of] = interfaces;
        if (of === undefined || body.byteLength < 4) return undefined;
        const bytes = body.getUint32(0, little);
        const length = Math.min(bytes, of.snap === 0 ? bytes : of.snap, body.byteLength - 4);
        return {
            at: undefined,
            bytes,
            link: of.link,
            kept: new DataView(body.buffer, body.byteOffset + 4, length),
        };
    }
    if ((kind !== BLOCKS.enhanced && kind !== BLOCKS.packet) || body.byteLength < 20) return undefined;
    const number = kind === BLOCKS.enhanced ? body.getUint32(0, little) : body.getUint16(0, little);
    const of = interfaces[number];
    const length = body.getUint32(12, little);
    if (of === undefined || 20 + length > body.byteLength) return undefined;
    const units = body.getUint32(4, little) * 2 ** 32 + body.getUint32(8, little);
    return {
        at: (units / of.perSecond + of.offset) * 1_000,
        bytes: body.getUint32(16, little),
        link: of.link,
        kept: new DataView(body.buffer, body.byteOffset + 20, length),
    };
}
