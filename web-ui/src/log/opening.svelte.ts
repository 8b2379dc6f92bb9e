// A log is opened: where one begins to read it, and what follows as it grows.

import { untrack } from 'svelte';

import type { Stream } from './lines.svelte';
import { LogReader } from './reader.svelte';
import type { LineRange } from './view';

export type Wish = {
    /** Lines that the address names. */
    readonly lines: LineRange | undefined;
    /** The log of a test that did not pass opens at its first error line. */
    readonly isFailed: () => boolean;
};

/** Opens a log. Answers its reader, and how to close it. */
export function open(attempt: string, stream: Stream, wish: Wish): { reader: LogReader; close: () => void } {
    const reader = new LogReader(attempt, stream);
    let isPlaced = false;
    let lines = 0;
    const heard = (count: number): void => {
        if (!isPlaced) {
            isPlaced = true;
            begin(reader, wish.lines);
        } else if (count > lines) {
            reader.grown();
        }
        lines = count;
    };
    // Effects of their own: what the log says must not make another reader.
    const end = $effect.root(() => {
        $effect(() => {
            const { lines: count, isKnown } = reader.log;
            if (isKnown) untrack(() => heard(count));
        });
        $effect(() => {
            const [first] = reader.errors.hits;
            if (!wish.isFailed() || wish.lines !== undefined || first === undefined || !reader.log.isOver)
                return;
            untrack(() => {
                if (reader.at === 0) reader.show(first);
            });
        });
    });
    const close = (): void => {
        end();
        reader.close();
    };
    return { reader, close };
}

/** Where a log is read first: at what the address says, at its end while it grows, else at its beginning. */
function begin(reader: LogReader, wanted: LineRange | undefined): void {
    reader.lookAround();
    if (reader.log.isOver) reader.goTo(0);
    if (wanted !== undefined && wanted.first <= reader.log.lines) {
        reader.range = wanted;
        reader.show(wanted.first);
    }
}
