// Numbered things in the order of their ranks, and within a rank of their numbers. The order is kept as ranks change: a change, the nth
// thing, and where a thing stands cost the logarithm of how many there are.

/** A rank of those that are not in the order. */
export const ABSENT = 255;

/** How many of the numbers below one are there: sums of sums, as Fenwick has them. */
class Sums {
    readonly #sums: Int32Array;
    readonly #top: number;

    constructor(size: number) {
        this.#sums = new Int32Array(size + 1);
        this.#top = 2 ** Math.floor(Math.log2(Math.max(1, size)));
    }

    add(number: number, by: 1 | -1): void {
        for (let at = number + 1; at < this.#sums.length; at += at & -at)
            this.#sums[at] = (this.#sums[at] ?? 0) + by;
    }

    /** How many there are below a number. */
    below(number: number): number {
        let sum = 0;
        for (let at = number; at > 0; at -= at & -at) sum += this.#sums[at] ?? 0;
        return sum;
    }

    /** The number of the nth of them, counted from 0. There are more than that. */
    nth(nth: number): number {
        let [at, rest] = [0, nth];
        for (let step = this.#top; step > 0; step >>= 1) {
            const sum = this.#sums[at + step];
            if (sum === undefined || sum > rest) continue;
            at += step;
            rest -= sum;
        }
        return at;
    }
}

export class Places {
    readonly #ranks: Uint8Array;
    readonly #counts: number[];
    /** By rank; none where a rank never had anything. */
    readonly #sums: (Sums | undefined)[];
    #length = 0;

    /** Of numbers below `size` and ranks below `ranks`, which are at most 255; all are absent at first. */
    constructor(
        readonly size: number,
        ranks: number,
    ) {
        this.#ranks = new Uint8Array(size).fill(ABSENT);
        this.#counts = Array.from({ length: ranks }, () => 0);
        this.#sums = Array.from({ length: ranks }, () => undefined);
    }

    /** How many are in the order. */
    get length(): number {
        return this.#length;
    }

    /** Gives a thing its rank, or takes it out of the order. Answers whether that changes anything. */
    put(number: number, rank: number): boolean {
        const before = this.#ranks[number] ?? ABSENT;
        if (before === rank) return false;
        this.#ranks[number] = rank;
        this.#add(before, number, -1);
        this.#add(rank, number, 1);
        return true;
    }

    #add(rank: number, number: number, by: 1 | -1): void {
        if (rank === ABSENT) return;
        this.#length += by;
        this.#counts[rank] = (this.#counts[rank] ?? 0) + by;
        (this.#sums[rank] ??= new Sums(this.size)).add(number, by);
    }

    /** How many have a rank. */
    count(rank: number): number {
        return this.#counts[rank] ?? 0;
    }

    /** The ranks as they are now, for `differing`. */
    ranks(): Uint8Array {
        return this.#ranks.slice();
    }

    /** How many have another rank than then. */
    differing(then: Uint8Array): number {
        let count = Math.abs(this.size - then.length);
        for (let number = 0; number < Math.min(this.size, then.length); number += 1) {
            if (then[number] !== this.#ranks[number]) count += 1;
        }
        return count;
    }

    has(number: number): boolean {
        return (this.#ranks[number] ?? ABSENT) !== ABSENT;
    }

    /** The number of what stands at a place, counted from 0; nothing where the order is shorter. */
    at(place: number): number | undefined {
        if (place < 0 || place >= this.#length) return undefined;
        let rest = place;
        for (const [rank, count] of this.#counts.entries()) {
            if (rest < count) return this.#sums[rank]?.nth(rest);
            rest -= count;
        }
        return undefined;
    }

    /** Where a thing stands; -1 where it is not in the order. */
    of(number: number): number {
        const rank = this.#ranks[number] ?? ABSENT;
        if (rank === ABSENT) return -1;
        const before = this.#counts.slice(0, rank).reduce((sum, count) => sum + count, 0);
        return before + (this.#sums[rank]?.below(number) ?? 0);
    }
}
