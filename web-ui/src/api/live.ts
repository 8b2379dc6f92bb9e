// What a page follows of the engine, through the switchboard that all pages of the browser share; a page of a browser that
// cannot share has a switchboard of its own, which rests while nobody looks.

import { signedOut } from './client';
import type { FromPage, ToPage } from './lines';
import { Problem } from './problem';
import type { ServerEvent } from './sse';
import { Switchboard, type LiveState, type Told } from './switchboard';

export type { LiveState } from './switchboard';

export type LiveHandlers = {
    /** Events in order, some at once. */
    events(events: ServerEvent[]): void;
    /** Whenever it changes. */
    state?(state: LiveState): void;
    /** Anything came, also a line that only keeps the connection. */
    heard?(): void;
    /** The engine refused, with a reason that will not pass by itself: the stream is over. */
    refused?(problem: Problem): void;
    /** Rests while nobody looks at the page: what comes is drawn for nobody. */
    restsHidden?: boolean;
};

/** How long a page is hidden before its streams rest: who looks into another one for a moment comes back to a live one. */
const HIDDEN_MILLIS = 10_000;
/** How often a page says that it is there. */
const ALIVE_MILLIS = 20_000;

/** Where one can follow topics. */
type Board = {
    follow(topic: string, after: string, tell: (told: Told) => void): () => void;
    hurry(): void;
    /** Whether other pages share it. */
    readonly isShared: boolean;
};

export class LiveStream {
    #after: string;
    #end: (() => void) | undefined;
    #hiding: ReturnType<typeof setTimeout> | undefined;
    #isOver = false;

    /** `topic` as the switchboard names it; `after` is the id to go on from, none for from now on. */
    constructor(
        readonly topic: string,
        after: string,
        readonly handlers: LiveHandlers,
    ) {
        this.#after = after;
        if (handlers.restsHidden || !board().isShared)
            document.addEventListener('visibilitychange', this.#turn);
        streams.add(this);
        this.follow();
    }

    /** The id of the event seen last. */
    get after(): string {
        return this.#after;
    }

    /** Begins, or begins again from where it was. */
    follow(): void {
        this.#end?.();
        this.#end = board().follow(this.topic, this.#after, (told) => this.#hear(told));
    }

    /** The same where the line was cut; one that rests goes on resting. */
    again(): void {
        if (this.#end !== undefined) this.follow();
    }

    /** Tries at once instead of after the wait: somebody looks again. */
    hurry(): void {
        board().hurry();
    }

    /** Ends it. */
    close(): void {
        this.#isOver = true;
        streams.delete(this);
        clearTimeout(this.#hiding);
        document.removeEventListener('visibilitychange', this.#turn);
        this.#rest();
    }

    #rest(): void {
        this.#end?.();
        this.#end = undefined;
    }

    /** Rests when the page has been hidden for a while, and goes on from where it was when it is seen again. */
    readonly #turn = (): void => {
        clearTimeout(this.#hiding);
        if (document.hidden) this.#hiding = setTimeout(() => this.#rest(), HIDDEN_MILLIS);
        else if (this.#end === undefined && !this.#isOver) this.follow();
    };

    #hear(told: Told): void {
        if (this.#isOver) return;
        switch (told.kind) {
            case 'events': {
                const id = told.events.findLast((event) => event.id !== '')?.id;
                if (id !== undefined) this.#after = id;
                this.handlers.events(told.events);
                break;
            }
            case 'state':
                if (told.state === 'over') this.close();
                this.handlers.state?.(told.state);
                break;
            case 'heard':
                this.handlers.heard?.();
                break;
            case 'refused': {
                const { code, message, field } = told.problem;
                // Who was idle for too long, or was signed out elsewhere, sees nothing more of the lab.
                if (code === 'unauthenticated') signedOut();
                this.handlers.refused?.(new Problem(code, message, field));
                break;
            }
        }
    }
}

const streams = new Set<LiveStream>();
let chosen: Board | undefined;
let who = '';

/** For whom streams are from now on: nothing of one person's is told to the next. */
export function streamsOf(user: string): void {
    who = user;
}

function board(): Board {
    chosen ??= typeof SharedWorker === 'undefined' ? own() : shared();
    return chosen;
}

function own(): Board {
    const switchboard = new Switchboard();
    return {
        follow: (topic, after, tell) => switchboard.follow(topic, after, tell),
        hurry: () => switchboard.hurry(),
        isShared: false,
    };
}

function shared(): Board {
    const worker = new SharedWorker(new URL('./live.worker.ts', import.meta.url), { type: 'module' });
    const lines = new Map<number, (told: Told) => void>();
    let last = 0;
    const say = (said: FromPage): void => worker.port.postMessage(said);
    // Everything again, each from where it was.
    const anew = (): void => {
        for (const stream of streams) stream.again();
    };
    worker.port.onmessage = ({ data }: MessageEvent<ToPage>) => {
        if (data.kind === 'cut') anew();
        else lines.get(data.line)?.(data.told);
    };
    worker.onerror = () => {
        chosen = own();
        anew();
    };
    setInterval(() => say({ kind: 'alive' }), ALIVE_MILLIS);
    addEventListener('pagehide', () => say({ kind: 'bye' }));
    addEventListener('pageshow', ({ persisted }) => persisted && anew());
    return {
        follow: (topic, after, tell) => {
            const line = ++last;
            lines.set(line, tell);
            say({ kind: 'follow', line, who, topic, after });
            return () => {
                if (lines.delete(line)) say({ kind: 'end', line });
            };
        },
        hurry: () => say({ kind: 'hurry' }),
        isShared: true,
    };
}
