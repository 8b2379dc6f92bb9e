// An EP that starts no process: what it is given it tells of as started and ended, so many events a second, by the protocol that every EP
// speaks. So a measure of the pages has as many events as it wants, and the machine is not full of tests.

import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';

import type { Lab } from './lab';

/** Begins to serve as EP `name`. Answers how to end it. */
export async function quickEp(lab: Lab, name: string, eventsPerSecond: number): Promise<() => void> {
    const { token } = (await lab.ask('POST', '/tokens', { name, scope: 'ep' })) as { token: string };
    const hello = {
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
    };
    const address = `${lab.url.replace('http', 'ws')}/link`;
    const child = started('ep_process.js', [address, JSON.stringify(hello), String(eventsPerSecond)]);
    await said(child);
    return () => void child.kill();
}

/** A script of this folder in a process of its own: what it does takes no time of who measures. */
export function started(script: string, given: readonly string[]): ChildProcess {
    // Node 20 has the client of the web's sockets, behind a flag.
    const execArgv = ['--experimental-websocket', '--no-warnings'];
    return fork(join(import.meta.dirname, script), given, { execArgv });
}

/** The next thing that a process says. */
export function said(child: ChildProcess): Promise<unknown> {
    return new Promise((heard, failed) => {
        child.once('message', heard);
        child.once('exit', (code) =>
            failed(new Error(`${child.spawnargs[2] ?? ''} ended with ${String(code)}`)),
        );
    });
}
