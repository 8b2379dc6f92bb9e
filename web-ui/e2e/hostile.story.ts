// Every page where everything has a hostile name and lines have a megabyte: text stays text, nothing hangs, nothing is cut off that could not be
// read, in both themes, on a small screen, at 200 % and on a phone.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person, tooWide, visit, type Theme } from './browser';
import { cutOff } from './cut';
import { SmallLab } from './small_lab';

/** Names that would do something if they were more than text; the last is of a length that nobody reads. */
const SCRIPT = '<img src=x onerror=alert(1)>';
const NAMES = [
    `${SCRIPT}\u202Egnp`,
    '"><b onclick=alert(2)>x',
    '../..;$(reboot)`x`',
    'Ω\u0301 漢字 \u{1f9ea}',
    'x'.repeat(200),
];
const MEGABYTE = 1_000_000;

let lab: SmallLab;
let browser: Browser;
let run: number;

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

beforeAll(async () => {
    lab = await SmallLab.start();
    await lab.test(
        'says.py',
        `# <title>${SCRIPT}</title>\nimport jackfield\nprint("""${SCRIPT}\\x1b[31mred\\x1b]0;title\\x07\\x00\\u202e""")\nprint("x" * ${MEGABYTE})\nassert False, """${SCRIPT}""" + "y" * ${MEGABYTE}\n`,
    );
    await lab.test(`${SCRIPT}.py`, 'print(1)\n');
    await lab.project('plain', { Suite: ['says.py'] });
    await lab.project(
        SCRIPT,
        Object.fromEntries(NAMES.map((name) => [name, ['says.py', `${SCRIPT}.py`]])),
        NAMES.map(
            (name) =>
                `<UserDefined><propName>${escaped(name)}</propName><propValue>${escaped(name)}</propValue></UserDefined>`,
        ).join('\n'),
    );
    // A name of a megabyte, and a file on one line.
    await lab.project('long', { ['z'.repeat(MEGABYTE)]: ['says.py'] });
    // The tree takes no name with characters that are not seen.
    const seen = (name: string): string => name.replace(/\p{C}/gu, '');
    for (const [nth, name] of NAMES.entries())
        await lab.put('/resources', {
            parent: '/',
            name: `${nth}${seen(name).replaceAll('/', '∕')}`,
            properties: { [seen(name)]: name, kind: name, host: 'y'.repeat(MEGABYTE / 10) },
        });
    run = await lab.run(SCRIPT);
    await lab.reached(run, 'completed');
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

const PAGES = (): string[] => {
    const project = encodeURIComponent(SCRIPT);
    const device = `/lab/${encodeURIComponent(`0${NAMES[0] ?? ''}`)}`;
    return [
        '/runs',
        `/runs/${run}`,
        `/runs/${run}?view=flat&sort=name`,
        `/runs/${run}?view=tree`,
        `/runs/${run}?view=lanes`,
        `/runs/${run}?view=story`,
        `/runs/${run}/tests/0`,
        `/runs/${run}/tests/0?pane=steps`,
        `/runs/${run}/tests/0?pane=files`,
        `/runs/${run}/tests/0?pane=about`,
        '/runs/new',
        `/runs/new?project=${project}`,
        '/projects',
        `/projects/${project}`,
        `/projects/${project}?item=0.1`,
        `/projects/${project}?pane=difference`,
        `/projects/${project}?pane=text`,
        '/projects/long?item=0',
        '/projects/long?pane=text',
        '/lab',
        '/lab?view=table',
        '/lab?view=suts',
        device,
        '/console',
        '/eps',
        '/eps/EP-1',
        '/engine',
        '/engine/log',
        '/people',
        '/people/users',
        '/people/groups',
        '/people/tokens',
        '/people/sessions',
        '/configs',
        '/globals',
        '/engine/audit',
        '/alone/table',
        '/alone/timeline',
        '/alone/tree',
        '/nowhere',
    ];
};

/** Waits until what was asked for is drawn: two frames. */
async function drawn(page: Page): Promise<void> {
    await page.evaluate(
        () => new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next))),
    );
}

/** For who wants to look: JACKFIELD_SHOTS names a folder. */
async function shoot(page: Page, how: string, path: string): Promise<void> {
    const folder = process.env['JACKFIELD_SHOTS'];
    if (folder === undefined) return;
    mkdirSync(folder, { recursive: true });
    await page.screenshot({
        path: join(folder, `${how} ${path.replace(/[^\w=.-]+/g, '_').slice(0, 80)}.png`),
    });
}

test.each<[string, number, number, Theme]>([
    ['a small screen', 1280, 720, 'light'],
    ['a small screen in the dark', 1280, 720, 'dark'],
    ['200 % zoom', 640, 360, 'light'],
    ['a phone in the dark', 390, 844, 'dark'],
])('on %s names are text, and all of them can be read', async (how, width, height, theme) => {
    const { page, watch } = await Person.open(browser, lab, 'admin', lab.password, theme);
    await page.setViewportSize({ width, height });
    const wrong: string[] = [];
    for (const path of PAGES()) {
        await visit(page, path);
        await drawn(page);
        const wide = await tooWide(page);
        if (wide > 0) wrong.push(`${path}: ${wide} pixels too wide`);
        wrong.push(...(await cutOff(page)).map((text) => `${path}: ${text}`));
        if ((await page.locator('main img[src="x"], main b[onclick]').count()) > 0)
            wrong.push(`${path}: a name became markup`);
        await shoot(page, how, path);
    }
    expect(wrong).toEqual([]);
    expect(watch.faults).toEqual([]);
});
