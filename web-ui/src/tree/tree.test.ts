import { describe, expect, it } from 'vitest';

import { FlatTree, type Row } from './tree';

interface Node {
    name: string;
    children?: Node[];
}

const nested = { id: (node: Node) => node.name, children: (node: Node) => node.children ?? [] };

function node(name: string, ...children: Node[]): Node {
    return { name, children };
}

const lab = FlatTree.of(
    [node('tb1', node('r1', node('p1'), node('p2')), node('r2')), node('tb2'), node('tb3', node('s1'))],
    nested,
);

/** As people would draw it: one line for each row, indented, with what a screen reader is told. */
function drawn(rows: readonly Row<Node>[]): string[] {
    return rows.map(({ entry, position, siblings, open }) => {
        const mark = open === undefined ? ' ' : open ? '-' : '+';
        return `${'  '.repeat(entry.depth)}${mark}${entry.id} ${position}/${siblings}`;
    });
}

function shape(tree: FlatTree<Node> | string): string {
    if (typeof tree === 'string') return tree;
    // What an entry claims to have below it must be what stands there.
    tree.entries.forEach((entry, index) => {
        let below = 0;
        while ((tree.entries[index + 1 + below]?.depth ?? -1) > entry.depth) below += 1;
        expect(entry.below, entry.id).toBe(below);
    });
    return tree.entries.map((entry) => `${entry.depth}${entry.id}`).join(' ');
}

describe('what is drawn', () => {
    it('is what lies below open branches', () => {
        expect(drawn(lab.rows(new Set()))).toEqual(['+tb1 1/3', ' tb2 2/3', '+tb3 3/3']);
        expect(drawn(lab.rows(new Set(['tb1'])))).toEqual([
            '-tb1 1/3',
            '  +r1 1/2',
            '   r2 2/2',
            ' tb2 2/3',
            '+tb3 3/3',
        ]);
        expect(drawn(lab.rows(lab.branches()))).toEqual([
            '-tb1 1/3',
            '  -r1 1/2',
            '     p1 1/2',
            '     p2 2/2',
            '   r2 2/2',
            ' tb2 2/3',
            '-tb3 3/3',
            '   s1 1/1',
        ]);
    });

    it('opens to a level', () => {
        expect([...lab.branches(1)]).toEqual(['tb1', 'tb3']);
        expect([...lab.branches(2)]).toEqual(['tb1', 'r1', 'tb3']);
    });

    it('keeps what is above a match, and counts only what is left', () => {
        expect(drawn(lab.filtered((item) => item.name === 'p2' || item.name === 's1'))).toEqual([
            '-tb1 1/2',
            '  -r1 1/1',
            '     p2 1/1',
            '-tb3 2/2',
            '   s1 1/1',
        ]);
        expect(lab.filtered(() => false)).toEqual([]);
    });
});

describe('an edit', () => {
    it('moves a branch into another, with its depth', () => {
        expect(shape(lab.move('r1', 'tb3', 0))).toBe('0tb1 1r2 0tb2 0tb3 1r1 2p1 2p2 1s1');
        expect(shape(lab.move('r1', 'tb3', 9))).toBe('0tb1 1r2 0tb2 0tb3 1s1 1r1 2p1 2p2');
        expect(shape(lab.move('r1', undefined, 1))).toBe('0tb1 1r2 0r1 1p1 1p2 0tb2 0tb3 1s1');
        expect(shape(lab.move('r1', 'tb1', 1)), 'down among its siblings').toBe(
            '0tb1 1r2 1r1 2p1 2p2 0tb2 0tb3 1s1',
        );
        expect(shape(lab), 'the tree before is as it was').toBe('0tb1 1r1 2p1 2p2 1r2 0tb2 0tb3 1s1');
    });

    it('is refused where it makes no sense', () => {
        expect(lab.move('tb1', 'p1', 0)).toBe('into itself');
        expect(lab.move('tb1', 'tb1', 0)).toBe('into itself');
        expect(lab.move('nobody', 'tb1', 0)).toBe('no such node');
        expect(lab.move('tb1', 'nobody', 0)).toBe('no such node');
    });

    it('removes and inserts whole branches', () => {
        expect(shape(lab.remove('tb1'))).toBe('0tb2 0tb3 1s1');
        expect(shape(lab.remove('nobody'))).toBe(shape(lab));
        const more = FlatTree.of([node('r9', node('p9'))], nested);
        expect(shape(lab.insert(more, 'tb2', 0))).toBe('0tb1 1r1 2p1 2p2 1r2 0tb2 1r9 2p9 0tb3 1s1');
        expect(lab.insert(more, 'nobody', 0)).toBe('no such node');
    });

    it('gives the same tree as moving in the nested one, whatever is moved', () => {
        let seed = 7;
        const dice = (sides: number): number => {
            seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
            return seed % sides;
        };
        let tree = lab;
        for (let round = 0; round < 500; round += 1) {
            const moved = tree.entries[dice(tree.size)]?.id ?? '';
            const parent = dice(4) === 0 ? undefined : tree.entries[dice(tree.size)]?.id;
            const next = tree.move(moved, parent, dice(4));
            if (typeof next === 'string') continue;
            shape(next);
            expect(next.size).toBe(lab.size);
            expect(next.ancestors(moved).at(-1)?.id).toBe(parent);
            tree = next;
        }
    });
});

it('knows the way to a node', () => {
    expect(lab.ancestors('p2').map((entry) => entry.id)).toEqual(['tb1', 'r1']);
    expect(lab.ancestors('tb2')).toEqual([]);
    expect(lab.ancestors('nobody')).toEqual([]);
});

it('survives a tree that is deeper than the stack of a browser', () => {
    let deep = node('n0');
    for (let level = 1; level < 50_000; level += 1) deep = node(`n${level}`, deep);
    const tree = FlatTree.of([deep], nested);
    expect(tree.rows(tree.branches()).length).toBe(50_000);
});

it('flattens ten thousand rows after a move in less than ten milliseconds', () => {
    const suites = Array.from({ length: 100 }, (_, suite) =>
        node(`s${suite}`, ...Array.from({ length: 99 }, (_, test) => node(`s${suite}.t${test}`))),
    );
    let tree = FlatTree.of(suites, nested);
    const open = tree.branches();
    expect(tree.rows(open).length).toBe(10_000);
    // The best of many rounds: a machine that does other things at the same time proves nothing.
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 30; round += 1) {
        const begun = performance.now();
        const next = tree.move(`s${round}`, 's99', 5);
        if (typeof next === 'string') throw new Error(next);
        const rows = next.rows(open);
        best = Math.min(best, performance.now() - begun);
        expect(rows.length).toBe(10_000);
        tree = next;
    }
    expect(best).toBeLessThan(10);
});
