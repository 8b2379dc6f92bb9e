// Ten thousand of everything, and names of five thousand characters that want to be something else: each page shows what fits, as text, soon.
// The lists come from the engine of a small lab, and are made long on their way.

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { launch, Person } from './browser';
import { SmallLab } from './small_lab';

const MANY = 10_000;
const NAME = `<img src=x onerror=alert(1)><b>\u202Egnp.exe\u0007${'n'.repeat(4_960)}`;
/** Elements that a page may have, whatever it lists. */
const ELEMENTS_MAX = 20_000;

let lab: SmallLab;
let browser: Browser;
let run: number;

beforeAll(async () => {
    lab = await SmallLab.start();
    await lab.test(
        'keeps.py',
        'import jackfield\nopen("one.txt", "w").write("x")\njackfield.artifact("one.txt")\njackfield.part("step", "PASS", "", 1.0)\n',
    );
    await lab.project('many', { Suite: ['keeps.py'] });
    await lab.put('/resources', {
        parent: '/',
        name: 'router',
        properties: { connect: 'telnet', host: 'r1' },
    });
    run = await lab.run('many');
    await lab.reached(run, 'completed');
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

type Row = Record<string, unknown>;

/** Ten thousand like the first, the first of them with the name. */
const many = (row: Row, named: (name: string) => Row): Row[] =>
    Array.from({ length: MANY }, (_, nth) => ({ ...row, ...named(nth === 0 ? NAME : `n${nth}`) }));

async function lengthen(page: Page): Promise<void> {
    type Lists = { items: Row[]; children: Row[] };
    const change = (path: string, to: (lists: Lists) => object): Promise<unknown> =>
        page.route(
            (url) => url.pathname === `/api/v1${path}`,
            async (route) => {
                const answer = await route.fetch();
                await route.fulfill({ json: to((await answer.json()) as Lists) });
            },
        );
    const first = (items: Row[]): Row => items[0] ?? {};
    await change('/eps', ({ items }) => ({
        items: many(first(items), (name) => ({ name, labels: { [name]: name } })),
    }));
    await change('/projects', (list) => ({
        ...list,
        items: many({}, (name) => ({ name })).map(({ name }) => name),
    }));
    await change('/resources/tree', (tree) => ({
        ...tree,
        children: many(first(tree.children), (name) => ({ id: name, name, path: `/${name}` })),
    }));
    await change('/suts', () => ({ items: many({ version: 0, components: 1 }, (name) => ({ name })) }));
    await change('/runs', ({ items }) => ({
        // Those that go on are none, and stay none.
        items: many(first(items), (project) => ({ project, user: project }))
            .slice(0, items.length === 0 ? 0 : 100)
            .map((row, nth) => ({ ...row, id: 1_000 - nth })),
    }));
    await change(`/attempts/${run}.0.1`, (attempt) => ({
        ...attempt,
        variables: { [NAME]: NAME },
        artifacts: Object.fromEntries(
            many({}, (name) => ({ name })).map(({ name }) => [name, { hash: 'a'.repeat(64), bytes: 1 }]),
        ),
        parts: many({ verdict: 'FAIL', elapsed_millis: 1, checks: [] }, (name) => ({ name, reason: name })),
    }));
}

test('ten thousand of each, under any name', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await lengthen(page);
    const pages: [string, string][] = [
        ['/runs', 'tbody tr'],
        ['/runs/new', 'main li a'],
        [`/runs/${run}/tests/0?pane=steps`, 'tbody tr'],
        [`/runs/${run}/tests/0?pane=files`, 'li .machine'],
        [`/runs/${run}/tests/0?pane=about`, 'dl dt'],
        ['/eps', 'tbody tr'],
        ['/lab', '[role="treeitem"]'],
        ['/lab?view=table', '[role="row"]:nth-child(2)'],
        ['/lab?view=suts', '[role="row"]:nth-child(2)'],
    ];
    const wrong: string[] = [];
    for (const [path, row] of pages) {
        await page.goto(path);
        await page.locator(row).first().waitFor();
        const { wide, elements, made, turned } = await page.evaluate(() => ({
            wide: document.documentElement.scrollWidth - innerWidth,
            elements: document.querySelectorAll('*').length,
            made: document.querySelectorAll('main img, main b > *').length,
            turned: document.body.innerText.includes('\u202E'),
        }));
        if (wide > 0) wrong.push(`${path}: ${wide} pixels too wide`);
        if (elements > ELEMENTS_MAX) wrong.push(`${path}: ${elements} elements`);
        if (made > 0) wrong.push(`${path}: a name became an element`);
        if (turned) wrong.push(`${path}: a name turns the text`);
    }
    expect(wrong).toEqual([]);

    // What follows is there when it is asked for, and nothing that failed is hidden.
    await page.goto(`/runs/${run}/tests/0?pane=steps`);
    await page.getByText('of 9,700 that follow, 9,700 of which did not pass').waitFor();
    await page.getByRole('button', { name: 'Show 1,000 more' }).click();
    await page.getByText('of 8,700 that follow').waitFor();
    // The other columns of a row are in sight beside the longest name.
    await page.goto('/eps');
    const cell = page.locator('tbody tr').first().locator('td').nth(1);
    expect((await cell.boundingBox())?.x).toBeLessThan(1_000);
    // The palette finds one of ten thousand.
    await page.keyboard.press('Control+k');
    await page.getByRole('combobox', { name: 'Find or do anything' }).fill('/n9999');
    await page.getByRole('option', { name: '/n9999' }).waitFor();
    expect(watch.faults).toEqual([]);
});
