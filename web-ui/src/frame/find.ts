// Which entries of the palette fit what is typed, and in which order.

/** Something to go to or to do. */
export type Entry = {
    /** Tells it from others, also tomorrow. */
    id: string;
    /** What is shown and searched. */
    name: string;
    /** What kind of thing it is. */
    kind: 'Go' | 'Do' | 'Run' | 'EP' | 'Test' | 'Project' | 'Config' | 'File' | 'Resource';
    /** More to read, and to be found by. */
    more?: string;
    key?: string;
    act: () => void;
};

/** How well a text fits; nothing where it does not. Every word has to be in it: at the start of a word is best. */
export function fit(words: readonly string[], text: string): number | undefined {
    let sum = 0;
    for (const word of words) {
        const at = text.indexOf(word);
        if (at < 0) return undefined;
        const before = text[at - 1];
        const starts = at === 0 || before === undefined || !/[\p{L}\p{N}]/u.test(before);
        sum += at === 0 ? 4 : starts ? 3 : 1;
    }
    // Of two that fit alike the shorter says more of what was meant.
    return sum - text.length / 1_000;
}

/** The entries that fit, best first; recent ones first where nothing is typed. */
export function find(
    entries: readonly Entry[],
    typed: string,
    recent: readonly string[],
    most: number,
): Entry[] {
    const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) {
        const place = new Map(recent.map((id, place) => [id, place]));
        const rank = (entry: Entry) => place.get(entry.id) ?? recent.length;
        return [...entries].sort((a, b) => rank(a) - rank(b)).slice(0, most);
    }
    const found: { entry: Entry; score: number }[] = [];
    for (const entry of entries) {
        const score = fit(words, `${entry.name} ${entry.more ?? ''} ${entry.kind}`.toLowerCase());
        if (score !== undefined) found.push({ entry, score: score + (recent.includes(entry.id) ? 0.5 : 0) });
    }
    return found
        .sort((a, b) => b.score - a.score)
        .slice(0, most)
        .map(({ entry }) => entry);
}
