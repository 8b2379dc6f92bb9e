import { expect, test } from 'vitest';

import type { TestState } from '../../parts/verdict';
import type { Suite, Test } from '../../state/run.svelte';
import { countStates, failuresFirst, filtered, readStates } from './rows';

const suite = (name: string, parent?: number): Suite => ({ name, parent, ep: undefined, sut: undefined });
const SUITES = [suite('Router'), suite('Ports', 0)];

function tests(...states: TestState[]): Test[] {
    return states.map((state, index) => ({
        test: index,
        name: `t${index}.py`,
        file: `tests/t${index}.py`,
        suite: index % 2,
        state,
        attempt: 1,
        ep: `EP-${index % 2}`,
        started: undefined,
        elapsed: 0,
        cause: undefined,
        reason: state === 'FAIL' ? 'the port is down' : '',
    }));
}

const order = (list: readonly Test[]) => list.map(({ test }) => test);

test('what failed comes first, then what runs, each in the order of the project', () => {
    const list = tests('PASS', 'FAIL', 'WORKING', 'PENDING', 'FAIL', 'TIMEOUT', 'PASS');
    expect(order(failuresFirst(list))).toEqual([1, 4, 5, 2, 3, 0, 6]);
    expect(countStates(list)).toMatchObject({ PASS: 2, FAIL: 2, WORKING: 1, SKIPPED: 0 });
});

test('states, words and EPs narrow the list', () => {
    const list = tests('PASS', 'FAIL', 'FAIL', 'PASS');
    const none = { states: new Set<TestState>(), words: '' };
    expect(filtered(list, SUITES, none)).toBe(list);
    expect(order(filtered(list, SUITES, { ...none, states: new Set(['FAIL']) }))).toEqual([1, 2]);
    expect(order(filtered(list, SUITES, { ...none, words: 'DOWN router' }))).toEqual([1, 2]);
    expect(order(filtered(list, SUITES, { ...none, words: 'ports' }))).toEqual([1, 3]);
    expect(order(filtered(list, SUITES, { ...none, ep: 'EP-0' }))).toEqual([0, 2]);
});

test('the states of an address are those there are', () => {
    expect([...readStates('fail,TIMEOUT,x')]).toEqual(['FAIL', 'TIMEOUT']);
    expect(readStates(undefined).size).toBe(0);
});

test('a hundred thousand tests are put in order within a frame or two', () => {
    const list = tests(
        ...Array.from({ length: 100_000 }, (_, index): TestState => (index % 10 === 3 ? 'FAIL' : 'PASS')),
    );
    const began = performance.now();
    failuresFirst(filtered(list, SUITES, { states: new Set(['FAIL', 'PASS']), words: 'router' }));
    expect(performance.now() - began).toBeLessThan(500);
});
