// A stream of the engine that is kept open: it comes back by itself after a cut or a restart of the engine, from the
// event it saw last, and says how old its data are in the meantime.
//
//   connecting ──answer──▶ live ──cut, silence──▶ lost ──wait──▶ connecting
//        └──refused──▶ lost                         └──answer "over"──▶ over

import { EventCutter, type ServerEvent } from './sse';
import { problemIn, problemOf, type Problem } from './problem';

/** How a stream is. */
export type LiveState = 'connecting' | 'live' | 'lost' | 'over';

export type LiveHandlers = {
    /** Events in order, some at once. */
    events(events: ServerEvent[]): void;
    /** Whenever it changes. */
    state?(state: LiveState): void;
    /** Anything came, also a line that only keeps the connection. */
    heard?(): void;
    /** The engine refused, with a reason that will not pass by itself: the stream is over. */
    refused?(problem: Problem): void;
    /** The stream ended in order; answers whether that was its end. Without it, it never is. */
    ended?(): boolean;
    /** Rests while nobody looks at the page: a browser has six connections to a host, for all its pages together. */
    restsHidden?: boolean;
};

/** Silence after which a connection is taken for dead; the engine says something every 15 seconds. */
const SILENCE_MILLIS = 40_000;
/** Waits before the next try: short at first, since an engine that restarts is back in a second. */
const WAITS_MILLIS = [100, 250, 500, 1_000, 2_000, 3_000];
/** How long a page is hidden before its stream rests: who looks into another one for a moment comes back to a live one. */
const HIDDEN_MILLIS = 10_000;
/** Problems that trying again does not mend. */
const FINAL = ['unauthenticated', 'forbidden', 'not_found', 'bad_request'];

export class LiveStream {
    #after: string;
    #state: LiveState = 'connecting';
    #tries = 0;
    #timer: ReturnType<typeof setTimeout> | undefined;
    #hiding: ReturnType<typeof setTimeout> | undefined;
    #rests = false;
    #connection = new AbortController();

    /** `address` without its place; `after` is the id to go on from, none for all. */
    constructor(
        readonly address: string,
        after: string,
        readonly handlers: LiveHandlers,
    ) {
        this.#after = after;
        if (handlers.restsHidden) document.addEventListener('visibilitychange', this.#turn);
        void this.#connect();
    }

    /** Rests when the page has been hidden for a while, and goes on from where it was when it is seen again. */
    readonly #turn = (): void => {
        clearTimeout(this.#hiding);
        if (!document.hidden) {
            this.#rests = false;
            this.hurry();
            return;
        }
        this.#hiding = setTimeout(() => {
            this.#rests = true;
            this.#connection.abort();
        }, HIDDEN_MILLIS);
    };

    /** The id of the event seen last. */
    get after(): string {
        return this.#after;
    }

    /** Tries at once instead of after the wait: somebody looks again. */
    hurry(): void {
        if (this.#state !== 'lost') return;
        clearTimeout(this.#timer);
        void this.#connect();
    }

    /** Ends it. */
    close(): void {
        this.#state = 'over';
        clearTimeout(this.#timer);
        clearTimeout(this.#hiding);
        document.removeEventListener('visibilitychange', this.#turn);
        this.#connection.abort();
    }

    #become(state: LiveState): void {
        if (this.#state === state || this.#state === 'over') return;
        this.#state = state;
        this.handlers.state?.(state);
    }

    async #connect(): Promise<void> {
        this.#become('connecting');
        this.#connection = new AbortController();
        try {
            const headers: HeadersInit = this.#after === '' ? {} : { 'Last-Event-ID': this.#after };
            const response = await fetch(this.address, {
                headers,
                credentials: 'same-origin',
                signal: this.#connection.signal,
            });
            if (!response.ok || !response.body) {
                const body: unknown = await response.json().catch(() => undefined);
                this.#refused(problemIn(response.status, body));
                return;
            }
            this.#tries = 0;
            this.#become('live');
            await this.#read(response.body);
            if (this.handlers.ended?.()) {
                this.#become('over');
                return;
            }
        } catch (thrown) {
            void problemOf(thrown);
        }
        this.#again();
    }

    async #read(body: ReadableStream<Uint8Array>): Promise<void> {
        const cutter = new EventCutter();
        const decoder = new TextDecoder();
        const reader = body.getReader();
        for (;;) {
            const silence = setTimeout(() => this.#connection.abort(), SILENCE_MILLIS);
            const { done, value } = await reader.read().finally(() => clearTimeout(silence));
            if (done) return;
            if (this.#state === 'over') return;
            this.handlers.heard?.();
            const events = cutter.push(decoder.decode(value, { stream: true }));
            const last = events.at(-1);
            if (last) {
                if (last.id !== '') this.#after = last.id;
                this.handlers.events(events);
            }
        }
    }

    #refused(problem: Problem): void {
        if (FINAL.includes(problem.code)) {
            this.#become('over');
            this.handlers.refused?.(problem);
        } else {
            this.#again();
        }
    }

    #again(): void {
        if (this.#state === 'over') return;
        this.#become('lost');
        if (this.#rests) return;
        const wait = WAITS_MILLIS[Math.min(this.#tries, WAITS_MILLIS.length - 1)] ?? 0;
        this.#tries += 1;
        // Not all browsers of a lab in the same moment.
        this.#timer = setTimeout(() => void this.#connect(), wait * (0.75 + Math.random() / 2));
    }
}
