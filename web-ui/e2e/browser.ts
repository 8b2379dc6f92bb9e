// A browser of a story's own, that watches itself: a script that fails, a request to another host, or text that the
// content policy refuses makes the story fail.

import { chromium, type Browser, type BrowserContext, type Locator, type Page } from 'playwright-core';

import { OWN_PAGES_FLAGS, ownPages } from './pages';
import type { SmallLab } from './small_lab';

const CHROMIUM = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

/** What a page did that it must not do. */
export class Watch {
    readonly faults: string[] = [];

    constructor(
        page: Page,
        readonly origin: string,
    ) {
        page.on('pageerror', (error) => this.faults.push(`script: ${error.message}`));
        page.on('console', (message) => {
            const text = message.text();
            // A request that is refused or not answered is the page's business to tell, and stories look for what it tells.
            if (message.type() === 'error' && !text.startsWith('Failed to load resource'))
                this.faults.push(`console: ${text}`);
        });
        page.on('request', (request) => {
            const url = new URL(request.url());
            if (url.origin !== this.origin && !['data:', 'blob:'].includes(url.protocol))
                this.faults.push(`asked another host: ${url.href}`);
        });
        page.on('dialog', (dialog) => {
            this.faults.push(`dialog: ${dialog.message()}`);
            void dialog.dismiss();
        });
    }
}

export async function launch(): Promise<Browser> {
    return chromium.launch({
        executablePath: CHROMIUM,
        args: ['--no-sandbox', '--disable-dev-shm-usage', ...OWN_PAGES_FLAGS],
    });
}

export type Theme = 'light' | 'dark';

/** A person at a browser. */
export class Person {
    private constructor(
        readonly page: Page,
        readonly context: BrowserContext,
        readonly watch: Watch,
        readonly lab: SmallLab,
    ) {}

    /** Opens a window, signed in where a password is given. */
    static async open(
        browser: Browser,
        lab: SmallLab,
        user = 'admin',
        password = lab.password,
        theme: Theme = 'light',
    ): Promise<Person> {
        const context = await browser.newContext({
            viewport: { width: 1280, height: 720 },
            colorScheme: theme,
            baseURL: lab.url,
            acceptDownloads: true,
        });
        await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: lab.url });
        await ownPages(context);
        const page = await context.newPage();
        const person = new Person(page, context, new Watch(page, lab.url), lab);
        await page.goto('/');
        await person.signIn(user, password);
        return person;
    }

    async signIn(user: string, password: string): Promise<void> {
        await this.page.getByLabel('User').fill(user);
        await this.page.getByLabel('Password').fill(password);
        await this.page.keyboard.press('Enter');
        await this.page.getByRole('navigation', { name: 'Pages' }).waitFor();
    }

    /** Another page of the same person. */
    async another(path: string): Promise<Person> {
        const page = await this.context.newPage();
        const person = new Person(page, this.context, new Watch(page, this.lab.url), this.lab);
        await page.goto(path);
        await page.getByRole('navigation', { name: 'Pages' }).waitFor();
        return person;
    }

    /** Opens the palette, types, and takes the first. */
    async palette(words: string): Promise<void> {
        await this.page.keyboard.press('Control+k');
        await this.page.keyboard.type(words);
        await this.page.getByRole('option').first().waitFor();
        await this.page.keyboard.press('Enter');
    }
}

/** Saves what is edited, and waits until the page says that it is. */
export async function save(page: Page): Promise<void> {
    await page.keyboard.press('Control+s');
    await page.getByText('saved', { exact: true }).waitFor();
}

/** Goes to a page without a reload, as a person does, and waits until it has settled. */
export async function visit(page: Page, path: string): Promise<void> {
    await page.evaluate((to) => {
        history.pushState(null, '', to);
        dispatchEvent(new PopStateEvent('popstate'));
    }, path);
    await page.locator('main').waitFor();
    await page
        .getByText(/^Loading/)
        .first()
        .waitFor({ state: 'detached' });
}

/** How many pixels of the page lie beyond the right edge of the window. */
export function tooWide(page: Page): Promise<number> {
    return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}

/** How many presses of Tab a page may take to anything in it. */
const TABS_MAX = 80;

/** Goes to a thing with Tab alone, as who has no mouse does. */
export async function tabTo(page: Page, to: Locator): Promise<void> {
    await to.waitFor();
    for (let presses = 0; presses < TABS_MAX; presses++) {
        if (await to.evaluate((element) => element === document.activeElement)) return;
        await page.keyboard.press('Tab');
    }
    throw new Error(`${TABS_MAX} presses of Tab do not lead to ${String(to)}`);
}
