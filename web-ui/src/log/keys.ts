// What keys do in a log. One set of keys everywhere: j k move, n N walk through what was found, Shift extends the choice.

import type { LogReader } from './reader.svelte';

export type Deeds = {
    /** The reader wants to look for something. */
    readonly onfind: () => void;
    /** What is chosen is to be copied: as text, or as a link. */
    readonly oncopy: (what: 'text' | 'link') => void;
    /** A line that is too long to be drawn is to be seen whole. */
    readonly onwhole: (line: number) => void;
};

type Act = (reader: LogReader, deeds: Deeds, isShift: boolean) => void;

const KEYS: Readonly<Record<string, Act>> = {
    ArrowDown: (reader, _, isShift) => reader.step(1, isShift),
    j: (reader) => reader.step(1, false),
    J: (reader) => reader.step(1, true),
    ArrowUp: (reader, _, isShift) => reader.step(-1, isShift),
    k: (reader) => reader.step(-1, false),
    K: (reader) => reader.step(-1, true),
    PageDown: (reader) => reader.page(1),
    PageUp: (reader) => reader.page(-1),
    Home: (reader) => reader.show(1),
    End: (reader) => {
        reader.at = reader.log.lines;
        reader.follow();
    },
    n: (reader) => reader.walk(1),
    N: (reader) => reader.walk(-1),
    p: (reader) => reader.walk(-1),
    w: (reader) => (reader.isWrapped = !reader.isWrapped),
    t: (reader) => reader.turnTimes(),
    x: (reader) => reader.choose(reader.at, true),
    z: (reader) => reader.fold(reader.at),
    Enter: (reader, { onwhole }) => {
        if (reader.log.get(reader.at)?.cut === true) onwhole(reader.at);
    },
    c: (_, { oncopy }) => oncopy('text'),
    l: (_, { oncopy }) => oncopy('link'),
    '/': (_, { onfind }) => onfind(),
    Escape: (reader) => (reader.range = undefined),
};

/** Does what a key means in a log; what means nothing goes on to the page. */
export function press(event: KeyboardEvent, reader: LogReader, deeds: Deeds): void {
    if (event.altKey || event.metaKey || event.ctrlKey) return;
    const act = KEYS[event.key];
    if (act === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    act(reader, deeds, event.shiftKey);
}
