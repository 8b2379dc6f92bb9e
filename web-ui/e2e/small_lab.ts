// A small lab that a story can kill and start again: an engine and EPs as processes of their own in a temporary folder, and the files of projects.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The binary that is tried: `cargo xtask test` has built it with the pages in it. */
export const BINARY =
    process.env['JACKFIELD_BIN'] ?? fileURLToPath(new URL('../../target/debug/jackfield', import.meta.url));

/** How long anything may take to come up on a busy machine. */
const START_MILLIS = 90_000;

/** Waits until something holds; says what it waited for when it does not. */
export async function until<T>(
    what: string,
    look: () => Promise<T | undefined | false>,
    millis = START_MILLIS,
): Promise<T> {
    const end = Date.now() + millis;
    for (;;) {
        const found = await look();
        if (found !== undefined && found !== false) return found;
        if (Date.now() > end) throw new Error(`waited ${millis} ms for ${what}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
    }
}

/** Ends a process, and waits for its end. */
async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
}

export class SmallLab {
    url = '';
    password = '';
    /** The administrator's token, for what is not the page's part of a story. */
    token = '';
    #engine: ChildProcess | undefined;
    #eps: ChildProcess[] = [];
    #said = '';

    private constructor(readonly folder: string) {}

    /** Starts an engine with these EPs in an empty lab. */
    static async start({ eps = ['EP-1'] }: { eps?: string[] } = {}): Promise<SmallLab> {
        const lab = new SmallLab(await mkdtemp(join(tmpdir(), 'jackfield-e2e-')));
        try {
            await lab.#startEngine('0');
            lab.token = await lab.#logIn('admin', lab.password);
            for (const ep of eps) await lab.addEp(ep);
        } catch (failed) {
            await lab.stop();
            throw failed;
        }
        return lab;
    }

    async #startEngine(port: string): Promise<void> {
        const ready = join(this.folder, 'ready.json');
        await rm(ready, { force: true });
        this.#engine = this.#spawn(['engine', '--lab', this.folder, '--port', port, '--ready', ready]);
        const text = await until('the engine', async () => readFile(ready, 'utf8').catch(() => undefined));
        const said = JSON.parse(text) as { url: string; admin_password: string | null };
        this.url = said.url;
        this.password = said.admin_password ?? this.password;
    }

    #spawn(args: string[]): ChildProcess {
        const child = spawn(BINARY, args, {
            cwd: this.folder,
            stdio: ['ignore', 'pipe', 'pipe'],
            env: { ...process.env, JACKFIELD_LOG: 'warn' },
        });
        const keep = (bytes: Buffer) => (this.#said = (this.#said + bytes.toString()).slice(-20_000));
        child.stdout?.on('data', keep);
        child.stderr?.on('data', keep);
        return child;
    }

    /** Adds an EP and waits until the engine has it. */
    async addEp(name: string, more = ''): Promise<void> {
        const made = await this.post<{ token: string }>('/tokens', { name, scope: 'ep' });
        const config = join(this.folder, `${name}.toml`);
        await writeFile(
            config,
            `engine = "${this.url}"\nname = "${name}"\ntoken = "${made.token}"\nwork = "${join(this.folder, name)}"\n${more}`,
        );
        const ep = this.#spawn(['ep', '--config', config]);
        this.#eps.push(ep);
        await until(`EP ${name}`, async () => {
            if (ep.exitCode !== null) throw new Error(`EP ${name} ended:\n${this.#said}`);
            const { items } = await this.get<{ items: { name: string; state: string }[] }>('/eps');
            return items.some((row) => row.name === name && row.state !== 'offline');
        });
    }

    /** Writes a test file. */
    async test(name: string, text: string): Promise<void> {
        await this.#write(`tests/${name}`, text);
    }

    /** Writes a project: suites by name, each with files of tests; `more` stands in the project's root. */
    async project(name: string, suites: Record<string, string[]>, more = ''): Promise<void> {
        const escape = (text: string) =>
            text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
        const tests = (files: string[]) =>
            files.map((file) => `<TestCase><tcName>${escape(file)}</tcName></TestCase>`).join('\n');
        const text = Object.entries(suites).map(
            ([suite, files]) => `<TestSuite><tsName>${escape(suite)}</tsName>\n${tests(files)}\n</TestSuite>`,
        );
        await this.#write(`projects/${name}.xml`, `<Root>\n${more}\n${text.join('\n')}\n</Root>\n`);
    }

    async #write(name: string, text: string): Promise<void> {
        const path = join(this.folder, name);
        await mkdir(dirname(path), { recursive: true });
        await writeFile(path, text);
    }

    /** Makes an account. */
    async user(name: string, password: string, groups: string[], roles: string[] = []): Promise<void> {
        await this.post('/users', { name, password, groups, roles });
    }

    async #logIn(user: string, password: string): Promise<string> {
        const answer = await fetch(`${this.url}/api/v1/login`, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ user, password, token: 'e2e' }),
        });
        return ((await answer.json()) as { token: string }).token;
    }

    /** Asks the engine as its administrator. */
    async get<T>(path: string): Promise<T> {
        return this.#ask('GET', path, undefined);
    }

    async post<T>(path: string, body: unknown): Promise<T> {
        return this.#ask('POST', path, body);
    }

    async put<T>(path: string, body: unknown): Promise<T> {
        return this.#ask('PUT', path, body);
    }

    async delete(path: string): Promise<void> {
        return this.#ask('DELETE', path, undefined);
    }

    async #ask<T>(method: string, path: string, body: unknown): Promise<T> {
        const answer = await fetch(`${this.url}/api/v1${path}`, {
            method,
            headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${this.token}` },
            ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        const text = await answer.text();
        if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}\n${this.#said}`);
        return (text === '' ? undefined : JSON.parse(text)) as T;
    }

    /** Starts a run, and answers its number. */
    async run(project: string): Promise<number> {
        return (await this.post<{ run: number }>('/runs', { project })).run;
    }

    /** Waits until a run is in one of these states. */
    async reached(run: number, ...states: string[]): Promise<void> {
        await until(`run ${run} to be ${states.join(' or ')}`, async () =>
            states.includes((await this.get<{ state: string }>(`/runs/${run}`)).state),
        );
    }

    /** Kills the engine as a power cut would. */
    async kill(): Promise<void> {
        if (this.#engine) await end(this.#engine, 'SIGKILL');
    }

    /** Starts the engine again, at the same address. */
    async restart(): Promise<void> {
        await this.#startEngine(new URL(this.url).port);
    }

    /** What the processes have said lately. */
    get said(): string {
        return this.#said;
    }

    async stop(): Promise<void> {
        await Promise.all(this.#eps.map((ep) => end(ep, 'SIGTERM')));
        if (this.#engine) await end(this.#engine, 'SIGTERM');
        await rm(this.folder, { recursive: true, force: true });
    }
}
