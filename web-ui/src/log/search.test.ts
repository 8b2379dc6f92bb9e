import { expect, it } from 'vitest';

import { read } from './ndjson';
import type { Look } from './ansi';
import { classes, colour, pieces } from './pieces';
import { firstFrom, neighbour } from './search.svelte';

it('walks through what was found, round both ends', () => {
    const hits = [3, 10, 400];
    expect([0, 3, 9, 400, 9_999].map((line) => neighbour(hits, line, 1))).toEqual([3, 10, 10, 3, 3]);
    expect([0, 3, 9, 400, 9_999].map((line) => neighbour(hits, line, -1))).toEqual([400, 400, 3, 10, 400]);
    expect(neighbour([], 5, 1)).toBeUndefined();
    expect([firstFrom(hits, 3), firstFrom(hits, 4), firstFrom(hits, 500)]).toEqual([0, 1, 3]);
});

it('marks what was found across changes of colour', () => {
    const line = '\u001b[31mab\u001b[0mcd\u0007e';
    const told = (found: [number, number][]): string[] =>
        pieces(line, found).map(({ text, look, isFound }) => `${isFound ? '*' : ''}${look.fg ?? ''}${text}`);
    expect(told([])).toEqual(['1ab', 'cd', '␇', 'e']);
    expect(told([[6, 12]])).toEqual(['1a', '*1b', '*c', 'd', '␇', 'e']);
    expect(told([[12, 15]])).toEqual(['1ab', 'c', '*d', '*␇', '*e']);
    expect(told([[0, 3]]), 'inside of an escape').toEqual(['1ab', 'cd', '␇', 'e']);
});

it('turns looks into classes and colours', () => {
    const colours = (look: Look) => [colour(look, 'text'), colour(look, 'ground')];
    expect(classes({ fg: '1', bg: '15', bold: true })).toBe('bold');
    expect(colours({ fg: '1', bg: '15' })).toEqual(['var(--ansi-1)', 'var(--ansi-ground-15)']);
    expect(colours({ fg: '1', inverse: true })).toEqual(['var(--ansi-back)', 'var(--ansi-ground-1)']);
    expect(colours({})).toEqual([undefined, undefined]);
    expect(classes({ fg: '#ff0000', underline: true })).toBe('underline');
    expect(colours({ fg: '#ff0000', inverse: true })).toEqual(['var(--ansi-back)', '#ff0000']);
});

it('reads objects however their bytes are cut', async () => {
    const bytes = new TextEncoder().encode('{"a":"ö"}\n{"a":2}\n{"a":3}');
    for (const size of [1, 2, 7, 100]) {
        const body = new ReadableStream<Uint8Array>({
            start(to) {
                for (let at = 0; at < bytes.length; at += size) to.enqueue(bytes.slice(at, at + size));
                to.close();
            },
        });
        const words: unknown[] = [];
        await read<unknown>(body, (some) => words.push(...some));
        expect(words).toEqual([{ a: 'ö' }, { a: 2 }, { a: 3 }]);
    }
});
