// A console on a device: the WebSocket to the engine, who types, and what was said about it. What the device says goes
// straight to the terminal.

import { problemIn, problemOf, type Problem } from '../api/problem';

/** How a console is to be opened; see docs/console.md. */
export interface ConsoleOf {
    readonly resource: string;
    readonly run?: number | undefined;
    readonly session?: string | undefined;
    readonly ep?: string | undefined;
    readonly isTaken?: boolean;
    readonly isWatched?: boolean;
    readonly isRaw?: boolean;
}

/** What the EP says in text frames. */
type Said =
    | { type: 'begin'; title: string; ep: string; run?: number }
    | { type: 'typing'; user?: string; you: boolean }
    | { type: 'refused'; text: string }
    | { type: 'notice'; text: string }
    | { type: 'end'; reason: string; code?: string; recording?: string };

export interface Notice {
    readonly at: number;
    readonly text: string;
    readonly isRefusal: boolean;
}

const PROTOCOL = 'jackfield.console.v1';
/** Of what was said about a console, the last so many are shown. */
const NOTICES_MAX = 50;

export class DeviceConsole {
    state = $state<'opening' | 'open' | 'over'>('opening');
    title = $state('');
    ep = $state('');
    run = $state<number>();
    /** Who types instead of the tests; none while nobody does. */
    typist = $state<string>();
    /** It is the person at this page. */
    isMine = $state(false);
    notices = $state.raw<readonly Notice[]>([]);
    /** Why it is over. */
    reason = $state('');
    /** It ended otherwise than the person wished. */
    isFailed = $state(false);
    /** The recording of what was typed, by its hash. */
    recording = $state<string>();
    /** Why it could not be opened. */
    problem = $state.raw<Problem>();

    readonly #socket: WebSocket;

    constructor(
        readonly of: ConsoleOf,
        /** Shows what the device says. */
        private readonly show: (bytes: Uint8Array) => void,
    ) {
        const address = new URL(addressOf(of), location.href);
        address.protocol = address.protocol.replace('http', 'ws');
        this.#socket = new WebSocket(address, PROTOCOL);
        this.#socket.binaryType = 'arraybuffer';
        this.#socket.addEventListener('message', (event: MessageEvent<ArrayBuffer | string>) => {
            if (typeof event.data === 'string') this.#heard(JSON.parse(event.data) as Said);
            else this.show(new Uint8Array(event.data));
        });
        this.#socket.addEventListener('close', () => void this.#closed());
    }

    /** Sends what was typed. Whoever only watches is told by the EP why it went nowhere. */
    type(text: string): void {
        if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(new TextEncoder().encode(text));
    }

    resize(rows: number, columns: number): void {
        this.#say({ type: 'resize', rows, columns });
    }

    take(): void {
        this.#say({ type: 'take' });
    }

    release(): void {
        this.#say({ type: 'release' });
    }

    mark(label: string): void {
        this.#say({ type: 'mark', label });
    }

    /** A break on the line: what a serial console or a boot loader listens for. */
    sendBreak(): void {
        this.#say({ type: 'break' });
    }

    /** Asks to be let go; the `end` that follows names the recording. */
    leave(): void {
        this.#say({ type: 'leave' });
    }

    /** Closes at once: the page goes away. */
    close(): void {
        this.leave();
        this.#socket.close();
    }

    #say(word: Record<string, unknown>): void {
        if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(word));
    }

    #heard(said: Said): void {
        switch (said.type) {
            case 'begin':
                this.state = 'open';
                this.title = said.title;
                this.ep = said.ep;
                this.run = said.run;
                break;
            case 'typing': {
                const before = { typist: this.typist, isMine: this.isMine };
                this.typist = said.user;
                this.isMine = said.you;
                this.#note(told(said, before), false);
                break;
            }
            case 'refused':
                this.#note(said.text, true);
                break;
            case 'notice':
                this.#note(said.text, false);
                break;
            case 'end':
                this.state = 'over';
                this.reason = said.reason;
                this.isFailed = said.code !== undefined;
                this.recording = said.recording;
                this.typist = undefined;
                this.isMine = false;
                break;
        }
    }

    #note(text: string, isRefusal: boolean): void {
        if (text === '') return;
        this.notices = [...this.notices, { at: Date.now(), text, isRefusal }].slice(-NOTICES_MAX);
    }

    async #closed(): Promise<void> {
        if (this.state === 'open') {
            this.state = 'over';
            this.reason = 'the connection to the engine was lost; the device is free, or the test goes on';
            this.isFailed = true;
            this.typist = undefined;
            this.isMine = false;
        } else if (this.state === 'opening') {
            this.state = 'over';
            this.problem = await whyNot(this.of);
        }
    }
}

/** What a change of hands means, for those who look on. */
function told(
    { user, you }: { user?: string; you: boolean },
    before: { typist: string | undefined; isMine: boolean },
): string {
    if (user === before.typist && you === before.isMine) return '';
    if (you) return 'you type now';
    if (user !== undefined) return `${user} types now`;
    return before.isMine ? 'you let go' : before.typist === undefined ? '' : `${before.typist} let go`;
}

export function addressOf({ resource, run, session, ep, isTaken, isWatched, isRaw }: ConsoleOf): string {
    const query = new URLSearchParams({ resource });
    if (run !== undefined) query.set('run', String(run));
    if (session !== undefined) query.set('session', session);
    if (ep !== undefined) query.set('ep', ep);
    if (isTaken === true) query.set('take', 'true');
    if (isWatched === true) query.set('watch', 'true');
    if (isRaw === true) query.set('raw', 'true');
    return `/api/v1/console?${query.toString()}`;
}

/** A WebSocket that is refused tells no reason; the same address asked plainly does. */
async function whyNot(of: ConsoleOf): Promise<Problem> {
    try {
        const answer = await fetch(addressOf(of));
        const body: unknown = await answer.json().catch(() => undefined);
        const problem = problemIn(answer.status, body);
        // Nothing is against it but that this question was no WebSocket: the way between takes none.
        if (answer.status !== 400 || !problem.message.includes('WebSocket')) return problem;
        return problemIn(503, {
            code: 'unavailable',
            status: 503,
            title: 'the console could not be opened; a proxy between may take no WebSockets',
        });
    } catch (thrown) {
        return problemOf(thrown);
    }
}
