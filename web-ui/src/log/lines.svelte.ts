// The lines of one log, as far as they are seen: pages of lines fetched when they are wanted, and what the engine says of
// its growth. A log of gigabytes takes no more memory than a few screens.

import { api, ask, type Schemas } from '../api/client';
import { LiveStream } from '../api/live';
import { problemOf, type Problem } from '../api/problem';

export type LogLine = Schemas['LogLine'];
export type Stream = Schemas['Stream'];
type Growth = Schemas['LogGrowth'];

/** Lines of one page. */
const PAGE = 200;
/** Pages that are kept; the one not seen longest goes. */
const PAGES_MAX = 32;

export class LogLines {
    /** How many there are by now. */
    lines = $state(0);
    bytes = $state(0);
    /** Nothing more will come. */
    isOver = $state(false);
    /** Whether the engine has said how long the log is. */
    isKnown = $state(false);
    /** Sizes of all logs of the attempt that are not empty. */
    logs = $state.raw<Partial<Record<Stream, number>>>({});
    problem = $state.raw<Problem>();
    /** Whether lines come with their times; what came without is asked for again. */
    isTimed = $state(false);
    /** Grows with each page that came: what is drawn from `get` is drawn anew. */
    version = $state(0);

    #pages = new Map<number, { items: readonly LogLine[]; isWhole: boolean; bytes: number }>();
    #asked = new Map<number, AbortController>();
    #growth: LiveStream;

    constructor(
        readonly attempt: string,
        readonly stream: Stream,
    ) {
        this.#growth = this.#follow();
    }

    /** Ends all that is under way. */
    close(): void {
        this.#growth.close();
        for (const asked of this.#asked.values()) asked.abort();
        this.#asked.clear();
    }

    /** A line by its number, if it is here. */
    get(line: number): LogLine | undefined {
        return this.#pages.get(pageOf(line))?.items[(line - 1) % PAGE];
    }

    /** Sees to it that these lines come; what was wanted before and is not any more is given up. */
    want(first: number, last: number): void {
        const [from, to] = [pageOf(Math.max(1, first)), pageOf(Math.max(1, Math.min(last, this.lines)))];
        for (const [page, asked] of this.#asked) {
            if (page < from || page > to) {
                asked.abort();
                this.#asked.delete(page);
            }
        }
        if (this.lines === 0) return;
        for (let page = from; page <= to; page += 1) {
            const known = this.#pages.get(page);
            if (known !== undefined) {
                // The last to be seen is the last to go.
                this.#pages.delete(page);
                this.#pages.set(page, known);
            }
            const isStale = known === undefined || (!known.isWhole && known.bytes !== this.bytes);
            if (isStale && !this.#asked.has(page)) void this.#fetch(page);
        }
    }

    /** Lines with their times from now on, or without. */
    time(isTimed: boolean): void {
        if (isTimed === this.isTimed) return;
        this.isTimed = isTimed;
        for (const asked of this.#asked.values()) asked.abort();
        this.#asked.clear();
        this.#pages.clear();
        this.version += 1;
    }

    /** Tries again what failed. */
    again(): void {
        this.problem = undefined;
        this.#growth.close();
        this.#growth = this.#follow();
    }

    async #fetch(page: number): Promise<void> {
        const asked = new AbortController();
        this.#asked.set(page, asked);
        try {
            const answer = await ask(
                api.GET('/api/v1/attempts/{attempt}/logs/{stream}/lines', {
                    params: {
                        path: { attempt: this.attempt, stream: this.stream },
                        query: { from: page * PAGE + 1, count: PAGE, times: this.isTimed },
                    },
                    signal: asked.signal,
                }),
            );
            // What has more lines after it does not change any more; the last one may still grow.
            const isWhole = answer.lines > (page + 1) * PAGE;
            this.#pages.delete(page);
            this.#pages.set(page, { items: answer.items, isWhole, bytes: answer.size });
            for (const oldest of this.#pages.keys()) {
                if (this.#pages.size <= PAGES_MAX) break;
                this.#pages.delete(oldest);
            }
            this.version += 1;
            this.problem = undefined;
        } catch (thrown) {
            if (!asked.signal.aborted) this.problem = problemOf(thrown);
        } finally {
            if (this.#asked.get(page) === asked) this.#asked.delete(page);
        }
    }

    #follow(): LiveStream {
        return new LiveStream(`log/${this.attempt}/${this.stream}`, '', {
            events: (events) => {
                const last = events.findLast(({ name }) => name === 'growth');
                if (last) this.#grown(JSON.parse(last.data) as Growth);
            },
            refused: (problem) => (this.problem = problem),
            restsHidden: true,
        });
    }

    #grown(now: Growth): void {
        this.lines = now.lines;
        this.bytes = now.size;
        this.isOver = now.over;
        this.logs = now.logs;
        this.isKnown = true;
    }
}

function pageOf(line: number): number {
    return Math.floor((line - 1) / PAGE);
}
