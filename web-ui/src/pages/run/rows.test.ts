import { expect, test } from 'vitest';

import { isBad, STATES, type TestState } from '../../parts/verdict';
import type { Suite } from '../../state/run.svelte';
import { Tests, type Test } from '../../state/tests';
import { sorted, type Column } from '../../table/columns';
import { Work } from './lanes';
import { fitting, isFiltered, pathOf, readStates, TestOrder, type Wanted } from './rows';
import { SortedTests } from './sorted';
import { StateCounts, SuiteSums } from './sums';

const suite = (name: string, parent?: number): Suite => ({ name, parent, ep: undefined, sut: undefined });
const SUITES = [suite('Router'), suite('Ports', 0), suite('Switch')];

function testOf(index: number, state: TestState): Test {
    return {
        test: index,
        name: `t${index}.py`,
        file: `tests/t${index}.py`,
        suite: index % SUITES.length,
        state,
        attempt: 1,
        ep: `EP-${index % 2}`,
        started: state === 'PENDING' ? undefined : 1_000 * index,
        elapsed: 7 * ((index * 31) % 11),
        cause: undefined,
        reason: state === 'FAIL' ? 'the port is down' : '',
    };
}

function tests(...states: TestState[]): Tests {
    const list = new Tests();
    states.forEach((state, index) => list.put(testOf(index, state)));
    return list;
}

const NONE: Wanted = { states: new Set(), words: '' };
const numbers = (list: readonly Test[]) => list.map(({ test }) => test);
const order = (of: Tests, how: TestOrder['order'], wanted = NONE) =>
    numbers(new TestOrder(of, fitting(SUITES, wanted), how).rows().slice());

test('what failed comes first, then what runs, each in the order of the project', () => {
    const list = tests('PASS', 'FAIL', 'WORKING', 'PENDING', 'FAIL', 'TIMEOUT', 'PASS');
    expect(order(list, 'failures first')).toEqual([1, 4, 5, 2, 3, 0, 6]);
    expect(order(list, 'of the project')).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(new StateCounts(list).now()).toMatchObject({ PASS: 2, FAIL: 2, WORKING: 1, SKIPPED: 0 });
});

test('states, words and EPs narrow the list', () => {
    const list = tests('PASS', 'FAIL', 'FAIL', 'PASS');
    expect(fitting(SUITES, NONE)).toBeUndefined();
    const fits = (wanted: Partial<Wanted>) => order(list, 'of the project', { ...NONE, ...wanted });
    expect(fits({ states: new Set(['FAIL']) })).toEqual([1, 2]);
    expect(fits({ words: 'DOWN router' })).toEqual([1]);
    expect(fits({ words: 'ports' })).toEqual([1]);
    expect(fits({ ep: 'EP-0' })).toEqual([0, 2]);
});

test('the states of an address are those there are', () => {
    expect([...readStates('fail,TIMEOUT,x')]).toEqual(['FAIL', 'TIMEOUT']);
    expect(readStates(undefined).size).toBe(0);
});

test('a suite tells of those below it too', () => {
    const list = tests('PASS', 'FAIL', 'WORKING', 'PENDING', 'FAIL');
    const sums = new SuiteSums(list, SUITES);
    const before = sums.now();
    expect(before).toEqual([
        { tests: 4, ended: 3, bad: { FAIL: 2 } },
        { tests: 2, ended: 2, bad: { FAIL: 2 } },
        { tests: 1, ended: 0, bad: {} },
    ]);
    list.put(testOf(4, 'PASS'));
    const after = sums.now();
    expect(after[1]).toEqual({ tests: 2, ended: 2, bad: { FAIL: 1 } });
    // Who draws what has changed looks at nothing else.
    expect(after[2]).toBe(before[2]);
});

// Whatever happens to a run, what is kept of it is what one would find who looked at all tests.

/** Numbers that look like chance, and are the same in each run. */
function dice(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
        return Math.floor((state / 2 ** 32) * below);
    };
}

const COLUMNS: Column<Test>[] = [
    { id: 'reason', title: 'Reason', width: '1fr', text: ({ reason }) => reason },
    { id: 'took', title: 'Took', width: '1fr', text: String, order: ({ elapsed }) => elapsed },
    { id: 'ep', title: 'EP', width: '1fr', text: ({ ep }) => ep ?? '' },
];
const SORTS = [
    [{ id: 'took', isDown: true }],
    [
        { id: 'ep', isDown: false },
        { id: 'reason', isDown: true },
    ],
];
const WANTED: Wanted[] = [
    NONE,
    { ...NONE, states: new Set(['FAIL', 'WORKING']) },
    { states: new Set(['PASS']), words: 'ports', ep: 'EP-1' },
    { ...NONE, words: 'down' },
];

class Model {
    readonly fits;
    readonly orders;
    readonly sorts;
    readonly work;

    constructor(
        readonly list: Tests,
        readonly wanted: Wanted,
    ) {
        const fits = fitting(SUITES, wanted);
        this.fits = (test: Test) => fits === undefined || fits(test);
        this.orders = (['failures first', 'of the project'] as const).map(
            (how) => new TestOrder(list, fits, how),
        );
        this.sorts = SORTS.map((sort) => ({ sort, kept: new SortedTests(list, fits, COLUMNS, sort) }));
        this.work = new Work(list, fits);
    }

    check(): void {
        const all = this.list.all.filter(this.fits);
        const failuresFirst = STATES.flatMap((state) => all.filter((test) => test.state === state));
        const [first, plain] = this.orders.map((each) => each.rows());
        expect(numbers(first?.slice() ?? [])).toEqual(numbers(failuresFirst));
        expect(numbers(plain?.slice() ?? [])).toEqual(numbers(all));
        failuresFirst.forEach(({ test }, place) => expect(first?.placeOf?.(String(test))).toBe(place));
        expect(this.list.all.map(({ test }) => this.orders[0]?.has(test))).toEqual(
            this.list.all.map(this.fits),
        );
        for (const { sort, kept } of this.sorts) {
            expect(numbers(kept.rows().slice())).toEqual(numbers(sorted(all, COLUMNS, sort)));
        }
        expect(this.work.now().map(({ id }) => Number(id))).toEqual(
            numbers(all.filter(({ state }) => state !== 'PENDING' && state !== 'WAITING')),
        );
    }
}

function naiveSums(list: Tests): object[] {
    return SUITES.map((_, suite) => {
        const its = list.all.filter((test) => pathOf(SUITES, test.suite).includes(SUITES[suite]?.name ?? ''));
        const bad: Partial<Record<TestState, number>> = {};
        for (const { state } of its) if (isBad(state)) bad[state] = (bad[state] ?? 0) + 1;
        const ended = its.filter(({ state }) => !['PENDING', 'WAITING', 'WORKING'].includes(state));
        return { tests: its.length, ended: ended.length, bad };
    });
}

/** Without the states of which there are none any more. */
const told = (sums: readonly { tests: number; ended: number; bad: object }[]): object[] =>
    sums.map(({ bad, ...rest }) => ({
        ...rest,
        bad: Object.fromEntries(Object.entries(bad).filter(([, count]) => count !== 0)),
    }));

test.each([1, 2, 3, 4, 5, 6])('what is kept is what is there, whatever happens (%i)', (seed) => {
    const roll = dice(seed);
    const state = (): TestState => STATES[roll(STATES.length)] ?? 'PASS';
    const list = tests(...Array.from({ length: 40 }, state));
    const models = WANTED.map((wanted) => new Model(list, wanted));
    const [counts, sums] = [new StateCounts(list), new SuiteSums(list, SUITES)];
    for (let frame = 0; frame < 60; frame += 1) {
        // Mostly some change; now and then many, as after a long silence; or tests are added; or all is loaded anew.
        const what = roll(20);
        if (what === 0) {
            const size = list.all.length + roll(3);
            for (let index = 0; index < size; index += 1) list.put(testOf(index, state()));
        } else if (what === 1) {
            list.put(testOf(list.all.length, state()));
        } else {
            const changes = what === 2 ? 3_000 : roll(8);
            for (let nth = 0; nth < changes; nth += 1) list.put(testOf(roll(list.all.length), state()));
        }
        // A page that is hidden, or a view that nobody looks at, does not read each time.
        for (const model of models) if (roll(3) > 0) model.check();
        if (roll(3) === 0) continue;
        const naive = Object.fromEntries(
            STATES.map((each) => [each, list.all.filter(({ state }) => state === each).length]),
        );
        expect(counts.now()).toEqual(naive);
        expect(told(sums.now())).toEqual(naiveSums(list));
    }
    for (const model of models) model.check();
});

test('who holds an order is told how many would stand elsewhere', () => {
    const list = tests('PENDING', 'PENDING', 'PENDING', 'PASS');
    const kept = new TestOrder(list, undefined, 'failures first');
    const then = kept.ranks();
    expect(kept.moved(then)).toBe(0);
    list.put(testOf(1, 'WORKING'));
    list.put(testOf(1, 'FAIL'));
    list.put(testOf(2, 'WORKING'));
    expect(kept.moved(then)).toBe(2);
    list.put(testOf(2, 'PENDING'));
    list.put(testOf(4, 'PENDING'));
    expect(kept.moved(then)).toBe(2);
    expect(isFiltered({ ...NONE, words: ' ' })).toBe(false);
});
