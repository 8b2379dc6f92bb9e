// Texts by lines: how two of them differ, and what becomes of two people's changes of the same text. Pure.
//
// Lines keep their ends, so that a text that is put together again is the same text, byte for byte.

/** A piece of two texts: the same in both, or what stands in one where the other has something else. */
export type Piece = {
    readonly same: boolean;
    /** The first line of it in the one text, and in the other; from 0. */
    readonly from: number;
    readonly to: number;
    readonly before: readonly string[];
    readonly after: readonly string[];
};

/** Beyond so many steps two texts are taken for wholly different between their common beginning and end: a person could not read more either. */
const STEPS_MAX = 2_000;

/** The lines of a text, each with its end. */
export function linesOf(text: string): string[] {
    return text === '' ? [] : text.split(/(?<=\n)/);
}

/** How two texts differ, in order; the pieces together are both texts. */
export function difference(before: readonly string[], after: readonly string[]): Piece[] {
    const most = Math.min(before.length, after.length);
    let start = 0;
    while (start < most && before[start] === after[start]) start += 1;
    let end = 0;
    while (end < most - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
    const middle = paths(before.slice(start, before.length - end), after.slice(start, after.length - end));
    const all = [
        ...Array.from({ length: start }, (_, at): Pair => [at, at]),
        ...middle.map(([one, other]): Pair => [one + start, other + start]),
        ...Array.from({ length: end }, (_, at): Pair => [before.length - end + at, after.length - end + at]),
    ];
    return piecesOf(all, before, after);
}

/** A line of the one text that stands in the other. */
type Pair = [number, number];

/** The longest way of common lines, by Myers; none where it would take too long. */
function paths(before: readonly string[], after: readonly string[]): Pair[] {
    const [rows, columns] = [before.length, after.length];
    if (rows === 0 || columns === 0) return [];
    const most = Math.min(rows + columns, STEPS_MAX);
    // How far each diagonal has come, for each number of steps.
    const trail: Int32Array[] = [];
    let now = new Int32Array(2 * most + 3);
    const middle = most + 1;
    for (let steps = 0; steps <= most; steps++) {
        trail.push(now.slice(middle - steps - 1, middle + steps + 2));
        for (let diagonal = -steps; diagonal <= steps; diagonal += 2) {
            const [left, right] = [now[middle + diagonal - 1] ?? 0, now[middle + diagonal + 1] ?? 0];
            const isDown = diagonal === -steps || (diagonal !== steps && left < right);
            let row = isDown ? right : left + 1;
            while (row < rows && row - diagonal < columns && before[row] === after[row - diagonal]) row += 1;
            now[middle + diagonal] = row;
            if (row >= rows && row - diagonal >= columns) return walkedBack(trail, rows, columns);
        }
        now = now.slice();
    }
    return [];
}

function walkedBack(trail: readonly Int32Array[], rows: number, columns: number): Pair[] {
    const pairs: Pair[] = [];
    let [row, column] = [rows, columns];
    for (let steps = trail.length - 1; steps >= 0; steps--) {
        const far = (diagonal: number): number => trail[steps]?.[diagonal + steps + 1] ?? 0;
        const diagonal = row - column;
        const isDown = diagonal === -steps || (diagonal !== steps && far(diagonal - 1) < far(diagonal + 1));
        const from = steps === 0 ? 0 : isDown ? far(diagonal + 1) : far(diagonal - 1) + 1;
        while (row > from && column > 0) {
            row -= 1;
            column -= 1;
            pairs.push([row, column]);
        }
        if (steps === 0) break;
        if (isDown) column -= 1;
        else row -= 1;
    }
    return pairs.reverse();
}

function piecesOf(pairs: readonly Pair[], before: readonly string[], after: readonly string[]): Piece[] {
    const pieces: Piece[] = [];
    let [one, other] = [0, 0];
    const put = (same: boolean, toOne: number, toOther: number): void => {
        if (toOne === one && toOther === other) return;
        pieces.push({
            same,
            from: one,
            to: other,
            before: before.slice(one, toOne),
            after: after.slice(other, toOther),
        });
        [one, other] = [toOne, toOther];
    };
    for (let at = 0; at < pairs.length;) {
        const [first, firstOther] = pairs[at] as Pair;
        let length = 1;
        while (pairs[at + length]?.[0] === first + length && pairs[at + length]?.[1] === firstOther + length)
            length += 1;
        put(false, first, firstOther);
        put(true, first + length, firstOther + length);
        at += length;
    }
    put(false, before.length, after.length);
    return pieces;
}

/** A piece of a text that two people have changed. */
export type Merged =
    /** As it was, or as the one who changed it wants it. */
    | {
          readonly kind: 'clear';
          readonly by: 'nobody' | 'mine' | 'theirs' | 'both';
          readonly lines: readonly string[];
      }
    /** Both have changed it, differently: a person decides. */
    | {
          readonly kind: 'conflict';
          readonly base: readonly string[];
          readonly mine: readonly string[];
          readonly theirs: readonly string[];
      };

/** What becomes of a text that two people have changed. */
export function merge(base: string, mine: string, theirs: string): Merged[] {
    const before = linesOf(base);
    const changes = [...changesOf(before, mine, 'mine'), ...changesOf(before, theirs, 'theirs')];
    changes.sort((one, other) => one.from - other.from || one.end - other.end);
    const merged: Merged[] = [];
    let at = 0;
    for (let nth = 0; nth < changes.length;) {
        const group = together(changes, nth);
        const from = group[0]?.from ?? at;
        const end = Math.max(...group.map((change) => change.end));
        put(merged, { kind: 'clear', by: 'nobody', lines: before.slice(at, from) });
        put(merged, decided(before, from, end, group));
        at = end;
        nth += group.length;
    }
    put(merged, { kind: 'clear', by: 'nobody', lines: before.slice(at) });
    return merged;
}

/** Lines of the base, from one up to another, that one side has differently. */
type Change = { side: 'mine' | 'theirs'; from: number; end: number; lines: readonly string[] };

function changesOf(before: readonly string[], after: string, side: Change['side']): Change[] {
    return difference(before, linesOf(after))
        .filter(({ same }) => !same)
        .map(({ from, before, after }) => ({ side, from, end: from + before.length, lines: after }));
}

/** The changes from one on that touch the same lines, or put something in the same place. */
function together(changes: readonly Change[], first: number): Change[] {
    const group = changes.slice(first, first + 1);
    let end = group[0]?.end ?? 0;
    for (const next of changes.slice(first + 1)) {
        const meets = group.some(
            ({ from, end, side }) => side !== next.side && from === end && from === next.from,
        );
        if (next.from >= end && !meets) break;
        group.push(next);
        end = Math.max(end, next.end);
    }
    return group;
}

function decided(before: readonly string[], from: number, end: number, group: readonly Change[]): Merged {
    const of = (wanted: Change['side']): string[] => {
        const lines: string[] = [];
        let at = from;
        for (const change of group.filter(({ side }) => side === wanted)) {
            lines.push(...before.slice(at, change.from), ...change.lines);
            at = change.end;
        }
        return [...lines, ...before.slice(at, end)];
    };
    const [mine, theirs] = [of('mine'), of('theirs')];
    if (group.every(({ side }) => side === 'mine')) return { kind: 'clear', by: 'mine', lines: mine };
    if (group.every(({ side }) => side === 'theirs')) return { kind: 'clear', by: 'theirs', lines: theirs };
    if (mine.join('') === theirs.join('')) return { kind: 'clear', by: 'both', lines: mine };
    return { kind: 'conflict', base: before.slice(from, end), mine, theirs };
}

function put(merged: Merged[], piece: Merged): void {
    if (piece.kind === 'conflict' || piece.lines.length > 0 || piece.by !== 'nobody') merged.push(piece);
}
