// A search in a log: on the engine, over all of it, given up when the next one begins. What is found is kept as numbers of
// lines in their order, so that n and N are a look into a list.

import { problemIn, problemOf, type Problem } from '../api/problem';
import type { Schemas } from '../api/client';
import type { Stream } from './lines.svelte';
import { read } from './ndjson';

type Word = Schemas['SearchWord'];

/** What is looked for. */
export type Wanted =
    | { readonly kind: 'text' | 'pattern'; readonly text: string; readonly isCase: boolean }
    | { readonly kind: 'errors' | 'steps' };

export type Range = readonly [number, number];

export class LogSearch {
    /** The lines that fit, in their order; at most as many as the engine lists. */
    hits = $state.raw<readonly number[]>([]);
    /** How many fit, listed or not. */
    total = $state(0);
    /** How many bytes were searched. */
    searched = $state(0);
    state = $state<'off' | 'on' | 'done'>('off');
    problem = $state.raw<Problem>();
    /** What is looked for now. */
    wanted = $state.raw<Wanted>();

    #places = new Map<number, readonly Range[]>();
    #texts = new Map<number, string>();
    #stop: AbortController | undefined;

    /** The line from which on nothing was searched yet: it may not have been whole. */
    #covered = 1;
    /** The log has grown since the search that is under way began. */
    #isStale = false;

    constructor(
        readonly attempt: string,
        readonly stream: Stream,
        /** How many lines the log has now. */
        private readonly lines: () => number,
    ) {}

    /** Looks for something, from the beginning. */
    begin(wanted: Wanted): void {
        this.end();
        this.wanted = wanted;
        if ('text' in wanted && wanted.text === '') return;
        void this.#run(wanted);
    }

    /** The log has grown: looks at what came since. */
    goOn(): void {
        if (this.state === 'on') this.#isStale = true;
        if (this.state === 'done' && this.wanted !== undefined) void this.#run(this.wanted);
    }

    /** Looks for nothing any more. */
    end(): void {
        this.#stop?.abort();
        this.#stop = undefined;
        this.hits = [];
        this.total = 0;
        this.searched = 0;
        this.state = 'off';
        this.problem = undefined;
        this.wanted = undefined;
        this.#covered = 1;
        this.#isStale = false;
        this.#places.clear();
        this.#texts.clear();
    }

    /** Where in the text of a line it stands. */
    places(line: number): readonly Range[] {
        return this.#places.get(line) ?? [];
    }

    /** The line itself, as it was found: a heading. */
    text(line: number): string {
        return this.#texts.get(line) ?? '';
    }

    /** The hit after a line, or before it; round the end where there is none. */
    next(line: number, step: 1 | -1): number | undefined {
        return neighbour(this.hits, line, step);
    }

    /** Which of the hits a line is, counted from 1; 0 where it is none. */
    nth(line: number): number {
        const index = firstFrom(this.hits, line);
        return this.hits[index] === line ? index + 1 : 0;
    }

    async #run(wanted: Wanted): Promise<void> {
        const stop = new AbortController();
        this.#stop = stop;
        this.state = 'on';
        do {
            this.#isStale = false;
            const from = this.#covered;
            this.#covered = Math.max(1, this.lines());
            await this.#search(wanted, from, stop.signal);
        } while (!stop.signal.aborted && this.#isStale && this.problem === undefined);
        if (!stop.signal.aborted) this.state = 'done';
    }

    async #search(wanted: Wanted, from: number, stop: AbortSignal): Promise<void> {
        const kept = this.hits.filter((hit) => hit < from);
        const before = Math.max(0, this.total - (this.hits.length - kept.length));
        if (kept.length < this.hits.length) this.hits = kept;
        try {
            const answer = await fetch(this.#address(wanted, from), { signal: stop });
            if (!answer.ok || answer.body === null) {
                const body: unknown = await answer.json().catch(() => undefined);
                throw problemIn(answer.status, body);
            }
            let isWhole = false;
            await read<Word>(answer.body, (words) => {
                if (!stop.aborted) isWhole = this.#take(words, before) || isWhole;
            });
            if (!isWhole) throw new TypeError('the search was cut off');
        } catch (thrown) {
            if (!stop.aborted) this.problem ??= problemOf(thrown);
        }
    }

    /** Whether the end was among the words. */
    #take(words: readonly Word[], before: number): boolean {
        const found: number[] = [];
        let isWhole = false;
        for (const word of words) {
            switch (word.type) {
                case 'hit':
                    found.push(word.line);
                    this.#places.set(word.line, word.ranges as Range[]);
                    if (this.wanted?.kind === 'steps') this.#texts.set(word.line, word.text);
                    break;
                case 'progress':
                case 'end':
                    this.total = before + word.hits;
                    this.searched = word.searched;
                    isWhole = word.type === 'end';
                    break;
                case 'failed':
                    this.problem = problemIn(word.problem.status, word.problem);
                    break;
            }
        }
        if (found.length > 0) {
            this.hits = [...this.hits, ...found];
            this.total = Math.max(this.total, this.hits.length);
        }
        return isWhole;
    }

    #address(wanted: Wanted, from: number): string {
        const query = new URLSearchParams();
        if ('text' in wanted) {
            query.set(wanted.kind, wanted.text);
            if (wanted.isCase) query.set('case', 'true');
        } else {
            query.set('find', wanted.kind);
        }
        if (from > 1) query.set('from', String(from));
        return `/api/v1/attempts/${encodeURIComponent(this.attempt)}/logs/${this.stream}/search?${query.toString()}`;
    }
}

/** The first index of a sorted list whose number is not below another. */
export function firstFrom(sorted: readonly number[], wanted: number): number {
    let [low, high] = [0, sorted.length];
    while (low < high) {
        const middle = (low + high) >> 1;
        if ((sorted[middle] ?? 0) < wanted) low = middle + 1;
        else high = middle;
    }
    return low;
}

/** The next number after one, or the one before it; round the end. */
export function neighbour(sorted: readonly number[], from: number, step: 1 | -1): number | undefined {
    if (step === 1) return sorted[firstFrom(sorted, from + 1)] ?? sorted[0];
    return sorted[firstFrom(sorted, from) - 1] ?? sorted.at(-1);
}
