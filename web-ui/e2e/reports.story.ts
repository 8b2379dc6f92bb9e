// Reports of the lab's own database: opened from the menu, given their values, sorted, filtered, paged, drawn, exported.

import { execFileSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { violations } from './axe';
import { launch, Person, tabTo, Watch, type Theme } from './browser';
import { SmallLab } from './small_lab';

const DB = `<root>
<db_config><url>sqlite:results.db</url></db_config>
<reports_section>
<field ID="Run" Label="Select run" Type="UserSelect" SQLQuery="SELECT DISTINCT run FROM results ORDER BY run"/>
<report ID="Summary" Type="PieChart" SQLQuery="SELECT status, COUNT(*) AS tests FROM results WHERE run = '@Run@' GROUP BY status ORDER BY status"/>
<report ID="Rate" Type="LineChart" Folder="History" SQLQuery="SELECT day, COUNT(*) AS passed FROM results WHERE status = 'PASS' GROUP BY day ORDER BY day"/>
<report ID="Details" Type="Table" Folder="History" SQLQuery="SELECT id, run, name, status, log FROM results ORDER BY id"/>
<report ID="Runs" Type="BarChart" Folder="History" SQLQuery="SELECT 'build ' || run AS build, run AS jackfield_run, COUNT(*) AS tests FROM results GROUP BY run ORDER BY run"/>
<report ID="By build" Type="Table" SQLQuery="SELECT run AS jackfield_run, name FROM results WHERE run = '@Run@' ORDER BY id"/>
<report ID="Wrong" Type="Table" SQLQuery="SELECT id FROM nowhere"/>
<redirect ID="Wiki" Path="http://wiki.example.org/"/>
<redirect ID="Script" Path="javascript:alert(1)"/>
</reports_section>
</root>
`;

const ROWS = `
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("CREATE TABLE results (id INTEGER, run INTEGER, day DATE, name TEXT, status TEXT, log TEXT)")
rows = [(n, n % 3 + 1, "2026-11-%02d" % (n % 28 + 1), "test %d" % n, "FAIL" if n % 5 == 0 else "PASS", "<b>line</b> " * (30 if n == 7 else 1)) for n in range(1, 251)]
db.executemany("INSERT INTO results VALUES (?, ?, ?, ?, ?, ?)", rows)
db.commit()
`;

let lab: SmallLab;
let browser: Browser;

beforeAll(async () => {
    lab = await SmallLab.start({ eps: [] });
    execFileSync('python3', ['-c', ROWS, join(lab.folder, 'results.db')]);
    await writeFile(join(lab.folder, 'db.xml'), DB);
    browser = await launch();
});

afterAll(async () => {
    await browser?.close();
    await lab?.stop();
});

test('a report is chosen, given its value, and drawn', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.getByRole('link', { name: 'Reports' }).click();
    await page.getByRole('link', { name: 'Summary' }).click();
    await page.getByText('It needs Select run.').waitFor();
    await page.getByLabel('Select run').selectOption('2');
    const pie = page.getByRole('img', { name: /Summary.*FAIL: \d+, PASS: \d+/ });
    await pie.waitFor();
    expect(new URL(page.url()).searchParams.get('f.Run')).toBe('2');
    // A part that is pointed at tells itself and its line from the others; a click leaves its rows alone, another one all of them.
    const fail = page.getByRole('button', { name: /^FAIL \d+ \d/ });
    await pie.locator('path').first().hover();
    await expect.poll(() => fail.evaluate((line) => line.classList.contains('seen'))).toBe(true);
    expect(await pie.locator('path.faded').count()).toBe(1);
    await pie.locator('path').first().click();
    await page.getByText('Rows 1 to 1').waitFor();
    expect(new URL(page.url()).searchParams.get('c.1')).toBe('FAIL');
    await tabTo(page, fail);
    await page.keyboard.press('Enter');
    await page.getByText('Rows 1 to 2').waitFor();
    await page.goBack();
    await page.goBack();
    await page.goBack();
    await page.getByText('It needs Select run.').waitFor();
    expect(watch.faults).toEqual([]);
});

test('the database sorts, filters and pages a table', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/reports/Details');
    await page.getByText('Rows 1 to 100').waitFor();
    await page.getByRole('button', { name: 'Count all' }).click();
    await page.getByText('Rows 1 to 100 of 250').waitFor();
    await page.getByRole('button', { name: 'On' }).click();
    await page.getByRole('cell', { name: 'test 101', exact: true }).waitFor();
    await page.getByRole('button', { name: 'id', exact: true }).click();
    await page.getByRole('button', { name: 'id ↑' }).click();
    await page.getByRole('cell', { name: 'test 250', exact: true }).waitFor();
    await page.getByLabel('Filter rows').fill('test 7');
    await page.getByText('Rows 1 to 11').waitFor();
    // What a test printed is text, and a long one opens on a click.
    await page.getByRole('button', { name: /<b>line<\/b>.*…/ }).click();
    await page.getByText('<b>line</b> '.repeat(30).trim()).waitFor();
    expect(watch.faults).toEqual([]);
});

test('days are a line, and all of a report is a file', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/reports/Rate');
    await page.locator('canvas').waitFor();
    const [download] = await Promise.all([
        page.waitForEvent('download'),
        page.getByRole('link', { name: 'CSV' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('Rate.csv');
    const refused = await page.request.get('/api/v1/reports/Wrong/rows');
    expect([refused.status(), await refused.text()]).toEqual([422, expect.stringContaining('no such table')]);
    expect(watch.faults).toEqual([]);
});

test('what is wrong with a report is told, and no address of it runs', async () => {
    const { page } = await Person.open(browser, lab);
    await page.goto('/reports/Wrong');
    await page.getByText('no such table: nowhere').first().waitFor();
    await page.getByRole('link', { name: /Wiki/ }).waitFor();
    expect(await page.getByRole('link', { name: /Script/ }).count()).toBe(0);
});

test('a point of a chart and a row lead to their run', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/reports/Runs');
    const plot = page.locator('.plot[data-loaded=true]');
    await plot.waitFor();
    // Hovering reads the bar: the first of three takes the left third.
    const box = await page.locator('.u-over').boundingBox();
    if (!box) throw new Error('the chart has no place');
    await page.mouse.move(box.x + box.width / 6, box.y + box.height / 2);
    await page.locator('.u-value', { hasText: 'build 1' }).waitFor();
    await page.mouse.click(box.x + box.width / 6, box.y + box.height / 2);
    await page.waitForURL(/\/runs\/1$/);
    await page.goto('/reports/By%20build?f.Run=2');
    await page.getByRole('link', { name: '2', exact: true }).first().click();
    await page.waitForURL(/\/runs\/2$/);
    expect(watch.faults).toEqual([]);
});

test('a chart is saved as a picture and as its points', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/reports/Runs');
    const saved = async (press: () => Promise<void>): Promise<Buffer> => {
        const [download] = await Promise.all([page.waitForEvent('download'), press()]);
        return readFile(await download.path());
    };
    const png = await saved(() => page.getByRole('button', { name: 'PNG' }).click());
    // Twice as wide as the engine draws it.
    expect([png.subarray(1, 4).toString(), png.readUInt32BE(16)]).toEqual(['PNG', 1600]);
    const svg = await saved(() => page.getByRole('link', { name: 'SVG' }).click());
    expect(svg.toString()).toContain('<svg');
    await page.locator('.plot[data-loaded=true]').waitFor();
    const points = await saved(() => page.getByRole('button', { name: 'CSV' }).click());
    expect(points.toString().split('\r\n').slice(0, 2)).toEqual(['series,of,value', 'tests,build 1,83']);
    expect(watch.faults).toEqual([]);
});

test('columns are filtered, and what is shown is kept under a name', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/reports/Details');
    await page.getByRole('button', { name: 'Filter columns' }).click();
    await page.getByLabel('Filter status').fill('fail');
    await page.getByText('Rows 1 to 50').waitFor();
    await page.getByLabel('Filter name').fill('nothing like it');
    await page.getByText('No row fits').waitFor();
    await page.getByLabel('Filter name').fill('');
    await page.getByText('Rows 1 to 50').waitFor();
    await page.getByRole('button', { name: 'Keep this view…' }).click();
    await page.getByRole('textbox', { name: 'Name' }).fill('what failed');
    await page.getByLabel('Everybody sees it').check();
    await page.getByRole('button', { name: 'Keep it' }).click();
    await page.getByRole('link', { name: 'what failed' }).waitFor();
    await page.goto('/reports/Details');
    await page.getByText('Rows 1 to 100').waitFor();
    await page.getByRole('link', { name: 'what failed' }).click();
    await page.getByText('Rows 1 to 50').waitFor();
    expect(new URL(page.url()).searchParams.get('c.4')).toBe('fail');
    await lab.user('vera', 'vera-likes-reports-1', ['viewer']);
    const vera = await Person.open(browser, lab, 'vera', 'vera-likes-reports-1');
    await vera.page.goto('/reports/Details');
    await vera.page.getByRole('link', { name: 'what failed (admin)' }).click();
    await vera.page.getByText('Rows 1 to 50').waitFor();
    expect(await vera.page.getByRole('button', { name: 'Forget view what failed' }).count()).toBe(0);
    await page.getByRole('button', { name: 'Forget view what failed' }).click();
    await page.getByRole('link', { name: 'what failed' }).waitFor({ state: 'detached' });
    expect([...watch.faults, ...vera.watch.faults]).toEqual([]);
});

/** Makes a link to what is shown, and answers it. */
async function shared(page: Page): Promise<string> {
    await page.getByRole('button', { name: 'Share…' }).click();
    await page.getByLabel('Days until it ends').fill('2');
    await page.getByRole('button', { name: 'Make a link' }).click();
    const link = await page.locator('.secret').innerText();
    await page.getByRole('button', { name: 'I have it' }).click();
    return link;
}

test.each<Theme>(['light', 'dark'])('a shared report opens without an account, %s', async (theme) => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/reports/Summary?f.Run=2');
    const link = await shared(page);
    const context = await browser.newContext({ baseURL: lab.url, colorScheme: theme, acceptDownloads: true });
    const stranger = await context.newPage();
    const seen = new Watch(stranger, lab.url);
    await stranger.goto(link);
    await stranger.getByRole('heading', { name: 'Summary' }).waitFor();
    await stranger.getByText('Select run: 2 · shared by admin until').waitFor();
    await stranger.getByRole('img', { name: /Summary.*PASS: \d+/ }).waitFor();
    await stranger.getByRole('cell', { name: 'PASS', exact: true }).waitFor();
    const [csv] = await Promise.all([
        stranger.waitForEvent('download'),
        stranger.getByRole('link', { name: 'CSV' }).click(),
    ]);
    expect((await readFile(await csv.path())).toString()).toContain('PASS,');
    expect(await violations(stranger)).toEqual([]);
    expect(await stranger.getByRole('navigation').count()).toBe(0);
    // Nothing else is open to who has it.
    for (const path of ['reports', 'reports/Details/rows', 'runs', 'me'])
        expect((await stranger.request.get(`/api/v1/${path}`)).status(), path).toBe(401);
    await page.getByRole('button', { name: 'Share…' }).click();
    await page
        .getByRole('button', { name: /Take back link/ })
        .first()
        .click();
    await page.getByRole('button', { name: /Take back link/ }).waitFor({ state: 'detached' });
    await stranger.reload();
    await stranger.getByText('this link opens nothing').waitFor();
    await context.close();
    expect([...watch.faults, ...seen.faults]).toEqual([]);
});

test('what the database says is asked from the page', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/engine/settings');
    await page.getByRole('button', { name: 'Try it with the database' }).click();
    await page.getByText(/SQLite .* has looked at \d+ statements and queries/).waitFor();
    await page.getByText('no such table: nowhere').waitFor();
    await page.getByText('not there: no mail is sent').waitFor();
    await page.getByText('not there: none is told').waitFor();
    expect(await violations(page)).toEqual([]);
    expect(watch.faults).toEqual([]);
});

test('whoever keeps the lab’s services tries its databases where its reports are', async () => {
    const { page, watch } = await Person.open(browser, lab);
    await page.goto('/reports');
    await page.getByRole('button', { name: 'Try all with their databases' }).click();
    const tried = page.getByRole('article', { name: /db\.xml$/ });
    await tried.getByText(/SQLite .* has looked at \d+ statements and queries/).waitFor();
    await tried.getByText('no such table: nowhere').waitFor();
    expect(await violations(page)).toEqual([]);
    await lab.user('otto', 'otto-likes-reports-1', ['viewer']);
    const otto = await Person.open(browser, lab, 'otto', 'otto-likes-reports-1');
    await otto.page.goto('/reports');
    await otto.page.getByRole('link', { name: 'Summary' }).waitFor();
    expect(await otto.page.getByRole('button', { name: 'Try all with their databases' }).count()).toBe(0);
    expect([...watch.faults, ...otto.watch.faults]).toEqual([]);
});

test.each<Theme>(['light', 'dark'])('no state of a report has a serious violation, %s', async (theme) => {
    const { page } = await Person.open(browser, lab, 'admin', lab.password, theme);
    const found: string[] = [];
    const look = async (what: string) => {
        found.push(...(await violations(page)).map((text) => `${what}: ${text}`));
    };
    for (const path of ['Summary', 'Summary?f.Run=1', 'Runs', 'Rate', 'Details?c.4=FAIL&sort=-2', 'Wrong']) {
        await page.goto(`/reports/${path}`);
        await page.getByRole('heading', { level: 2 }).first().waitFor();
        await page
            .getByText(/^Loading/)
            .first()
            .waitFor({ state: 'detached' });
        await look(path);
    }
    await page.goto('/reports/Details');
    await page.getByRole('button', { name: 'Share…' }).click();
    await page.getByLabel('Days until it ends').waitFor();
    await look('share');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Keep this view…' }).click();
    await page.getByRole('textbox', { name: 'Name' }).waitFor();
    await look('keep');
    expect(found).toEqual([]);
});

test('a report is chosen, given its value, sorted, filtered and shared by keys alone', async () => {
    const person = await Person.open(browser, lab);
    const { page, watch } = person;
    const { keyboard } = page;
    await tabTo(page, page.getByRole('link', { name: 'Reports' }));
    await keyboard.press('Enter');
    await tabTo(page, page.getByRole('link', { name: 'By build' }));
    await keyboard.press('Enter');
    await tabTo(page, page.getByLabel('Select run'));
    await keyboard.press('2');
    await page.getByText('Rows 1 to 84').waitFor();
    await tabTo(page, page.getByRole('button', { name: 'name', exact: true }));
    await keyboard.press('Enter');
    await page.getByRole('button', { name: 'name ↑' }).waitFor();
    await keyboard.press('f');
    await keyboard.type('test 10');
    await page.getByText('Rows 1 to 5').waitFor();
    await tabTo(page, page.getByRole('button', { name: 'Share…' }));
    await keyboard.press('Enter');
    await page.getByLabel('Days until it ends').waitFor();
    await keyboard.press('Enter');
    await page.locator('.secret').waitFor();
    await keyboard.press('Escape');
    await page.locator('.secret').waitFor({ state: 'detached' });
    expect(watch.faults).toEqual([]);
});
