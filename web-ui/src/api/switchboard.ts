// One stream of the engine for all that the pages of a browser follow: a browser has six connections to a host, and tabs
// need them for their requests. It comes back by itself after a cut or a restart of the engine, each topic from the event
// that was seen last.
//
//   connecting ──answer──▶ live ──cut, silence──▶ lost ──wait──▶ connecting
//        └──refused──▶ over
//
// Topics: `lab` (placed by a position of the feed), `run/8` (by the number of an event), `log/8.0.1/cli` (told anew).

import { problemIn, type Problem } from './problem';
import { EventCutter, type ServerEvent } from './sse';

/** How a stream is. */
export type LiveState = 'connecting' | 'live' | 'lost' | 'over';

/** What a listener is told: in this form, since it may be in another thread. */
export type Told =
    | { kind: 'events'; events: ServerEvent[] }
    | { kind: 'state'; state: LiveState }
    /** Anything came, also a line that only keeps the connection. */
    | { kind: 'heard' }
    /** The engine refused, with a reason that will not pass by itself: nothing follows. */
    | { kind: 'refused'; problem: Pick<Problem, 'code' | 'message' | 'field'> };

/** Somebody who follows a topic. */
type Listener = { tell: (told: Told) => void; after: string };

type Topic = {
    /** Where the stream goes on. */
    after: string;
    /** Told first to who comes later: how the lab's feed began, how long a log is. */
    newest: ServerEvent | undefined;
    newestAt: number;
    isConnected: boolean;
    readonly listeners: Set<Listener>;
};

/** Silence after which a connection is taken for dead; the engine says something every 15 seconds. */
const SILENCE_MILLIS = 40_000;
/** Waits before the next try: short at first, since an engine that restarts is back in a second. */
const WAITS_MILLIS = [100, 250, 500, 1_000, 2_000, 3_000];
/** Pages that open and close follow several topics at once: one new stream for all of them. */
const GATHER_MILLIS = 10;
/** At most so often is it told that something was heard. */
const HEARD_MILLIS = 1_000;
/** Problems that trying again does not mend. */
const FINAL = ['unauthenticated', 'forbidden', 'not_found', 'bad_request'];

export class Switchboard {
    readonly #topics = new Map<string, Topic>();
    #state: Exclude<LiveState, 'over'> = 'connecting';
    #tries = 0;
    #heard = 0;
    #timer: ReturnType<typeof setTimeout> | undefined;
    #connection: AbortController | undefined;

    /** `fetch` as a test may have it. */
    constructor(readonly get: typeof fetch = (...request) => fetch(...request)) {}

    /** Follows a topic from after an event; none for from now on. Answers how to end it. */
    follow(name: string, after: string, tell: (told: Told) => void): () => void {
        const listener = { tell, after };
        const known = this.#topics.get(name);
        const topic = known ?? {
            after,
            newest: undefined,
            newestAt: 0,
            isConnected: false,
            listeners: new Set(),
        };
        this.#topics.set(name, topic);
        topic.listeners.add(listener);
        if (topic.isConnected && this.#join(name, topic, listener)) {
            tell({ kind: 'state', state: this.#state });
        } else {
            tell({ kind: 'state', state: this.#state === 'lost' ? 'lost' : 'connecting' });
            // From now on nothing of the old stream is taken: the new one tells it to all.
            topic.isConnected = false;
            if (isNumbered(name) && Number(after) < Number(topic.after)) topic.after = after;
            this.#gather();
        }
        return () => {
            topic.listeners.delete(listener);
            if (topic.listeners.size > 0 || this.#topics.get(name) !== topic) return;
            this.#topics.delete(name);
            this.#gather();
        };
    }

    /** Tries at once instead of after the wait: somebody looks again. */
    hurry(): void {
        if (this.#state === 'lost') this.#soon(0);
    }

    /** Lets somebody listen to what comes already. Answers whether they miss nothing. */
    #join(name: string, topic: Topic, listener: Listener): boolean {
        if (isNumbered(name)) return Number(listener.after) >= Number(topic.after);
        const first = topic.newest;
        if (first === undefined) return false;
        const resumes = name === 'lab' && listener.after !== '' && listener.after === topic.after;
        const late = name === 'lab' && !resumes ? greeting(first, Date.now() - topic.newestAt) : first;
        if (!resumes) listener.tell({ kind: 'events', events: [late] });
        return true;
    }

    #gather(): void {
        if (this.#state !== 'lost') this.#soon(GATHER_MILLIS);
    }

    #soon(millis: number): void {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => void this.#connect(), millis);
    }

    #become(state: Exclude<LiveState, 'over'>): void {
        this.#state = state;
        for (const topic of this.#topics.values()) this.#tell(topic, { kind: 'state', state });
    }

    #tell(topic: Topic, told: Told): void {
        for (const { tell } of [...topic.listeners]) tell(told);
    }

    /** Where the stream is that brings all topics; nothing where there are none. */
    #address(): string | undefined {
        const query: Record<string, string[]> = {};
        for (const [name, { after }] of this.#topics) {
            const [kind = '', ...rest] = name.split('/');
            if (kind === 'lab') query['lab'] = [after];
            else if (kind === 'run') (query['runs'] ??= []).push(`${rest[0] ?? ''}:${after || '0'}`);
            else (query['logs'] ??= []).push(rest.join(':'));
        }
        const parts = Object.entries(query).map(([part, all]) => `${part}=${encodeURIComponent(all.join())}`);
        return parts.length === 0 ? undefined : `/api/v1/follow?${parts.join('&')}`;
    }

    async #connect(): Promise<void> {
        this.#connection?.abort();
        const address = this.#address();
        if (address === undefined) {
            this.#state = 'connecting';
            return;
        }
        const connection = new AbortController();
        this.#connection = connection;
        // Who looks on already sees no change: the stream that is replaced was live.
        if (this.#state === 'lost') this.#become('connecting');
        const asked = [...this.#topics.values()];
        try {
            const { signal } = connection;
            const response = await this.get(address, { credentials: 'same-origin', signal });
            if (!response.ok || !response.body) {
                const body: unknown = await response.json().catch(() => undefined);
                if (this.#refused(problemIn(response.status, body))) return;
            } else {
                this.#tries = 0;
                for (const topic of asked) topic.isConnected = true;
                this.#become('live');
                await this.#read(response.body, connection);
            }
        } catch {
            // It is tried again, whatever it was.
        }
        if (connection === this.#connection) this.#again();
    }

    async #read(body: ReadableStream<Uint8Array>, connection: AbortController): Promise<void> {
        const cutter = new EventCutter();
        const decoder = new TextDecoder();
        const reader = body.getReader();
        for (;;) {
            const silence = setTimeout(() => connection.abort(), SILENCE_MILLIS);
            const { done, value } = await reader.read().finally(() => clearTimeout(silence));
            if (done || connection.signal.aborted) return;
            this.#hear();
            this.#sort(cutter.push(decoder.decode(value, { stream: true })));
        }
    }

    #hear(): void {
        const now = Date.now();
        if (now - this.#heard < HEARD_MILLIS) return;
        this.#heard = now;
        for (const topic of this.#topics.values()) this.#tell(topic, { kind: 'heard' });
    }

    /** Hands events to those whose topic they belong to. */
    #sort(events: readonly ServerEvent[]): void {
        const sorted = new Map<string, ServerEvent[]>();
        for (const event of events) {
            const end = event.name.lastIndexOf('/');
            const name = event.name.slice(0, end);
            const its = sorted.get(name);
            const short = { ...event, name: event.name.slice(end + 1) };
            if (its) its.push(short);
            else sorted.set(name, [short]);
        }
        for (const [name, its] of sorted) {
            const topic = this.#topics.get(name);
            if (topic?.isConnected) this.#hand(name, topic, its);
        }
    }

    #hand(name: string, topic: Topic, events: ServerEvent[]): void {
        const last = events.at(-1);
        const end = last && ['over', 'refused'].includes(last.name) ? events.pop() : undefined;
        for (const event of events) {
            if (event.id !== '') topic.after = event.id;
            if (event.name === 'hello' || event.name === 'growth') {
                [topic.newest, topic.newestAt] = [event, Date.now()];
            }
        }
        for (const listener of [...topic.listeners]) {
            // One who came later has seen some of them already.
            const seen = Number(listener.after);
            const news = isNumbered(name) ? events.filter(({ id }) => Number(id) > seen) : events;
            if (news.length > 0) listener.tell({ kind: 'events', events: news });
            if (isNumbered(name)) listener.after = news.at(-1)?.id ?? listener.after;
        }
        if (end === undefined) return;
        this.#topics.delete(name);
        const { code, message, field } = problemIn(0, JSON.parse(end.data));
        if (end.name === 'refused') {
            this.#tell(topic, { kind: 'refused', problem: { code, message, ...(field ? { field } : {}) } });
        }
        this.#tell(topic, { kind: 'state', state: 'over' });
    }

    /** Whether it is of no use to try again. */
    #refused({ code, message }: Problem): boolean {
        if (!FINAL.includes(code)) return false;
        const topics = [...this.#topics.values()];
        this.#topics.clear();
        this.#state = 'connecting';
        for (const topic of topics) {
            this.#tell(topic, { kind: 'refused', problem: { code, message } });
            this.#tell(topic, { kind: 'state', state: 'over' });
        }
        return true;
    }

    #again(): void {
        for (const topic of this.#topics.values()) topic.isConnected = false;
        if (this.#topics.size === 0) {
            this.#state = 'connecting';
            return;
        }
        this.#become('lost');
        const wait = WAITS_MILLIS[Math.min(this.#tries, WAITS_MILLIS.length - 1)] ?? 0;
        this.#tries += 1;
        // Not all browsers of a lab in the same moment.
        this.#soon(wait * (0.75 + Math.random() / 2));
    }
}

/** Whether the events of a topic have numbers that grow. */
const isNumbered = (name: string): boolean => name.startsWith('run/');

/** How the lab's feed greets one who comes later: they have everything to ask for. */
function greeting(hello: ServerEvent, since: number): ServerEvent {
    const said = JSON.parse(hello.data) as { now?: string };
    const now = said.now === undefined ? {} : { now: new Date(Date.parse(said.now) + since).toISOString() };
    return { ...hello, data: JSON.stringify({ ...said, ...now, resumed: false }) };
}
