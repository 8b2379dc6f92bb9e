// The tests of a run sorted by what a person chose: sorted once, then those that have changed are taken out and put where they belong, so
// that a run of a hundred thousand tests is in order each second.

import { TestReader, type Test, type Tests } from '../../state/tests';
import { compared, type Column, type Sort } from '../../table/columns';
import { FoundRows, type Rows } from '../../table/rows';

type Key = readonly (number | string)[];

export class SortedTests {
    readonly #reader: TestReader;
    /** Numbers of tests, in order. */
    #sorted: number[] = [];
    /** By the number of a test; none of those that do not fit. */
    #keys: (Key | undefined)[] = [];

    constructor(
        readonly tests: Tests,
        readonly fits: ((test: Test) => boolean) | undefined,
        readonly columns: readonly Column<Test>[],
        readonly sort: Sort,
    ) {
        this.#reader = new TestReader(tests);
    }

    /** The tests as they stood when this was asked for last are put into the order of now. */
    rows(): Rows<Test> {
        const changed = new Set<number>();
        this.#reader.read(
            (size) => {
                this.#sorted = [];
                this.#keys = Array.from({ length: size }, () => undefined);
            },
            ({ test }) => changed.add(test),
        );
        if (changed.size > 0) this.#put(changed);
        const [sorted, { all }] = [this.#sorted, this.tests];
        return new FoundRows(sorted.length, (place) => {
            const number = sorted[place];
            return number === undefined ? undefined : all[number];
        });
    }

    #put(changed: ReadonlySet<number>): void {
        const rest = this.#sorted.length === 0 ? [] : this.#sorted.filter((number) => !changed.has(number));
        for (const number of changed) this.#keys[number] = this.#key(this.tests.all[number]);
        const news = [...changed]
            .filter((number) => this.#keys[number] !== undefined)
            .sort((one, other) => this.#compare(one, other));
        const sorted: number[] = [];
        let from = 0;
        for (const number of news) {
            const to = this.#place(rest, number, from);
            for (let at = from; at < to; at += 1) sorted.push(rest[at] ?? 0);
            sorted.push(number);
            from = to;
        }
        for (let at = from; at < rest.length; at += 1) sorted.push(rest[at] ?? 0);
        this.#sorted = sorted;
    }

    #key(test: Test | undefined): Key | undefined {
        if (test === undefined || this.fits?.(test) === false) return undefined;
        return this.sort.flatMap(({ id }) => {
            const column = this.columns.find((each) => each.id === id);
            return column === undefined ? [] : [column.order?.(test) ?? column.text(test)];
        });
    }

    /** Those that are alike stand in the order of the project. */
    #compare(one: number, other: number): number {
        const [keys, others] = [this.#keys[one], this.#keys[other]];
        for (const [nth, { isDown }] of this.sort.entries()) {
            const order = compared(keys?.[nth], others?.[nth]);
            if (order !== 0) return isDown ? -order : order;
        }
        return one - other;
    }

    /** Where a test belongs among others, from a place on. */
    #place(among: readonly number[], number: number, from: number): number {
        let [low, high] = [from, among.length];
        while (low < high) {
            const middle = (low + high) >> 1;
            if (this.#compare(among[middle] ?? 0, number) < 0) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
