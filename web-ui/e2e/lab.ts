// A real lab for a story: `jackfield demo` in a folder of its own, with its engine, EPs and simulated devices, and persons
// in browsers who use it.

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

import { OWN_PAGES_FLAGS, ownPages } from './pages';

/** The binary with the pages in it; `cargo xtask test` builds it. */
const BINARY = resolve(
    process.env['JACKFIELD_BIN'] ?? join(import.meta.dirname, '../../target/debug/jackfield'),
);
const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';
/** How long a lab may take until its first run is over. */
const START_MILLIS = 120_000;
/** How long anything in a page may take: other work goes on on this machine. */
export const PATIENCE = 30_000;

export interface Person {
    readonly name: string;
    readonly context: BrowserContext;
    readonly page: Page;
    /** What went wrong in their browser: errors of scripts, of the content policy, requests to elsewhere. */
    readonly faults: string[];
}

export class Lab {
    private constructor(
        readonly url: string,
        readonly folder: string,
        private readonly password: string,
        private readonly process: ChildProcess,
        private readonly browser: Browser,
    ) {}

    static async start(): Promise<Lab> {
        const folder = mkdtempSync(join(tmpdir(), 'jackfield-story-'));
        const process = spawn(BINARY, ['demo', '--lab', folder], { stdio: ['ignore', 'pipe', 'pipe'] });
        const said = await until(process, /log in\s+as admin with password \S+/);
        const url = /pages\s+(http:\/\/[^/\s]+)/.exec(said)?.[1];
        const password = /with password (\S+)/.exec(said)?.[1];
        if (url === undefined || password === undefined)
            throw new Error(`the demo said something else:\n${said}`);
        const browser = await chromium.launch({
            executablePath: CHROMIUM,
            args: ['--no-sandbox', ...OWN_PAGES_FLAGS],
        });
        return new Lab(url, folder, password, process, browser);
    }

    async stop(): Promise<void> {
        await this.browser.close();
        const ended = new Promise((done) => this.process.once('exit', done));
        this.process.kill('SIGINT');
        await ended;
        rmSync(this.folder, { recursive: true, force: true });
    }

    /** Makes an account and signs it in, in a browser of its own. */
    async join(
        name: string,
        roles: readonly string[],
        options: { theme?: 'light' | 'dark'; width?: number; height?: number } = {},
    ): Promise<Person> {
        const password = `${name}-goes-to-the-lab`;
        await this.ask('POST', '/users', { name, password, roles });
        return this.enter(name, password, options);
    }

    /** The administrator, in a browser of their own. */
    admin(options: { theme?: 'light' | 'dark'; width?: number; height?: number } = {}): Promise<Person> {
        return this.enter('admin', this.password, options);
    }

    /** Asks the engine as the administrator. */
    ask(method: string, path: string, body?: unknown): Promise<unknown> {
        return this.call('admin', this.password, method, path, body);
    }

    private async enter(
        name: string,
        password: string,
        {
            theme = 'light',
            width = 1280,
            height = 720,
        }: { theme?: 'light' | 'dark'; width?: number; height?: number },
    ): Promise<Person> {
        const context = await this.browser.newContext({
            baseURL: this.url,
            colorScheme: theme,
            viewport: { width, height },
            permissions: ['clipboard-read', 'clipboard-write'],
        });
        context.setDefaultTimeout(PATIENCE);
        await ownPages(context);
        const page = await context.newPage();
        const faults: string[] = [];
        page.on('pageerror', (error) => faults.push(`script: ${error.message}`));
        page.on('console', (message) => {
            if (/content security policy/i.test(message.text())) faults.push(`policy: ${message.text()}`);
        });
        page.on('dialog', (dialog) => {
            faults.push(`dialog: ${dialog.message()}`);
            void dialog.dismiss();
        });
        page.on('request', (request) => {
            const to = new URL(request.url());
            if (to.protocol.startsWith('http') && to.origin !== this.url)
                faults.push(`request to ${request.url()}`);
        });
        const answer = await page.request.post('/api/v1/login', {
            data: { user: name, password },
            headers: { Origin: this.url },
        });
        if (!answer.ok()) throw new Error(`${name} cannot sign in: ${await answer.text()}`);
        return { name, context, page, faults };
    }

    private cookies = new Map<string, string>();

    private async call(
        user: string,
        password: string,
        method: string,
        path: string,
        body: unknown,
    ): Promise<unknown> {
        const send = async (to: string, cookie: string, what: unknown, how = method): Promise<Response> =>
            fetch(`${this.url}/api/v1${to}`, {
                method: how,
                headers: { 'Content-Type': 'application/json', Origin: this.url, Cookie: cookie },
                ...(what === undefined ? {} : { body: JSON.stringify(what) }),
            });
        let cookie = this.cookies.get(user);
        if (cookie === undefined) {
            const answer = await send('/login', '', { user, password }, 'POST');
            cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
            this.cookies.set(user, cookie);
        }
        const answer = await send(path, cookie, body);
        const text = await answer.text();
        if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
        return text === '' ? undefined : JSON.parse(text);
    }
}

/** Waits until a process has said something. */
function until(process: ChildProcess, wanted: RegExp): Promise<string> {
    return new Promise((found, failed) => {
        let said = '';
        const timer = setTimeout(() => failed(new Error(`the demo did not start:\n${said}`)), START_MILLIS);
        const hear = (piece: Buffer): void => {
            said += piece.toString();
            if (!wanted.test(said)) return;
            clearTimeout(timer);
            found(said);
        };
        process.stdout?.on('data', hear);
        process.stderr?.on('data', hear);
        process.once('exit', (code) => {
            clearTimeout(timer);
            failed(new Error(`the demo ended with ${String(code)}:\n${said}`));
        });
    });
}
