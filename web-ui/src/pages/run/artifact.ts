// What kind of file a test left, by its name.

export type Kind = 'picture' | 'video' | 'capture' | 'text' | 'other';

const KINDS: Record<string, Kind> = Object.fromEntries(
    (
        [
            ['picture', 'png jpg jpeg gif webp svg'],
            ['video', 'mp4 webm ogv mov'],
            ['capture', 'pcap pcapng cap ntar'],
            ['text', 'txt log json xml csv md yaml yml toml ini cfg conf html diff'],
        ] as const
    ).flatMap(([kind, endings]) => endings.split(' ').map((ending) => [ending, kind])),
);

/** The kind of a file. */
export function kindOf(name: string): Kind {
    const ending = (of: string) => of.slice(of.lastIndexOf('.') + 1).toLowerCase();
    // Captures are often left packed, and are read all the same.
    const isPackedCapture = ending(name) === 'gz' && KINDS[ending(name.slice(0, -3))] === 'capture';
    return isPackedCapture ? 'capture' : (KINDS[ending(name)] ?? 'other');
}
