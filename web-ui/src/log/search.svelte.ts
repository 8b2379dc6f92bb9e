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

    constructor(
        readonly attempt: string,
        readonly stream: Stream,
    ) {}

    /** Looks for something, from the beginning. */
    begin(wanted: Wanted): void {
        this.end();
        this.wanted = wanted;
        if ('text' in wanted && wanted.text === '') return;
        void this.#search(wanted, 1);
    }

    /** Looks at what came since: from the line that was the last one. */
    goOn(line: number): void {
        const { wanted } = this;
        if (wanted === undefined || this.state !== 'done' || this.problem !== undefined) return;
        const kept = this.hits.filter((hit) => hit < line);
        this.total -= this.hits.length - kept.length;
        this.hits = kept;
        void this.#search(wanted, line);
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

    async #search(wanted: Wanted, from: number): Promise<void> {
        const stop = new AbortController();
        this.#stop = stop;
        this.state = 'on';
        const before = this.total;
        try {
            const answer = await fetch(this.#address(wanted, from), { signal: stop.signal });
            if (!answer.ok || answer.body === null) {
                const body: unknown = await answer.json().catch(() => undefined);
                throw problemIn(answer.status, body);
            }
            let isWhole = false;
            await read<Word>(answer.body, (words) => {
                if (stop.signal.aborted) return;
                isWhole = this.#take(words, before) || isWhole;
            });
            if (!isWhole) throw new TypeError('the search was cut off');
        } catch (thrown) {
            if (!stop.signal.aborted) this.problem ??= problemOf(thrown);
        }
        if (!stop.signal.aborted) this.state = 'done';
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
