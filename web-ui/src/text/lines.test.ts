import { expect, test } from 'vitest';

import { difference, linesOf, merge, type Merged } from './lines';

/** Small numbers that look like chance, the same each time. */
function dice(seed: number): (sides: number) => number {
    let state = seed;
    return (sides) => {
        state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
        return Math.floor((state / 2_147_483_648) * sides);
    };
}

function randomly(lines: readonly string[], roll: (sides: number) => number): string[] {
    const changed = [...lines];
    for (let times = roll(6); times > 0; times--) {
        const at = roll(changed.length + 1);
        if (roll(2) === 0) changed.splice(at, 0, `new ${roll(5)}\n`);
        else changed.splice(at, roll(3), ...(roll(2) === 0 ? [] : [`other ${roll(5)}\n`]));
    }
    return changed;
}

test('the pieces of a difference are both texts, and no line more than needed is different', () => {
    const roll = dice(7);
    for (let round = 0; round < 500; round++) {
        const before = Array.from({ length: roll(12) }, () => `line ${roll(4)}\n`);
        const after = randomly(before, roll);
        const pieces = difference(before, after);
        expect(pieces.flatMap((piece) => piece.before)).toEqual(before);
        expect(pieces.flatMap((piece) => piece.after)).toEqual(after);
        for (const piece of pieces) if (piece.same) expect(piece.before).toEqual(piece.after);
        const common = pieces.filter(({ same }) => same).reduce((sum, piece) => sum + piece.before.length, 0);
        expect(common).toBe(longest(before, after));
    }
});

/** The length of the longest common subsequence, by the book. */
function longest(one: readonly string[], other: readonly string[]): number {
    let above = new Array<number>(other.length + 1).fill(0);
    for (const line of one) {
        const row = [0];
        other.forEach((candidate, at) => {
            row.push(line === candidate ? (above[at] ?? 0) + 1 : Math.max(row[at] ?? 0, above[at + 1] ?? 0));
        });
        above = row;
    }
    return above[other.length] ?? 0;
}

/** The text that somebody gets who decides every conflict in the same way. */
function taken(merged: readonly Merged[], side: 'mine' | 'theirs'): string {
    return merged.flatMap((piece) => (piece.kind === 'clear' ? piece.lines : piece[side])).join('');
}

const BASE = 'a\nb\nc\nd\ne\nf\n';

test('changes in different places are both kept', () => {
    const merged = merge(BASE, 'A\nb\nc\nd\ne\nf\n', 'a\nb\nc\nd\ne\nf\ng\n');
    expect(merged.some(({ kind }) => kind === 'conflict')).toBe(false);
    expect(taken(merged, 'mine')).toBe('A\nb\nc\nd\ne\nf\ng\n');
    // Lines side by side are different places.
    expect(taken(merge(BASE, BASE.replace('b', 'B'), BASE.replace('c', 'C')), 'mine')).toBe(
        'a\nB\nC\nd\ne\nf\n',
    );
});

test('the same change of both is one', () => {
    const both = BASE.replace('c', 'C');
    expect(merge(BASE, both, both).filter(({ kind }) => kind === 'conflict')).toEqual([]);
    expect(taken(merge(BASE, both, both), 'theirs')).toBe(both);
});

test('what both have changed differently is shown with what it was', () => {
    const merged = merge(BASE, BASE.replace('c', 'mine'), BASE.replace('c', 'theirs'));
    expect(merged.find(({ kind }) => kind === 'conflict')).toEqual({
        kind: 'conflict',
        base: ['c\n'],
        mine: ['mine\n'],
        theirs: ['theirs\n'],
    });
    const inserted = merge('a\n', 'a\nmine\n', 'a\ntheirs\n');
    expect(taken(inserted, 'mine')).toBe('a\nmine\n');
    expect(taken(inserted, 'theirs')).toBe('a\ntheirs\n');
    expect(taken(merge('a\nb', '', 'a\nB'), 'mine')).toBe('');
});

test('nothing of either side is lost, whatever they did', () => {
    const roll = dice(11);
    for (let round = 0; round < 1_000; round++) {
        const base = Array.from({ length: roll(10) }, (_, at) => `line ${at}\n`);
        const [mine, theirs] = [randomly(base, roll), randomly(base, roll)];
        const merged = merge(base.join(''), mine.join(''), theirs.join(''));
        // One who has changed nothing gets the other's text.
        expect(taken(merge(base.join(''), base.join(''), theirs.join('')), 'mine')).toBe(theirs.join(''));
        // Every line that somebody added is there, where it is clear and where it is to be decided.
        const all = merged.flatMap((piece) =>
            piece.kind === 'clear' ? piece.lines : [...piece.mine, ...piece.theirs],
        );
        const added = [...mine, ...theirs].filter((line) => !base.includes(line));
        for (const line of added) expect(all).toContain(line);
    }
});

test('a text is its lines, whatever ends them', () => {
    for (const text of ['', 'a', 'a\n', '\n\n', 'a\r\nb\r\n', '\ufeffa\nb'])
        expect(linesOf(text).join('')).toBe(text);
});
