// An EP that starts no process: what it is given it tells of as started and ended, so many events a second, by the protocol that every EP
// speaks. So a measure of the pages has as many events as it wants, and the machine is not full of tests.

import type { Browser, Page } from 'playwright-core';

import type { Lab } from './lab';

/** How often it tells: few enough that timers keep up, often enough that nothing comes in gusts. */
const TICK_MILLIS = 10;

/** Begins to serve as EP `name`. It ends with its page. */
export async function quickEp(
    lab: Lab,
    browser: Browser,
    name: string,
    eventsPerSecond: number,
): Promise<Page> {
    const { token } = (await lab.ask('POST', '/tokens', { name, scope: 'ep' })) as { token: string };
    // An empty page has no content policy, and a timer of its own.
    const page = await browser.newPage();
    await page.evaluate(serve, {
        address: `${lab.url.replace('http', 'ws')}/link`,
        hello: {
            type: 'hello',
            version_min: 1,
            version_max: 1,
            ep: name,
            token,
            software: 'a measure',
            host: { name: 'here', ip: '127.0.0.1', os: 'none', python: '' },
            labels: {},
            capabilities: [],
            lanes: 1,
            held: [],
        },
        perTick: Math.max(1, Math.round((eventsPerSecond * TICK_MILLIS) / 1_000 / 2)),
        tick: TICK_MILLIS,
    });
    return page;
}

type Serving = { address: string; hello: object; perTick: number; tick: number };

/** Runs in the page. */
function serve({ address, hello, perTick, tick }: Serving): Promise<void> {
    const socket = new WebSocket(address, 'jackfield.v1');
    const given: string[] = [];
    let seq = 0;
    const say = (message: object): void => socket.send(JSON.stringify(message));
    const report = (report: object): void => say({ type: 'report', seq: ++seq, report });
    const outcome = { verdict: 'PASS', decided_by: { rule: 'declared' } };
    return new Promise((welcomed, refused) => {
        socket.onopen = () => say(hello);
        socket.onclose = ({ reason }) => refused(new Error(`the link was closed: ${reason}`));
        socket.onmessage = ({ data }: MessageEvent<string>) => {
            const message = JSON.parse(data) as { type: string; attempt: string; attempts?: string[] };
            if (message.type === 'assign') given.push(message.attempt);
            else if (message.type === 'heartbeat') say({ type: 'heartbeat' });
            else if (message.type === 'take_back') {
                const back = message.attempts ?? [];
                given.splice(0, given.length, ...given.filter((attempt) => !back.includes(attempt)));
                say({ type: 'returned', attempts: back });
            } else if (message.type === 'welcome') {
                setInterval(() => {
                    for (const attempt of given.splice(0, perTick)) {
                        const at = new Date().toISOString();
                        report({ kind: 'started', attempt, at });
                        report({ kind: 'ended', attempt, at, elapsed_millis: 0, outcome });
                    }
                }, tick);
                welcomed();
            } else if (message.type === 'refused') refused(new Error(data));
        };
    });
}
