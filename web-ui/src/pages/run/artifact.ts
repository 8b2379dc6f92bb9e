// What kind of file a test left, by its name; and what a packet capture says of itself.

export type Kind = 'picture' | 'video' | 'capture' | 'text' | 'other';

const KINDS: Record<string, Kind> = Object.fromEntries(
    (
        [
            ['picture', 'png jpg jpeg gif webp svg'],
            ['video', 'mp4 webm ogv mov'],
            ['capture', 'pcap cap'],
            ['text', 'txt log json xml csv md yaml yml toml ini cfg conf html diff'],
        ] as const
    ).flatMap(([kind, endings]) => endings.split(' ').map((ending) => [ending, kind])),
);

/** The kind of a file. */
export function kindOf(name: string): Kind {
    return KINDS[name.slice(name.lastIndexOf('.') + 1).toLowerCase()] ?? 'other';
}

/** A packet capture in a few words. */
export type Capture = {
    packets: number;
    bytes: number;
    /** Milliseconds from the first packet to the last. */
    millis: number;
    /** How many packets of each protocol, the most frequent first. */
    protocols: [string, number][];
    /** The file ends within a packet, or is read only so far. */
    cut: boolean;
};

/** Counts the packets of a classic pcap file; nothing where it is none. */
export function summarize(buffer: ArrayBuffer): Capture | undefined {
    const view = new DataView(buffer);
    if (view.byteLength < 24) return undefined;
    const order = [true, false].find((little) =>
        [0xa1b2c3d4, 0xa1b23c4d].includes(view.getUint32(0, little)),
    );
    if (order === undefined) return undefined;
    const divisor = view.getUint32(0, order) === 0xa1b23c4d ? 1_000_000 : 1_000;
    const ethernet = view.getUint32(20, order) === 1;
    const time = (at: number) => view.getUint32(at, order) * 1_000 + view.getUint32(at + 4, order) / divisor;
    const counts = new Map<string, number>();
    let [packets, bytes, at] = [0, 0, 24];
    let [first, last] = [0, 0];
    while (at + 16 <= view.byteLength) {
        const kept = view.getUint32(at + 8, order);
        if (at + 16 + kept > view.byteLength) break;
        last = time(at);
        if (packets === 0) first = last;
        packets += 1;
        bytes += view.getUint32(at + 12, order);
        const name = ethernet ? protocolOf(new DataView(buffer, at + 16, kept)) : 'packets';
        counts.set(name, (counts.get(name) ?? 0) + 1);
        at += 16 + kept;
    }
    const protocols = [...counts].sort((a, b) => b[1] - a[1]);
    return { packets, bytes, millis: last - first, protocols, cut: at < view.byteLength };
}

const ETHERTYPES: Record<number, string> = {
    0x0806: 'ARP',
    0x88cc: 'LLDP',
    0x8847: 'MPLS',
    0x888e: '802.1X',
};
const IP_PROTOCOLS: Record<number, string> = {
    1: 'ICMP',
    2: 'IGMP',
    6: 'TCP',
    17: 'UDP',
    47: 'GRE',
    50: 'ESP',
    58: 'ICMPv6',
    89: 'OSPF',
    112: 'VRRP',
    132: 'SCTP',
};

/** The protocol of an Ethernet frame, as far down as is of use. */
function protocolOf(frame: DataView): string {
    if (frame.byteLength < 14) return 'cut';
    let [kind, at] = [frame.getUint16(12), 14];
    if (kind === 0x8100 && frame.byteLength >= 18) [kind, at] = [frame.getUint16(16), 18];
    if (kind < 0x0600) return 'STP and LLC';
    if (kind === 0x0800 && frame.byteLength > at + 9) return IP_PROTOCOLS[frame.getUint8(at + 9)] ?? 'IPv4';
    if (kind === 0x86dd && frame.byteLength > at + 6) return IP_PROTOCOLS[frame.getUint8(at + 6)] ?? 'IPv6';
    return ETHERTYPES[kind] ?? `0x${kind.toString(16)}`;
}
