import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { Lines, type ToPage } from './lines';
import { Switchboard, type Told } from './switchboard';

/** An engine that answers as the test says. */
class Engine {
    readonly asked: string[] = [];
    #open: ReadableStreamDefaultController<Uint8Array> | undefined;
    refusal: [number, unknown] | undefined;

    readonly get = (async (address: string, { signal }: RequestInit) => {
        this.asked.push(decodeURIComponent(address.replace('/api/v1/follow?', '')));
        if (this.refusal) {
            const [status, body] = this.refusal;
            return new Response(JSON.stringify(body), { status });
        }
        const body = new ReadableStream<Uint8Array>({ start: (open) => void (this.#open = open) });
        const open = this.#open;
        signal?.addEventListener('abort', () => open?.error(new Error('aborted')));
        return new Response(body);
    }) as typeof fetch;

    async says(name: string, id: number | string, data: unknown = {}): Promise<void> {
        const text = `id: ${id}\nevent: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
        this.#open?.enqueue(new TextEncoder().encode(text));
        await vi.advanceTimersByTimeAsync(20);
    }

    async breaks(): Promise<void> {
        this.#open?.close();
        await vi.advanceTimersByTimeAsync(5);
    }
}

const heard = () => {
    const told: Told[] = [];
    const ids = () =>
        told.flatMap((each) =>
            each.kind === 'events' ? each.events.map(({ name, id }) => `${name} ${id}`) : [],
        );
    const states = () => told.flatMap((each) => (each.kind === 'state' ? [each.state] : []));
    return { told, ids, states, tell: (each: Told) => void told.push(each) };
};

const passes = (millis: number) => vi.advanceTimersByTimeAsync(millis);

let engine: Engine;
let board: Switchboard;

beforeEach(() => {
    vi.useFakeTimers();
    engine = new Engine();
    board = new Switchboard(engine.get);
});

afterEach(() => vi.useRealTimers());

test('all that is followed is one stream, and each hears of their own', async () => {
    const [lab, run, log] = [heard(), heard(), heard()];
    board.follow('lab', '', lab.tell);
    board.follow('run/8', '120', run.tell);
    board.follow('log/8.0.1/cli', '', log.tell);
    await passes(20);
    expect(engine.asked).toEqual(['lab=&runs=8:120&logs=8.0.1:cli']);
    await engine.says('lab/hello', '5.1', { resumed: false });
    await engine.says('run/8/run', 121);
    await engine.says('log/8.0.1/cli/growth', '', { lines: 2 });
    expect([lab.ids(), run.ids(), log.ids()]).toEqual([['hello 5.1'], ['run 121'], ['growth ']]);
    expect(run.states()).toEqual(['connecting', 'live']);
});

test('who comes later misses nothing and hears nothing twice', async () => {
    const [first, later, earlier] = [heard(), heard(), heard()];
    board.follow('run/8', '100', first.tell);
    await passes(20);
    await engine.says('run/8/run', 101);
    await engine.says('run/8/run', 102);
    // Has seen all that was told: no new stream.
    board.follow('run/8', '102', later.tell);
    await passes(20);
    expect(engine.asked.length).toBe(1);
    // Has seen less: the stream begins again where they are, and the others hear only what is new.
    board.follow('run/8', '90', earlier.tell);
    await passes(20);
    expect(engine.asked.at(-1)).toBe('runs=8:90');
    await engine.says('run/8/run', 91);
    await engine.says('run/8/run', 102);
    await engine.says('run/8/run', 103);
    expect(first.ids()).toEqual(['run 101', 'run 102', 'run 103']);
    expect(later.ids()).toEqual(['run 103']);
    expect(earlier.ids()).toEqual(['run 91', 'run 102', 'run 103']);
});

test('a second page of the lab is greeted as if it were the first, with the time of now', async () => {
    const [first, second] = [heard(), heard()];
    board.follow('lab', '', first.tell);
    await passes(20);
    await engine.says('lab/hello', '5.1', { resumed: true, now: '2026-01-01T00:00:00.000Z' });
    await passes(9_980);
    board.follow('lab', '', second.tell);
    expect(engine.asked.length).toBe(1);
    const [greeted] = second.told;
    const said = greeted?.kind === 'events' ? JSON.parse(greeted.events[0]?.data ?? '') : undefined;
    expect(said).toEqual({ resumed: false, now: '2026-01-01T00:00:10.000Z' });
});

test('a new topic disturbs nobody, and one that nobody follows is left out', async () => {
    const [lab, run] = [heard(), heard()];
    board.follow('lab', '', lab.tell);
    await passes(20);
    await engine.says('lab/hello', '5.1');
    const end = board.follow('run/8', '1', run.tell);
    await passes(20);
    expect(engine.asked.at(-1)).toBe('lab=5.1&runs=8:1');
    expect(lab.states()).toEqual(['connecting', 'live', 'live']);
    end();
    await passes(20);
    expect(engine.asked.at(-1)).toBe('lab=5.1');
});

test('after a cut everything goes on from where it was', async () => {
    const [lab, run] = [heard(), heard()];
    board.follow('lab', '', lab.tell);
    board.follow('run/8', '7', run.tell);
    await passes(20);
    await engine.says('lab/hello', '5.1');
    await engine.says('run/8/run', 8);
    await engine.breaks();
    expect(run.states().at(-1)).toBe('lost');
    await passes(200);
    expect(engine.asked.at(-1)).toBe('lab=5.1&runs=8:8');
    expect(run.states().at(-1)).toBe('live');
});

test('what has ended or may not be seen is over, and the rest goes on', async () => {
    const [ended, hidden, run] = [heard(), heard(), heard()];
    board.follow('run/8', '7', ended.tell);
    board.follow('run/9', '0', hidden.tell);
    board.follow('run/10', '0', run.tell);
    await passes(20);
    await engine.says('run/8/over', '');
    await engine.says('run/9/refused', '', { code: 'not_found', title: 'there is no run 9' });
    expect(ended.states().at(-1)).toBe('over');
    expect(hidden.told.at(-2)).toEqual({
        kind: 'refused',
        problem: { code: 'not_found', message: 'there is no run 9' },
    });
    await engine.says('run/10/run', 1);
    expect(run.ids()).toEqual(['run 1']);
    await engine.breaks();
    await passes(200);
    expect(engine.asked.at(-1)).toBe('runs=10:1');
});

test('a refusal that trying again does not mend ends all', async () => {
    engine.refusal = [401, { code: 'unauthenticated', title: 'log in' }];
    const run = heard();
    board.follow('run/8', '7', run.tell);
    await passes(60_000);
    expect(engine.asked.length).toBe(1);
    expect(run.states().at(-1)).toBe('over');
    engine.refusal = [503, undefined];
    const later = heard();
    board.follow('run/8', '7', later.tell);
    await passes(20);
    expect(later.states().at(-1)).toBe('lost');
    engine.refusal = undefined;
    board.hurry();
    await passes(1);
    expect(later.states().at(-1)).toBe('live');
});

test('silence is taken for death', async () => {
    board.follow('run/8', '7', heard().tell);
    await passes(45_000);
    expect(engine.asked.length).toBe(2);
});

test('pages of one person share a stream, and one that is gone holds none', async () => {
    let now = 0;
    const lines = new Lines(
        () => new Switchboard(engine.get),
        () => now,
    );
    const told: ToPage[] = [];
    const ana = lines.page((each) => void told.push(each));
    const also = lines.page(() => undefined);
    const bob = lines.page(() => undefined);
    for (const page of [ana, also])
        page.hear({ kind: 'follow', line: 1, who: 'ana', topic: 'run/8', after: '7' });
    await passes(20);
    expect(engine.asked).toEqual(['runs=8:7']);
    bob.hear({ kind: 'follow', line: 1, who: 'bob', topic: 'run/8', after: '7' });
    await passes(20);
    expect(engine.asked.length).toBe(2);
    also.hear({ kind: 'bye' });
    now = 200_000;
    bob.hear({ kind: 'alive' });
    lines.sweep();
    // Its machine slept: it is told, and follows again.
    ana.hear({ kind: 'alive' });
    expect(told.at(-1)).toEqual({ kind: 'cut' });
});
